"""Fire behaviour at a point: fuel, surface fire, flames, wind at flame height, crown fire."""
