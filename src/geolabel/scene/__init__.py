"""Scenes: open, harmonise, align, indices, terrain, paint. The only room that opens input rasters."""
