"""Figures of consensus: teams of simulated annotators by every method and by the one chosen on gold, and its speed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks import teams
from benchmarks.evidence import Row, row
from benchmarks.teams import CHOSEN, MIXED, OTHER_TEAMS, RANDOM, interval, of
from geolabel.quality.consensus.fuse import METHODS

MADE_FROM = (
    *(
        f"src/geolabel/quality/consensus/{name}.py"
        for name in ("choose", "fuse", "fused", "em", "medoid", "debias", "stack")
    ),
    *(f"src/geolabel/quality/{name}.py" for name in ("patterns", "distance", "simulate")),
    "benchmarks/teams.py",
)
SEEDS = f"{teams.SEEDS} seeds, {teams.TASKS - teams.GOLD} tasks each beside {teams.GOLD} gold"
LEAST_GAIN, MOST_LOSS, MOST_BIAS, LEAST_SPEED = 0.04, -0.01, 0.05, 200
ISLANDS = "islands that nobody drew cannot be known; three gold tasks tell a common bias to some %"
WHY = dict.fromkeys(
    ("over + coarse + careless", *(f"three of {h}" for h in ("over", "coarse", "careless", "misses"))), ISLANDS
)


@row(*MADE_FROM, long=True)
def table() -> Iterator[Row]:
    """Teams x methods, and the goals on what is chosen."""
    told = teams.all_seeds()
    for team in MIXED:
        for method in (RANDOM, *METHODS, CHOSEN):
            yield _cell(told, team, method)
    for team in MIXED:
        yield _gain(told, team)
    for team in (*MIXED, *OTHER_TEAMS):
        yield _never_below(told, team)
    yield _worst(told)
    for team in (*MIXED, *OTHER_TEAMS):
        yield _bias(told, team)


def _cell(told: pd.DataFrame, team: str, method: str) -> Row:
    mean, low, high = interval(of(told, team, method))
    bias = interval(of(told, team, method, "area_bias"))
    beside = f"{low:.3f} to {high:.3f}; area {bias[0]:+.1%} ({bias[1]:+.1%} to {bias[2]:+.1%}); {SEEDS}"
    return Row(f"{team}: IoU by {method}{_which(told, team) if method == CHOSEN else ''}", mean, "", beside)


def _which(told: pd.DataFrame, team: str) -> str:
    names = told[(told["team"] == team) & (told["method"] == CHOSEN)]["chosen"].value_counts().sort_index()
    return " (" + ", ".join(f"{name} {n}x" for name, n in names.items()) + ")"


def _gain(told: pd.DataFrame, team: str) -> Row:
    gain = of(told, team, CHOSEN) - of(told, team, "majority")
    mean, low, high = interval(gain)
    goal = f">= {LEAST_GAIN}" if team in ("all five", "over + coarse + careless") else ""
    beside = f"{low:+.3f} to {high:+.3f}; worst seed {gain.min():+.3f}"
    return Row(f"{team}: IoU of the chosen over majority", mean, "", beside, goal, mean >= LEAST_GAIN if goal else None)


def _never_below(told: pd.DataFrame, team: str) -> Row:
    gain = of(told, team, CHOSEN) - of(told, team, "majority")
    mean, low, high = interval(gain)
    name = f"{team}: least that the chosen gains on majority{_which(told, team)}"
    beside = f"lower end of {low:+.3f} to {high:+.3f}, mean {mean:+.3f}; worst seed {gain.min():+.3f}"
    return Row(name, low, "", beside, f">= {MOST_LOSS}", low >= MOST_LOSS)


def _worst(told: pd.DataFrame) -> Row:
    gains = {team: (of(told, team, CHOSEN) - of(told, team, "majority")).min() for team in (*MIXED, *OTHER_TEAMS)}
    team = min(gains, key=lambda name: gains[name])
    beside = f"{team}; {len(gains)} teams x {teams.SEEDS} seeds"
    return Row("the worst of all teams and seeds: chosen over majority", float(gains[team]), "", beside)


def _bias(told: pd.DataFrame, team: str) -> Row:
    own, plain = (of(told, team, method, "area_bias") for method in (CHOSEN, "majority"))
    mean, low, high = interval(own)
    goal = "within 5 %" if team == "all five" else ""
    beside = f"{low:+.1%} to {high:+.1%}; majority {plain.mean():+.1%}" + (f"; {WHY[team]}" if team in WHY else "")
    holds = abs(mean) <= MOST_BIAS if goal else None
    return Row(f"{team}: area bias of the chosen", mean * 100, "%", beside, goal, holds)


@row(*MADE_FROM, long=True)
def speed() -> Iterator[Row]:
    """EM on the distinct patterns beside crowd-kit's and STAPLE, on the same votes in the same process."""
    codes = teams.big_votes()
    votes = teams.big_task(codes)
    teams.ours(votes)  # compiled
    own_s, own = teams.timed(lambda: teams.ours(votes), 5)
    peer_s, peer = teams.timed(lambda: teams.crowd_kit(codes), 1)
    same = float(((own > 0.5) == peer).mean())
    beside = (
        f"{own_s:.3f} s to crowd-kit's {peer_s:.1f} s, fastest of 5 to one run; same label on {same:.4%} of the pixels"
    )
    yield Row(
        "EM at 2048^2 x 5: times faster than crowd-kit", peer_s / own_s, "x", beside, ">= 200", peer_s / own_s >= 200
    )
    try:
        staple_s, staple = teams.timed(lambda: teams.simple_itk(codes), 1)
    except ImportError:
        yield Row("EM at 2048^2 x 5: times faster than STAPLE", None, "x", "SimpleITK is not installed")
        return
    apart = float(np.abs(own - staple).max())
    beside = f"{staple_s:.2f} s; greatest difference of a probability {apart:.4f}"
    yield Row("EM at 2048^2 x 5: times faster than SimpleITK's STAPLE", staple_s / own_s, "x", beside)
