"""Figures of skill: who is paused and how soon, whether intervals cover, whether the bias is found, agreement elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import skill as job
from benchmarks.evidence import Row, row
from geolabel.quality.people.sequential import Sprt, operating
from geolabel.quality.simulate import HABITS

PARTS = ("people/skill", "people/marks", "intervals", "people/sequential", "people/agreement", "simulate")
MADE_FROM = (*(f"src/geolabel/quality/{name}.py" for name in PARTS), "benchmarks/skill.py")
SPAMMER_BY, BLANK_BY = 10, 25
"""Gold tasks within which a spammer, and who draws nothing, should be paused."""
CAUGHT = 0.95
COVERS = (0.93, 0.97)


def _share(found: tuple[float, float, float]) -> str:
    return f"95 % interval {found[1]:.4f} to {found[2]:.4f}"


@row(*MADE_FROM, "benchmarks/teams.py", long=True)
def pauses() -> Iterator[Row]:
    """The sequential test on 2,000 simulated careers of each habit."""
    test = Sprt()
    found = job.paused_within(job.coins(test.careful, test), 200)
    exact = operating(test, test.careful, 200).paused_by[-1]
    beside = f"{_share(found)}; exact {exact:.4f}; 5,000 careers of 200 gold tasks"
    good = bool(found[2] <= test.alpha)
    yield Row(f"paused who passes just {test.careful:g} of gold", found[0], "", beside, f"<= {test.alpha:g}", good)
    found = job.paused_within(job.careers("expert", test), job.TASKS)
    beside = f"{_share(found)}; pass {job.passes('expert').mean():.3f}; {job.CAREERS} careers of {job.TASKS} gold tasks"
    yield Row("experts ever paused", found[0], "", beside, f"<= {test.alpha:g}", found[2] <= test.alpha)
    for habit, tasks in (("spammer", SPAMMER_BY), (job.BLANK, BLANK_BY)):
        found = job.paused_within(job.careers(habit, test), tasks)
        beside = f"{_share(found)}; pass {job.passes(habit).mean():.3f} of gold, empty tasks too"
        words = f"{habit}: paused within {tasks} gold tasks"
        yield Row(words, found[0], "", beside, f">= {CAUGHT:g}", found[1] >= CAUGHT)
    for habit in ("careless", "coarse", "over", "under", "misses"):
        verdicts = job.careers(habit, test)
        beside = f"within 30: {job.paused_within(verdicts, 30)[0]:.3f}; pass {job.passes(habit).mean():.3f} of gold"
        yield Row(
            f"{habit}: paused within {job.TASKS} gold tasks", job.paused_within(verdicts, job.TASKS)[0], "", beside
        )


@row(*MADE_FROM, "benchmarks/teams.py", long=True)
def coverage() -> Iterator[Row]:
    """How often 95 % intervals hold the truth."""
    shares = np.linspace(0.5, 0.99, 50)
    for n in (10, 20, 40):
        held = job.wilson_coverage(n, shares)
        beside = f"least {held.min():.3f}; exact, over shares passed of .50 to .99"
        good = bool(COVERS[0] <= held.mean() <= COVERS[1])
        yield Row(f"Wilson of {n} gold tasks: mean coverage", float(held.mean()), "", beside, ".93 to .97", good)
    for habit in ("expert", "over", "careless"):
        for n in (20, 40):
            held = job.bootstrap_coverage(habit, n, way="bca")
            plain, pixels = job.bootstrap_coverage(habit, n, way="percentile"), job.pixels_coverage(habit, n)
            beside = f"percentile {plain:.3f}; pixels as witnesses {pixels:.3f}; 600 samples"
            words = f"BCa of IoU over {n} gold tasks, {habit}: coverage"
            yield Row(words, held, "", beside, ".93 to .97", COVERS[0] <= held <= COVERS[1])
    for habit in ("over", "careless"):
        held = job.bias_coverage(habit, 40)
        words = f"BCa of bias over 40 gold tasks, {habit}: coverage"
        yield Row(words, held, "", "200 samples", ".93 to .97", COVERS[0] <= held <= COVERS[1])


@row(*MADE_FROM, "benchmarks/teams.py", long=True)
def bias() -> Iterator[Row]:
    """Whether the bias of outlines that habits were given is found, by 16 gold tasks of 64 pixels."""
    for habit in ("expert", "over", "under"):
        found, held = job.biases(habit)
        true, mean = HABITS[habit].bias_px * job.RES_M, float(found[:, 0].mean())
        beside = f"true {true:g} m; sd {found[:, 0].std():.1f} over 20 seeds; {held:.2f} of intervals hold it within half a pixel"
        yield Row(f"bias found of {habit}", mean, "m", beside, "within 15 m", bool(abs(mean - true) <= job.RES_M / 2))


@row(*MADE_FROM, "benchmarks/teams.py")
def agreement() -> Iterator[Row]:
    """Alpha and kappa against the packages, on 65,536 pixels of five annotators; a tenth of alpha's codes is missing."""
    theirs = {"Krippendorff's alpha": "krippendorff", "Fleiss' kappa": "statsmodels"}
    for name, (own, other, own_s, other_s) in job.against_packages().items():
        beside = f"{own:.6f} and {other:.6f}; {own_s * 1e3:.1f} and {other_s * 1e3:.1f} ms"
        off = abs(own - other)
        yield Row(f"{name}: difference from {theirs[name]}", off, "", beside, "<= 1e-9", off <= 1e-9)
