"""Figures of burn rules on real fires and of radar: official severity, a perimeter with islands, water, simulated speckle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from benchmarks import burns, radar, water
from benchmarks.evidence import Row, row
from benchmarks.evidence.__main__ import data_root
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.scene.backscatter import drop_reader, smoothed
from geolabel.scene.speckle import temporal_mean
from geolabel.shapes import rasterise
from geolabel.steps.burns import burned_index
from geolabel.steps.radar import burned_radar

RULES = ("src/geolabel/label", "src/geolabel/scene", "src/geolabel/steps/burns.py", "src/geolabel/steps/radar.py")
BEST_THRESHOLD = 0.569
"""IoU of the best single threshold on VV, fitted to the whole label (`data/README.md`)."""


def _words(low_high: tuple[float, float]) -> str:
    return f"90 % of resampled basins {low_high[0]:.2f} .. {low_high[1]:.2f}"


@row(*RULES, "benchmarks/burns.py", needs="burn-landsat")
def change() -> Iterator[Row]:
    """Mean dNBR per basin, the ring's offset taken off, against USGS within each fire."""
    folder, away = data_root() / "burn-landsat", {}
    for name, (code, pearson, rank) in burns.FIRES.items():
        one = burns.fire(folder, code)
        official = one.table[burns.OFFICIAL]
        for words, statistic, known in (("Pearson", burns.pearson, pearson), ("Spearman", burns.spearman, rank)):
            value, goal = statistic(one.means, official), known - burns.SLACK
            beside = (
                f"n {len(official)}, {_words(burns.interval(statistic, one.means, official))}, offset {one.offset:.3f}"
            )
            yield Row(
                f"{name}: {words} with USGS dNBR, offset taken off", value, "", beside, f">= {goal:.2f}", value >= goal
            )
        away[name] = [abs(float((one.means + more - official).mean())) for more in (0, one.offset)]
    table = pd.DataFrame(away, index=["with", "without"])
    nearer = int((table.loc["with"] < table.loc["without"]).sum())
    beside = f"without an offset {table.loc['without'].mean():.3f}; nearer with it in {nearer} of {len(away)} fires"
    yield Row(
        "distance of a fire's mean dNBR to that of USGS, mean of four", float(table.loc["with"].mean()), "", beside
    )


@row(*RULES, "benchmarks/burns.py", needs="burn-landsat")
def severe() -> Iterator[Row]:
    """Share of moderate and high ground per basin against PropHM23: published breaks, and those of the fire itself."""
    folder = data_root() / "burn-landsat"
    for name, (code, _, _) in burns.FIRES.items():
        one = burns.fire(folder, code)
        official = one.table[burns.SEVERE]
        published, own = one.severe(one.published[1]), one.severe(one.own[1])
        fitted = burns.halves(one)
        value, other = burns.apart(own, official), burns.apart(published, official)
        beside = (
            f"published breaks {other:.3f}; a break fitted on half of the basins, tried on the other {fitted[0]:.3f}; "
            f"moderate from {one.own[1]:.3f}; {_words(burns.interval(burns.apart, own, official))}"
        )
        goal = "below published"
        yield Row(f"{name}: mean difference to PropHM23, per-fire breaks", value, "", beside, goal, value < other)
        beside = (
            f"published breaks {burns.pearson(published, official):.2f}; fitted on half {fitted[1]:.2f}; "
            f"{_words(burns.interval(burns.pearson, own, official))}"
        )
        yield Row(f"{name}: Pearson with PropHM23, per-fire breaks", burns.pearson(own, official), "", beside)


