"""Figures of labels that real people gave, beside crowd-kit in the same run, and of real objects that simulated people draw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.cover import buildings, trees
from benchmarks.evidence import Row, row
from benchmarks.evidence.__main__ import data_root
from benchmarks.people import Crowd, beside, crowd, crowdkit, scene, sudan_pairs
from geolabel.quality.items import Calibration

MADE_FROM = ("src/geolabel/quality/items", "src/geolabel/quality/instances", "benchmarks/people.py")
MAJORITY = {"bluebirds": 0.759, "product": 0.897}
"""Of `TARGETS.md`."""
SHARES = {"bluebirds": 0.2, "product": 0.1}
"""Of the items that are gold, drawn at random."""
DRAWS = 10
SUDAN = {"plots": (0.8661, 0.7160, 4), "independent rows": (0.865, 0.711, 3)}
"""Of `data/README.md`: agreement, kappa, digits."""


@row(*MADE_FROM, needs="crowd")
def crowds() -> Iterator[Row]:
    """Accuracy and calibration without gold; crowd-kit's Dawid-Skene variants on the same answers in the same run."""
    for name in MAJORITY:
        one = crowd(data_root() / "crowd", name)
        yield from _without_gold(name, one)
        yield from _with_gold(name, one)


def _without_gold(name: str, one: Crowd) -> Iterator[Row]:
    told = {way: beside(one, make) for way, make in crowdkit().items()}
    best = max(told.values(), key=lambda each: each[0].accuracy)[0]
    peers = "; ".join(
        f"crowd-kit {way} {each.accuracy:.4f} in {seconds:.2f} s" for way, (each, seconds) in told.items()
    )
    plain = one.agree(method="majority").calibration(one.truth)
    yield Row(f"{name}: accuracy of the majority", plain.accuracy, "", f"{MAJORITY[name]} known, {plain.n} items")
    for method in ("dawid-skene", "one-coin", "glad"):
        ours = one.agree(method=method).calibration(one.truth)
        goal, holds = (
            (
                f">= {best.accuracy:.4f}, crowd-kit's best (our prior was chosen with these truths in sight)",
                ours.accuracy >= best.accuracy,
            )
            if method == "dawid-skene"
            else ("", None)
        )
        yield Row(f"{name}: accuracy of {method}, no gold", ours.accuracy, "", peers, goal, holds)
    found = one.agree(method="dawid-skene")
    ours = found.calibration(one.truth)
    theirs = told["Dawid-Skene"][0]
    words = f"{name}: {{}} of dawid-skene, no gold, temperature {found.temperature:.2f} from the spread of the votes"
    yield from _figures(words, ours, {"crowd-kit's Dawid-Skene": theirs, "majority": plain})


def _with_gold(name: str, one: Crowd) -> Iterator[Row]:
    """The method chosen on gold, its temperature by gold; mean over draws of the gold, on the items that are not gold."""
    draws = DRAWS if name == "bluebirds" else 2
    found = [one.agree(gold=one.gold(SHARES[name], seed)) for seed in range(draws)]
    told = [each.calibration(one.truth) for each in found]
    methods = ", ".join(f"{way} {n}" for way, n in sorted(_counts([each.method for each in found]).items()))
    words = f"{name}, {SHARES[name]:.0%} gold ({draws} draws)"
    accuracy = [each.accuracy for each in told]
    yield Row(
        f"{words}: accuracy on the rest, method chosen on gold",
        float(np.mean(accuracy)),
        "",
        f"chosen: {methods}; {min(accuracy):.4f} to {max(accuracy):.4f}",
    )
    plain = [one.agree(method="majority", gold=one.gold(SHARES[name], seed)) for seed in range(draws)]
    least = [each.calibration(one.truth).accuracy for each in plain]
    worst = min(range(draws), key=lambda seed: accuracy[seed] - least[seed])
    beside_it = f"majority {least[worst]:.4f} on the same items; chosen there: {found[worst].method}; gold may mislead"
    holds = accuracy[worst] >= least[worst] - 0.01
    yield Row(
        f"{words}: accuracy of the worst draw", accuracy[worst], "", beside_it, "at most .01 below majority", holds
    )
    theirs = beside(one, crowdkit()["Dawid-Skene"])[0]
    for figure in ("log_loss", "ece"):
        values = [getattr(each, figure) for each in told]
        value, peer = float(np.mean(values)), getattr(theirs, figure)
        goal = f"< {peer:.3f}" if figure == "log_loss" else "<= 0.1"
        holds = value < peer if figure == "log_loss" else value <= 0.1
        beside_it = f"crowd-kit's Dawid-Skene without gold {peer:.3f}; {min(values):.3f} to {max(values):.3f}"
        yield Row(f"{words}: {figure} on the rest", value, "", beside_it, goal, holds)


