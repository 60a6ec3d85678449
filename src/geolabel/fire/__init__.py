"""Fire: fuel, rate of spread, the front on a grid, ensembles of fires, exposure, risk. numpy and numba only."""
