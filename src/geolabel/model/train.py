"""The training loop: batches turned at random, AdamW, cosine rate, the state with the best validation loss.

On a CPU the result depends on the seed only, for any number of threads, unless a time budget stopped it.
"""

from __future__ import annotations

import copy
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import ModelError
from geolabel.model.backend import torch
from geolabel.model.batches import Batches
from geolabel.model.channels import Floats
from geolabel.model.nets import SpreadNet, burned_by
from geolabel.stream import Progress

F = torch.nn.functional
FLOOR_RATE = 0.02
"""Learning rate at the end, as a share of the first."""
WARM_STEPS = 20
"""Batches over which the learning rate rises."""


PARTS = 2
"""Parts of a batch that are computed side by side on a CPU."""
TINY = 1e-12
"""Least cumulative hazard whose logarithm is taken."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a net is trained."""

    epochs: int = 10
    batch: int = 8
    rate: float = 3e-3
    decay: float = 1e-2
    direction_weight: float = 0.05
    patience: int = 5
    """Epochs without a better validation loss after which training stops."""
    seconds: float | None = None
    """Wall-time budget of the epochs (scoring comes on top): none starts that would end beyond it. With one, the result
    depends on the machine."""
    augment: bool = True


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
    net: SpreadNet,
    train_on: Batches,
    check_on: Batches,
    recipe: Recipe,
    *,
    seed: int,
    device: Any,
    threads: int,
    progress: Progress,
) -> dict[str, Any]:
    """History {train: losses, val: losses, best: epoch, stopped: why}; the net holds the best state.

    Raises
    ------
    ModelError
        Where the loss is no longer finite.
    """
    rng, clock = np.random.default_rng(seed), _Clock(recipe)
    history: dict[str, Any] = {"train": [], "val": [], "best": 0, "stopped": "after the last epoch"}
    best = copy.deepcopy(net.state_dict())
    with ThreadPoolExecutor(max(1, threads), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        steps = _Steps(net, recipe, pool, device)
        for epoch in range(recipe.epochs):
            history["train"].append(steps.epoch(train_on, rng, clock, epoch))
            history["val"].append(steps.check(check_on) if len(check_on) else history["train"][-1])
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


class _Steps:
    """Steps of the optimiser; the parts of a batch are computed side by side, one thread each.

    Threads inside one convolution wait for each other a hundred times a step, which on busy cores costs many times the
    work itself; parts of a batch meet once. Always the same parts, so the result does not depend on the threads.
    """

    def __init__(self, net: SpreadNet, recipe: Recipe, pool: ThreadPoolExecutor, device: Any) -> None:
        self.net, self.recipe, self.pool, self.device = net, recipe, pool, device
        self.weights = list(net.parameters())
        self.optimiser = torch.optim.AdamW(self.weights, lr=recipe.rate, weight_decay=recipe.decay)

    def epoch(self, data: Batches, rng: np.random.Generator, clock: _Clock, epoch: int) -> float:
        """Mean loss over one pass through the samples in random order."""
        self.net.train()
        total, order = 0.0, rng.permutation(len(data))
        for start in range(0, len(data), self.recipe.batch):
            step = (epoch * len(data) + start) / self.recipe.batch
            rate = _rate(self.recipe, clock.done(epoch + start / len(data)), step)
            total += self._step(data, order[start : start + self.recipe.batch], rng, rate)
        if not math.isfinite(total):
            raise ModelError(f"the loss became {total} in epoch {epoch + 1}", hint="a lower rate, or check the inputs")
        return total / len(data)

    def _step(self, data: Batches, index: NDArray[Any], rng: np.random.Generator, rate: float) -> float:
        """Sum of the losses of one batch, after its step."""
        parts = [part for part in np.array_split(index, PARTS if self.device.type == "cpu" else 1) if len(part)]
        turns = [_turn(data, rng) if self.recipe.augment else {} for _ in parts]
        found = list(self.pool.map(lambda part, turn: self._gradients(data.take(part, **turn)), parts, turns))
        for weight, *gradients in zip(self.weights, *(gradient for _, gradient in found), strict=True):
            weight.grad = sum(g * (len(part) / len(index)) for g, part in zip(gradients, parts, strict=True))
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        return sum(loss * len(part) for (loss, _), part in zip(found, parts, strict=True))

    def _gradients(self, tensors: tuple[Any, ...]) -> tuple[float, tuple[Any, ...]]:
        loss = loss_of(self.net, tuple(t.to(self.device) for t in tensors), self.recipe.direction_weight)
        return loss.item(), torch.autograd.grad(loss, self.weights)

    def check(self, data: Batches) -> float:
        """Mean loss over all samples, nothing turned."""
        self.net.eval()
        parts = [np.arange(i, min(i + self.recipe.batch, len(data))) for i in range(0, len(data), self.recipe.batch)]
        return sum(self.pool.map(lambda part: len(part) * self._loss(data.take(part)), parts)) / len(data)

    @torch.inference_mode()
    def _loss(self, tensors: tuple[Any, ...]) -> float:
        return loss_of(self.net, tuple(t.to(self.device) for t in tensors), self.recipe.direction_weight).item()


def _turn(data: Batches, rng: np.random.Generator) -> dict[str, Any]:
    """One of the turns that keep the shape of the windows."""
    square = data.inputs.shape[-1] == data.inputs.shape[-2]
    quarters = int(rng.integers(4)) if square else 2 * int(rng.integers(2))
    return {"quarters": quarters, "mirrored": bool(rng.integers(2))}


def _rate(recipe: Recipe, done: float, step: float) -> float:
    fall = FLOOR_RATE + (1 - FLOOR_RATE) * (1 + math.cos(math.pi * done)) / 2
    return recipe.rate * fall * min(1.0, (step + 1) / WARM_STEPS)


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
