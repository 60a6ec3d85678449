"""What a pixel classifier says of ground that it was not taught: the labels of a view, each judged by the labels elsewhere.

The view is cut into blocks of tiles that are dealt out to folds; each fold is named by a classifier taught with the tiles
of the others that do not lie near it. Gold never teaches.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from geolabel.errors import QualityError
from geolabel.grid import Tile
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import NODATA, Kind, Ontology
from geolabel.quality.doubt.suspects import NOTHING
from geolabel.steps.options import Options

Floats = NDArray[np.float32]
Codes = NDArray[np.uint8]
STRIP_ROWS = 256
"""Rows whose features are held at once."""


class UnseenOptions(Options):
    """How a view's labels are judged by a classifier that has not seen them."""

    model: str = Field(
        default="logistic regression", description="the pixel classifier: a name of `geolabel.label.cover`"
    )
    folds: int = Field(default=5, ge=2, description="parts of the ground that are named one by the others")
    block: int = Field(default=2, ge=1, description="edge, in tiles, of what is held out together")
    apart_px: int = Field(default=8, ge=0, description="ground this near to a fold does not teach it")
    taught_px: int = Field(default=64, ge=1, description="pixels of a tile that teach, at most")
    min_missed_ha: float = Field(default=0.5, ge=0, description="smallest area that is said to be missed")
    seed: int = Field(default=0, description="deals out the blocks and draws the pixels")


class TooLittleError(QualityError):
    """Too little is labeled to teach a classifier."""


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """Out-of-sample probabilities of a view's classes, and what its tiles look like."""

    classes: tuple[str, ...]
    """`nothing` first: ground that was looked at and left unlabeled; then names, sorted."""
    probability: Floats
    """(class, y, x), 0-1, NaN where a band has no value or too little was labeled elsewhere."""
    codes: Codes
    """(y, x) number of the class that is agreed on, 255 where nobody judged."""
    features: Mapping[str, NDArray[np.float64]]
    """Task id -> mean and standard deviation of each feature; NaN of a tile without values."""


def unseen(
    view: View,
    kind: Kind,
    tasks: Sequence[Task],
    agreed: Codes,
    ontology: Ontology,
    *,
    out: Collection[str],
    options: UnseenOptions,
) -> Unseen:
    """Probabilities on ground that the classifier was not taught; bands are held in memory, 4 bytes a band and pixel.

    Parameters
    ----------
    agreed
        (y, x) the ontology's codes, 0 nothing, 255 where nobody judged.
    out
        Ids of tasks that no model may learn from.

    Raises
    ------
    TooLittleError
        Where fewer than two classes are labeled, or only in one place.
    """
    codes, classes = _numbered(agreed, kind, ontology)
    layers = _Layers.of(view, kind)
    taught = {task.id: task for task in tasks if task.id not in out}
    pixels = _pixels(layers, list(taught.values()), codes, options)
    folds = _folds(tasks, view.grid.shape, options)
    probability = np.full((len(classes), *view.grid.shape), np.nan, np.float32)
    named = 0
    for fold in np.unique(folds[folds >= 0]):
        model = _taught(pixels, folds == fold, len(classes), options)
        named += model is not None
        if model is not None:
            _name(probability, layers, folds == fold, model)
    if not named:
        raise TooLittleError(
            f"too little is labeled to judge {kind} labels by those elsewhere: {len(set(pixels.truth))} classes",
            hint="label at least two classes in several places, outside of gold tasks",
        )
    return Unseen(classes, probability, codes, {task.id: layers.looks(task.tile) for task in tasks})


def blank(view: View, kind: Kind, tasks: Sequence[Task], agreed: Codes, ontology: Ontology) -> Unseen:
    """What is known before enough is labeled to teach a classifier: every class of the kind is as likely as any other."""
    classes = (NOTHING, *sorted(one.name for one in ontology.of_kind(kind)))
    codes = np.where(agreed == 0, 0, NODATA).astype(np.uint8)
    for number, name in enumerate(classes[1:], start=1):
        codes[agreed == ontology[name].code] = number
    layers = _Layers.of(view, kind)
    chance = np.where(np.isfinite(layers.bands).all(0), np.float32(1 / len(classes)), np.float32("nan"))
    probability = np.broadcast_to(chance, (len(classes), *chance.shape))
    return Unseen(classes, probability, codes, {task.id: layers.looks(task.tile) for task in tasks})


def _numbered(agreed: Codes, kind: Kind, ontology: Ontology) -> tuple[Codes, tuple[str, ...]]:
    """(codes by the place of each class, names of the classes, `nothing` first)."""
    there = sorted(one.name for one in ontology.of_kind(kind) if (agreed == one.code).any())
    codes = np.where(agreed == 0, 0, NODATA).astype(np.uint8)
    for number, name in enumerate(there, start=1):
        codes[agreed == ontology[name].code] = number
    return codes, (NOTHING, *there)


