"""The front on the reference mosaic: how right and how fast, for both settings. `python -m benchmarks.front`.

Times are CPU times of one thread, the best and the median of several runs on a warm kernel; other work on the machine
lengthens them, so only ratios within one run say much. The peer runs beside it where it is installed (pyretechnics).
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from affine import Affine

from geolabel.fire.front.arrival import first_arrival, spread
from geolabel.fire.front.solver import Solver
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT.parent / "shared" / "reference" / "front" / "mosaic500_12h.npz"
START, HOURS, RES = (249, 250), 12, 30.0


def timed(work, runs=9):
    """(result, best ms, median ms) of CPU time."""
    work()
    took = []
    for _ in range(runs):
        begin = time.thread_time()
        result = work()
        took.append((time.thread_time() - begin) * 1e3)
    return result, min(took), statistics.median(took)


def given(mosaic, setting, solver):
    return first_arrival(
        *(mosaic[name] for name in ("head_rate_m_min", "head_bearing_rad", "eccentricity")),
        START,
        HOURS * 60,
        res_m=RES,
        slope=mosaic["slope"],
        aspect_rad=np.radians(mosaic["aspect"]),
        setting=setting,
        solver=solver,
    )[0]


def landscape(mosaic):
    height, width = mosaic["fuel"].shape
    grid = Grid.of("EPSG:32611", Affine(RES, 0, 5e5 - width * RES / 2, 0, -RES, 4e6), (height, width))
    slope = np.degrees(np.arctan(mosaic["slope"]))
    known = np.ones(grid.shape, bool)
    return Landscape(grid, mosaic["fuel"], np.zeros(grid.shape, np.float32), slope, mosaic["aspect"], known)


def weather(hourly):
    made = Weather.constant(
        "2025-07-01T12:00Z",
        speed_m_s=20 / 3.6,
        from_deg=180.0,
        hours=HOURS,
        moisture={"m1": 0.05, "m10": 0.06, "m100": 0.07},
    )
    if not hourly:
        return made
    made = made.hourly(HOURS)
    rng = np.random.default_rng(1)
    n = len(made.hours)
    return made.changed(
        speed_m_s=np.clip(rng.normal(20, 5, n), 0, None) / 3.6, from_deg=(180 + rng.normal(0, 30, n)) % 360
    )


def ellipse_area(setting, ecc):
    """Burned over exact cells of a uniform ellipse, the exact ones counted on the same cells."""
    size, start, rate = 401, (200, 200), 5.0
    rows, cols = np.indices((size, size))
    east, north, head = (cols - 200) * RES, (200 - rows) * RES, 0.65
    exact = (np.hypot(east, north) - ecc * (east * np.sin(head) + north * np.cos(head))) / (rate * (1 - ecc))
    minutes = min(exact[0].min(), exact[-1].min(), exact[:, 0].min(), exact[:, -1].min())
    even = np.ones((size, size))
    ours, _, _ = first_arrival(rate * even, head * even, ecc * even, start, minutes, res_m=RES, setting=setting)
    return np.isfinite(ours).sum() / (exact <= minutes).sum() - 1


def main() -> int:
    if not REFERENCE.is_file():
        print(f"no reference file {REFERENCE.name} in ../shared/reference: nothing to compare with")
        return 0
    with np.load(REFERENCE) as file:
        mosaic = dict(file)
    truth, share = mosaic["arrival_min"], mosaic["burned_fraction"]
    ground = landscape(mosaic)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; numpy {np.__version__}")
    print(
        "setting   IoU    area%  arrival_min  | ms given fields  | ms with Rothermel | ms hourly wind | ellipse area% e=.5/.7/.9"
    )
    for setting in ("accurate", "fast"):
        solver = Solver(ground.grid.shape, RES, setting)
        ours, best, median = timed(lambda s=setting, w=solver: given(mosaic, s, w))
        burned, reached = np.isfinite(ours), np.isfinite(truth)
        iou = (burned & reached).sum() / (burned | reached).sum()
        area = (burned.sum() / share.sum() - 1) * 100
        late = (ours - truth)[burned & reached].mean()
        with_fuel, hourly = (
            timed(lambda a=air, s=setting, w=solver: spread(ground, a, START, HOURS, setting=s, solver=w))
            for air in (weather(False), weather(True))
        )
        shape = " ".join(f"{100 * ellipse_area(setting, e):+.2f}" for e in (0.5, 0.7, 0.9))
        print(
            f"{setting:9s} {iou:.4f} {area:+6.2f} {late:+8.2f}     | {best:6.1f} ({median:6.1f}) | "
            f"{with_fuel[1]:6.1f} ({with_fuel[2]:6.1f})  | {hourly[1]:6.1f} ({hourly[2]:6.1f}) | {shape}"
        )
    if importlib.util.find_spec("pyretechnics") is None:
        print("pyretechnics is not installed: no ratio (TARGETS gives it 460 ms at 30 m, IoU .496)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
