"""A ledger of very many shapes: how fast they are appended, found and verified, beside bare rows in SQLite."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from geolabel.nouns.answer import Answer
from geolabel.store.ledger import Ledger
from geolabel.tables import IGNORE, SHAPES, empty

CRS = "EPSG:32610"
CLASSES = np.array(["burned", "grass", "shrub", "timber", "water", "rock", "building", "road"], dtype=object)
WEST, SOUTH = 300_000.0, 3_600_000.0
TILE_M = 5_120.0
EACH = 1_000
"""Shapes of one answer."""
CORNERS = 8
BEGUN = datetime(2020, 1, 1, tzinfo=UTC)
BOXES = 200
"""Random boxes that are asked for, of 1 to 8 km, with two classes and two years."""
LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Measured:
    """What a ledger of `shapes` did."""

    shapes: int
    append_s: float
    making_s: float
    """Of `append_s`: making the answers, which are drawn while they are appended."""
    bare_s: float
    """The same WKB and numbers into one bare table, in one transaction on the same disk."""
    query_ms: NDArray[np.float64]
    found: NDArray[np.int64]
    check_s: float
    sound: bool
    file_mb: float
    rss_mb: float
    """Peak of the process; the answers are never held together."""

    @property
    def rate(self) -> float:
        """Shapes a second, acknowledged on disk, without the time that making the answers took."""
        return self.shapes / (self.append_s - self.making_s)


def answers(count: int, seed: int = 0) -> Iterator[Answer]:
    """`count` shapes of eight classes in answers of `EACH`, one a tile of a square of tiles, one a day."""
    generator = np.random.default_rng(seed)
    none = empty(IGNORE, CRS)
    for n in range(count // EACH):
        row, col = divmod(n, side(count))
        drawn = _shapes(generator, n, WEST + col * TILE_M, SOUTH + row * TILE_M)
        yield Answer(f"v/g/{row}_{col}#terrain", "rule:terrain@1", "labeled", drawn, none, BEGUN + timedelta(days=n))


def side(count: int) -> int:
    """Tiles along the edge of the square."""
    return int(np.ceil((count / EACH) ** 0.5))


def _shapes(generator: np.random.Generator, n: int, west: float, south: float) -> gpd.GeoDataFrame:
    centre = np.array([west, south]) + TILE_M * generator.random((EACH, 1, 2))
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    reach = (15 + 60 * generator.random((EACH, 1))) * (0.7 + 0.6 * generator.random((EACH, CORNERS)))
    points = centre + np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=-1)
    data = {
        "label_id": np.array([f"t{n}/{k}" for k in range(EACH)], dtype=object),
        "class": CLASSES[generator.integers(0, len(CLASSES), EACH)],
        "severity": np.full(EACH, None),
        "severity_scheme": np.full(EACH, None),
        "confidence": generator.random(EACH).round(3),
        "masked_share": np.zeros(EACH),
    }
    return gpd.GeoDataFrame(data, geometry=shapely.polygons(points), crs=CRS)[list(SHAPES)]


class _Timed:
    """Answers, and how long making them took."""

    def __init__(self, count: int) -> None:
        self.count, self.took_s = count, 0.0

    def __iter__(self) -> Iterator[Answer]:
        given = answers(self.count)
        while True:
            begun = time.perf_counter()
            one = next(given, None)
            self.took_s += time.perf_counter() - begun
            if one is None:
                return
            yield one


def measured(where: Path | str, folder: Path, count: int) -> Measured:
    """Figures of a new ledger at `where` that gets `count` shapes as one event; `folder` is for the bare table."""
    ledger, given = Ledger.open(where, create=True), _Timed(count)
    begun = time.perf_counter()
    ledger.append_answers(given, actor="rule:terrain@1")
    append_s = time.perf_counter() - begun
    query_ms, found = _queries(ledger, count)
    begun = time.perf_counter()
    faults = ledger.check()
    check_s = time.perf_counter() - begun
    size = ledger.path.stat().st_size / 1e6 if isinstance(where, Path) else _server_mb(ledger)
    ledger.close()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    bare = _bare(folder / "bare.sqlite", min(count, 100_000)) * max(1, count / 100_000)
    return Measured(count, append_s, given.took_s, bare, query_ms, found, check_s, not faults, size, rss)


def _queries(ledger: Ledger, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    generator = np.random.default_rng(1)
    lonlat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    took, found = [], []
    for _ in range(BOXES):
        edge = generator.choice([1_000, 2_000, 4_000, 8_000])
        west, south = np.array([WEST, SOUTH]) + side(count) * TILE_M * generator.random(2)
        asked: dict[str, Any] = {"classes": list(generator.choice(CLASSES, 2, replace=False)), "limit": LIMIT}
        asked["start"] = BEGUN + timedelta(days=int(generator.integers(0, max(1, count // EACH - 365))))
        asked["end"] = asked["start"] + timedelta(days=730)
        bounds = lonlat.transform_bounds(west, south, west + edge, south + edge)
        begun = time.perf_counter()
        found.append(len(ledger.shapes(bounds, **asked)))
        took.append(time.perf_counter() - begun)
    return np.array(took) * 1e3, np.array(found)


def _bare(path: Path, count: int) -> float:
    """Seconds for the same columns in one bare table without any index."""
    rows = [row for one in answers(count) for row in one.shapes.to_wkb().itertuples(index=False, name=None)]
    connection = sqlite3.connect(path, isolation_level=None)
    for line in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE bare (a, b, c, d, e, f, g)",
        "BEGIN",
    ):
        connection.execute(line)
    begun = time.perf_counter()
    connection.executemany("INSERT INTO bare VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    took = time.perf_counter() - begun
    connection.close()
    return took


def _server_mb(ledger: Ledger) -> float:
    with ledger.backend.reading() as connection:
        return connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one() / 1e6


def main() -> int:
    """Print the figures of a ledger in a folder: `python -m benchmarks.ledger FOLDER [SHAPES]`."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    folder.mkdir(parents=True)
    seen = measured(folder / "ledger.sqlite", folder, count)
    shutil.rmtree(folder)
    median, worst = np.median(seen.query_ms), np.quantile(seen.query_ms, 0.95)
    sys.stdout.write(
        f"{count} shapes: {seen.rate:.0f}/s ({seen.append_s:.1f} s, of which making {seen.making_s:.1f}; bare {seen.bare_s:.1f} s), "
        f"query {median:.1f} ms, p95 {worst:.1f} ms ({np.median(seen.found):.0f} to {seen.found.max()} shapes), "
        f"check {seen.check_s:.1f} s {seen.sound}, {seen.file_mb:.0f} MB, RSS {seen.rss_mb:.0f} MB\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
