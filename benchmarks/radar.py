"""Radar before and after a burn, simulated: fully developed speckle on known ground. There is no real pair in the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage, stats

from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import span
from geolabel.scene.frame import dataset

Mask = NDArray[np.bool_]
RES_M = 10.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What the two dates are drawn from; dB, one row a polarisation."""

    size: int = 384
    share: float = 0.1
    """Of the ground that burned."""
    looks: float = 4.4
    dates: int = 4
    """On either side of the fire."""
    vh_drop_db: float = 3.0
    """Of burned ground: the canopy is gone, and with it volume scattering."""
    vv_drop_db: float = 1.0
    wetter_db: float = 0.0
    """By which both polarisations of the whole ground rise after the fire: rain."""
    texture_db: float = 1.5
    """Standard deviation of the ground's own pattern, the same on all dates."""


def scar_of(ground: Ground, rng: np.random.Generator) -> Mask:
    """(y, x) bool: the highest share of a smooth random field, with islands; none where the share is 0."""
    field = ndimage.gaussian_filter(rng.normal(0, 1, (ground.size,) * 2), 24) * 24
    field += ndimage.gaussian_filter(rng.normal(0, 1, field.shape), 5) * 1.2
    scar: Mask = field >= np.quantile(field, 1 - ground.share) if ground.share else np.zeros(field.shape, bool)
    return scar


def pair_of(ground: Ground, scar: Mask, seed: int) -> tuple[list[Scene], list[Scene]]:
    """(dates before, dates after): scenes of VV and VH in dB under gamma speckle, independent between dates."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (2, *scar.shape))
    pattern = np.stack([ndimage.gaussian_filter(one, 6) for one in noise])
    level = np.array([-9.0, -15.0])[:, None, None] + ground.texture_db * pattern / pattern.std()
    burned = level + ground.wetter_db - np.array([ground.vv_drop_db, ground.vh_drop_db])[:, None, None] * scar
    before = [scene_of(level, ground, rng, f"before-{i}") for i in range(ground.dates)]
    return before, [scene_of(burned, ground, rng, f"after-{i}") for i in range(ground.dates)]


def scene_of(level_db: NDArray[np.float64], ground: Ground, rng: np.random.Generator, name: str) -> Scene:
    """One date: mean backscatter times gamma noise of mean 1 and variance 1 / looks."""
    speckle = rng.gamma(ground.looks, 1 / ground.looks, level_db.shape)
    db = (level_db + 10 * np.log10(speckle)).astype(np.float32)
    grid = Grid.of("EPSG:32630", Affine(RES_M, 0, 700_000, 0, -RES_M, 4_300_000), level_db.shape[1:])
    start, end = span("2020-08-01")
    data = dataset(dict(zip(("vv", "vh"), db, strict=True)), grid).chunk(256)
    return Scene(name, start, end, grid, data, "simulated", "gamma0_db", (), f"digest-of-{name}")


def iou(found: Mask, truth: Mask) -> float:
    """Intersection over union."""
    return float((found & truth).sum() / (found | truth).sum())


def best_threshold(drop: NDArray[np.float32], scar: Mask, levels: Sequence[float] | None = None) -> tuple[float, float]:
    """(IoU, threshold) of the single threshold that fits the truth best, which nobody knows beforehand."""
    tried = np.arange(-1, 6, 0.05) if levels is None else levels
    return max((iou(drop >= level, scar), float(level)) for level in tried)


def expected_iou(drop_db: float, threshold_db: float, looks: float, share: float) -> float:
    """IoU that a threshold on unfiltered log ratios of uniform ground has in the mean of many pixels.

    The ratio of two speckled powers is F distributed with 2 L and 2 L degrees of freedom.

    Source: Touzi, Lopes & Bousquet 1988, IEEE TGRS 26:764 (distribution of the ratio of intensities).
    """
    ratio = stats.f(2 * looks, 2 * looks)
    hit = ratio.sf(10 ** ((threshold_db - drop_db) / 10))
    false = ratio.sf(10 ** (threshold_db / 10))
    return float(share * hit / (share + (1 - share) * false))


CASES = {
    "3 dB, four dates": Ground(),
    "3 dB, one date": Ground(dates=1),
    "2 dB, four dates": Ground(vh_drop_db=2.0, vv_drop_db=0.5),
    "3 dB, rain": Ground(wetter_db=1.5),
    "a fiftieth burned": replace(Ground(), share=0.02),
    "a third burned": replace(Ground(), share=1 / 3),
}
