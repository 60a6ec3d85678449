"""Terrain labels as fuel, against LANDFIRE's map of Napa and Sonoma. `python -m benchmarks.crosswalk`.

A labeler sees grass, shrubs or forest, not which of Scott & Burgan's models it is: so each mapped fuel is given the class of its
group (grass for GR, open shrub for GS, shrub for SH, forest for TU and TL), and the crosswalk has to say the model. The priors of
the crosswalk were looked at beside this map while they were chosen: the score shows what they are worth here, not elsewhere.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio

from geolabel.fire.behave.fuel import NON_BURNABLE, fuel_models
from geolabel.ontology import WILDFIRE
from geolabel.steps.behave import behave

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("GEOLABEL_DATA", ROOT.parent / "shared" / "data")) / "landscape-napa-landfire"
GROUPS = {"grass": (101, 109), "shrub_open": (121, 124), "shrub": (141, 149), "forest": (161, 189)}
"""Terrain class -> first and last model of its group."""
WIND = "20 km/h from 225"
FLOOR = 0.02
"""Share of every forecast that is spread over all models of the group: a prior of zero would cost infinitely much."""


@dataclass(frozen=True)
class Score:
    """What the crosswalk is worth over the burnable cells of a map."""

    cells: int
    covered: float
    """Share of cells whose mapped model the crosswalk holds possible."""
    bits: float
    """Log score, bits a cell, lower is better."""
    bits_group: float
    """The same of one who knows the group only."""
    bits_map: float
    """The same of one who knows how often each model occurs on this very map: the best any prior can do."""
    log_rate_rms: float
    """Root mean square of the log of (rate of the most probable model over rate of the mapped one)."""
    within: float
    """Share of cells whose mapped rate lies between the slowest and the fastest model that the crosswalk holds for 5 %."""


def mapped():
    with rasterio.open(DATA / "fbfm40.tif") as file:
        return file.read(1)


def rates():
    """Rate of spread by model, m/min, on level ground under the dry default moistures."""
    models = sorted(number for number in fuel_models() if number > 100)
    return dict(zip(models, behave(models, WIND)["rate_m_min"], strict=True))


def scored(fuels):
    speed = rates()
    numbers, counts = np.unique(fuels[~np.isin(fuels, list(NON_BURNABLE))], return_counts=True)
    total, rows = counts.sum(), []
    for name, (low, high) in GROUPS.items():
        here = (numbers >= low) & (numbers <= high)
        group = [n for n in speed if low <= n <= high]
        prior = {n: p for n, p in WILDFIRE[name].fuels.items() if n not in NON_BURNABLE}
        forecast = {n: FLOOR / len(group) + (1 - FLOOR) * prior.get(n, 0.0) for n in {*group, *prior}}
        likeliest = speed[max(prior, key=prior.get)]
        possible = [speed[n] for n, p in prior.items() if p >= 0.05]
        for number, count in zip(numbers[here].tolist(), counts[here].tolist(), strict=True):
            rows.append(
                (
                    count,
                    prior.get(number, 0.0) > 0,
                    -np.log2(forecast[number]),
                    np.log2(len(group)),
                    -np.log2(count / counts[here].sum()),
                    np.log(likeliest / speed[number]),
                    min(possible) <= speed[number] <= max(possible),
                )
            )
    table = np.array(rows, float)
    weight = table[:, 0] / total
    log_rate = table[:, 5]
    mean = weight @ log_rate
    return Score(
        cells=int(table[:, 0].sum()),
        covered=float(weight @ table[:, 1]),
        bits=float(weight @ table[:, 2]),
        bits_group=float(weight @ table[:, 3]),
        bits_map=float(weight @ table[:, 4]),
        log_rate_rms=float(np.sqrt(weight @ (log_rate - mean) ** 2 + mean**2)),
        within=float(weight @ table[:, 6]),
    )


def main() -> int:
    if not DATA.is_dir():
        print(f"no {DATA.name} beside ../shared/data: nothing to score against")
        return 0
    score = scored(mapped())
    print(f"{score.cells:,} burnable cells; mapped model possible {score.covered:.3f}, rate within {score.within:.3f}")
    print(f"bits a cell: {score.bits:.3f}; group alone {score.bits_group:.3f}; this map's own {score.bits_map:.3f}")
    print(f"log rate, most probable model over mapped: rms {score.log_rate_rms:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
