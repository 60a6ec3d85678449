"""Batches: planned, inspected by a sample, delivered and reopened; all of it is folded from the ledger's events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import QualityError, nearest
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.batch import Batch, State
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.ontology import NODATA, Ontology
from geolabel.shapes import rasterise
from geolabel.steps.consensus import codes
from geolabel.steps.imports import is_annotator
from geolabel.steps.record import SYSTEM
from geolabel.tables import BATCHES, check

if TYPE_CHECKING:
    from geolabel.quality.sampling import Plan, Verdict
    from geolabel.store.events import Event
    from geolabel.store.ledger import Ledger

Codes = NDArray[np.uint8]
ISLAND = "unburned"
"""A class of burn tasks that says what is not burned: the hole in a scar, as the labels show it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The tasks of a batch that are to be inspected, and the plan they were drawn by."""

    batch: str
    plan: Plan
    task_ids: tuple[str, ...]
    labels: str
    """Digest of the labels that were there when the sample was drawn: they are what is judged."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A batch and what became of it."""

    batch: Batch
    delivered: bool = False
    sample: Sample | None = None
    inspection: Mapping[str, Any] | None = None
    """Payload of the last inspection of the sample that holds."""
    versions: tuple[Mapping[str, Any], ...] = ()
    """Payloads of the deliveries, in order."""
    reopened: tuple[str, ...] = ()
    """Why it was reopened since the last delivery."""
    minutes: float = 0.0
    """That inspectors spent on it, all samples together."""
    answered: frozenset[str] = field(default_factory=frozenset)
    """Its tasks that somebody answered."""

    @property
    def state(self) -> State:
        """Delivered until it is reopened; before the first delivery open as soon as a task is answered."""
        if self.delivered:
            return "delivered"
        return "reopened" if self.versions else "open" if self.answered else "planned"

    @property
    def decision(self) -> str | None:
        """What the last inspection said; None before it."""
        return None if self.inspection is None else str(self.inspection["verdict"]["decision"])


# ---------------------------------------------------------------------- from events
def standings(ledger: Ledger, answered: Collection[str] = ()) -> dict[str, Standing]:
    """Batch name -> standing, in the order in which they are worked on: priority, due date, name."""
    told = sorted([*ledger.events("batch"), *ledger.events("delivery")], key=lambda event: event.seq)
    found: dict[str, Standing] = {}
    for event in told:
        name = event.payload["batch"]
        found[name] = _after(found.get(name), event)
    here = {n: replace(s, answered=frozenset(answered) & set(s.batch.task_ids)) for n, s in found.items()}
    return dict(sorted(here.items(), key=lambda item: item[1].batch.order))


def _after(was: Standing | None, event: Event) -> Standing:
    """The standing once an event happened."""
    said = event.payload
    if was is None:
        return Standing(Batch.from_row(said["terms"]))
    if event.kind == "delivery":
        return replace(was, delivered=True, versions=(*was.versions, said), reopened=())
    return _STEPS[said["step"]](was, said)


def _sample(said: Mapping[str, Any]) -> Sample:
    from geolabel.quality.sampling import Plan

    return Sample(said["batch"], Plan(**said["plan"]), tuple(said["tasks"]), said["labels"])


_STEPS: dict[str, Callable[[Standing, Mapping[str, Any]], Standing]] = {
    "change": lambda was, said: replace(was, batch=Batch.from_row(said["terms"])),
    "draw": lambda was, said: replace(was, sample=_sample(said), inspection=None),
    "inspect": lambda was, said: replace(was, inspection=said, minutes=was.minutes + said["minutes"]),
    "reopen": lambda was, said: replace(was, delivered=False, reopened=(*was.reopened, said["why"])),
    "confirm": lambda was, _: replace(was, delivered=True, reopened=()),  # nothing had changed
}
"""What a batch's events after the first, which plans it, do to its standing."""


def named(found: Mapping[str, Standing], name: str) -> Standing:
    """The batch of this name.

    Raises
    ------
    QualityError
        Where there is none; the hint names the nearest.
    """
    if name not in found:
        raise QualityError(f"no batch {name!r}", hint=nearest(name, found) if found else "plan one: project.batch(...)")
    return found[name]


def table(found: Iterable[Standing]) -> pd.DataFrame:
    """`tables.BATCHES`, in the order in which they are worked on."""
    rows = [
        {
            "batch": one.batch.name,
            "kind": one.batch.kind,
            "state": one.state,
            "priority": one.batch.priority,
            "due": one.batch.due,
            "overlap": one.batch.overlap,
            "tasks": len(one.batch.task_ids),
            "answered": len(one.answered),
            "decision": one.decision,
            "version": len(one.versions),
            "review_min": one.minutes,
        }
        for one in found
    ]
    frame = pd.DataFrame(rows, columns=list(BATCHES))
    return check(frame.assign(due=pd.to_datetime(frame["due"], utc=True)), BATCHES)


