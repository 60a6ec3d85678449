"""SpreadModel: from what is known now to the probability of burning by each hour and the direction of spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.bearings import true_from_grid
from geolabel.errors import ModelError
from geolabel.grid import Grid
from geolabel.model import keep, train
from geolabel.model.backend import device as pick_device
from geolabel.model.backend import seeded
from geolabel.model.batches import Batches, batches
from geolabel.model.calibrate import Calibration, fit_calibration, identity
from geolabel.model.card import card_html, make_card, scores
from geolabel.model.channels import Floats, Scaling, scaling, vector_pairs
from geolabel.model.nets import Shape, SpreadNet
from geolabel.nouns.samples import SpreadSamples
from geolabel.stream import Progress, silent

RES_TOLERANCE = 0.1
"""Share by which the cells of a prediction may differ from those of the training."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of one start, on the whole grid."""

    hours: tuple[float, ...]
    probability: Floats
    """(hour, y, x), 0-1: burned by that hour; 0 where not scored; it does not fall with the hour."""
    bearing_deg: Floats
    """(y, x): direction of spread TO, should the cell burn, degrees clockwise from true north; NaN where not scored."""
    agreement: Floats
    """(y, x), 0-1: how sure the direction is (length of the mean vector); NaN where not scored."""


@dataclass(frozen=True, eq=False)
class SpreadModel:
    """A trained net with all that is needed to apply it and to explain it."""

    net: Any
    channels: tuple[str, ...]
    hours: tuple[float, ...]
    res_m: float
    """Edge of the cells it was trained on."""
    scaling: Scaling
    calibration: Calibration
    card: Mapping[str, Any]
    """What it was made from and how good it is: plain JSON values."""
    device: Any

    def predict(
        self, inputs: NDArray[Any], grid: Grid, *, scored: NDArray[np.bool_] | None = None, threads: int = 2
    ) -> Prediction:
        """Prediction on `grid` from (channel, y, x) inputs, in the order of `self.channels`, in one pass.

        Where `scored` (y, x) is False (non-burnable, unknown, burned before the start) the probability is 0.
        Memory: about 220 bytes a cell at 12 channels and 5 hours, width 16.

        Raises
        ------
        ModelError
            Another number of channels, another shape, NaN, or cells of another size than it was trained on.
        """
        self._check(inputs, grid, scored)
        with seeded(0, threads):
            chance, vector = train.run(self.net, self.scaling.apply(inputs)[None], self.device)
        chance = self.calibration.apply(chance)[0]
        known = np.ones(grid.shape, bool) if scored is None else scored
        from_grid_north = np.degrees(np.arctan2(vector[0, 0], vector[0, 1]))
        bearing = true_from_grid(from_grid_north, grid.convergence_deg())
        return Prediction(
            hours=self.hours,
            probability=np.where(known, chance, 0).astype(np.float32),
            bearing_deg=np.where(known, bearing, np.nan).astype(np.float32),
            agreement=np.where(known, np.minimum(np.hypot(*vector[0]), 1), np.nan).astype(np.float32),
        )

    def _check(self, inputs: NDArray[Any], grid: Grid, scored: NDArray[np.bool_] | None) -> None:
        if inputs.shape != (len(self.channels), *grid.shape):
            raise ModelError(
                f"inputs of shape {inputs.shape} on {grid!r} for a model of {len(self.channels)} channels",
                hint=f"in this order: {', '.join(self.channels)}",
            )
        if scored is not None and scored.shape != grid.shape:
            raise ModelError(f"`scored` of shape {scored.shape} on {grid!r}")
        if abs(grid.res_m / self.res_m - 1) > RES_TOLERANCE:
            raise ModelError(
                f"the model was trained on cells of {self.res_m:g} m, these are {grid.res_m:g} m",
                hint="resample the inputs or train on this resolution",
            )

    def select(self, channels: tuple[str, ...], inputs: NDArray[Any]) -> NDArray[Any]:
        """The model's own channels, in its order, from (channel, y, x) inputs that hold them under these names.

        Raises
        ------
        ModelError
            Names the channels that are missing.
        """
        lost = [name for name in self.channels if name not in channels]
        if lost or len(channels) != len(inputs):
            raise ModelError(f"the inputs lack the channels {lost}; {len(inputs)} arrays for {', '.join(channels)}")
        return inputs[[channels.index(name) for name in self.channels]]

    @cached_property
    def digest(self) -> str:
        """Sha-256 over weights, card and all settings; the model's identity in every product."""
        return keep.digest_of(self)

    def save(self, path: Path | str) -> Path:
        """Path of one file that holds the weights and the card, whole or not at all."""
        return keep.save(self, Path(path))

    @classmethod
    def load(cls, path: Path | str, *, device: str = "auto") -> SpreadModel:
        """Model from a file that `save` wrote; only tensors and plain values are read, never code.

        Raises
        ------
        ModelError
            The file is none of ours, damaged, or was changed after it was saved.
        """
        return cls(**keep.load(Path(path), pick_device(device)))

    def __repr__(self) -> str:
        return f"SpreadModel({self.digest[:10]}, {len(self.channels)} channels, hours {self.hours})"

    def _repr_html_(self) -> str:
        return card_html(f"Spread model {self.digest[:10]}", self.card)


