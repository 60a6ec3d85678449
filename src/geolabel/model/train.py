"""The training loop: batches turned at random, AdamW, cosine rate, the state with the best validation loss.

Deterministic for a seed on one kind of machine with a fixed number of threads, unless stopped by a time budget.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.bearings import grid_from_true
from geolabel.errors import ModelError
from geolabel.model.backend import torch
from geolabel.model.channels import Floats, Scaling, turned
from geolabel.model.nets import SpreadNet, burned_by
from geolabel.nouns.samples import SpreadSamples
from geolabel.stream import Progress

F = torch.nn.functional
FLOOR_RATE = 0.02
"""Learning rate at the end, as a share of the first."""
WARM_STEPS = 20
"""Batches over which the learning rate rises."""


TINY = 1e-12
"""Least cumulative hazard whose logarithm is taken."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a net is trained."""

    epochs: int = 20
    batch: int = 8
    rate: float = 4e-3
    decay: float = 1e-2
    direction_weight: float = 0.05
    patience: int = 8
    """Epochs without a better validation loss after which training stops."""
    seconds: float | None = None
    """Wall-time budget: no epoch starts that would end beyond it. With one, the result depends on the machine."""
    augment: bool = True


@dataclass(frozen=True, slots=True)
class Batches:
    """Arrays a net learns from, ready to be indexed; bearings as vectors in the grid's own directions."""

    inputs: Floats
    burned: NDArray[np.bool_]
    scored: NDArray[np.bool_]
    heading: Floats
    """(n, 2, y, x): eastward and northward component of the direction of spread; 0 where it has none."""
    pairs: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, index: NDArray[Any], *, quarters: int = 0, mirrored: bool = False) -> tuple[Any, ...]:
        """Tensors (inputs, burned, scored, heading) of some samples, all turned alike."""
        how: dict[str, Any] = {"quarters": quarters, "mirrored": mirrored}
        arrays = (
            turned(self.inputs[index], self.pairs, **how),
            turned(self.burned[index], **how),
            turned(self.scored[index][:, None], **how)[:, 0],
            turned(self.heading[index], [(0, 1)], **how),
        )
        return tuple(torch.from_numpy(np.ascontiguousarray(a)) for a in arrays)


def batches(samples: SpreadSamples, scaling: Scaling, pairs: tuple[tuple[int, int], ...]) -> Batches:
    """Samples as the net reads them; bearings are turned from true to grid north at each window's centre."""
    centres = [(t.row + t.height / 2, t.col + t.width / 2) for t in samples.tiles]
    convergence = np.array([samples.grid.convergence_deg(*centre) for centre in centres], float)
    bearing = np.radians(grid_from_true(samples.bearing_deg, convergence[:, None, None]))
    heading = np.nan_to_num(np.stack([np.sin(bearing), np.cos(bearing)], 1)).astype(np.float32)
    return Batches(scaling.apply(samples.inputs), samples.burned, samples.scored, heading, pairs)


def loss_of(net: Any, tensors: tuple[Any, ...], direction_weight: float) -> Any:
    """Mean over scored cells of the cross-entropy of P(burned by h) over all hours, plus the weighted direction loss.

    The direction loss is the squared distance between the predicted mean vector and the unit vector of spread, over
    scored cells that burned; its minimum is the circular mean, and the vector's length the agreement around it.
    """
    inputs, burned, scored, heading = tensors
    hazard, vector = net(inputs)
    survival = F.softplus(hazard).cumsum(1)  # -log P(not burned by h)
    log_burned = torch.log(-torch.expm1(-survival.clamp(min=TINY)))
    entropy = torch.where(burned, -log_burned, survival)
    known = scored[:, None].float()
    spread = (entropy * known).sum() / (known.sum() * burned.shape[1]).clamp(min=1)
    came = scored & burned[:, -1] & (heading.abs().sum(1) > 0)
    distance = ((vector - heading) ** 2).sum(1)
    return spread + direction_weight * (distance * came).sum() / came.sum().clamp(min=1)


