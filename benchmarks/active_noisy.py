"""Relabel or new: people who draw wrongly, as simulated habits do, are asked for new tiles only, for three answers to each
tile, or for whichever `suggest` says, at equal cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from benchmarks.active import Compared, Curve, candidates, chances, full, score, taught
from benchmarks.active_ground import Floats, Ground, Ints, split
from geolabel.quality.doubt.gain import posterior
from geolabel.quality.doubt.suggest import suggest
from geolabel.quality.simulate import HABITS, draw

Policy = Literal["always new", "three answers each", "relabel or new"]
POLICIES: tuple[Policy, ...] = ("always new", "three answers each", "relabel or new")
ANSWERS, ZOOM = 3, 3
"""Answers to a tile of the second policy; the habits were measured on large burns, small waters are drawn zoomed in."""
LENGTHS = ("bias_px", "noise_px", "noise_scale_px", "shift_sd_px")
CREW = [replace(habit, **{name: getattr(habit, name) / ZOOM for name in LENGTHS}) for habit in HABITS.values()]
PRIOR_PX, PRIOR_RIGHT = 50, 0.9
NOISY = {"start": 4, "batch_min": 1.5, "rounds": 8}
"""Gold tiles labeled at first, minutes of a batch, batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Crew:
    """One annotator of each habit."""

    drawn: list[list[Ints]]
    """Of each annotator: (px,) class of the known pixels of each tile."""
    skill: Floats
    """(annotator, class) share of the gold pixels of that class that are right."""
    turns: Ints
    """(tile, annotator) who is asked first, second, ..."""

    @classmethod
    def of(cls, ground: Ground, gold: Sequence[int], rng: np.random.Generator) -> Crew:
        """Everybody draws the whole scene once; skill is what the gold tiles say."""
        layers = [draw(ground.whole > 0, habit, rng).astype(int) for habit in CREW]
        parts = list(zip(ground.tiles, ground.masks, strict=True))
        drawn = [[layer[tile][mask] for tile, mask in parts] for layer in layers]
        truth = np.concatenate([ground.truth[i] for i in gold])
        said = [np.concatenate([own[i] for i in gold]) for own in drawn]
        skill = np.array([_skill(own, truth) for own in said])
        return cls(drawn, skill, np.array([rng.permutation(len(layers)) for _ in parts]))

    def believed(self, tile: int, n: int, prior: Floats) -> Floats:
        """(class, px) chances after the first n answers to a tile."""
        who = self.turns[tile, :n]
        return posterior(prior, np.array([self.drawn[a][tile] for a in who]), self.skill[who])


def _skill(said: Ints, truth: Ints) -> Floats:
    """(class,) share of the pixels of a class that are right, with `PRIOR_PX` of which `PRIOR_RIGHT` are right beforehand."""
    right = np.bincount(truth[said == truth], minlength=2)
    return (right + PRIOR_RIGHT * PRIOR_PX) / (np.bincount(truth, minlength=2) + PRIOR_PX)


def run(ground: Ground, policy: Policy, seed: int, *, start: int, batch_min: float, rounds: int) -> Curve:
    """One curve: the model is taught with what the answers say together, and scored with the truth of other ground."""
    rng = np.random.default_rng(seed)
    pool, held = split(ground, rng)
    gold = [int(i) for i in rng.permutation(pool)[:start]]
    crew = Crew.of(ground, gold, rng)
    asked, spent, curve = dict.fromkeys(pool, 0), 0.0, []
    for _ in range(rounds + 1):
        labels = _labels(ground, crew, gold, asked)
        model = taught(ground, list(labels), list(labels.values()))
        curve.append((spent, score(ground, model, held)))
        for tile in _next(ground, crew, gold, asked, labels, model, policy, batch_min):
            asked[tile] += 1
            spent += float(ground.minutes[tile])
    return Curve(*np.array(curve).T)


def _labels(ground: Ground, crew: Crew, gold: list[int], asked: dict[int, int]) -> dict[int, Ints]:
    """Gold is the truth; other tiles are what their answers say together, the model unheard."""
    even = [np.full((2, len(own)), 0.5) for own in ground.truth]
    answered = {tile: crew.believed(tile, n, even[tile]).argmax(0) for tile, n in asked.items() if n}
    return {tile: ground.truth[tile] for tile in gold} | answered


def _next(
    ground: Ground,
    crew: Crew,
    gold: list[int],
    asked: dict[int, int],
    labels: Any,
    model: Any,
    policy: Policy,
    minutes: float,
) -> list[int]:
    pool = list(asked)
    priors = _unseen(ground, pool, labels, model)
    said = [
        np.eye(2)[:, labels[tile]] if tile in gold else crew.believed(tile, asked[tile], prior)
        for tile, prior in zip(pool, priors, strict=True)
    ]
    labeled = np.isin(pool, list(labels))
    again = np.array([tile not in gold and asked[tile] < len(crew.skill) for tile in pool])
    open_ = again if policy == "relabel or new" else ~labeled
    times = ANSWERS if policy == "three answers each" else 1
    told = suggest(candidates(ground, pool, said, labeled, open_, crew.skill.mean(0)), minutes / times)
    return [int(name) for name in told["task"] for _ in range(times)]


def _unseen(ground: Ground, pool: list[int], labels: dict[int, Ints], model: Any) -> list[Floats]:
    """(class, px) of each tile by a model that was not taught with it: labeled tiles are told by the other half."""
    told = dict(zip(pool, chances(ground, model, pool), strict=True))
    names = sorted(labels)
    for half, other in ((names[::2], names[1::2]), (names[1::2], names[::2])):
        told |= zip(half, chances(ground, taught(ground, other, [labels[i] for i in other]), half), strict=True)
    return [told[tile] for tile in pool]


def compare_policies(ground: Ground, *, seeds: Sequence[int], **how: Any) -> Compared:
    """Every policy on every seed, with the same splits, gold and annotators."""
    curves: dict[str, list[Curve]] = {name: [run(ground, name, seed, **how) for seed in seeds] for name in POLICIES}
    return Compared(curves, np.array([full(ground, seed) for seed in seeds]))