# ---------------------------------------------------------------------- to events
def actor(ledger: Ledger, by: str | None) -> str:
    """Who does something, as events name it: people under pseudonyms, geolabel itself where nobody is named."""
    if by is None:
        return SYSTEM
    return by if is_annotator(by) else ledger.person(by)


def plan(ledger: Ledger, batch: Batch, tasks: Sequence[Task], actor: str) -> Batch:
    """The batch, once it is planned; the same one again changes nothing.

    Raises
    ------
    QualityError
        Where the name is another batch's, a task is not planned or of another kind, or is in a batch that is not
        delivered.
    """
    found = standings(ledger)
    if batch.name in found:
        if found[batch.name].batch == batch:
            return batch
        raise QualityError(
            f"there is a batch {batch.name!r} with other terms", hint="project.change_batch(...), or another name"
        )
    kinds = {task.id: task.kind for task in tasks}
    _check_tasks(batch, kinds)
    _check_free(batch, [one for one in found.values() if not one.delivered])
    ledger.append("batch", actor=actor, payload={"batch": batch.name, "step": "plan", "terms": batch.to_row()})
    return batch


def _check_tasks(batch: Batch, kinds: Mapping[str, str]) -> None:
    unknown = [key for key in batch.task_ids if kinds.get(key) != batch.kind]
    if unknown:
        raise QualityError(
            f"batch {batch.name!r}: {len(unknown)} tasks are no {batch.kind} tasks of this project, e.g. {unknown[0]!r}",
            hint=f"project.plan({batch.kind!r}) gives them",
        )


def _check_free(batch: Batch, others: Iterable[Standing]) -> None:
    for one in others:
        both = set(batch.task_ids) & set(one.batch.task_ids)
        if both:
            raise QualityError(
                f"{len(both)} tasks of batch {batch.name!r} are in batch {one.batch.name!r}, which is {one.state}",
                hint="a task is in one batch until that is delivered",
            )


def change(ledger: Ledger, was: Standing, actor: str, **terms: Any) -> Batch:
    """The batch under other terms (priority, due, overlap, acceptance, rate); its tasks stay."""
    batch = replace(was.batch, **{name: value for name, value in terms.items() if value is not None})
    if batch != was.batch:
        ledger.append("batch", actor=actor, payload={"batch": batch.name, "step": "change", "terms": batch.to_row()})
    return batch


def reopen(ledger: Ledger, was: Standing, why: str, actor: str, task_ids: Sequence[str] = ()) -> None:
    """Rework: the next delivery is another version.

    Parameters
    ----------
    task_ids
        Those that are to be answered once more.

    Raises
    ------
    QualityError
        For a batch that is not delivered, without a reason, or for tasks of another batch.
    """
    strange = sorted(set(task_ids) - set(was.batch.task_ids))
    if strange:
        raise QualityError(f"{strange[0]!r} is no task of batch {was.batch.name!r}", hint="tasks of the batch, or none")
    if not was.delivered:
        raise QualityError(f"batch {was.batch.name!r} is {was.state}", hint="only a delivered batch is reopened")
    if not why.strip():
        raise QualityError(
            f"batch {was.batch.name!r} is reopened without a reason", hint="why='...', for the changelog"
        )
    ledger.append(
        "batch",
        actor=actor,
        payload={"batch": was.batch.name, "step": "reopen", "why": why.strip(), "tasks": sorted(task_ids)},
    )


def draw(ledger: Ledger, was: Standing, lacking: Sequence[str], labels: str, seed: int, actor: str) -> Sample:
    """The sample to be inspected: the one already drawn while the labels are the same, so that nobody draws for luck.

    Raises
    ------
    QualityError
        Where tasks lack answers, or the batch is delivered.
    """
    from geolabel.quality.sampling import draw as drawn
    from geolabel.quality.sampling import single_plan

    batch = was.batch
    if was.delivered:
        raise QualityError(f"batch {batch.name!r} is delivered", hint="project.reopen(batch, why) for rework")
    if was.sample is not None and was.sample.labels == labels:
        return was.sample
    if lacking:
        raise QualityError(lacks(batch, lacking), hint="a sample is drawn of labels that are finished")
    own = single_plan(len(batch.task_ids), batch.acceptance)
    chosen = drawn(batch.task_ids, own.n, seed, salt=labels)
    row = {"plan": {"lot": own.lot, "n": own.n, "c": own.c}, "tasks": list(chosen), "seed": seed, "labels": labels}
    ledger.append("batch", actor=actor, payload={"batch": batch.name, "step": "draw", **row})
    return Sample(batch.name, own, chosen, labels)