def train(
    net: SpreadNet, train_on: Batches, check_on: Batches, recipe: Recipe, *, seed: int, device: Any, progress: Progress
) -> dict[str, Any]:
    """History {train: losses, val: losses, best: epoch, stopped: why}; the net holds the best state.

    Raises
    ------
    ModelError
        Where the loss is no longer finite.
    """
    rng, clock = np.random.default_rng(seed), _Clock(recipe)
    optimiser = torch.optim.AdamW(net.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    history: dict[str, Any] = {"train": [], "val": [], "best": 0, "stopped": "after the last epoch"}
    best = copy.deepcopy(net.state_dict())
    for epoch in range(recipe.epochs):
        history["train"].append(_epoch(net, train_on, recipe, optimiser, rng, clock=clock, epoch=epoch, device=device))
        history["val"].append(mean_loss(net, check_on, recipe, device) if len(check_on) else history["train"][-1])
        progress("training", epoch + 1, recipe.epochs)
        if not len(check_on) or history["val"][-1] <= min(history["val"]):
            best, history["best"] = copy.deepcopy(net.state_dict()), epoch + 1
        if why := clock.stop(epoch, history):
            history["stopped"] = why
            break
    net.load_state_dict(best)
    return history


class _Clock:
    """How far training is, by epochs or by the time budget, whichever is further."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe, self.start = recipe, time.monotonic()

    def done(self, epoch: float) -> float:
        """Share of the training that is over, 0-1."""
        by_epoch = epoch / self.recipe.epochs
        if self.recipe.seconds is None:
            return by_epoch
        return min(1.0, max(by_epoch, (time.monotonic() - self.start) / self.recipe.seconds))

    def stop(self, epoch: int, history: dict[str, Any]) -> str:
        """Why training stops after this epoch, or nothing."""
        if epoch + 1 - history["best"] >= self.recipe.patience:
            return f"no better validation loss for {self.recipe.patience} epochs"
        used = time.monotonic() - self.start
        if self.recipe.seconds is not None and used * (epoch + 2) / (epoch + 1) > self.recipe.seconds:
            return f"after {epoch + 1} epochs, by its time budget of {self.recipe.seconds:g} s"
        return ""


def _epoch(
    net: Any, data: Batches, recipe: Recipe, optimiser: Any, rng: Any, *, clock: _Clock, epoch: int, device: Any
) -> float:
    """Mean loss over one pass through the samples in random order, each batch turned at random."""
    net.train()
    total, order = 0.0, rng.permutation(len(data))
    square = data.inputs.shape[-1] == data.inputs.shape[-2]
    for start in range(0, len(data), recipe.batch):
        index = order[start : start + recipe.batch]
        quarters, mirrored = int(rng.integers(4)) if square else 2 * int(rng.integers(2)), bool(rng.integers(2))
        how = {"quarters": quarters, "mirrored": mirrored} if recipe.augment else {}
        tensors = tuple(t.to(device) for t in data.take(index, **how))  # type: ignore[arg-type]
        step = (epoch * len(data) + start) / recipe.batch
        rate = _rate(recipe, clock.done(epoch + start / len(data)), step)
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(net, tensors, recipe.direction_weight)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        total += loss.item() * len(index)
    if not math.isfinite(total):
        raise ModelError(f"the loss became {total} in epoch {epoch + 1}", hint="a lower rate, or check the inputs")
    return total / len(data)


def _rate(recipe: Recipe, done: float, step: float) -> float:
    fall = FLOOR_RATE + (1 - FLOOR_RATE) * (1 + math.cos(math.pi * done)) / 2
    return recipe.rate * fall * min(1.0, (step + 1) / WARM_STEPS)


def _pieces(data: Batches, size: int) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for start in range(0, len(data), size):
        index = np.arange(start, min(start + size, len(data)))
        yield len(index), data.take(index)


def mean_loss(net: Any, data: Batches, recipe: Recipe, device: Any) -> float:
    """Mean loss over all samples, nothing turned."""
    net.eval()
    with torch.inference_mode():
        parts = [
            n * loss_of(net, tuple(t.to(device) for t in tensors), recipe.direction_weight).item()
            for n, tensors in _pieces(data, 4 * recipe.batch)
        ]
    return sum(parts) / len(data)


def run(net: Any, inputs: Floats, device: Any, *, batch: int = 32) -> tuple[NDArray[np.float64], Floats]:
    """(P(burned by h) float64 (n, hour, y, x), mean vector float32 (n, 2, y, x)) of scaled inputs (n, channel, y, x)."""
    net.eval()
    chance, vector = [], []
    with torch.inference_mode():
        for start in range(0, len(inputs), batch):
            hazard, heading = net(torch.from_numpy(inputs[start : start + batch]).to(device))
            chance.append(burned_by(hazard).cpu().numpy())
            vector.append(heading.cpu().numpy())
    return np.concatenate(chance), np.concatenate(vector)