def fit(
    samples: SpreadSamples,
    *,
    recipe: train.Recipe | None = None,
    width: int = 16,
    seed: int = 0,
    device: str = "auto",
    threads: int = 2,
    progress: Progress = silent,
    **settings: Any,
) -> SpreadModel:
    """Model trained on the train samples, stopped and calibrated on val, scored on test; `settings` change the recipe.

    Raises
    ------
    ModelError
        No train sample, nothing burned in them, unknown settings, wrong channels, inputs that are not finite.
    """
    recipe = _recipe(recipe or train.Recipe(), settings)
    learn = samples.of("train")
    _check_samples(learn, samples)
    pairs = vector_pairs(samples.channels)
    scale, where = scaling(learn.inputs, pairs), pick_device(device)
    with seeded(seed, threads):
        net = SpreadNet(Shape(len(samples.channels), len(samples.hours), width)).to(where)
        data = {name: batches(samples.of(name), scale, pairs) for name in ("train", "val", "test")}
        history = train.train(
            net, data["train"], data["val"], recipe, seed=seed, device=where, threads=threads, progress=progress
        )
        calibration = _calibrate(net, data["val"], samples.of("val"), where)
        figures = _scores(net, calibration, data["test"], samples.of("test"), where)
    card = make_card(samples, recipe, history, calibration, figures, seed=seed)
    return SpreadModel(net, samples.channels, samples.hours, samples.grid.res_m, scale, calibration, card, where)


def _recipe(recipe: train.Recipe, settings: dict[str, Any]) -> train.Recipe:
    from geolabel.errors import nearest

    for name in settings:
        if name not in train.Recipe.__slots__:
            raise ModelError(f"unknown setting {name!r}", hint=nearest(name, train.Recipe.__slots__))
    return replace(recipe, **settings)


def _check_samples(learn: SpreadSamples, samples: SpreadSamples) -> None:
    if not len(learn) or not (learn.burned[:, -1] & learn.scored).any():
        raise ModelError(
            f"nothing to learn from: samples {samples.counts()}, none of the train ones grows",
            hint="more fires, a smaller held-out ground, longer hours",
        )


def _calibrate(net: Any, data: Batches, val: SpreadSamples, device: Any) -> Calibration:
    if not len(val):
        return identity(len(val.hours), "no validation windows")
    chance, _ = train.run(net, data.inputs, device)
    return fit_calibration(chance, val.burned, val.scored, val.fire)


def _scores(net: Any, calibration: Calibration, data: Batches, test: SpreadSamples, device: Any) -> dict[str, Any]:
    if not len(test) or not test.scored.any():
        return {"note": "no test windows: not scored"}
    chance, vector = train.run(net, data.inputs, device)
    return scores(calibration.apply(chance), vector, data.heading, test)
