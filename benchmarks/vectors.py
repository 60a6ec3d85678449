"""Polygons on a scene, ours beside rasterio, exactextract and rasterstats: `python -m benchmarks.vectors [--full]`.

20,000 polygons on the tile of `benchmarks.inputs` (as many to the area on the small one). Each program runs in a process
of its own, in turns; ratios are taken within a round.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import geopandas as gpd
import numpy as np
import shapely
from rich.console import Console
from rich.table import Table

from benchmarks import inputs
from benchmarks.evidence import Row
from benchmarks.quiet import Candidate, Run, in_turns, joined, ratios
from benchmarks.scenes import beside
from geolabel.files import atomic

EDGE_PX = 77.6
"""One polygon to each square of this edge: 20,022 on a whole tile."""
CORNERS = 40
SOME = 40
"""Polygons that rasterstats is given: it does some ten a second."""
MOST_RSS_MB = 700
"""Peak of the zonal row, imports included; exactextract on the whole file took 2.1 GB."""


def polygons(size: int, seed: int = 7) -> gpd.GeoDataFrame:
    """Blobs of 40 corners, radius about 20 pixels, one near the middle of each square of a lattice; some overlap."""
    rng, side = np.random.default_rng([size, seed]), int(size / EDGE_PX)
    n, cell = side * side, size / side
    radius = np.clip(rng.lognormal(3.0, 0.45, (n, 1)), 5, 60)
    middle = (np.stack(np.divmod(np.arange(n), side), axis=1) + rng.uniform(0.2, 0.8, (n, 2))) * cell
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    waves = (1, 2, 3, 5)
    lobes = [rng.uniform(0, 0.3 / k, (n, 1)) * np.cos(k * angle + rng.uniform(0, 2 * np.pi, (n, 1))) for k in waves]
    away = radius * (1 + sum(lobes))
    rows, cols = middle[:, :1] + away * np.sin(angle), middle[:, 1:] + away * np.cos(angle)
    points = np.stack(inputs.TRANSFORM @ (cols, rows), axis=-1)
    drawn = shapely.make_valid(shapely.polygons(points), method="structure")
    return gpd.GeoDataFrame({"code": np.arange(n) % 250 + 1}, geometry=drawn, crs=inputs.CRS)


def made(pair: inputs.Pair) -> Path:
    """The polygons of a pair as GeoParquet, written once."""
    path = pair.folder / f"polygons-{EDGE_PX:g}-{CORNERS}.parquet"
    if not path.is_file():
        with atomic(path) as whole:
            polygons(pair.size).to_parquet(whole)
    return path


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured on, and how often."""

    size: int = inputs.FULL
    rounds: int = 3
    least: int = 3
    limit_s: float = 60.0

    def of(self, name: str, title: str, **more: float) -> Candidate:
        pair = inputs.make(inputs.Pair(self.size))
        effort = {"least": self.least, "most": self.least + 2, "limit_s": self.limit_s}
        place = {"paths": [str(pair.before)], "polygons": str(made(pair)), "threads": 2, "some": SOME}
        return Candidate(title, "with_vectors", {"name": name, **place, **effort, **more}, ours=True)


def over(what: str, runs: Sequence[Run], others: Sequence[Run], most: float | None) -> Row:
    """A row of our time over another's, the middle of the rounds; loaded rounds are reported, not judged."""
    ours, other = joined(runs), joined(others)
    goal = "" if most is None else f"<= {most:g}"
    if ours.not_run or other.not_run:
        return Row(what, None, "x", beside(ours if ours.not_run else other), goal)
    found, quiet = ratios(runs, others)
    words = f"{ours.title} {ours.warm_s:.2f} s, {ours.peak_rss_mb:.0f} MB ({ours.imports_mb:.0f} of them imports); "
    words += f"{other.title} {other.warm_s:.2f} s, {other.peak_rss_mb:.0f} MB; rounds "
    words += ", ".join(f"{one:.2f}" for one in found) + ("" if quiet else "; LOADED: not judged")
    value = median(found)
    return Row(what, value, "x", words, goal, value <= most if quiet and most is not None else None)


def same(what: str, runs: Sequence[Run]) -> Row:
    """A row that says whether all came to the same sum."""
    sums = {run.title: run.answer.get("checksum") for run in runs}
    words = ", ".join(f"{title} {value}" for title, value in sums.items())
    return Row(
        f"{what}: results that differ", len(set(sums.values())) - 1, "", words, "0", len(set(sums.values())) == 1
    )


def rasterise(bench: Bench) -> Iterator[Row]:
    """The mask of all polygons, whole and block by block."""
    what = f"rasterise {bench.size} x {bench.size}"
    turn = bench.of("rasterise", "geolabel"), bench.of("rasterise blocks", "geolabel, blocks"), bench.of("rasterio", "rasterio")  # fmt: skip
    whole, blocks, theirs = in_turns(turn, None, rounds=bench.rounds)
    yield over(f"{what}: time over rasterio's", whole, theirs, 1.0)
    yield over(f"{what}, block by block: time over rasterio's", blocks, theirs, 1.0)
    yield same(what, [joined(runs) for runs in (whole, blocks, theirs)])
    grown = joined(blocks).peak_rss_mb - joined(blocks).imports_mb
    size = bench.size**2 / 1e6
    beside_it = f"the mask is {size:.0f} MB; whole {joined(whole).peak_rss_mb - joined(whole).imports_mb:.0f} MB more"
    yield Row(f"{what}, block by block: memory beyond the imports", grown, "MB", beside_it)


def zonal(bench: Bench) -> Iterator[Row]:
    """Means of six bands in all polygons."""
    what = f"zonal means of 6 bands, {bench.size} x {bench.size}"
    turn = (
        bench.of("zonal", "geolabel"),
        bench.of("exactextract", "exactextract, the scene in memory"),
        bench.of("rasterstats", f"rasterstats, {SOME} polygons"),
    )
    ours, theirs, others = in_turns(turn, None, rounds=bench.rounds)
    yield over(f"{what}: time over exactextract's", ours, theirs, 1.0)
    yield same(what, [joined(ours), joined(theirs)])
    one, few = joined(ours), joined(others)
    if not few.not_run and not one.not_run:
        rate, its = one.per_s(one.warm_s), few.per_s(few.warm_s)
        yield Row(
            f"{what}: polygons a second over rasterstats'", rate / its, "x", f"{rate:.0f}/s; rasterstats {its:.1f}/s"
        )
    holds = one.peak_rss_mb < MOST_RSS_MB
    beside_it = f"imports {one.imports_mb:.0f} MB; exactextract {joined(theirs).peak_rss_mb:.0f} MB"
    yield Row(f"{what}: peak RSS", one.peak_rss_mb, "MB", beside_it, f"< {MOST_RSS_MB}", holds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"the whole tile of {inputs.FULL} pixels, three rounds")
    bench = Bench() if parser.parse_args().full else Bench(inputs.SMALL, rounds=2, limit_s=20)
    table = Table("figure", "value", "beside it", "goal", title="Polygons on a scene")
    for row in (*rasterise(bench), *zonal(bench)):
        value = "-" if row.value is None else f"{row.value:.3g} {row.unit}"
        table.add_row(row.name, value, row.baseline, row.goal)
    Console(width=160).print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
