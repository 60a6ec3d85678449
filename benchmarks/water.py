"""Water of a real radar scene (radar-spain-s1s2): VV and VH together, learned on one half of the ground and tried on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from geolabel.nouns.scene import Scene
from geolabel.scene.backscatter import smoothed
from geolabel.scene.open import open_scene
from geolabel.shapes import rasterise
from geolabel.steps.radar import water_radar

NAME = "Spain_7370579"
LOOKS = 4.4
Mask = NDArray[np.bool_]
CHANCES = np.linspace(0.1, 0.9, 17)


@dataclass(frozen=True, slots=True)
class Truth:
    """A radar scene in dB and what a person drew; -1 is left out."""

    scene: Scene
    known: Mask
    water: Mask


def truth(folder: Path) -> Truth:
    """The scene and its hand-made label."""
    scene = open_scene(folder / f"{NAME}_S1Hand.tif", at="2019-09-17", quantity="sigma0_db")
    with rasterio.open(folder / f"{NAME}_LabelHand.tif") as file:
        label = file.read(1)
    seen = np.asarray(scene.valid)
    return Truth(scene, (label >= 0) & seen, label == 1)


def levels(scene: Scene, bands: Sequence[str]) -> NDArray[np.float32]:
    """(band, y, x) dB."""
    return np.stack([scene.band(band).values for band in bands])


def iou(found: Mask, of: Truth, where: Mask | None = None) -> float:
    """Intersection over union on labeled ground."""
    seen = of.known if where is None else of.known & where
    return float((found & of.water & seen).sum() / ((found | of.water) & seen).sum())


def halves(shape: tuple[int, int]) -> dict[str, Mask]:
    """One of two spatial halves, cut either way."""
    row, col = np.indices(shape)
    return {"west and east": col < shape[1] // 2, "north and south": row < shape[0] // 2}


def crossed(of: Truth, values: NDArray[np.float32], half: Mask) -> Mask:
    """(y, x) bool: water by logistic regression (scikit-learn) learned on one half of the scene, said of the other half.

    The chance from which water is called is the one that fits the half it was learned on best.
    """
    from sklearn.linear_model import LogisticRegression

    found = np.zeros(half.shape, bool)
    for learned in (half, ~half):
        own = learned & of.known
        model = LogisticRegression().fit(values[:, own].T, of.water[own])
        seen = np.isfinite(values).all(0)
        chance = np.zeros(half.shape)
        chance[seen] = model.predict_proba(values[:, seen].T)[:, 1]
        least = max(CHANCES, key=lambda one: iou(chance >= one, of, learned))
        found |= ~learned & (chance >= least)
    return found


def crossed_threshold(of: Truth, level: NDArray[np.float32], half: Mask) -> Mask:
    """(y, x) bool: dark by the single threshold that fits the other half best."""
    tried = np.arange(-30, -5, 0.2)
    best = {which: max(tried, key=lambda t: iou(level < t, of, side)) for which, side in ((0, half), (1, ~half))}
    return np.where(half, level < best[1], level < best[0])


def by_rule(of: Truth) -> Mask:
    """(y, x) bool: what `water-radar@1` finds, which learned nothing."""
    return rasterise(water_radar(of.scene, looks=LOOKS), of.scene.grid) > 0


def filtered(of: Truth) -> Scene:
    """The scene without most of its speckle."""
    return smoothed(of.scene, looks=LOOKS)
