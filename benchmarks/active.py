"""What to label next, simulated on real imagery with known truth: labels are bought with minutes, a model is taught with
them and scored on ground apart from them.

`python -m benchmarks.active --plot FILE.png` draws the curves.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from benchmarks.active_ground import PACE, Floats, Ground, Ints, amazon_ground, spain_ground, split
from geolabel.label.cover.candidates import MODELS
from geolabel.quality.doubt.gain import expected_gain
from geolabel.quality.doubt.suggest import Candidates, Worth, suggest
from geolabel.quality.intervals import Interval, bootstrap

MODEL, TAUGHT_PX = "logistic regression", 64
"""The pixel classifier's plain candidate, of bands and ratios; pixels of a tile that it is taught with."""
SEEDS = range(1000, 1020)
"""Of what is reported. Exponents of `Worth` were tried on seeds 0-9 (water: 0-15); none did clearly better than 1 on both."""
STRATEGIES: dict[str, Worth | None] = {
    "random": None,
    "uncertainty only": Worth(diversity=0, balance=0, minutes=0),
    "ours": Worth(),
}
SPAIN = {"start": 4, "batch_min": 0.75, "rounds": 10}
AMAZON = {"start": 3, "batch_min": 0.5, "rounds": 8}
"""Tiles labeled at first, minutes of a batch, batches."""
COLOURS = ("0.35", "tab:orange", "tab:blue")


# ---------------------------------------------------------------------- the model
def taught(ground: Ground, tiles: Sequence[int], labels: Sequence[Ints]) -> Any:
    """A classifier of the pixels of these tiles; None of fewer than two classes."""
    values, said = [], []
    for tile, label in zip(tiles, labels, strict=True):
        known = np.flatnonzero(label >= 0)
        few = known[np.linspace(0, len(known) - 1, min(TAUGHT_PX, len(known))).astype(int)]
        values.append(ground.values[tile][few])
        said.append(label[few])
    truth = np.concatenate(said)
    if len(np.unique(truth)) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MODELS[MODEL](0, len(ground.classes)).fit(np.concatenate(values), truth)


def chances(ground: Ground, model: Any, tiles: Sequence[int]) -> list[Floats]:
    """(class, px) of each tile."""
    k = len(ground.classes)
    if not len(tiles):
        return []
    if model is None:
        return [np.full((k, len(ground.truth[i])), 1 / k) for i in tiles]
    said = np.zeros((sum(len(ground.truth[i]) for i in tiles), k))
    said[:, model.classes_] = model.predict_proba(np.concatenate([ground.values[i] for i in tiles]))
    return [one.T for one in np.split(said, np.cumsum([len(ground.truth[i]) for i in tiles])[:-1])]


def score(ground: Ground, model: Any, held: Sequence[int]) -> float:
    """Of the held-out pixels: IoU of the second of two classes, else the mean over classes of the share named right."""
    if model is None:
        return 0.0 if len(ground.classes) == 2 else 1 / len(ground.classes)
    values = np.concatenate([ground.values[i][ground.tested[i]] for i in held])
    truth = np.concatenate([ground.truth[i][ground.tested[i]] for i in held])
    named = model.predict(values)
    if len(ground.classes) == 2:
        return float(((named == 1) & (truth == 1)).sum() / ((named == 1) | (truth == 1)).sum())
    return float(np.mean([(named[truth == code] == code).mean() for code in np.unique(truth)]))


# ---------------------------------------------------------------------- one run
@dataclass(frozen=True, slots=True)
class Curve:
    """Score after minutes that were spent since the first labels."""

    minutes: Floats
    score: Floats

    def at(self, minutes: Floats) -> Floats:
        """Score at any minutes, between those of the curve."""
        return np.interp(minutes, self.minutes, self.score)

    def until(self, least: float) -> float:
        """Minutes until the score first reaches this; the last minute where it never does."""
        there = np.flatnonzero(self.score >= least)
        return float(self.minutes[there[0]] if len(there) else self.minutes[-1])


def run(ground: Ground, worth: Worth | None, seed: int, *, start: int, batch_min: float, rounds: int) -> Curve:
    """One curve: labels are bought in batches of minutes by a strategy (None: at random), the truth is what they say.

    What is paid is the true outline's minutes; a strategy knows only the outline that the model expects.
    """
    rng = np.random.default_rng(seed)
    pool, held = split(ground, rng)
    bought = [int(i) for i in rng.permutation(pool)[:start]]
    spent, curve = 0.0, []
    for _ in range(rounds + 1):
        model = taught(ground, bought, [ground.truth[i] for i in bought])
        curve.append((spent, score(ground, model, held)))
        chosen = _next(ground, pool, bought, model, worth, batch_min, rng)
        bought, spent = bought + chosen, spent + float(ground.minutes[chosen].sum())
    return Curve(*np.array(curve).T)


def _next(
    ground: Ground, pool: list[int], bought: list[int], model: Any, worth: Worth | None, minutes: float, rng: Any
) -> list[int]:
    if worth is None:
        left = [int(i) for i in rng.permutation([i for i in pool if i not in set(bought)])]
        return left[: np.searchsorted(np.cumsum(ground.minutes[left]), minutes) + 1]
    told = suggest(_candidates(ground, pool, bought, chances(ground, model, pool)), minutes, worth=worth)
    return [int(name) for name in told["task"]]


