"""Fires of a campaign by pyretechnics' level set: `with_pyretechnics.py FIRES.npz RESULT.json`, in an environment with it.

Each fire is burned once on one thread, its fuel and weather already in memory; the first is burned once before, untimed.
"""

import json
import pathlib
import sys
import time

import numpy as np
from pyretechnics.eulerian_level_set import SpreadState, spread_fire_with_phi_field
from pyretechnics.space_time_cube import SpaceTimeCube

MOISTURES = ("dead_1hr", "dead_10hr", "dead_100hr", "live_herbaceous", "live_woody")
TREES = ("canopy_cover", "canopy_height", "canopy_base_height", "canopy_bulk_density")


def ground(fires, shape):
    """Rasters of the ground; rows go north there."""
    rasters = {"fuel_model": fires["fuel"], "slope": fires["slope"], "aspect": fires["aspect"]}
    cubes = {
        name: SpaceTimeCube(shape, np.ascontiguousarray(raster[::-1], np.float32)) for name, raster in rasters.items()
    }
    return cubes | {name: SpaceTimeCube(shape, 0.0) for name in TREES} | {"foliar_moisture": SpaceTimeCube(shape, 1.0)}


def air(fires, number, shape):
    """Weather of one fire, by the hour, and the error of its rate of spread."""
    cubes = {
        name: SpaceTimeCube(shape, fires[column][number].astype(np.float32)[:, None, None])
        for name, column in (("wind_speed_10m", "speed_km_h"), ("upwind_direction", "from_deg"))
    }
    for name, value in zip(MOISTURES, fires["moisture"][number], strict=True):
        cubes[f"fuel_moisture_{name}"] = SpaceTimeCube(shape, float(value))
    cubes["weather_spread_adjustment"] = SpaceTimeCube(shape, float(fires["rate"][number]))
    return cubes


def burn(cubes, shape, start, res_m):
    """(CPU seconds, burned cells) of one fire."""
    begun = time.thread_time()
    state = SpreadState(shape).ignite_cell((shape[1] - 1 - int(start[0]), int(start[1])))
    done = spread_fire_with_phi_field(cubes, state, (60.0, res_m, res_m), 0.0, 60.0 * shape[0], use_wind_limit=True)
    took = time.thread_time() - begun
    arrival = done["spread_state"].get_full_matrices(["time_of_arrival"])["time_of_arrival"]
    return took, int((arrival >= 0).sum())


def main():
    with np.load(sys.argv[1]) as file:
        fires = dict(file)
    shape = (fires["speed_km_h"].shape[1], *fires["fuel"].shape)
    land, res_m = ground(fires, shape), float(fires["res_m"])
    took, cells = [], []
    for number, start in enumerate(fires["start"]):
        cubes = land | air(fires, number, shape)
        if number == 0:
            burn(cubes, shape, start, res_m)
        seconds, burned = burn(cubes, shape, start, res_m)
        took.append(seconds)
        cells.append(burned)
    pathlib.Path(sys.argv[2]).write_text(json.dumps({"cpu_s": took, "cells": cells}))


if __name__ == "__main__":
    main()
