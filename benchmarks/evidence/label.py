"""Figures of burn labeling at scale: memory against area, threads against a cluster (`benchmarks/scale.py`)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.evidence import Row, row
from benchmarks.inputs import SMALL
from benchmarks.scale import GIANT, measured

MADE_FROM = (
    "src/geolabel/label", "src/geolabel/scene", "src/geolabel/steps/burns.py", "src/geolabel/stream.py",
    "src/geolabel/values.py", "src/geolabel/blocks.py", "benchmarks/scale.py", "benchmarks/inputs.py",
)  # fmt: skip
"""What makes a kept figure stale."""
MOST_MB, MORE = 500.0, 1.25
"""Goals: memory of any run, and how much more sixteen times the area may take."""
MOST_MIN = 15.0


@row(*MADE_FROM)
def cluster() -> Iterator[Row]:
    """One table from threads and from two processes, on a virtual scene of 4096 x 4096."""
    threads, workers = measured(SMALL), measured(SMALL, workers=2)
    same = float(threads.digest == workers.digest)
    beside = f"{threads.polygons} polygons, {threads.vertices} vertices on threads"
    yield Row("burn scars, 4096 x 4096: two workers give the table of threads", same, "", beside, "1", same == 1)


@row(*MADE_FROM, long=True)
def giant() -> Iterator[Row]:
    """A virtual scene of 100,000 x 100,000 beside a sixteenth of its area."""
    part, whole = measured(GIANT // 4), measured(GIANT)
    beside = f"{part.rss_mb:.0f} MB at {part.size} x {part.size}; {part.imports_mb:.0f} MB before the first pixel"
    flat = whole.rss_mb <= min(MOST_MB, MORE * part.rss_mb)
    goal = f"<= {MOST_MB:.0f} MB and <= {MORE} x that of a sixteenth"
    yield Row("burn scars, 100,000 x 100,000: peak RSS", whole.rss_mb, "MB", beside, goal, flat)
    minutes, sixteenth = whole.wall_s / 60, part.wall_s / 60
    beside = f"{sixteenth:.2f} min at a sixteenth; {whole.ns_per_pixel:.0f} and {part.ns_per_pixel:.0f} ns a pixel"
    yield Row("burn scars, 100,000 x 100,000: time", minutes, "min", beside, f"<= {MOST_MIN:.0f}", minutes <= MOST_MIN)
    beside = f"{part.polygons} at a sixteenth; {whole.vertices} vertices"
    yield Row("burn scars, 100,000 x 100,000: polygons", float(whole.polygons), "", beside)