@row(*RULES, needs="burn-llutxent")
def islands() -> Iterator[Row]:
    """The perimeter of Llutxent from its dNBR raster, without clean-up. It was cut from the same raster before that was resampled."""
    folder = data_root() / "burn-llutxent"
    shipped, found = llutxent(folder, cleanup="none")
    _, cleaned = llutxent(folder, cleanup="majority")
    holes, own = _islands(shipped), shapely.union_all(_islands(found))
    pixel = 400.0
    large = [one for one in holes if one.area >= 1.5 * pixel]
    met = sum(one.intersection(own).area > 0 for one in large)
    iou = found.intersection(shipped).area / found.union(shipped).area
    yield Row("Llutxent: IoU with the shipped perimeter", iou, "", "its outline is smoothed", ">= 0.97", iou >= 0.97)
    share = found.area / shipped.area - 1
    beside = f"shipped {shipped.area / 1e4:.1f} ha"
    yield Row(
        "Llutxent: area less that of the shipped perimeter", 100 * share, "%", beside, "within 0.2", abs(share) < 0.002
    )
    apart = len(shapely.get_parts(own.buffer(0.5)))
    beside = f"{len(holes)} shipped; {apart} where those that touch at a corner are one; {len(_islands(cleaned))} with the clean-up"
    yield Row("Llutxent: islands", float(len(_islands(found))), "", beside)
    goal = f"all {len(large)}"
    yield Row("Llutxent: shipped islands of two pixels and more found", float(met), "", "", goal, met == len(large))
    near = sum(one.distance(own) <= 20 for one in holes)
    yield Row(
        "Llutxent: shipped islands found within a pixel", float(near), "", f"of {len(holes)}", ">= 80", near >= 80
    )


def llutxent(folder: Path, *, cleanup: str) -> tuple[shapely.Polygon, shapely.Polygon]:
    """(shipped perimeter, ours), UTM 30N."""
    told = {"threshold": 100, "offset": 0, "severity": False, "min_burned_ha": 100}
    scar = burned_index(folder / "dNBR.tif", cleanup=cleanup, **told)
    shipped = gpd.read_file(folder / "perimeter.geojson").to_crs(scar.crs).geometry[0]
    return shipped, max(scar.geometry, key=lambda one: one.area)


def _islands(polygon: shapely.Polygon) -> list[shapely.Polygon]:
    return [shapely.Polygon(ring) for ring in polygon.interiors]


@row(*RULES, "benchmarks/water.py", needs="radar-spain-s1s2")
def radar_water() -> Iterator[Row]:
    """Water of the Spanish radar scene: VV and VH together, by spatial halves, beside single thresholds."""
    of = water.truth(data_root() / "radar-spain-s1s2")
    bands, calm = ("vv", "vh"), water.filtered(of)
    for words, scene in (("VV + VH", of.scene), ("VV + VH, Lee filter", calm)):
        values = water.levels(scene, bands)
        for name, half in water.halves(of.known.shape).items():
            value = water.iou(water.crossed(of, values, half), of)
            one = max(water.iou(water.crossed_threshold(of, band, half), of) for band in values)
            beside = (
                f"best single threshold {BEST_THRESHOLD} fitted to all of it, {one:.3f} by the same halves and filter"
            )
            goal = f"> {BEST_THRESHOLD}"
            yield Row(f"radar water, {words}, {name}: IoU", value, "", beside, goal, value > BEST_THRESHOLD)
    value = water.iou(water.by_rule(of), of)
    yield Row(
        "rule water-radar@1, nothing learned: IoU", value, "", f"best single threshold {BEST_THRESHOLD}", "", None
    )


@row(*RULES, "benchmarks/radar.py")
def radar_burn() -> Iterator[Row]:
    """`burned-radar@1` on simulated speckle (there is no real pair): known scar, known drop."""
    for name, ground in radar.CASES.items():
        for index in ("vh/vv", "vh"):
            reached, calm, rough = simulated(ground, index)
            beside = (
                f"best threshold, chosen knowing the truth: on the filtered pixels {calm:.3f}, unfiltered {rough:.3f}"
            )
            goal = "> on filtered pixels"
            yield Row(f"burned-radar, {index}, {name}: IoU", reached, "", beside, goal, reached > calm)


def simulated(ground: radar.Ground, index: str) -> tuple[float, float, float]:
    """IoU of the rule, and of the best threshold on the mean of the dates, filtered and not."""
    scar = radar.scar_of(ground, np.random.default_rng(1))
    before, after = radar.pair_of(ground, scar, 2)
    found = burned_radar(before, after, radar_index=index)
    calm = [smoothed(dates, looks=ground.looks) for dates in (before, after)]
    rough = [temporal_mean(dates) for dates in (before, after)]
    best = [radar.best_threshold(_drop(*pair, index), scar)[0] for pair in (calm, rough)]
    return radar.iou(rasterise(found, before[0].grid) > 0, scar), best[0], best[1]


def _drop(before: Scene, after: Scene, index: str) -> NDArray[np.float32]:
    height, width = before.grid.shape
    source = drop_reader(View("pair", before.grid, {"before": before, "after": after}), index)
    return source.read(slice(0, height), slice(0, width))