def _counts(names: list[str]) -> dict[str, int]:
    return {name: names.count(name) for name in names}


def _figures(words: str, ours: Calibration, others: dict[str, Calibration]) -> Iterator[Row]:
    for figure in ("log_loss", "brier", "ece"):
        beside_it = "; ".join(f"{name} {getattr(one, figure):.4f}" for name, one in others.items())
        least = getattr(others["crowd-kit's Dawid-Skene"], figure)
        value = getattr(ours, figure)
        yield Row(words.format(figure), value, "", beside_it, "less than crowd-kit's", value < least)


@row(*MADE_FROM, needs="crowd")
def points() -> Iterator[Row]:
    """Two teams on the same points of Sudan."""
    found = sudan_pairs(data_root() / "crowd")
    for name, one in found.items():
        known = SUDAN.get(name)
        for n, figure in enumerate(("agreement", "kappa")):
            value, ends = getattr(one, figure), getattr(one, f"{figure}_interval")
            beside_it = f"95 % {ends.low:.3f} to {ends.high:.3f}, {one.n} {name.split()[-1]}"
            goal = f"{known[n]} known" if known else ""
            holds = round(value, known[2]) == known[n] if known else None
            yield Row(f"Sudan points, {name}: {figure}", round(value, 4), "", beside_it, goal, holds)


@row(*MADE_FROM, needs="objects-osbs-trees")
def crowns() -> Iterator[Row]:
    """Consensus of five simulated people who draw 61 tree crowns."""
    yield from _objects("61 tree crowns", trees(data_root() / "objects-osbs-trees")[1].geometry, "tree_crown", 0.1, 200)


@row(*MADE_FROM, needs="objects-atlanta-buildings")
def houses() -> Iterator[Row]:
    """Consensus of five simulated people who draw 43 buildings."""
    truth = buildings(data_root() / "objects-atlanta-buildings")[1].geometry
    yield from _objects("43 buildings", truth, "building", 0.5, 300)


def _objects(words: str, truth, class_name: str, res_m: float, tile: int, seeds: int = 3) -> Iterator[Row]:  # type: ignore[no-untyped-def]
    whole, members = [], []
    for seed in range(seeds):
        one = scene(truth, name=class_name, res_m=res_m, tile=tile, seed=seed)
        whole.append(one.skill(one.agreed()))
        members.append({name: one.skill(one.of(name)) for name in one.annotators})
    best = [max(each.values(), key=lambda skill: skill.f1) for each in members]
    ends = whole[0].f1_interval
    said = "; ".join(
        f"{name.split(':')[1][:-2]} {np.mean([each[name].f1 for each in members]):.3f}" for name in members[0]
    )
    wins = all(mine.f1 > theirs.f1 for mine, theirs in zip(whole, best, strict=True))
    f1 = float(np.mean([each.f1 for each in whole]))
    yield Row(
        f"{words}, five simulated people, {seeds} seeds: F1 at IoU .5 of the consensus",
        f1,
        "",
        f"{said}; 95 % over tiles, first seed {ends.low:.3f} to {ends.high:.3f}",
        "above every member in every seed",
        wins,
    )
    for figure in ("precision", "recall", "mean_iou"):
        value = float(np.mean([getattr(each, figure) for each in whole]))
        beside_it = f"best member by F1 {np.mean([getattr(each, figure) for each in best]):.3f}"
        yield Row(f"{words}: {figure.replace('_', ' ')} of the consensus", value, "", beside_it)
