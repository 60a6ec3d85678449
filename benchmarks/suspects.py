"""Label errors put into real labels, and how many of them are found by probabilities of a model that was taught with them.

Wrong classes: parts of the 25 Amazon polygons (four classes), and tiles of the Spanish water label (dry, water), with some
of the other outlines shifted. What was missed: whole patches of that water label, of which some are taken away.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.metrics import average_precision_score

from benchmarks.cover import amazon, spain, truth_of
from geolabel.grid import Grid
from geolabel.label.cover.candidates import MODELS
from geolabel.label.cover.features import Features
from geolabel.quality.doubt.suspects import NOTHING, Suspects, suspects
from geolabel.quality.doubt.tally import tally
from geolabel.quality.intervals import Interval, bootstrap
from geolabel.shapes import polygonise, rasterise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
MODEL, TAUGHT_PX, TAUGHT_OPEN_PX = "logistic regression", 32, 3000
"""Of bands and ratios; pixels of a label, and of ground left unlabeled, that it is taught with."""
APART_PX = 6
"""What is taught lies so far from what is held out, as `label.cover` keeps them apart."""
FOLDS, SHARE, SEEDS = 5, 0.15, 12
SHIFT_PX = 3
SHUFFLES = 200
OURS, MEAN, CORE, SOFTMIN, RANDOM = "suspects", "mean", "mean over the core", "softmin over the polygon", "random"
"""Ways to rank: `quality.doubt.suspects` (softmin over the core), and beside it the probability of the class as labeled averaged
over the polygon, averaged over its core, and its softmin over the whole polygon."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Labels of a real scene whose truth is known."""

    values: NDArray[np.float32]
    """(feature, y, x) bands and ratios."""
    grid: Grid
    """In metres; a scene in degrees is laid on pixels of 10 m as it is."""
    shapes: NDArray[Any]
    """(label,) polygons."""
    codes: Ints
    """(label,) number of the true class."""
    classes: tuple[str, ...]
    fold: Ints
    """(y, x) what is held out together, in space."""
    judged: Mask
    """(y, x) ground that was looked at; that outside all labels is `nothing` where this is a class."""
    truth: Ints
    """(y, x) true class, -1 where it is unknown."""

    def frame(self, codes: Ints, shapes: NDArray[Any]) -> gpd.GeoDataFrame:
        """Labels with these classes and outlines."""
        names = np.array(self.classes, object)[codes]
        ids = [f"part/{i:04d}" for i in range(len(codes))]
        return gpd.GeoDataFrame({"label_id": ids, "class": names}, geometry=shapes, crs=self.grid.crs.to_wkt())


@cache
def amazon_parts(folder: Path, size: int = 6, least: int = 9) -> Ground:
    """Parts of at most `size` x `size` pixels of the 25 polygons; the parts of a polygon share a fold."""
    scene, polygons, _ = amazon(folder)
    classes = tuple(sorted(polygons["class"].unique()))
    of = np.array([classes.index(name) for name in polygons["class"]])
    number = rasterise(polygons, scene.grid, np.arange(1, len(of) + 1, dtype=np.uint8)).astype(np.int64)
    values = _read(scene.data)
    known = (number > 0) & np.isfinite(values).all(0)
    dealt = np.empty(len(of), np.int64)
    dealt[np.argsort(of, kind="stable")] = np.arange(len(of)) % FOLDS
    nearest = ndimage.distance_transform_edt(number == 0, return_indices=True, return_distances=False)
    whole = number[tuple(nearest)] - 1
    truth = np.where(known, of[number - 1], -1)
    return _cut(values, truth, classes, dealt[whole], known, _tiled(number, size), least)


@cache
def spain_parts(folder: Path, size: int = 32, least: int = 30) -> Ground:
    """Water and dry ground of each tile of `size` x `size` pixels; blocks of the scene are held out."""
    values, water, known = _spain(folder)
    truth = np.where(known, water, -1)
    parts = _tiled(np.where(known, water + 1, 0), size)
    return _cut(values, truth, ("dry", "water"), _blocks(water.shape), known, parts, least)


@cache
def spain_patches(folder: Path, least: int = 50) -> Ground:
    """Patches of water of at least half a hectare, cut only where a fold ends; all other known ground is `nothing`."""
    values, water, known = _spain(folder)
    fold, parts, n = _blocks(water.shape), np.zeros(water.shape, np.int64), 0
    for one in range(FOLDS):
        found, count = ndimage.label((water == 1) & known & (fold == one))
        parts, n = np.where(found > 0, found + n, parts), n + count
    return _cut(values, np.where(known, water, -1), (NOTHING, "water"), fold, known, parts, least)


@cache
def _spain(folder: Path) -> tuple[NDArray[np.float32], Ints, Mask]:
    view = spain(folder)
    water, known = truth_of(view)
    values = _read(view["before"].data)
    return values, water.astype(np.int64), known & np.isfinite(values).all(0)


