"""Calibration: what scars and perimeters say of the rate of spread and of the wind, with how little they say."""
