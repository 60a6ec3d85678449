"""Models: nets, training, calibration, saving. The only room that imports torch."""
