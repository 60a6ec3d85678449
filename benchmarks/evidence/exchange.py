"""Figures of labels in files: streaming beside geopandas, and what a whole file of them costs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import exchange
from benchmarks.evidence import Row, row

MADE_FROM = (
    "src/geolabel/dataset/formats/columns.py", "src/geolabel/dataset/formats/geojson.py",
    "src/geolabel/dataset/formats/geoparquet.py", "src/geolabel/dataset/geojson.py", "src/geolabel/dataset/export.py",
    "src/geolabel/shapes.py", "src/geolabel/tables.py", "benchmarks/exchange.py",
)  # fmt: skip
"""What makes a kept figure stale."""
GROWTH = 1.25
"""Memory of ten times the polygons, at most this many times as much."""


@row(*MADE_FROM)
def short() -> Iterator[Row]:
    """20,000 polygons streamed, beside geopandas, which holds them all."""
    for name in exchange.FORMATS:
        yield _speed(name, exchange.SHORT)


@row(*MADE_FROM, long=True)
def streamed() -> Iterator[Row]:
    """1,000,000 polygons streamed: speed beside geopandas, and memory beside that of a tenth of them."""
    for name in exchange.FORMATS:
        yield _speed(name, exchange.LONG)
        tenth, whole = (exchange.run("ours", name, rows) for rows in (exchange.LONG // 10, exchange.LONG))
        beside = f"{tenth.rss_mb:.0f} MB for a tenth of them; {whole.start_mb:.0f} MB before the first"
        ratio = whole.rss_mb / tenth.rss_mb
        yield Row(f"{name}: peak memory, 1,000,000 polygons streamed", whole.rss_mb, "MB", beside)
        yield Row(f"{name}: memory of ten times the polygons", ratio, "x", "", f"<= {GROWTH}", ratio <= GROWTH)


def _speed(name: str, rows: int) -> Row:
    made, peer = (exchange.run(who, name, rows) for who in ("ours", "geopandas"))
    beside = f"geopandas {peer.per_s:,.0f}/s in {peer.rss_mb:.0f} MB; ours {made.rss_mb:.0f} MB"
    return Row(f"{name}: {rows:,} polygons streamed, each processor second", made.per_s, "polygons/s", beside)
