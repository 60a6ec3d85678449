"""Figures of suspects: label errors put into real labels, found by a model that was taught with them, elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.evidence import Row, row
from benchmarks.evidence.__main__ import data_root
from benchmarks.suspects import (
    CORE,
    MEAN,
    OURS,
    RANDOM,
    SEEDS,
    SHARE,
    SOFTMIN,
    Found,
    Ground,
    amazon_parts,
    classes_found,
    mean,
    missed_found,
    spain_parts,
    spain_patches,
)

MADE_FROM = (
    *(f"src/geolabel/quality/doubt/{name}.py" for name in ("confident", "suspects", "tally")),
    "src/geolabel/label/cover/candidates.py",
    "src/geolabel/label/cover/features.py",
    "benchmarks/suspects.py",
)
AMAZON, SPAIN = "terrain-amazon-s2", "radar-spain-s1s2"


@row(*MADE_FROM, long=True, needs=AMAZON)
def suspects_amazon() -> Iterator[Row]:
    """Parts of the Amazon polygons of which some have another class."""
    yield from _classes("Amazon, four classes", amazon_parts(data_root() / AMAZON))


@row(*MADE_FROM, long=True, needs=SPAIN)
def suspects_spain() -> Iterator[Row]:
    """Tiles of the Spanish water label of which some have the other class."""
    yield from _classes("Spain, dry and water", spain_parts(data_root() / SPAIN))


@row(*MADE_FROM, long=True, needs=SPAIN)
def suspects_missed() -> Iterator[Row]:
    """Patches of water whose label was taken away, and outlines that were shifted."""
    ground = spain_patches(data_root() / SPAIN)
    every = [missed_found(ground, seed) for seed in range(SEEDS)]
    share, ends = mean([one.found / one.dropped for one in every])
    words = f"half of a patch reported; {SHARE:.0%} of {len(ground.codes)} patches of water dropped; {_ends(ends)}"
    yield Row("missed objects that are reported: share", share, "", words)
    false, ends = mean([one.false for one in every])
    reported = np.mean([one.reported for one in every])
    words = (
        f"of {reported:.1f} reports a seed, {every[0].dropped} dropped; less than half is truly water; {_ends(ends)}"
    )
    yield Row("falsely reported as missed", false, "a seed", words)
    off, kept = ([getattr(one, name) for one in every] for name in ("shifted", "kept"))
    told = [hit / n - other / m for (n, hit), (m, other) in zip(off, kept, strict=True)]
    gain, ends = mean(told)
    words = " and ".join(f"{np.mean([hit / n for n, hit in one]):.3f}" for one in (off, kept))
    beside = f"{words} of the shifted (3 px) and of the others; {_ends(ends)}"
    yield Row("outlines told as off: shifted less untouched", gain, "", beside, "interval above 0", ends.low > 0)


def _classes(place: str, ground: Ground) -> Iterator[Row]:
    every = [classes_found(ground, seed) for seed in range(SEEDS)]
    n = len(ground.codes)
    what = f"{SHARE:.0%} of {n} labels swapped, as many others shifted 2 px, {SEEDS} seeds"
    for words, figure in (("average precision", "precision"), ("recall at k", "recall")):
        told = {name: np.array([getattr(one, figure)[name] for one in every]) for name in every[0].precision}
        value, ends = mean(told[OURS])
        beside = "; ".join(f"{name} {told[name].mean():.3f}" for name in (RANDOM, MEAN, CORE, SOFTMIN))
        gain, better = mean(told[OURS] - told[RANDOM])
        goal = f"above random ({gain:+.3f}, {_ends(better)})"
        beside = f"{beside}; {_ends(ends)}; {what}"
        yield Row(f"wrong classes, {place}: {words}", value, "", beside, goal, better.low > 0)
        less, ends = mean(told[OURS] - told[MEAN])
        beside = f"{_ends(ends)}; mean self-confidence {told[MEAN].mean():.3f}"
        yield Row(f"wrong classes, {place}: {words} less that of the mean self-confidence", less, "", beside)
    yield _flagged(place, every)


def _flagged(place: str, every: list[Found]) -> Row:
    right, ends = mean([hit / max(flagged, 1) for flagged, hit, _ in (one.flagged for one in every)])
    reached = np.mean([hit / k for _, hit, k in (one.flagged for one in every)])
    noise = np.mean([one.noise for one in every])
    beside = f"{_ends(ends)}; {reached:.3f} of the wrong ones are; share wrong as estimated {noise:.3f}, true {SHARE}"
    return Row(f"wrong classes, {place}: labels that confident learning counts as wrong and are", right, "", beside)


def _ends(ends: tuple[float, float]) -> str:
    return f"95 % {ends[0]:.3f} to {ends[1]:.3f}"
