"""The front on the reference mosaic: how right and how fast, for both settings. `python -m benchmarks.front`.

Times are CPU times of one thread, the best and the median of several runs on a warm kernel; other work on the machine
lengthens them, so only ratios within one run say much. pyretechnics' level set burns the same landscape in the same run
where `--peer PYTHON` or the variable PYRETECHNICS_PYTHON names an interpreter that has it (it has no given fields, so its
times hold its fire behaviour as well).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
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
PEER = Path(__file__).resolve().parent / "peers" / "with_pyretechnics.py"
START, HOURS, RES = (249, 250), 12, 30.0
GOALS = {"accurate": 12, "fast": 70}
"""Times faster than pyretechnics (TARGETS, section 4)."""


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
        aspect_rad=mosaic["aspect_rad"] if "aspect_rad" in mosaic else np.radians(mosaic["aspect"]),
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


def peer(mosaic, python, runs=5):
    """{kind of wind: (best ms, median ms)} of pyretechnics on the mosaic."""
    winds = {"constant": weather(False).hourly(HOURS), "hourly": weather(True)}
    each = [wind for wind in winds.values() for _ in range(runs)]
    fires = {
        "fuel": mosaic["fuel"],
        "slope": mosaic["slope"],
        "aspect": mosaic["aspect"],
        "res_m": RES,
        "start": np.array([START] * len(each)),
        "speed_km_h": np.stack([wind.speed_m_s * 3.6 for wind in each]),
        "from_deg": np.stack([wind.from_deg for wind in each]),
        "moisture": np.stack([wind.moisture[:, 0] for wind in each]),
        "rate": np.ones(len(each)),
    }
    with tempfile.TemporaryDirectory() as folder:
        asked, said = Path(folder) / "fires.npz", Path(folder) / "said.json"
        np.savez(asked, **fires)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run([python, PEER, asked, said], check=True, env=environment)
        result = json.loads(said.read_text())
    took = np.reshape(result["cpu_s"], (len(winds), runs)) * 1e3
    return {kind: (float(own.min()), float(np.median(own))) for kind, own in zip(winds, took, strict=True)}


def speeds(mosaic, ground, setting):
    """(arrival on given fields, {case: (best ms, median ms)}) of one setting."""
    solver, cases = Solver(ground.grid.shape, RES, setting), {}
    ours, *cases["given fields"] = timed(lambda: given(mosaic, setting, solver))
    for case, air in (("constant", weather(False)), ("hourly", weather(True))):
        _, *cases[case] = timed(lambda a=air: spread(ground, a, START, HOURS, setting=setting, solver=solver))
    return ours, cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", metavar="PYTHON", default=os.environ.get("PYRETECHNICS_PYTHON"))
    python = parser.parse_args().peer
    if not REFERENCE.is_file():
        print(f"no reference file {REFERENCE.name} in ../shared/reference: nothing to compare with")
        return 0
    with np.load(REFERENCE) as file:
        mosaic = {k: np.ascontiguousarray(v) for k, v in file.items()}
    mosaic["aspect_rad"] = np.radians(mosaic["aspect"])
    truth, share, ground = mosaic["arrival_min"], mosaic["burned_fraction"], landscape(mosaic)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; numpy {np.__version__}")
    ours = {setting: speeds(mosaic, ground, setting) for setting in GOALS}
    theirs = peer(mosaic, python) if python else None
    for setting, (arrival, cases) in ours.items():
        burned, reached = np.isfinite(arrival), np.isfinite(truth)
        iou = (burned & reached).sum() / (burned | reached).sum()
        area = (burned.sum() / share.sum() - 1) * 100
        late = (arrival - truth)[burned & reached].mean()
        shape = " ".join(f"{100 * ellipse_area(setting, e):+.2f}" for e in (0.5, 0.7, 0.9))
        print(
            f"{setting}: IoU {iou:.4f}, area {area:+.2f} %, arrival {late:+.2f} min; ellipse e=.5/.7/.9 area {shape} %"
        )
        for case, (best, median) in cases.items():
            line = f"  {case:13s} {best:7.1f} ms best, {median:7.1f} median"
            if theirs:
                beside = theirs["constant" if case == "given fields" else case]
                line += f"; pyretechnics {beside[0]:.0f} ({beside[1]:.0f}): {beside[0] / best:.1f} times (goal {GOALS[setting]})"
            print(line)
    if theirs is None:
        print("no --peer: no ratio (TARGETS gives pyretechnics 460 ms at 30 m, IoU .496)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
