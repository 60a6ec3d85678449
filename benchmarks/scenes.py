"""Scenes and tiles beside their peers and the limit, as ratios: `python -m benchmarks.scenes [--full] [--peers PYTHON]`.

The limit is decoding the pixels that the work needs, by two threads. geolabel and the limit take turns; each peer runs
once beside them, in the peers' environment (`make peers`); one that cannot be run is a row that says why.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import copies, inputs
from benchmarks.evidence import Row
from benchmarks.quiet import Candidate, Run, in_turns, joined, measured, peers_python, ratios

MOST_OF_DECODE = {"tiles": 1.1, "burned": 1.7}
"""Goals: time over the two-thread decode of the same pixels (TARGETS, section 1)."""
MOST_RSS_MB = {"tiles": 150, "burned": 500}
CHIPS_PER_S = {"cog": 300, "cache": 1800}
FLAT = 1.25
"""Peak RSS of a scene of 7 times the area over that of the small one, at most."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured on: size of the pair, how much of it, how often, and the peers' interpreter."""

    size: int = inputs.FULL
    slow_chips: int = 320
    """Random chips of candidates that read them one by one."""
    fast_chips: int = 1849
    """Random chips of candidates that spread their start over many: as many as the tile holds."""
    rounds: int = 3
    effort: Mapping[str, float] = field(default_factory=lambda: {"least": 3, "most": 6, "limit_s": 40.0})
    peers: Path | None = None

    @classmethod
    def small(cls, peers: Path | None = None) -> Bench:
        """The short form: a seventh of the tile, two rounds."""
        effort = {"least": 3, "most": 3, "limit_s": 6.0}
        return cls(inputs.SMALL, slow_chips=96, fast_chips=1024, rounds=2, effort=effort, peers=peers)

    @property
    def pair(self) -> inputs.Pair:
        return inputs.make(inputs.Pair(self.size))

    @property
    def rows(self) -> int:
        return min(4096, self.size)

    def of(
        self, program: str, name: str, title: str, *, both: bool = False, ours: bool = False, **more: Any
    ) -> Candidate:
        """A candidate with all a program may ask for."""
        pair = self.pair
        paths = [str(pair.before), str(pair.after)] if both else [str(pair.before)]
        place = {"paths": paths, "size": self.size, "rows": self.size if both else self.rows, "threads": 2}
        return Candidate(title, program, {"name": name, **place, "chips": self.slow_chips, **self.effort, **more}, ours)

    def limit(self, *, both: bool = False, rows: int | None = None) -> Candidate:
        """Decoding, block by block with a pool of two threads."""
        more = {} if rows is None else {"rows": rows}
        return self.of("with_rasterio", "decode blocks", "decode, pool of 2 threads", both=both, ours=True, **more)


# ---------------------------------------------------------------------- words
def beside(run: Run, *, rates: bool = True) -> str:
    """Cold time, peak RSS, load and versions of a run, in words."""
    if run.not_run:
        return f"not run: {run.not_run}"
    cold = f"cold {run.per_s(run.cold_s):.0f}/s" if rates else f"cold {run.cold_s:.2f} s"
    loaded = f"; LOADED: others used {run.best.others:.0%} of the machine" if run.loaded else ""
    about = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return f"{cold}; RSS {run.peak_rss_mb:.0f} MB ({run.imports_mb:.0f} of them imports){loaded}; {about}"


def speed(run: Run, what: str, unit: str) -> Row:
    """A row of a run's warm pieces a second."""
    return Row(f"{what}: {run.title}", None if run.not_run else run.per_s(run.warm_s), unit, beside(run))


def seconds(run: Run, what: str) -> Row:
    """A row of a run's warm seconds."""
    return Row(f"{what}: {run.title}", None if run.not_run else run.warm_s, "s", beside(run, rates=False))


def over_limit(what: str, runs: Sequence[Run], limits: Sequence[Run], most: float | None) -> Row:
    """A row of time over the limit's, the middle of the rounds; loaded rounds are reported, not judged."""
    ours, limit = joined(runs), joined(limits)
    name, goal = f"{what}: time over the two-thread decode", "" if most is None else f"<= {most}"
    if ours.not_run or limit.not_run:
        return Row(name, None, "x", beside(ours if ours.not_run else limit), goal)
    found, quiet = ratios(runs, limits)
    rounds = ", ".join(f"{one:.2f}" for one in found)
    words = f"{ours.title} {ours.warm_s:.2f} s over {limit.title} {limit.warm_s:.2f} s; rounds {rounds}"
    words += f"; CPU time {ours.best.cpu_s / limit.best.cpu_s:.2f}" + ("" if quiet else "; LOADED: not judged")
    value = median(found)
    return Row(name, value, "x", words, goal, value <= most if quiet and most is not None else None)