# ---------------------------------------------------------------------- what the classifier reads
@dataclass(frozen=True, slots=True, eq=False)
class _Layers:
    """Bands of a view in memory, and the features that are made of them."""

    bands: Floats
    """(band, y, x)"""
    features: Any
    wanted: NDArray[np.intp]
    """Places of the features that are read: bands and ratios."""

    @classmethod
    def of(cls, view: View, kind: Kind) -> _Layers:
        from geolabel.label.cover.features import Features

        data = _bands(view, kind)
        features = Features.of(data)
        wanted = np.flatnonzero([one in ("bands", "ratios") for one in features.kinds.values()])
        return cls(np.asarray(features.stack(data).compute(), np.float32), features, wanted)

    def read(self, rows: slice, cols: slice) -> Floats:
        """(feature, y, x) of a window."""
        return np.asarray(self.features.compute(self.bands[:, rows, cols])[self.wanted])

    def looks(self, tile: Tile) -> NDArray[np.float64]:
        """(2 x feature,) mean and standard deviation over a tile."""
        values = self.read(*tile.slices).reshape(len(self.wanted), -1).astype(float)
        seen = values[:, np.isfinite(values).all(0)]
        if not seen.size:
            return np.full(2 * len(values), np.nan)
        return np.concatenate([seen.mean(1), seen.std(1)])


def _bands(view: View, kind: Kind) -> Any:
    """Bands that a kind is labeled on: of burn scars those after the fire and their change, of the rest those before."""
    if kind != "burn":
        return view["before"].data
    before, after = view["before"].data, view["after"].data
    change = {f"{name}_change": after[name] - before[name] for name in after.data_vars if name in before.data_vars}
    return after.assign(change)


# ---------------------------------------------------------------------- folds, teaching, naming
@dataclass(frozen=True, slots=True, eq=False)
class _Pixels:
    """Labeled pixels that may teach."""

    values: Floats
    """(n, feature)"""
    truth: NDArray[np.int64]
    row: NDArray[np.int64]
    col: NDArray[np.int64]


def _pixels(layers: _Layers, tasks: Sequence[Task], codes: Codes, options: UnseenOptions) -> _Pixels:
    rng = np.random.default_rng(options.seed)
    values, truth, rows, cols = [], [], [], []
    for task in sorted(tasks, key=lambda one: one.tile):
        read, own = layers.read(*task.tile.slices), codes[task.tile.slices]
        row, col = np.nonzero((own != NODATA) & np.isfinite(read).all(0))
        drawn = np.sort(rng.permutation(len(row))[: options.taught_px])
        row, col = row[drawn], col[drawn]
        values.append(read[:, row, col].T)
        truth.append(own[row, col].astype(np.int64))
        rows.append(row + task.tile.row)
        cols.append(col + task.tile.col)
    if not values:
        raise TooLittleError("no task may teach", hint="plan tasks that are not gold: tasks.gold_share in project.toml")
    return _Pixels(np.concatenate(values), np.concatenate(truth), np.concatenate(rows), np.concatenate(cols))


def _folds(tasks: Sequence[Task], shape: tuple[int, int], options: UnseenOptions) -> NDArray[np.int16]:
    """(y, x) number of the fold; -1 outside of all tasks."""
    place = {task.id: _block(task.tile, options.block) for task in tasks}
    blocks = sorted(set(place.values()))
    dealt = np.random.default_rng([options.seed, len(blocks)]).permutation(len(blocks)) % options.folds
    number = dict(zip(blocks, dealt, strict=True))
    folds = np.full(shape, -1, np.int16)
    for task in tasks:
        folds[task.tile.slices] = number[place[task.id]]
    return folds


def _block(tile: Tile, size: int) -> tuple[int, int]:
    return tile.row // (size * tile.height), tile.col // (size * tile.width)


def _taught(pixels: _Pixels, held: NDArray[np.bool_], n: int, options: UnseenOptions) -> Any:
    """A classifier taught away from the ground that is held out; None of fewer than two classes."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    from geolabel.label.cover.candidates import Candidate, candidates

    candidates(("bands", "ratios"), [options.model])  # names the nearest where there is no such model
    near = ndimage.maximum_filter(held, 2 * options.apart_px + 1, mode="constant")
    own = ~near[pixels.row, pixels.col]
    if len(np.unique(pixels.truth[own])) < 2:
        return None
    model = Candidate(options.model, ("bands", "ratios")).make(options.seed, n)
    with threadpool_limits(1):
        return model.fit(pixels.values[own], pixels.truth[own])


def _name(probability: Floats, layers: _Layers, held: NDArray[np.bool_], model: Any) -> None:
    """Write what the model says of the ground that is held out."""
    for start in range(0, held.shape[0], STRIP_ROWS):
        rows = slice(start, start + STRIP_ROWS)
        if not held[rows].any():
            continue
        values = layers.read(rows, slice(None))
        where = held[rows] & np.isfinite(values).all(0)
        if where.any():
            said = np.zeros((where.sum(), len(probability)), np.float32)
            said[:, model.classes_] = model.predict_proba(values[:, where].T)
            probability[:, rows][:, where] = said.T
