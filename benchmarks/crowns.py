"""What trees, crowns and winds by cell cost the front, and how near the compiled head is to the point model.

`python -m benchmarks.crowns`. Times are CPU times of one thread; Napa is read from the shared data and left out without it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from affine import Affine
from scipy.ndimage import gaussian_filter

from geolabel.bearings import difference
from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.crown import FIRE_TYPES
from geolabel.fire.behave.point import Conditions, CrownModel, Options, Site, point_fire
from geolabel.fire.front.arrival import spread
from geolabel.fire.front.fields import behaviour, fuel_fields
from geolabel.fire.front.heads import heads_of
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid

ROOT = Path(__file__).resolve().parent.parent
NAPA = Path(os.environ.get("GEOLABEL_DATA", ROOT.parent / "shared" / "data")) / "landscape-napa-landfire"
CROWN_MODELS: tuple[CrownModel, ...] = ("rothermel", "cruz")
START = "2017-10-09T06:00Z"


def mosaic(size: int = 1000, *, trees: bool, seed: int = 1) -> Landscape:
    """Patches of six fuels and, with trees, of ten covers, heights and base heights."""
    rng = np.random.default_rng(seed)

    def ranks(n: int) -> np.ndarray:
        level = gaussian_filter(rng.standard_normal((size, size)), 4.0)
        return (level.ravel().argsort().argsort().reshape(size, size) * n // size**2).astype(int)

    fuel = np.array([102, 104, 122, 145, 165, 188], np.int16)[ranks(6)]
    level = np.zeros((size, size), np.float32)
    grid = Grid.of("EPSG:32611", Affine(30, 0, 5e5, 0, -30, 4e6), (size, size))
    height = 3.0 + 3.0 * ranks(10)
    canopy = Canopy(ranks(10) / 10, height, height * (1 + ranks(5)) / 10, 0.05 + ranks(6) / 20)
    known = np.ones((size, size), bool)
    return Landscape(grid, fuel, level, level, level + np.nan, known, canopy=canopy if trees else None)


def best_ms(work: Callable[[], object], runs: int = 7) -> float:
    """CPU time of the quickest of several runs, ms."""
    work()
    took = []
    for _ in range(runs):
        begin = time.thread_time()
        work()
        took.append((time.thread_time() - begin) * 1e3)
    return min(took)


def member_ms(ground: Landscape, crown: CrownModel | None) -> dict[str, float]:
    """ms a member of an ensemble spends before its fire burns: another fuel, and its behaviour in 24 h."""
    weather = Weather.constant(START, speed_m_s=8.0, from_deg=30.0, hours=24.0).hourly(24)
    fuel = ground.fuel.copy()

    def member() -> None:
        own = ground.with_fuel(fuel)
        fuel_fields(own, behaviour(own, weather, crown=crown))

    return {
        "with_fuel_ms": best_ms(lambda: ground.with_fuel(fuel)),
        "member_ms": best_ms(member),
        "classes": float(behaviour(ground, weather).table.shape[1]),
    }


def napa() -> tuple[Landscape, Weather] | None:
    """LANDFIRE's Napa and Sonoma on a day of strong wind; None where it is not here."""
    from geolabel.steps.landfire import landfire

    if not NAPA.is_dir():
        return None
    air = Weather.constant(START, speed_m_s=12.0, from_deg=30.0, hours=24.0, moisture={"m1": 0.04})
    return landfire(NAPA), air


def heads_on_napa(ground: Landscape, air: Weather, model: CrownModel) -> dict[str, float]:
    """Largest errors of the compiled head against the point model, over all burnable cells, and how often each kind is."""
    acts = behaviour(ground, air, crown=model)
    cells = np.flatnonzero(acts.of >= 0)
    ours = heads_of(fuel_fields(ground, acts), cells, np.zeros_like(cells))
    at, turn = np.unravel_index(cells, ground.grid.shape), ground.grid.convergence_deg()
    site = Site(ground.fuel[at], ground.slope_deg[at], (ground.aspect_deg[at] + turn) % 360, ground.canopy.at(at))
    truth = point_fire(site, Conditions(12.0, 30.0, air.moisture[:, 0]), Options(crown=model))
    alike = ours.kind == truth.crown.kind
    bearing = np.degrees(np.arctan2(ours.east, ours.north)) + turn
    shares = np.bincount(ours.kind, minlength=4) / len(cells)
    return {
        "cells": float(len(cells)),
        "other_kind": float((~alike).sum()),
        "rate_error": float(np.abs(ours.rate_m_min / truth.crown.rate_m_min - 1)[alike].max()),
        "ellipse_error": float(np.abs(ours.eccentricity - truth.crown.eccentricity)[alike].max()),
        "bearing_error_deg": float(difference(bearing, truth.surface.bearing_deg)[ours.eccentricity > 0.01].max()),
        **{f"share_{name}": float(share) for name, share in zip(FIRE_TYPES, shares, strict=True)},
    }


def areas_on_napa(ground: Landscape, air: Weather, hours: float = 3.0) -> dict[str, float]:
    """ha of one fire in the open, under its trees, and with its crowns by each model."""
    bare = Landscape(ground.grid, ground.fuel, ground.elevation_m, ground.slope_deg, ground.aspect_deg, ground.known)
    start = ground.nearest_burnable(300, 400)
    cases: tuple[tuple[str, Landscape, CrownModel | None], ...] = (
        ("unsheltered", bare, None),
        ("sheltered", ground, None),
        ("rothermel", ground, "rothermel"),
        ("cruz", ground, "cruz"),
    )
    return {name: spread(land, air, start, hours, crown=model).area_ha for name, land, model in cases}


def main() -> None:
    """Print all of it."""
    models: tuple[CrownModel | None, ...] = (None, *CROWN_MODELS)
    print("1000 x 1000, open", member_ms(mosaic(trees=False), None))
    for model in models:
        print("1000 x 1000, thousands of stands", model, member_ms(mosaic(trees=True), model))
    place = napa()
    if place is None:
        print(f"no {NAPA.name}: set GEOLABEL_DATA")
        return
    for model in models:
        print("Napa, 800 x 800", model, member_ms(place[0], model))
    for chosen in CROWN_MODELS:
        print(chosen, {k: float(f"{v:.3g}") for k, v in heads_on_napa(*place, chosen).items()})
    print({k: round(v) for k, v in areas_on_napa(*place).items()})


if __name__ == "__main__":
    main()
