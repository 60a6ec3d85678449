"""Figures of scenes and tiles: ratios to the decode, beside the peers (`benchmarks/scenes.py`)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import scenes
from benchmarks.evidence import Row, row
from benchmarks.quiet import peers_python

MADE_FROM = (
    "src/geolabel/scene", "src/geolabel/dataset/chips.py", "src/geolabel/dataset/cache.py",
    "src/geolabel/dataset/shuffle.py", "src/geolabel/boxes.py", "src/geolabel/label", "src/geolabel/steps/burns.py",
    "src/geolabel/blocks.py", "src/geolabel/values.py", "src/geolabel/stream.py", "benchmarks/scenes.py",
    "benchmarks/inputs.py", "benchmarks/quiet.py", "benchmarks/peers",
)  # fmt: skip
"""What makes a kept figure stale."""


@row(*MADE_FROM)
def short() -> Iterator[Row]:
    """geolabel and the limit on the small pair, no peers."""
    bench = scenes.Bench.small()
    for part in (scenes.tiles, scenes.burned):
        for one in part(bench, peers=False):
            yield Row(f"4096 x 4096: {one.name}", one.value, one.unit, one.baseline, one.goal, one.holds)


@row(*MADE_FROM, long=True)
def decode() -> Iterator[Row]:
    """The limit on the whole tile."""
    yield from scenes.decode(scenes.Bench())


@row(*MADE_FROM, long=True)
def tiles() -> Iterator[Row]:
    """All tiles of 4096 rows of the whole tile, beside the peers."""
    yield from scenes.tiles(scenes.Bench(peers=peers_python()))


@row(*MADE_FROM, long=True)
def chips() -> Iterator[Row]:
    """Random training chips of the whole tile, beside the peers."""
    yield from scenes.chips(scenes.Bench(peers=peers_python()))


@row(*MADE_FROM, long=True)
def burned() -> Iterator[Row]:
    """Burn scars of the whole pair, beside the peers."""
    yield from scenes.burned(scenes.Bench(peers=peers_python()))


@row(*MADE_FROM, long=True)
def flat() -> Iterator[Row]:
    """Memory does not grow with the scene."""
    yield from scenes.flat(scenes.Bench())