def memory(run: Run, what: str, most_mb: float) -> Row:
    """A row of a run's peak RSS; the growth over its imports stands beside it."""
    if run.not_run:
        return Row(f"{what}: peak RSS", None, "MB", beside(run), f"< {most_mb}")
    grown = f"imports {run.imports_mb:.0f} MB, the work {run.peak_rss_mb - run.imports_mb:.0f} MB more"
    return Row(f"{what}: peak RSS", run.peak_rss_mb, "MB", grown, f"< {most_mb}", run.peak_rss_mb < most_mb)


# ---------------------------------------------------------------------- what is measured
def decode(bench: Bench) -> Iterator[Row]:
    """The limit: a whole scene decoded by GDAL with one and two threads, and block by block by two."""
    what = "decode a whole scene"
    whole = partial(bench.of, "with_rasterio", "decode whole", ours=True, rows=bench.size)
    ways = whole("GDAL, 1 thread", threads=1), whole("GDAL, 2 threads"), bench.limit(rows=bench.size)
    for run in map(joined, in_turns(ways, None, rounds=bench.rounds)):
        mb_s = "" if run.not_run else f"{bench.pair.raw_mb / run.warm_s:.0f} MB/s; "
        one = seconds(run, what)
        yield Row(one.name, one.value, one.unit, mb_s + one.baseline)


def tiles(bench: Bench, *, peers: bool = True) -> Iterator[Row]:
    """All 256-px tiles of the first 4096 rows, six bands."""
    what = f"256-px tiles of {bench.rows} rows"
    ours = partial(bench.of, "with_geolabel", "tiles", ours=True)
    turn = bench.limit(), ours("geolabel, values"), ours("geolabel, DN", dn=True)
    limits, values, dn = in_turns(turn, None, rounds=bench.rounds)
    yield over_limit(f"{what}, DN as stored", dn, limits, MOST_OF_DECODE["tiles"])
    yield memory(joined(dn), what, MOST_RSS_MB["tiles"])
    yield over_limit(f"{what}, reflectance", values, limits, None)
    yield from (speed(joined(runs), what, "tiles/s") for runs in (dn, values))
    if not peers:
        return
    by_hand = ("tiles pool", "by hand, pool of 2 threads"), ("tiles loop", "rasterio, a loop")
    for name, title in by_hand:
        yield speed(measured(bench.of("with_rasterio", name, title, ours=True), None), what, "tiles/s")
    for program, title in (
        ("with_torchgeo", "torchgeo GridGeoSampler"),
        ("with_rioxarray", "rioxarray, an isel a tile"),
        ("with_xbatcher", "xbatcher + dask"),
        ("with_odc_stac", "odc-stac, a load a strip"),
        ("with_rastervision", "rastervision"),
        ("with_rslearn", "rslearn"),
    ):
        yield speed(measured(bench.of(program, "tiles", title), bench.peers), what, "tiles/s")


def chips(bench: Bench, *, peers: bool = True) -> Iterator[Row]:
    """Random 256-px training chips in batches of 16: straight from the file, and from a prepared cache."""
    what, many = "random chips", {"chips": bench.fast_chips}
    ours = partial(bench.of, "with_geolabel", ours=True, cache=str(bench.pair.folder / "geolabel-cache"), **many)
    one_by_one = bench.of("with_rasterio", "chips", "rasterio, one by one", ours=True, threads=1)
    by_one, from_cog = in_turns((one_by_one, ours("chips", "geolabel from COG")), None, rounds=bench.rounds)
    yield faster(what, from_cog, by_one, CHIPS_PER_S["cog"], "58")
    made = measured(ours("prepare cache", "the cache of geolabel", least=1, most=1), None)
    path, took_s = copies.raw(bench.pair)
    mapped = bench.of("with_rasterio", "chips memory map", "memory map by hand", ours=True, raw=str(path), **many)
    turn = (
        mapped,
        ours("chips cache", "geolabel from its cache"),
        ours("chips cache", "geolabel from its cache, DN", dn=True),
    )
    by_hand, cached, cached_dn = in_turns(turn, None, rounds=bench.rounds)
    yield faster(what, cached, by_hand, CHIPS_PER_S["cache"], "1856")
    yield Row(f"{what}: one-off decode into the cache", made.cold_s, "s", beside(made, rates=False))
    yield from (speed(joined(runs), what, "chips/s") for runs in (cached_dn, by_one, by_hand))
    if not peers:
        return
    yield speed(measured(bench.of("with_rasterio", "chips", "rasterio, 2 threads", ours=True), None), what, "chips/s")
    for program, title, more in (
        ("with_torchgeo", "torchgeo RandomGeoSampler", {}),
        ("with_torchgeo", "torchgeo, 2 workers", {"workers": 2}),
        ("with_rastervision", "rastervision", {}),
        ("with_rslearn", "rslearn", {}),
    ):
        yield speed(measured(bench.of(program, "chips", title, **more), bench.peers), what, "chips/s")
    folder, zarr_s = copies.zarr(bench.pair)
    stored = speed(
        measured(bench.of("with_zarr", "chips", "zarr, chunks of 256", zarr=str(folder)), bench.peers), what, "chips/s"
    )
    yield replace(stored, baseline=f"one-off copy {zarr_s:.1f} s (memory map {took_s:.1f} s); {stored.baseline}")


