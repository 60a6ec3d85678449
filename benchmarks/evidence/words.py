"""Figures of the class list: whether its colours can be told apart, and whether its fuels are those of mapped ground."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
import rasterio

from benchmarks.evidence import Row, row
from benchmarks.evidence.__main__ import data_root
from geolabel.ontology import WILDFIRE, Class, Ontology, known

SIGHTS = ("normal", "deuteranomaly", "protanomaly", "tritanomaly")
LEAST = 10.0
"""CAM02-UCS, as for the palettes of maps (DOMAIN.md, section 7)."""


@row("src/geolabel/ontology")
def colours() -> Iterator[Row]:
    """Smallest difference between classes that one map shows together, over four kinds of sight."""
    first = known("wildfire@1")
    for words, kind, picked in (
        ("terrain without its sorts", "terrain", _top),
        ("terrain, all leaves", "terrain", Ontology.leaves),
        ("objects", "object", Ontology.leaves),
    ):
        ours, before = (_least(c for c in picked(one) if c.kind == kind) for one in (WILDFIRE, first))
        count = sum(c.kind == kind for c in picked(WILDFIRE))
        beside = f"{before:.1f} in wildfire@1, which has {sum(c.kind == kind for c in picked(first))}"
        yield Row(f"colours of {count} classes: {words}", ours, "CAM02-UCS", beside, f">= {LEAST:.0f}", ours >= LEAST)


def _top(ontology: Ontology) -> tuple[Class, ...]:
    return ontology.children()


def _least(classes: Iterable[Class]) -> float:
    with warnings.catch_warnings():  # its docstrings hold escapes that Python 3.12 warns of when it compiles them
        warnings.simplefilter("ignore")
        from colorspacious import cspace_convert
    rgb = np.array([[int(c.colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in classes])
    spaces = [{"name": "sRGB1+CVD", "cvd_type": sight, "severity": 100} for sight in SIGHTS[1:]]
    seen = [rgb, *(cspace_convert(rgb, space, "sRGB1").clip(0, 1) for space in spaces)]
    points = [cspace_convert(one, "sRGB1", "CAM02-UCS") for one in seen]
    return float(min(np.linalg.norm(p[a] - p[b]) for p in points for a, b in combinations(range(len(rgb)), 2)))


MAPPED = {
    "Napa": ("landscape-napa-landfire/fbfm40.tif", "landscape-napa-landfire/cc.tif"),
    "Vermont": ("landscape-vermont-landfire/LC22_F40_230.tif", "landscape-vermont-landfire/LC22_CC_230.tif"),
}
CLOSED = 40
"""Crown cover from which ground is closed forest here, percent."""


@row("src/geolabel/ontology", needs="landscape-napa-landfire")
def fuels() -> Iterator[Row]:
    """Share of mapped closed forest whose fuel model is one of forest's: all its sorts, and `forest` alone."""
    sorts = {number for one in WILDFIRE.leaves("forest") for number in one.fuels}
    for name, paths in MAPPED.items():
        fuel, crowns = (_read(path) for path in paths)
        closed = fuel[(crowns >= CLOSED) & (crowns <= 100)]
        share, alone = np.isin(closed, list(sorts)).mean(), np.isin(closed, list(WILDFIRE["forest"].fuels)).mean()
        beside = f"{alone:.3f} by the class forest alone; both landscapes were looked at when models were chosen"
        yield Row(f"{name}: closed forest whose mapped fuel its sorts name", float(share), "", beside)


def _read(path: str) -> np.ndarray:
    with rasterio.open(data_root() / path) as source:
        return source.read(1)