def inspect(
    ledger: Ledger, was: Standing, found: Mapping[str, tuple[str, ...]], labels: str, minutes: float, actor: str
) -> Verdict:
    """The verdict on a batch by what was found on the tiles of its sample (task id -> defects in words).

    Raises
    ------
    QualityError
        Where no sample was drawn, its labels changed since, it was inspected before, or other tiles were inspected.
    """
    from geolabel.quality.sampling import verdict

    sample = was.sample
    if sample is None or sample.labels != labels:
        raise QualityError(
            f"batch {was.batch.name!r}: " + ("no sample was drawn" if sample is None else "its labels changed since"),
            hint="project.draw_sample(batch)",
        )
    if was.inspection is not None:
        raise QualityError(
            f"this sample of batch {was.batch.name!r} was inspected: {was.decision}",
            hint="labels are reworked and drawn again, not inspected again until they pass",
        )
    strange = sorted(set(found) ^ set(sample.task_ids))
    if strange:
        raise QualityError(
            f"{len(strange)} tiles are not those that were drawn, e.g. {strange[0]!r}", hint="sample.task_ids"
        )
    if not 0 <= minutes < float("inf"):
        raise QualityError(f"an inspection of {minutes} minutes", hint="0 or more")
    said = verdict({key: bool(words) for key, words in found.items()}, sample.plan)
    row = {"tasks": {key: list(found[key]) for key in sorted(found)}, "verdict": said.to_row(), "labels": labels}
    payload = {"batch": was.batch.name, "step": "inspect", **row, "minutes": float(minutes)}
    ledger.append("batch", actor=actor, payload=payload)
    return said


# ---------------------------------------------------------------------- what labels and answers say
def lacking(batch: Batch, answers: Iterable[Answer]) -> list[str]:
    """The batch's tasks with fewer different annotators than its overlap; who skipped a task did not answer it."""
    heard = Counter(key for key, _ in {(a.task_id, a.annotator) for a in answers if a.outcome != "skipped"})
    return [key for key in batch.task_ids if heard[key] < batch.overlap]


def lacks(batch: Batch, missing: Sequence[str]) -> str:
    """What a batch with unfinished tasks lacks, in words."""
    return (
        f"{len(missing)} of {len(batch.task_ids)} tasks of batch {batch.name!r} have fewer than {batch.overlap} answers"
    )


def codes_of(fused: Mapping[str, Consensus], tasks: Sequence[Task], grid: Grid, ontology: Ontology) -> dict[str, Codes]:
    """Task id -> (y, x) class codes that the annotators agree on, of tasks of one kind."""
    values, _ = codes(fused, tasks, grid, tasks[0].kind, ontology)
    return {task.id: values[task.tile.slices] for task in tasks}


def digest_of(agreed: Mapping[str, Codes], ontology: Ontology) -> str:
    """Digest of the labels themselves; probabilities and weights may move without it."""
    return digest(ontology.digest, *(part for key in sorted(agreed) for part in (key, agreed[key])))


def found_on(
    batch: Batch, agreed: Mapping[str, Codes], told: Mapping[str, Answer | str | None], tasks: Sequence[Task], grid: Grid,
    ontology: Ontology,
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """Task id -> defects, where the inspector tells the truth as an answer, or a defect in words (None: there is none)."""
    from geolabel.quality.defects import defects

    by_id, terms = {task.id: task for task in tasks}, batch.acceptance
    names = {one.code: one.name for one in ontology}
    found: dict[str, tuple[str, ...]] = {}
    for key, truth in told.items():
        if isinstance(truth, Answer):
            if key not in by_id or truth.task_id != key:
                raise QualityError(
                    f"a truth for task {truth.task_id!r} is told of {key!r}", hint="{answer.task_id: answer}"
                )
            drawn = _codes(truth, grid.crop(by_id[key].tile), ontology)
            how = {"least_iou": terms.least_iou, "least_px": terms.least_px}
            found[key] = defects(_shown(agreed[key], ontology), drawn, names, **how)  # type: ignore[arg-type]
        else:
            found[key] = (truth.strip(),) if truth and truth.strip() else ()
    return found


def _codes(truth: Answer, tile: Grid, ontology: Ontology) -> Codes:
    """(y, x) class codes of an answer, 255 where it left ground out or could not tell."""
    if truth.outcome not in ("labeled", "empty"):
        return np.full(tile.shape, NODATA, np.uint8)
    numbers = np.array([0 if name == ISLAND else ontology[name].code for name in truth.shapes["class"]], np.uint8)
    values = rasterise(truth.shapes, tile, numbers)
    return np.where(rasterise(truth.ignore, tile) > 0, NODATA, values).astype(np.uint8)


def _shown(values: Codes, ontology: Ontology) -> Codes:
    """The codes without islands, which labels show as holes."""
    if ISLAND not in ontology:
        return values
    return np.where(values == ontology[ISLAND].code, 0, values).astype(np.uint8)