def faster(what: str, runs: Sequence[Run], others: Sequence[Run], least: float, known: str) -> Row:
    """A row of warm pieces a second; what another way gives stands beside it, with the ratio of the rounds."""
    ours, other = joined(runs), joined(others)
    name, goal = f"{what}: {ours.title}", f">= {least}/s (TARGETS: {other.title} {known}/s)"
    if ours.not_run or other.not_run:
        return Row(name, None, "chips/s", beside(ours if ours.not_run else other), goal)
    found, quiet = ratios(runs, others)
    share = float(other.answer["count"]) / float(ours.answer["count"])
    times = ", ".join(f"{1 / (one * share):.2f}" for one in found)
    rate, first = ours.per_s(ours.warm_s), ours.answer.get("first_s", 0.0)
    words = f"{other.title} {other.per_s(other.warm_s):.0f}/s; times as fast in each round {times}; first batch {first:.2f} s"
    return Row(name, rate, "chips/s", f"{words}; {beside(ours)}", goal, rate >= least if quiet else None)


def burned(bench: Bench, *, peers: bool = True) -> Iterator[Row]:
    """Burn scars of the pair: dNBR, threshold, clean-up, smallest unit, polygons."""
    what = "burn scars of a pair"
    naive = bench.of("with_numpy", "burned", "numpy, SciPy, rasterio.features", both=True, ours=True)
    turn = bench.limit(both=True), bench.of("with_geolabel", "burned", "geolabel", both=True, ours=True)
    limits, runs = in_turns(turn, None, rounds=bench.rounds)
    ours = joined(runs)
    yield over_limit(what, runs, limits, MOST_OF_DECODE["burned"])
    yield memory(ours, what, MOST_RSS_MB["burned"])
    yield seconds(ours, what)
    whole = measured(naive, None)
    yield same(ours, whole, what)
    yield seconds(whole, what)
    if not peers:
        return
    for program, title in (("with_xrspatial", "xarray-spatial"), ("with_dask", "dask")):
        yield seconds(measured(bench.of(program, "burned", title, both=True), bench.peers), what)


def same(ours: Run, whole: Run, what: str) -> Row:
    """A row of the number of polygons, and whether they are those of the whole scene at once, coordinate for coordinate."""
    if ours.not_run or whole.not_run:
        return Row(f"{what}: polygons", None, "", beside(ours if ours.not_run else whole))
    told = f"{whole.answer['count']} with {whole.answer['holes']} islands, {whole.answer['area_ha']:.2f} ha"
    goal, holds = "the very polygons of the whole-scene result", ours.answer["polygons"] == whole.answer["polygons"]
    return Row(f"{what}: polygons", ours.answer["count"], "", f"{whole.title}: {told}", goal, holds)


def flat(bench: Bench) -> Iterator[Row]:
    """Peak RSS on the whole pair over that on the small one."""
    small = Bench.small()
    for name, title, both in (("tiles", "tiles of the whole scene", False), ("burned", "burn scars of a pair", True)):
        large, little = (
            measured(one.of("with_geolabel", name, title, both=both, ours=True, rows=one.size, least=2, most=2), None)
            for one in (bench, small)
        )
        what = f"{title}: peak RSS at {(bench.size / small.size) ** 2:.1f} times the area"
        if large.not_run or little.not_run:
            yield Row(what, None, "x", beside(large if large.not_run else little))
            continue
        value = large.peak_rss_mb / little.peak_rss_mb
        words = f"{large.peak_rss_mb:.0f} MB over {little.peak_rss_mb:.0f} MB"
        yield Row(what, value, "x", words, f"<= {FLAT}", value <= FLAT)


PARTS: Mapping[str, Callable[[Bench], Iterator[Row]]] = {
    "decode": decode,
    "tiles": tiles,
    "chips": chips,
    "burned": burned,
}
"""What the short form measures."""


def main(argv: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the whole tile, and whether memory is flat")
    parser.add_argument("--peers", help="python of the peers' environment (default: GEOLABEL_PEERS or .venv-peers)")
    parser.add_argument("--part", choices=[*PARTS, "flat"], action="append", help="only this part")
    parser.add_argument("--json", action="store_true", help="for machines")
    args = parser.parse_args(argv)
    peers = peers_python(args.peers)
    bench = Bench(peers=peers) if args.full else Bench.small(peers)
    parts = {**PARTS, "flat": flat} if args.full else PARTS
    rows = [row for name, part in parts.items() if name in (args.part or parts) for row in part(bench)]
    if args.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(table(rows, bench))
    return 0


def table(rows: Sequence[Row], bench: Bench) -> Table:
    load = f"{bench.size} pixels; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    out = Table(title=f"Scenes and tiles ({load})")
    for column in ("figure", "value", "beside it", "goal", "holds"):
        out.add_column(column, overflow="fold")
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.4g} {row.unit}".strip()
        out.add_row(row.name, value, row.baseline, row.goal, {True: "yes", False: "NO", None: ""}[row.holds])
    return out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
