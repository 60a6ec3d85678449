"""Burn probability: a thousand fires of a day, anywhere on a mosaic of 1000 x 1000 cells. `python -m benchmarks.campaign`.

The mosaic is made from a seed: thirteen fuels in fractal patches on rolling ground, as in the reference mosaic. The wind
of each fire is N(20, 5) km/h FROM N(180, 30) by the hour, first-order autoregressive; its rate of spread and moisture err
too, and it starts in a random cell. `--peer PYTHON` burns the first fires with pyretechnics too, `--napa` burns the
LANDFIRE landscape of Napa and Sonoma instead, `--skill` shows spread against error, `--fires 60 --size 400` is quick.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine

from geolabel.digests import digest
from geolabel.fire.campaign.campaign import burn_probability, campaign, random_fires
from geolabel.fire.campaign.ensemble import Ensemble
from geolabel.fire.campaign.ignitions import Ignitions, even_density
from geolabel.fire.campaign.members import Draw, Outlook, seed_of
from geolabel.fire.campaign.skill import SpreadSkill, spread_skill
from geolabel.fire.campaign.uncertainty import Uncertainty
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid

RES, HOURS = 30.0, (1.0, 3.0, 6.0, 12.0, 24.0)
FUELS = (98, 101, 102, 104, 121, 122, 142, 145, 161, 165, 183, 185, 188)
WATER = 0.04
"""Share of the mosaic that does not burn."""
ROUGHNESS = 2.2
"""Fall of the fuels' spectrum with frequency; the reference mosaic has the same fuel in 31 % of neighbouring cells."""
SLOPE = 0.125
"""Median rise over run."""
MOISTURE = {"m1": 0.05, "m10": 0.06, "m100": 0.07}
PEER = Path(__file__).resolve().parent / "peers" / "with_pyretechnics.py"
DATA = Path(os.environ.get("GEOLABEL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
NAPA = DATA / "landscape-napa-landfire"


# ---------------------------------------------------------------------------------------------- grounds
def fractal(size: int, power: float, rng: np.random.Generator) -> np.ndarray:
    """(size, size) noise whose spectrum falls with frequency to a power."""
    noise = np.fft.rfft2(rng.standard_normal((size, size)))
    away = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    away[0, 0] = np.inf
    return np.fft.irfft2(noise * away ** (-power / 2), (size, size)).astype(np.float32)


def mosaic(size: int = 1000, seed: int = 1) -> Landscape:
    """Patches of fuel on rolling ground."""
    rng = np.random.default_rng(seed)
    level = fractal(size, ROUGHNESS, rng)
    steps = np.quantile(level, WATER + (1 - WATER) * np.arange(len(FUELS) - 1) / (len(FUELS) - 1))
    fuel = np.array(FUELS, np.int16)[np.searchsorted(steps, level)]
    height = fractal(size, 3.5, rng)
    south, east = np.gradient(height, RES)
    height *= SLOPE / np.median(np.hypot(south, east))
    south, east = np.gradient(height, RES)
    slope = np.degrees(np.arctan(np.hypot(south, east))).astype(np.float32)
    aspect = (np.degrees(np.arctan2(-east, south)) % 360).astype(np.float32)
    grid = Grid.of("EPSG:32611", Affine(RES, 0, 5e5 - size * RES / 2, 0, -RES, 4e6), (size, size))
    return Landscape(grid, fuel, height, slope, aspect, np.ones(grid.shape, bool))


def napa() -> Landscape:
    """Napa and Sonoma (LANDFIRE, 800 x 800 cells of 30 m), under their trees."""
    from geolabel.steps.landfire import landfire

    return landfire(NAPA)


def weather(speed_km_h: float = 20.0, from_deg: float = 180.0) -> Weather:
    """The wind around which the members' winds are drawn."""
    start, fast = "2025-07-01T12:00Z", speed_km_h / 3.6
    return Weather.constant(start, speed_m_s=fast, from_deg=from_deg, hours=HOURS[-1], moisture=MOISTURE)


# ---------------------------------------------------------------------------------------------- runs
@dataclass(frozen=True)
class Run:
    """What a campaign took."""

    ensemble: Ensemble
    wall_s: float
    cpu_s: float
    peak_mb: float

    @property
    def cells(self) -> float:
        """Mean burned cells a fire."""
        return self.ensemble.mean_area_ha * 1e4 / self.ensemble.grid.cell_area_m2()

    @property
    def figures(self) -> dict[str, float]:
        """What is reported of it."""
        e = self.ensemble
        return {
            "wall_s": self.wall_s,
            "cpu_s": self.cpu_s,
            "peak_mb": self.peak_mb,
            "cells": self.cells,
            "mcells_s": self.mcells_s,
            "error": float(e.error[-1].max()),
            "share": float(e.probability[-1].max()),
        }

    @property
    def mcells_s(self) -> float:
        """Million burned cells a second."""
        return self.cells * self.ensemble.n / self.wall_s / 1e6

    @property
    def digest(self) -> str:
        """Over all that was counted."""
        e = self.ensemble
        return digest(e.counts, e.flames.copy(), e.rose.copy(), e.east, e.north, e.rate_m_min, e.size_ha)[:16]


def run(ground: Landscape, air: Weather, *, fires: int, threads: int, seed: int = 7) -> Run:
    """A campaign over a ground, timed; the kernel is compiled before."""
    burn_probability(ground, air, None, HOURS[:1], fires=2, seed=0, threads=1)
    wall, cpu = time.perf_counter(), time.process_time()
    ensemble = burn_probability(ground, air, even_density(ground.grid), HOURS, fires=fires, seed=seed, threads=threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Run(ensemble, wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def alone(*, fires: int, threads: int) -> dict[str, float]:
    """Figures of a campaign over the mosaic in a process of its own, so that its memory is the campaign's."""
    command = [sys.executable, "-m", "benchmarks.campaign", "--json", "--fires", str(fires), "--threads", str(threads)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1])
    return json.loads(said.stdout)


@dataclass(frozen=True)
class Beside:
    """The same fires burned by us and by a peer, one after the other on one thread each."""

    cpu_s: np.ndarray
    """(fire,) ours."""
    cells: np.ndarray
    """(fire,) burned by ours."""
    peer_cpu_s: np.ndarray
    peer_cells: np.ndarray

    @property
    def ratio(self) -> float:
        """The peer's CPU time over ours, of all fires together."""
        return float(self.peer_cpu_s.sum() / self.cpu_s.sum())


def beside(ground: Landscape, air: Weather, fires: int, *, python: str, seed: int = 7) -> Beside:
    """The first fires of the campaign, burned by pyretechnics too; `python` is an interpreter that has it."""
    outlook = Outlook(ground, air, HOURS[-1], Uncertainty())
    ignitions, solver = Ignitions.of(even_density(ground.grid), ground), outlook.solver()
    drawn = [outlook.draw(ignitions, seed_of(seed, member)) for member in range(fires)]
    took, cells = np.zeros(fires), np.zeros(fires, int)
    outlook.burn(ignitions, seed_of(seed, 0), solver)
    for member in range(fires):
        begun = time.thread_time()
        cells[member] = len(outlook.burn(ignitions, seed_of(seed, member), solver).reached.cells)
        took[member] = time.thread_time() - begun
    with tempfile.TemporaryDirectory() as folder:
        fires_file, result = Path(folder) / "fires.npz", Path(folder) / "result.json"
        np.savez(fires_file, **_for_peer(ground, drawn))
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run([python, PEER, fires_file, result], check=True, env=environment)
        said = json.loads(result.read_text())
    return Beside(took, cells, np.array(said["cpu_s"]), np.array(said["cells"]))


def _for_peer(ground: Landscape, drawn: list[Draw]) -> dict[str, np.ndarray]:
    return {
        "fuel": ground.fuel,
        "slope": np.tan(np.radians(ground.slope_deg)),
        "aspect": np.nan_to_num(ground.aspect_deg),
        "res_m": np.array(ground.grid.res_m),
        "speed_km_h": np.stack([one.weather.speed_m_s * 3.6 for one in drawn]),
        "from_deg": np.stack([one.weather.from_deg for one in drawn]),
        "moisture": np.stack([one.weather.moisture[:, 0] for one in drawn]),
        "rate": np.array([one.rate_factor for one in drawn]),
        "start": np.array([one.ignition for one in drawn]),
    }


def skill(times: float, *, cases: int = 40, members: int = 40, size: int = 120) -> SpreadSkill:
    """Spread against error of ensembles of the usual uncertainty, where truths are drawn from `times` as much."""
    ground, air, rng = mosaic(size, seed=3), weather(), np.random.default_rng(2)
    starts = [ground.nearest_burnable(*rng.integers(size // 4, 3 * size // 4, 2)) for _ in range(cases)]
    truths = random_fires(ground, air, starts, 3.0, seed=11, unsure=Uncertainty().times(times))
    given = {"members": members, "bin_min": 5.0}
    ensembles = (campaign(ground, air, start, (1.0, 3.0), seed=100 + i, **given) for i, start in enumerate(starts))
    return spread_skill((one, truth.arrival_min) for one, truth in zip(ensembles, truths, strict=True))


def report(done: Run) -> str:
    """One line of figures."""
    e = done.ensemble
    p = e.probability[-1]
    return (
        f"{e.n} fires x {e.hours[-1]:g} h on {e.grid.height} x {e.grid.width}: {done.wall_s:.1f} s wall, "
        f"{1e3 * done.cpu_s / e.n:.1f} ms CPU a fire, {done.cells:.0f} burned cells a fire, "
        f"{done.mcells_s:.2f} Mcells/s, peak RSS {done.peak_mb:.0f} MB; P(burned) up to {p.max():.3f} "
        f"+- {e.error[-1].max():.3f}, fires of {e.mean_area_ha:.0f} +- {e.mean_area_error_ha:.0f} ha "
        f"(10/50/90 %: {' / '.join(f'{v:.0f}' for v in e.size_quantiles_ha())})"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fires", type=int, default=1000)
    parser.add_argument("--size", type=int, default=1000, help="edge of the mosaic in cells")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--identity", type=int, default=60, help="fires with which 1, 2 and 3 threads are compared")
    parser.add_argument("--napa", action="store_true", help="Napa and Sonoma instead of the mosaic")
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter of an environment with pyretechnics")
    parser.add_argument("--beside", type=int, default=20, help="fires that the peer burns too")
    parser.add_argument("--json", action="store_true", help="the figures of the run alone, for machines")
    parser.add_argument("--skill", action="store_true", help="spread against error instead")
    args = parser.parse_args()
    if args.skill:
        for times in (1.0, 2.0):
            told = skill(times)
            low, high = told.ratio_interval()
            print(
                f"truths of {times:g} x the uncertainty: spread over error {told.ratio:.2f} ({low:.2f}-{high:.2f}), "
                f"outer ranks {told.outer_ranks:.2f} (.2 is right), CRPS {told.crps_min:.1f} min"
            )
        return 0
    ground, air = (napa(), weather(30.0, 45.0)) if args.napa else (mosaic(args.size), weather())
    if args.json:
        print(json.dumps(run(ground, air, fires=args.fires, threads=args.threads).figures))
        return 0
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {args.threads} threads")
    print(report(run(ground, air, fires=args.fires, threads=args.threads)))
    if args.identity:
        same = {run(ground, air, fires=args.identity, threads=n).digest for n in (1, 2, 3)}
        print(f"1, 2 and 3 threads: {'the same' if len(same) == 1 else f'DIFFERENT {sorted(same)}'} to the last bit")
    if args.peer:
        both = beside(ground, air, args.beside, python=args.peer)
        print(
            f"the same {args.beside} fires, CPU: ours {1e3 * both.cpu_s.mean():.0f} ms, pyretechnics "
            f"{1e3 * both.peer_cpu_s.mean():.0f} ms a fire, {both.ratio:.0f} times; burned cells {both.cells.mean():.0f} "
            f"and {both.peer_cells.mean():.0f} a fire"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
