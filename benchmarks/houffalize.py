"""Calibration on a real scar whose duration nobody wrote down. `python -m benchmarks.houffalize [--picture FILE]`.

Houffalize (Belgium), 2025-04-12, 5.2 ha in Scott & Burgan fuels on 10 m. The wind is the vector mean of 14 samples of one
hour, its error their spread; the duration is .5-6 h. Two maps: as given, where roads of one cell (fuel 91) stop every
fire and the ignition cell is enclosed by them; and with those roads closed over by the fuel beside them, since the
scar lies on both sides. Sorensen counts cells that burned but that no simulated fire can reach as missed, and new
growth alone. Before and after are of one scar: a fit, not a validation.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from scipy.ndimage import distance_transform_edt

from geolabel.fire.calibrate.fit import calibrate
from geolabel.fire.calibrate.likelihood import Perimeter
from geolabel.fire.calibrate.prior import Prior
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.samples import read_samples
from geolabel.grid import Grid
from geolabel.steps.calibrate import around, scar_mask

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("GEOLABEL_DATA", ROOT.parent / "shared" / "data")) / "fire-houffalize"
IGNITION = (180601 - 1) // 601, (180601 - 1) % 601  # cells count from 1, row by row
ROAD, HOURS, RUNS, SEED = 91, (0.5, 6.0), 600, 1


@dataclass(frozen=True)
class Case:
    """The ground around the scar, and what is known of the fire."""

    name: str
    landscape: Landscape
    scar: np.ndarray
    start: tuple[int, int]
    moved_m: float
    """How far the ignition was moved to a cell where a fire can start."""


def raster(name):
    with rasterio.open(DATA / f"{name}.tif") as file:
        return file.read(1), file


def landscape(*, roads):
    """The whole landscape; where `roads` are not kept, cells of 91 within a cell of fuel take the fuel beside them."""
    fuel, file = raster("fuels")
    elevation, slope, aspect = (raster(name)[0].astype(np.float32) for name in ("elevation", "slope", "saz"))
    known = (fuel > 0) & (elevation > 0)
    fuel = np.where(known, fuel, 99).astype(np.int16)
    if not roads:
        fuel = closed_over(fuel)
    aspect = np.where(slope > 0, aspect, np.nan).astype(np.float32)
    return Landscape(Grid.of(file.crs.to_wkt(), file.transform, file.shape), fuel, elevation, slope, aspect, known)


def closed_over(fuel):
    """Fuel with roads replaced by the nearest fuel that burns, where that is the next cell."""
    burns = fuel > 100
    away, nearest = distance_transform_edt(~burns, return_indices=True)
    road = (fuel == ROAD) & (away < 2)
    return np.where(road, fuel[tuple(nearest)], fuel)


def case(*, roads):
    """The fire on the map as given, or with its narrow roads closed over."""
    whole = landscape(roads=roads)
    scar = scar_mask(gpd.read_file(DATA / "observed_scar" / "observed_scar.shp"), whole.grid)
    tile = around(scar)
    part, row, col = whole.crop(tile), IGNITION[0] - tile.row, IGNITION[1] - tile.col
    start = part.nearest_burnable(row, col)
    moved = float(np.hypot(start[0] - row, start[1] - col)) * whole.grid.res_m
    return Case("roads as mapped" if roads else "roads closed over", part, scar[tile.slices], start, moved)


def wind():
    """The samples' mean and spread; the weather is let last as long as any fire that is tried."""
    columns = {"WS": "speed_km_h", "WD": "from_deg", "datetime": "time"}
    return read_samples(
        DATA / "Weather.csv", hours=2 * HOURS[1], columns=columns, time_format="%d/%m/%y %H:%M", timezone="Europe/Brussels"
    )  # fmt: skip


def prior_of(samples):
    """Prior whose wind errors are the spread of the samples, beside the model's own."""
    usual = Prior()
    return Prior(
        log_wind_sd=float(np.hypot(usual.log_wind_sd, samples.speed_share)),
        turn_sd_deg=samples.direction_deg,
        hours=HOURS,
    )


def fitted(one, *, runs=RUNS, seed=SEED, progress=None):
    """Calibration of one case."""
    samples = wind()
    more = {} if progress is None else {"progress": progress}
    return calibrate(
        one.landscape, samples.weather, one.start, [Perimeter(one.scar)], seed=seed, prior=prior_of(samples), runs=runs, **more
    )  # fmt: skip


def picture(found, path):
    """Scar, burned probability and ignition of each case, beside each other."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(found), figsize=(8 * len(found), 8))
    for axis, (one, result) in zip(np.atleast_1d(axes), found, strict=True):
        axis.imshow(np.where(one.landscape.burnable, np.nan, 0.5), cmap="gray", vmin=0, vmax=1)
        chance = np.where(result.burned_probability >= 0.02, result.burned_probability, np.nan)
        shown = axis.imshow(chance, cmap="YlOrRd", vmin=0, vmax=1, alpha=0.85)
        axis.contour(one.scar, levels=[0.5], colors="blue", linewidths=1.5)
        axis.plot(*one.start[::-1], "k*", markersize=14)
        axis.set_title(f"{one.name}: Sorensen {words(result.interval('sorensen'))}")
        figure.colorbar(shown, ax=axis, shrink=0.7, label="probability of having burned, given the scar")
    figure.savefig(path, dpi=90, bbox_inches="tight")


def words(three):
    return f"{three[0]:.2f} ({three[1]:.2f} to {three[2]:.2f})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--picture")
    told = parser.parse_args()
    if not DATA.is_dir():
        print("fire-houffalize is not there: set GEOLABEL_DATA to the folder of real data")
        return 0
    samples, found = wind(), []
    print(
        f"{samples.weather!r}; samples spread {samples.speed_share:.0%} of the speed, {samples.direction_deg:.0f} degrees"
    )
    for roads in (True, False):
        one = case(roads=roads)
        result = fitted(one, runs=told.runs)
        found.append((one, result))
        print(
            f"\n{one.name}: {int(one.scar.sum())} cells burned, ignition moved {one.moved_m:.0f} m to fuel that burns"
        )
        print(result.table.round(2).to_string())
        print(result)
    if told.picture:
        picture(found, told.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