def _read(data: Any) -> NDArray[np.float32]:
    features = Features.of(data)
    wanted = [kind in ("bands", "ratios") for kind in features.kinds.values()]
    return np.asarray(features.lazy(features.stack(data)).compute()[wanted])


def _blocks(shape: tuple[int, ...], size: int = 105) -> Ints:
    row, col = np.indices(shape) // size
    return np.asarray((row * 2 + col) % FOLDS)


def _tiled(numbers: Ints, size: int) -> Ints:
    """(y, x) each number apart in each tile, 0 for 0."""
    row, col = np.indices(numbers.shape) // size
    return np.where(numbers > 0, (row * 1000 + col) * 100 + numbers, 0)


def _cut(values: Any, truth: Ints, classes: Any, fold: Ints, judged: Mask, parts: Ints, least: int) -> Ground:
    grid = Grid.of("EPSG:32630", Affine(10, 0, 500_000, 0, -10, 4_200_000), truth.shape)
    names, counts = np.unique(parts[judged & (parts > 0)], return_counts=True)
    kept = names[counts >= least]
    number = np.where(judged & np.isin(parts, kept), np.searchsorted(kept, parts) + 1, 0)
    traced = polygonise(number.astype(np.int16), grid).dissolve("code").sort_index()
    codes = np.array([truth[number == one][0] for one in traced.index], np.int64)
    return Ground(values, grid, traced.geometry.to_numpy(), codes, tuple(classes), fold, judged, truth)


# ---------------------------------------------------------------------- the model
def out_of_sample(ground: Ground, labeled: Ints, seed: int) -> NDArray[np.float32]:
    """(class, y, x) of judged ground, taught without its fold and what lies near it; NaN elsewhere.

    `labeled` (y, x): class that each pixel is taught as, -1 of none.
    """
    k, rng = len(ground.classes), np.random.default_rng(seed)
    told = np.full((k, *ground.truth.shape), np.nan, np.float32)
    width = 2 * APART_PX + 1
    wanted = np.isfinite(ground.values).all(0) & (ground.judged | (labeled >= 0))
    drawn = (labeled >= 0) & wanted & (rng.random(labeled.shape) < _rate(labeled, ground))
    for fold in range(FOLDS):
        out = wanted & (ground.fold == fold)
        near = ndimage.maximum_filter(out.astype(np.uint8), width) > 0
        taught = drawn & ~near
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MODELS[MODEL](0, k).fit(ground.values[:, taught].T, labeled[taught])
        chances = np.zeros((np.count_nonzero(out), k), np.float32)
        chances[:, model.classes_] = model.predict_proba(ground.values[:, out].T)
        told[:, out] = chances.T
    return told


def _rate(labeled: Ints, ground: Ground) -> Floats:
    """(y, x) chance that a pixel is drawn: about `TAUGHT_PX` a label, `TAUGHT_OPEN_PX` of ground that has none."""
    size = {code: np.count_nonzero(labeled == code) for code in range(len(ground.classes))}
    rate = np.zeros(labeled.shape)
    for code, name in enumerate(ground.classes):
        wanted = TAUGHT_OPEN_PX if name == NOTHING else TAUGHT_PX * max(np.count_nonzero(ground.codes == code), 1)
        rate[labeled == code] = wanted / max(size[code], 1)
    return rate


def taught_as(ground: Ground, labels: gpd.GeoDataFrame) -> Ints:
    """(y, x) class by the labels as they are drawn, with their errors; -1 of none."""
    codes = np.array([ground.classes.index(name) for name in labels["class"]], np.uint8) + 1
    said = rasterise(labels, ground.grid, codes).astype(np.int64) - 1
    open_ground = ground.judged & (said < 0)
    return np.where(open_ground, ground.classes.index(NOTHING), said) if NOTHING in ground.classes else said


def moved(shapes: NDArray[Any], which: Ints, rng: np.random.Generator, grid: Grid, px: int = SHIFT_PX) -> NDArray[Any]:
    """Polygons of which some are shifted by `px` pixels, north, south, east or west."""
    ways, result = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)]) * px * grid.res_m, shapes.copy()
    for i in which:
        step = ways[rng.integers(4)]
        result[i] = shapely.transform(shapes[i], lambda points, step=step: points + step)
    return result


# ---------------------------------------------------------------------- wrong classes
@dataclass(frozen=True, slots=True)
class Found:
    """Of one seed: how well each way ranks the labels whose class was swapped."""

    precision: dict[str, float]
    """Average precision."""
    recall: dict[str, float]
    """Share of the k swapped labels among the first k."""
    flagged: tuple[int, int, int]
    """Labels that confident learning counts as wrong, those of them that are, and k."""
    noise: float
    """Share of wrong labels as it is estimated, without the truth."""


