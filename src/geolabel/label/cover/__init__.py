"""Learning terrain from a few labeled polygons: features, samples, candidates, what they do on polygons held out."""
