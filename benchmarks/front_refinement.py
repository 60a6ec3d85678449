"""How the front converges: each cell split in 2, 4 and 8, on four landscapes. `python -m benchmarks.front_refinement`.

Fields are given and constant in a cell; a refined fire runs on the same fields, each cell as n x n. What the last
refinement says is taken as true: area, and IoU of the coarse cells of which half or more burned. A fire starts from 3 x 3 coarse cells
that burn as a whole, which is the same ground at every refinement. `--plot FILE.png` draws area and 1 - IoU
against the refinement; `--small` leaves the reference mosaic out.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.front import HOURS, REFERENCE, RES, START
from geolabel.fire.front.arrival import first_arrival

SPLITS = (1, 2, 4, 8)
SETTINGS = ("fast", "accurate")


@dataclass(frozen=True)
class Ground:
    """Fields of a fire, (y, x), and how long it burns."""

    name: str
    fields: dict[str, np.ndarray]
    start: tuple[int, int]
    minutes: float


@dataclass(frozen=True)
class Figure:
    """One fire of the study."""

    ground: str
    setting: str
    split: int
    area_ha: float
    iou: float
    """With the finest fire of the accurate setting, on the cells of the coarse grid."""
    cpu_s: float


def reference() -> Ground:
    """The reference mosaic."""
    with np.load(REFERENCE) as file:
        mosaic = dict(file)
    fields = {
        "head_rate_m_min": mosaic["head_rate_m_min"],
        "head_rad": mosaic["head_bearing_rad"],
        "eccentricity": mosaic["eccentricity"],
        "slope": mosaic["slope"],
        "aspect_rad": np.radians(mosaic["aspect"]),
    }
    return Ground("mosaic of the reference", fields, START, HOURS * 60)


def made(name: str, rate: np.ndarray, seed: int, *, minutes: float, slope: float = 0.0) -> Ground:
    """Ground of one rate a cell, with wind from the south-west and relief from a seed; lit at the middle."""
    rng, shape = np.random.default_rng(seed), rate.shape
    height = gaussian_filter(rng.standard_normal(shape), 12.0)
    down_rows, down_cols = np.gradient(height / height.std())
    steep = slope * np.hypot(down_rows, down_cols) / np.hypot(down_rows, down_cols).max()
    fields = {
        "head_rate_m_min": rate,
        "head_rad": np.pi / 4 + 8 * gaussian_filter(rng.standard_normal(shape), 8.0),
        "eccentricity": np.full(shape, 0.75),
        "slope": steep,
        "aspect_rad": np.arctan2(-down_cols, down_rows),
    }
    start = shape[0] // 2, shape[1] // 2
    rows, cols = np.nonzero(rate > 0)
    near = int(((rows - start[0]) ** 2 + (cols - start[1]) ** 2).argmin())
    return Ground(name, fields, (int(rows[near]), int(cols[near])), minutes)


def patches(size: int = 120, seed: int = 1) -> Ground:
    """Smooth terrain with patches of five rates and ponds."""
    rng = np.random.default_rng(seed)
    level = gaussian_filter(rng.standard_normal((size, size)), 5.0)
    rank = level.ravel().argsort().argsort().reshape(size, size) / size**2
    rate = np.array([0.0, 1.0, 3.0, 8.0, 15.0, 5.0])[(rank * 6).astype(int)]
    return made("smooth terrain with patches", rate, seed, minutes=300, slope=0.5)


def mosaic(size: int = 120, seed: int = 2) -> Ground:
    """Each cell one of four fuels, 20 times apart, a quarter bare: the hardest for any grid."""
    rng = np.random.default_rng(seed)
    rate = rng.choice([0.0, 1.0, 5.0, 20.0], (size, size))
    return made("a fuel a cell, a quarter bare", rate, seed, minutes=720)


def corridors(size: int = 120, seed: int = 3) -> Ground:
    """Rooms of slow fuel behind walls with gaps, and fast strips of one cell that cross them."""
    rng = np.random.default_rng(seed)
    rate = np.full((size, size), 2.0)
    for at in range(8, size, 16):
        rate[at], rate[:, at] = 0.0, 0.0
    for at in range(8, size, 16):
        for gap in rng.integers(0, size, size // 6):
            rate[at, gap] = 2.0
            rate[gap, at] = 2.0
    for at in rng.integers(0, size, 8):
        rate[at, :] = 20.0
    return made("corridors and walls with gaps", rate, seed, minutes=360)


def burn(ground: Ground, setting: str, split: int) -> tuple[np.ndarray, float]:
    """(share of each coarse cell that burned, CPU seconds) with each cell as split x split."""
    fine = {k: np.repeat(np.repeat(v, split, 0), split, 1).astype(np.float32) for k, v in ground.fields.items()}
    lit = np.zeros(ground.fields["head_rate_m_min"].shape, bool)
    row, col = ground.start
    lit[row - 1 : row + 2, col - 1 : col + 2] = True
    lit = np.repeat(np.repeat(lit, split, 0), split, 1)
    begin = time.thread_time()
    arrival, _, _ = first_arrival(**fine, ignition=lit, minutes=ground.minutes, res_m=RES / split, setting=setting)
    took = time.thread_time() - begin
    height, width = ground.fields["head_rate_m_min"].shape
    return np.isfinite(arrival).reshape(height, split, width, split).mean((1, 3)), took


def study(grounds: list[Ground]) -> list[Figure]:
    """All fires: rows by ground, setting and split."""
    figures = []
    for ground in grounds:
        fires = {(s, n): burn(ground, s, n) for s in SETTINGS for n in SPLITS}
        truth = fires["accurate", SPLITS[-1]][0]
        for (setting, split), (share, took) in fires.items():
            ours, theirs = share >= 0.5, truth >= 0.5
            iou = (ours & theirs).sum() / (ours | theirs).sum()
            figures.append(Figure(ground.name, setting, split, float(share.sum()) * RES**2 / 1e4, float(iou), took))
    return figures


def plot(figures: list[Figure], path: str) -> None:
    """Area over the finest and 1 - IoU, by refinement."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(one.ground for one in figures))
    sheet, panes = plt.subplots(
        2, len(names), figsize=(3.6 * len(names), 6), squeeze=False, sharex=True, layout="constrained"
    )
    for column, name in enumerate(names):
        finest = next(f.area_ha for f in figures if (f.ground, f.setting, f.split) == (name, "accurate", SPLITS[-1]))
        for setting, mark in zip(SETTINGS, ("o--", "s-"), strict=True):
            own = [f for f in figures if f.ground == name and f.setting == setting]
            panes[0, column].plot(
                [f.split for f in own], [100 * (f.area_ha / finest - 1) for f in own], mark, label=setting
            )
            apart = [(f.split, 1 - f.iou) for f in own if f.iou < 1]
            panes[1, column].loglog(*zip(*apart, strict=True), mark, label=setting)
        panes[0, column].axhline(0, color="0.6", linewidth=0.8)
        panes[0, column].set_title(name, fontsize=10)
        panes[1, column].set_xlabel("a cell as n x n")
        panes[1, column].set_xticks(SPLITS, [str(n) for n in SPLITS])
        panes[1, column].minorticks_off()
    panes[0, 0].set_ylabel("area against the finest, %")
    panes[1, 0].set_ylabel("1 - IoU with the finest")
    panes[0, 0].legend(frameon=False)
    sheet.savefig(path, dpi=110)


def main() -> int:
    """Print the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", metavar="FILE.png")
    parser.add_argument("--small", action="store_true")
    chosen = parser.parse_args()
    grounds = [patches(), mosaic(), corridors()]
    if REFERENCE.is_file() and not chosen.small:
        grounds.append(reference())
    figures = study(grounds)
    print(f"{'ground':32s} {'setting':9s} {'split':>5s} {'area ha':>9s} {'of finest':>9s} {'IoU':>7s} {'CPU s':>7s}")
    for one in figures:
        finest = next(
            f.area_ha for f in figures if (f.ground, f.setting, f.split) == (one.ground, "accurate", SPLITS[-1])
        )
        print(
            f"{one.ground:32s} {one.setting:9s} {one.split:5d} {one.area_ha:9.1f} "
            f"{100 * (one.area_ha / finest - 1):+8.2f}% {one.iou:7.4f} {one.cpu_s:7.2f}"
        )
    if chosen.plot:
        plot(figures, chosen.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
