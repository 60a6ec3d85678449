"""Figures of polygons on a scene: masks and zonal statistics beside rasterio, exactextract and rasterstats."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import inputs, vectors
from benchmarks.evidence import Row, row

MADE_FROM = (
    "src/geolabel/shapes.py", "src/geolabel/scanline.py", "src/geolabel/scene/zonal.py", "src/geolabel/scene/zones.py",
    "benchmarks/vectors.py", "benchmarks/inputs.py", "benchmarks/peers/with_vectors.py",
)  # fmt: skip
"""What makes a kept figure stale."""


@row(*MADE_FROM)
def short() -> Iterator[Row]:
    """The small tile, masks only."""
    yield from vectors.rasterise(vectors.Bench(inputs.SMALL, rounds=2, limit_s=10))


@row(*MADE_FROM, long=True)
def masks() -> Iterator[Row]:
    """The whole tile."""
    yield from vectors.rasterise(vectors.Bench())


@row(*MADE_FROM, long=True)
def zonal() -> Iterator[Row]:
    """The whole tile, six bands."""
    yield from vectors.zonal(vectors.Bench(rounds=2, least=2, limit_s=90))
