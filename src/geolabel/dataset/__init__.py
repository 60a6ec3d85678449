"""Data sets: labeled tiles as GeoJSON, splits that share no ground, sequences of spread."""