def classes_found(ground: Ground, seed: int, *, share: float = SHARE, shift: bool = True) -> Found:
    """Some labels get another class, some of the others another place; only the former are to be found."""
    rng, n, k = np.random.default_rng(seed), len(ground.codes), len(ground.classes)
    count = round(share * n)
    order = rng.permutation(n)
    wrong, shifted = order[:count], order[count : 2 * count] if shift else order[:0]
    codes = ground.codes.copy()
    codes[wrong] = (codes[wrong] + rng.integers(1, k, count)) % k
    labels = ground.frame(codes, moved(ground.shapes, shifted, rng, ground.grid, 2))
    chances = out_of_sample(ground, taught_as(ground, labels), seed)
    told = suspects(labels, chances, ground.classes, ground.grid)
    truth = np.isin(np.arange(n), wrong)
    return _found(told, labels, chances, codes, truth, ground, rng)


def _found(
    told: Suspects, labels: gpd.GeoDataFrame, chances: Any, codes: Ints, wrong: Mask, ground: Ground, rng: Any
) -> Found:
    rows = told.table.set_index("label_id").reindex(labels["label_id"])
    tested = rows["score"].notna().to_numpy()  # one that was shifted off the known ground is not
    rows, wrong = rows[tested], wrong[tested]
    sums, own = tally(labels, chances, ground.classes, ground.grid, judged=None).part(tested), codes[tested]
    each = np.arange(len(own))
    scores = {
        OURS: rows["score"].to_numpy(float),
        MEAN: sums.whole[each, own] / sums.pixels,
        CORE: sums.chances[each, own],
        SOFTMIN: sums["soft"] / sums["weight"],
    }
    precision = {name: float(average_precision_score(wrong, -score)) for name, score in scores.items()}
    recall = {name: _first(wrong, score) for name, score in scores.items()}
    chance = [rng.permutation(len(wrong)).astype(float) for _ in range(SHUFFLES)]
    precision[RANDOM] = float(np.mean([average_precision_score(wrong, -one) for one in chance]))
    recall[RANDOM] = float(np.mean([_first(wrong, one) for one in chance]))
    flag = rows["confident"].to_numpy() == 1
    return Found(precision, recall, (int(flag.sum()), int((flag & wrong).sum()), int(wrong.sum())), told.noise.wrong)


def _first(wrong: Mask, score: Floats) -> float:
    k = int(wrong.sum())
    return float(wrong[np.argsort(score, kind="stable")[:k]].mean())


# ---------------------------------------------------------------------- what was missed
@dataclass(frozen=True, slots=True)
class Missed:
    """Of one seed."""

    dropped: int
    found: int
    """Dropped patches of which at least half is reported as missed."""
    reported: int
    false: int
    """Reports of which less than half is truly of the class."""
    shifted: tuple[int, int]
    """Shifted outlines, and those of them told as off (`boundary`)."""
    kept: tuple[int, int]
    """Outlines left alone, and those of them told as off."""


def missed_found(ground: Ground, seed: int, *, share: float = SHARE) -> Missed:
    """Some patches lose their label, some of the others are shifted; the model is taught so."""
    rng, n = np.random.default_rng(seed), len(ground.codes)
    count = round(share * n)
    order = rng.permutation(n)
    dropped, shifted, kept = order[:count], order[count : 2 * count], np.sort(order[count:])
    labels = ground.frame(ground.codes, moved(ground.shapes, shifted, rng, ground.grid)).iloc[kept]
    chances = out_of_sample(ground, taught_as(ground, labels), seed)
    table = suspects(labels, chances, ground.classes, ground.grid, judged=ground.judged).table
    reports = table[table["error"] == "missed"]
    area = rasterise(reports, ground.grid) > 0 if len(reports) else np.zeros(ground.truth.shape, bool)
    there = [
        area[rasterise(ground.frame(ground.codes, ground.shapes).iloc[[i]], ground.grid) > 0].mean() for i in dropped
    ]
    true = [(ground.truth[rasterise(reports.iloc[[i]], ground.grid) > 0] > 0).mean() for i in range(len(reports))]
    off = set(table.loc[table["error"] == "boundary", "label_id"])
    told = {i: f"part/{i:04d}" in off for i in kept}
    moved_off, rest_off = [told[i] for i in shifted], [told[i] for i in kept if i not in set(shifted)]
    return Missed(
        count, int(np.sum(np.array(there) >= 0.5)), len(reports), int(np.sum(np.array(true) < 0.5)),
        (len(moved_off), sum(moved_off)), (len(rest_off), sum(rest_off)),
    )  # fmt: skip


# ---------------------------------------------------------------------- over seeds
def mean(values: Any) -> tuple[float, Interval]:
    """Mean over seeds and its 95 % bootstrap interval."""
    given = np.asarray(values, float)
    low_high = bootstrap(lambda weights: weights @ given / weights.sum(1), len(given), resamples=4000)
    return float(given.mean()), low_high
