"""Labels streamed into files: polygons a second and memory, beside geopandas, each run in a process of its own.

    python -m benchmarks.exchange [ROWS]

A polygon is a ring of 17 corners with a hole in every fourth (seeded); the input is made part by part while it is
written, and geopandas gets it whole, as it must. Seconds are those of this process (`process_time`, of all its
threads): other work on the machine does not count, and waiting for the disk neither.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

SIZE, SHORT, LONG = 10_000, 20_000, 1_000_000
CRS = "EPSG:32610"
FORMATS = ("geojson", "geoparquet")
PARENT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Run:
    """One format written by one program."""

    rows: int
    seconds: float
    """Of the processor, making the input left out."""
    rss_mb: float
    """At most, of the whole process."""
    start_mb: float
    """Before the first polygon was there."""
    file_mb: float

    @property
    def per_s(self) -> float:
        return self.rows / self.seconds


def parts(rows: int) -> Iterator[gpd.GeoDataFrame]:
    """SHAPES of `rows` polygons on a lattice of 60 m, from north to south."""
    for start in range(0, rows, SIZE):
        yield part(start, min(SIZE, rows - start))


def part(start: int, count: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(start)
    number = np.arange(start, start + count)
    centre = np.column_stack([300_000 + 60.0 * (number % 5000), 4_700_000 - 60.0 * (number // 5000)])
    angle = np.linspace(0, 2 * np.pi, 17)[:-1]
    unit = np.column_stack([np.cos(angle), np.sin(angle)])
    corners = centre[:, None] + rng.uniform(15, 28, (count, 16, 1)) * unit
    shapes = shapely.polygons(np.concatenate([corners, corners[:, :1]], axis=1))
    holed = number % 4 == 0
    shapes[holed] = shapely.difference(shapes[holed], shapely.polygons(centre[holed, None] + 8 * unit[::4]))
    table = pd.DataFrame({"label_id": [f"scar/{n:07d}" for n in number], "class": "burned"})
    severity = np.array(["low", "moderate", "high"], object)[number % 3]
    said = {"severity": severity, "severity_scheme": "key-benson", "confidence": rng.uniform(0.5, 1, count)}
    return gpd.GeoDataFrame(table.assign(**said, masked_share=rng.uniform(0, 1, count)), geometry=shapes, crs=CRS)


# ---------------------------------------------------------------------- one run, in this process
class Source:
    """Parts, and the seconds that making them took."""

    def __init__(self, rows: int) -> None:
        self.rows, self.seconds = rows, 0.0

    def __iter__(self) -> Iterator[gpd.GeoDataFrame]:
        walk = parts(self.rows)
        while True:
            begun = time.process_time()
            found = next(walk, None)
            self.seconds += time.process_time() - begun
            if found is None:
                return
            yield found


def ours(name: str, rows: int, folder: Path) -> Run:
    import geolabel as gl
    from geolabel.dataset.formats.registry import format_of

    path = folder / f"labels{format_of(name).suffixes[0]}"
    gl.export(part(0, 10), path, format=name)  # imports are not the work
    start_mb, source, begun = _rss_mb(), Source(rows), time.process_time()
    gl.export(source, path, format=name)
    seconds = time.process_time() - begun - source.seconds
    return Run(rows, seconds, _rss_mb(), start_mb, path.stat().st_size / 1e6)


def geopandas(name: str, rows: int, folder: Path) -> Run:
    """The whole table in one call: GeoJSON by RFC 7946 as GDAL writes it (it reprojects), GeoParquet with a box a row."""
    path = folder / f"peer.{name}"
    _peer(part(0, 10), name, path)
    path.unlink()
    start_mb = _rss_mb()
    frame = pd.concat(list(parts(rows)), ignore_index=True)
    begun = time.process_time()
    _peer(frame, name, path)
    return Run(rows, time.process_time() - begun, _rss_mb(), start_mb, path.stat().st_size / 1e6)


def _peer(frame: gpd.GeoDataFrame, name: str, path: Path) -> None:
    if name == "geojson":
        frame.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES", ID_FIELD="label_id")
    else:
        frame.to_parquet(path, write_covering_bbox=True)


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ---------------------------------------------------------------------- runs in processes of their own
def run(who: str, name: str, rows: int) -> Run:
    """A run in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.exchange", "--one", who, name, str(rows), folder]
        done = subprocess.run(command, cwd=PARENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    if "--one" in sys.argv:
        who, name, rows, folder = sys.argv[2:]
        made = {"ours": ours, "geopandas": geopandas}[who](name, int(rows), Path(folder))
        print(json.dumps(asdict(made)))
        return 0
    rows = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else SHORT
    for name in FORMATS:
        for who in ("ours", "geopandas"):
            made = run(who, name, rows)
            memory = f"{made.rss_mb:.0f} MB at most ({made.start_mb:.0f} before)"
            print(f"{name:11} {who:10} {rows} rows: {made.per_s:,.0f} polygons/s, {memory}, file {made.file_mb:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
