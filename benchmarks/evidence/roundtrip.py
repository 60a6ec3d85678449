"""What survives a round trip through each format, measured against what the format says that it carries."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.evidence import Row, row
from benchmarks.roundtrip import both_ways, converted, measured, sample, stated, there_and_back

SOURCES = ("src/geolabel/dataset/formats", "src/geolabel/dataset/geojson.py", "benchmarks/roundtrip.py")


@row(*SOURCES)
def matrix() -> Iterator[Row]:
    """Properties of a label that come back exactly as well as the format's line in the matrix says."""
    for name in both_ways():
        with tempfile.TemporaryDirectory() as folder:
            found, said = measured(name, sample(), Path(folder)), stated(name)
        good = sum(found[key] == said[key] for key in said)
        words = ", ".join(f"{key} {how}" for key, how in found.items())
        yield Row(f"{name}: properties as stated", good, f"of {len(said)}", words, "all", good == len(said))


@row(*SOURCES, long=True)
def pairs() -> Iterator[Row]:
    """Labels written in one format, read, written in another and read: more lost than the two say."""
    names, lost, count = both_ways(), [], 0
    for first in names:
        with tempfile.TemporaryDirectory() as folder:
            given = there_and_back(first, sample(), Path(folder))
        for second in (name for name in names if name != first):
            with tempfile.TemporaryDirectory() as folder:
                lost += [f"{first} to {second}: {key}" for key in converted(first, second, Path(folder), given=given)]
            count += 1
    yield Row(
        "ordered pairs of formats that lose more than they say",
        len(lost),
        f"of {count}",
        "; ".join(lost),
        "0",
        not lost,
    )
