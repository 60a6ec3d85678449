"""Batches measured: sampling plans against theory and the standard, a delivery that is tampered with, and what labels cost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import geolabel as gl
from geolabel.config import Config
from geolabel.nouns.batch import Acceptance, Rate
from geolabel.nouns.task import Task
from geolabel.quality.flow.cost import Cost
from geolabel.quality.flow.sampling import Plan, draw, single_plan, standard_plan, verdict
from geolabel.quality.simulate import HABITS, TRUTH, annotate
from geolabel.steps.delivered import Delivery
from geolabel.steps.view import read_mask

AT = datetime(2024, 7, 1, 12, tzinfo=UTC)
TABLE = {
    0.65: {"F": (20, 0), "J": (80, 1), "K": (125, 2), "L": (200, 3), "M": (315, 5), "N": (500, 7), "P": (800, 10)},
    1.0: {"E": (13, 0), "F": (13, 0), "G": (50, 1), "H": (50, 1), "J": (80, 2), "K": (125, 3), "L": (200, 5)},
    1.5: {"D": (8, 0), "G": (32, 1), "H": (50, 2), "J": (80, 3), "K": (125, 5), "L": (200, 7), "M": (315, 10)},
    2.5: {"C": (5, 0), "F": (20, 1), "G": (32, 2), "H": (50, 3), "J": (80, 5), "K": (125, 7), "L": (200, 10)},
    4.0: {"B": (3, 0), "E": (13, 1), "F": (20, 2), "G": (32, 3), "H": (50, 5), "J": (80, 7), "K": (125, 10)},
    6.5: {"D": (8, 1), "E": (13, 2), "F": (20, 3), "G": (32, 5), "H": (50, 7), "J": (80, 10), "K": (125, 14)},
}
"""ISO 2859-1:1999, tables 1 and 2-A, single sampling, normal inspection, level II: AQL in % -> letter -> (n, Ac)."""
LARGEST = {"A": 8, "B": 15, "C": 25, "D": 50, "E": 90, "F": 150, "G": 280, "H": 500, "J": 1200, "K": 3200, "L": 10_000,
           "M": 35_000, "N": 150_000, "P": 500_000}  # fmt: skip
"""The largest lot of a code letter."""


def standard_rows() -> tuple[int, int]:
    """(rows of the standard that are reproduced, rows)."""
    rows = [(aql, letter, plan) for aql, own in TABLE.items() for letter, plan in own.items()]
    good = [standard_plan(LARGEST[letter], aql / 100) == Plan(LARGEST[letter], *plan) for aql, letter, plan in rows]
    return sum(good), len(rows)


@dataclass(frozen=True)
class Curve:
    """A simulated operating characteristic beside the exact one."""

    plan: Plan
    worst_se: float
    """The largest difference, in standard errors of the simulation."""
    worst: float
    lots: int
    """Simulated at each quality."""
    qualities: int
    producer: float
    """Simulated share of lots at the AQL that are rejected."""
    consumer: float
    """Simulated share of lots at the rejectable quality that are accepted."""
    coverage: float
    """Share of the lots whose interval holds their share of defectives, the lowest over all qualities."""


def curve(lot: int = 400, lots: int = 4000, seed: int = 0) -> Curve:
    """What samples drawn from simulated lots decide, at defectives from none to a quarter of the lot."""
    told = Acceptance(0.04, 0.15)
    plan, rng = single_plan(lot, told), np.random.default_rng(seed)
    tasks = [f"{n:05}" for n in range(lot)]
    said = {k: verdict({key: i < k for i, key in enumerate(tasks[: plan.n])}, plan) for k in range(plan.n + 1)}
    qualities = sorted({*range(0, lot // 4 + 1, lot // 40), int(0.04 * lot), int(np.ceil(0.15 * lot))})
    shares, covered = {}, []
    for bad in qualities:
        accepted = inside = 0
        for _ in range(lots):
            wrong = set(rng.choice(lot, bad, replace=False))
            told_of = said[sum(int(key) in wrong for key in draw(tasks, plan.n, rng))]
            accepted += told_of.decision == "accept"
            inside += told_of.low - 1e-6 <= bad / lot <= told_of.high + 1e-6
        shares[bad] = accepted / lots
        covered.append(inside / lots)
    exact = {bad: float(plan.accepts(bad)) for bad in qualities}
    off = {bad: abs(shares[bad] - exact[bad]) for bad in qualities}
    se = {bad: max(np.sqrt(p * (1 - p) / lots), 1 / lots) for bad, p in exact.items()}
    worst_se = max(off[bad] / se[bad] for bad in qualities)
    good, poor = shares[int(0.04 * lot)], shares[int(np.ceil(0.15 * lot))]
    return Curve(plan, float(worst_se), max(off.values()), lots, len(qualities), 1 - good, poor, min(covered))


# ---------------------------------------------------------------------- a project
@dataclass(frozen=True)
class Team:
    """A project on the shipped scene, its burn tasks, and the truth that was painted into it."""

    project: gl.Project
    tasks: list[Task]

    def truth(self, ids: tuple[str, ...]) -> dict[str, gl.Answer]:
        """What an inspector who errs nowhere draws."""
        own = [task for task in self.tasks if task.id in set(ids)]
        mask, grid = read_mask(gl.sample().path("truth")), self.project.view.grid
        return {one.task_id: one for one in annotate(mask, grid, own, habit=TRUTH, at=AT)}


@contextmanager
def team(habits: tuple[str, ...] = tuple(HABITS)) -> Iterator[Team]:
    """The shipped scene labeled by simulated annotators of these habits, one answer each a task, with gold."""
    sample = gl.sample()
    with tempfile.TemporaryDirectory() as folder:
        told = Config.read({"title": "Batches"}, where="benchmark")
        with gl.Project.create(Path(folder) / "project", config=told) as project:
            scenes = {role: gl.open_scene(sample.path(role), at="2003-05-31") for role in ("before", "after")}
            project.add(**scenes)
            truth, grid = read_mask(sample.path("truth")), project.view.grid
            there = {t.key for t in grid.tiles(project.config.tasks.tile) if truth[t.slices].any()}
            tasks = project.plan("burn", promising=there)
            gold = [task for task in tasks if task.purpose == "gold"]
            drawn = [one for habit in habits for one in annotate(truth, grid, tasks, habit=habit, at=AT)]
            project.submit([*drawn, *annotate(truth, grid, gold, habit=TRUTH, at=AT)])
            yield Team(project, tasks)


@dataclass(frozen=True)
class Delivered:
    """A batch that was inspected, delivered and tampered with."""

    verdict: str
    decision: str
    defects_true: int
    """Defective tiles of the whole lot, known because the truth is."""
    low: float
    high: float
    lot: int
    files: int
    found: int
    """Of the files in which one byte was changed, those that `check` names."""
    named: int
    """Files that `check` names although nothing was changed, before tampering."""
    cost: Cost


def delivered(rate: float = 30.0) -> Delivered:
    """The batch of all burn tasks: sampled, inspected, delivered; then one byte changed in each file in turn."""
    with team() as own:
        project = own.project
        project.batch("all", own.tasks, overlap=5, acceptance=Acceptance(0.04, 0.15), rate=Rate(rate))
        sample = project.draw_sample("all")
        said = project.inspect(
            "all", own.truth(sample.task_ids), by="person:inspector", minutes=2.0 * len(sample.task_ids)
        )
        version = project.deliver("all", despite="" if said.decision == "accept" else "to be measured")
        before = len(project.check())
        found = sum(_found(version, path) for path in sorted(_files(version)))
        return Delivered(
            str(said), said.decision, _defective(own), said.low, said.high, said.plan.lot, len(_files(version)), found,
            before, project.cost(batch="all"),
        )  # fmt: skip


def _files(version: Delivery) -> list[Path]:
    return [path for path in version.folder.rglob("*") if path.is_file()]


def _found(version: Delivery, path: Path) -> bool:
    """Whether the check names this file alone, with one bit of its middle byte turned; it is mended again."""
    whole = path.read_bytes()
    other = bytearray(whole)
    other[len(other) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(other)
    told = version.check()
    path.write_bytes(whole)
    return told == [f"{path.relative_to(version.folder).as_posix()} was changed"]


def _defective(own: Team) -> int:
    """Defective tiles of all, by the same measure as the inspector's."""
    from geolabel.steps import inspection
    from geolabel.steps.batches import standings

    project = own.project
    batch = standings(project.ledger)["all"].batch
    agreed = inspection.codes_of(project.agree(), own.tasks, project.view.grid, project.ontology)
    truth = own.truth(batch.task_ids)
    found = inspection.found_on(batch, agreed, truth, own.tasks, project.view.grid, project.ontology)
    return sum(bool(words) for words in found.values())