def _candidates(ground: Ground, pool: list[int], bought: list[int], said: list[Floats]) -> Candidates:
    """Every tile of the pool as it looks to the model; labeled ones are not asked again."""
    labeled = np.isin(pool, bought)
    known = [
        np.eye(len(one))[:, ground.truth[i]] if own else one for i, one, own in zip(pool, said, labeled, strict=True)
    ]
    return candidates(ground, pool, known, labeled, ~labeled, 1.0)


def candidates(
    ground: Ground, pool: list[int], said: list[Floats], labeled: Any, open_: Any, skill: ArrayLike
) -> Candidates:
    """Tiles with these (class, px) chances, as `geolabel.steps.suggest` makes them of a project."""
    return Candidates(
        names=tuple(f"{i:05d}" for i in pool),
        labeled=labeled,
        open=open_,
        gain=np.array(
            [expected_gain(one, skill).sum() / ground.masks[i].size for i, one in zip(pool, said, strict=True)]
        ),
        reliable=np.where(labeled, [one.max(0).mean() for one in said], 0.0),
        features=ground.features[pool],
        shares=np.array([one.mean(1) for one in said]),
        minutes=PACE.minutes([ground.outline(i, one.argmax(0)) for i, one in zip(pool, said, strict=True)]),
        classes=ground.classes,
    )


# ---------------------------------------------------------------------- many runs
@dataclass(frozen=True, slots=True)
class Compared:
    """Curves of several strategies on the same splits and the same first labels."""

    curves: dict[str, list[Curve]]
    full: Floats
    """(seed,) score with all labels."""

    @property
    def span(self) -> Floats:
        """Minutes that every curve covers."""
        return np.linspace(0, min(one.minutes[-1] for own in self.curves.values() for one in own), 100)

    def scores(self, name: str) -> Floats:
        """(seed, minute of `span`)."""
        return np.array([one.at(self.span) for one in self.curves[name]])

    def area(self, name: str) -> Floats:
        """(seed,) mean score over those minutes."""
        return self.scores(name).mean(1)

    def gained(self, name: str, beside: str = "random") -> tuple[float, Interval]:
        """Mean paired difference of the areas, with the bootstrap interval over seeds."""
        return paired(self.area(name) - self.area(beside))

    def minutes_to(self, name: str, share: float = 0.95) -> Floats:
        """(seed,) minutes until this share of the score with all labels."""
        return np.array([one.until(share * full) for one, full in zip(self.curves[name], self.full, strict=True)])


def paired(differences: Floats) -> tuple[float, Interval]:
    """Mean and 95 % interval of differences by seed."""
    n = len(differences)
    return float(differences.mean()), bootstrap(
        lambda weights: weights @ differences / weights.sum(1), n, resamples=4000
    )


def compare(
    ground: Ground,
    *,
    seeds: Sequence[int] = SEEDS,
    strategies: Mapping[str, Worth | None] = STRATEGIES,
    **how: Any,
) -> Compared:
    """Every strategy on every seed."""
    curves = {name: [run(ground, worth, seed, **how) for seed in seeds] for name, worth in strategies.items()}
    return Compared(curves, np.array([full(ground, seed) for seed in seeds]))


def full(ground: Ground, seed: int) -> float:
    """Score of the model taught with everything that may be labeled."""
    pool, held = split(ground, np.random.default_rng(seed))
    return score(ground, taught(ground, pool, [ground.truth[i] for i in pool]), held)


def plot(compared: Mapping[str, Compared], path: Path) -> None:
    """Above: mean scores after minutes; below: what each strategy is ahead of the first one; with 95 % intervals over seeds."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, len(compared), figsize=(5.5 * len(compared), 7.5), sharex="col", squeeze=False)
    for (title, one), (above, below) in zip(compared.items(), axes.T, strict=True):
        base = next(iter(one.curves))
        for number, name in enumerate(one.curves):
            colour = COLOURS[number]
            _band(above, one.span, one.scores(name), colour, name)
            _band(below, one.span, one.scores(name) - one.scores(base), colour, name)
        above.axhline(one.full.mean(), color="0.4", linestyle=":", label="all labels")
        above.set(title=f"{title}\n{len(one.full)} seeds: mean and 95 % interval", ylabel="score on held-out ground")
        below.set(xlabel="minutes of labeling after the first tiles", ylabel=f"score ahead of {base!r}, paired by seed")
        above.legend(loc="lower right")
        above.grid(alpha=0.25)
        below.grid(alpha=0.25)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _band(axis: Any, minutes: Floats, scores: Floats, colour: str, name: str) -> None:
    n = len(scores)
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), 2000) / n
    low, high = np.quantile(weights @ scores, (0.025, 0.975), axis=0)
    axis.plot(minutes, scores.mean(0), color=colour, label=name, linewidth=2)
    axis.fill_between(minutes, low, high, color=colour, alpha=0.15, linewidth=0)


def grounds(data: Path) -> dict[str, Compared]:
    """Both grounds on the reported seeds."""
    return {
        "water, Spain (IoU)": compare(spain_ground(data / "radar-spain-s1s2"), **SPAIN),
        "land cover, Amazon (mean of classes)": compare(amazon_ground(data / "terrain-amazon-s2"), **AMAZON),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, required=True, help="PNG that is written")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = parser.parse_args()
    told = grounds(args.data)
    plot(told, args.plot)
    for title, one in told.items():
        for name in one.curves:
            gain, interval = one.gained(name)
            print(f"{title}: {name} {gain:+.4f} ({interval.low:+.4f} to {interval.high:+.4f}) beside random")


if __name__ == "__main__":
    main()
