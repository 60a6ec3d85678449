"""Burn scars of an image of any size: strips to runs, runs to patches on one graph, patches to exact outlines."""
