"""Batches: planned, changed and reopened; what became of them is folded from the ledger's events and held nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from geolabel.errors import OvertakenError, QualityError, nearest
from geolabel.nouns.batch import Batch, State
from geolabel.nouns.task import Task
from geolabel.steps.imports import is_annotator
from geolabel.steps.record import SYSTEM
from geolabel.tables import BATCHES, check

if TYPE_CHECKING:
    from geolabel.quality.flow.sampling import Plan
    from geolabel.store.events import Event
    from geolabel.store.ledger import Ledger


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
    from geolabel.quality.flow.sampling import Plan

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
Found = Mapping[str, Standing]
Payload = Mapping[str, Any]
ATTEMPTS = 10
"""How often what is to be said is looked at again where somebody was faster."""


def actor(ledger: Ledger, by: str | None) -> str:
    """Who does something, as events name it: people under pseudonyms, geolabel itself where nobody is named."""
    if by is None:
        return SYSTEM
    return by if is_annotator(by) else ledger.person(by)


def say(ledger: Ledger, tell: Callable[[Found], Payload | None], actor: str, kind: str = "batch") -> None:
    """Append what `tell` says of the batches as they stand, in one transaction with nothing said in between; None is nothing.

    Raises
    ------
    OvertakenError
        Where others were faster again and again.
    """
    from geolabel.store.events import NewEvent

    for attempt in range(ATTEMPTS):
        last = ledger.last()
        payload = tell(standings(ledger))
        if payload is None:
            return
        try:
            ledger.append_many([NewEvent(kind, payload, actor, after=None if last is None else last.digest)])
        except OvertakenError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return


def plan(ledger: Ledger, batch: Batch, tasks: Sequence[Task], actor: str) -> Batch:
    """The batch, once it is planned; the same one again changes nothing.

    Raises
    ------
    QualityError
        Where the name is another batch's, a task is not planned or of another kind, or is in a batch that is not
        delivered.
    """
    kinds = {task.id: task.kind for task in tasks}
    say(ledger, lambda found: _planned(batch, kinds, found), actor)
    return batch


def _planned(batch: Batch, kinds: Mapping[str, str], found: Found) -> Payload | None:
    if batch.name in found:
        if found[batch.name].batch == batch:
            return None
        raise QualityError(
            f"there is a batch {batch.name!r} with other terms", hint="project.change_batch(...), or another name"
        )
    _check_tasks(batch, kinds)
    _check_free(batch, [one for one in found.values() if not one.delivered])
    return {"batch": batch.name, "step": "plan", "terms": batch.to_row()}


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
                f"{len(both)} tasks of batch {batch.name!r} are in batch {one.batch.name!r}, which is not delivered",
                hint="a task is in one batch until that is delivered",
            )


def change(ledger: Ledger, name: str, actor: str, **terms: Any) -> Batch:
    """The batch under other terms (priority, due, overlap, acceptance, rate); its tasks stay.

    Raises
    ------
    QualityError
        Where there is no such batch.
    """
    say(ledger, lambda found: _changed(named(found, name).batch, terms), actor)
    return named(standings(ledger), name).batch


def _changed(was: Batch, terms: Mapping[str, Any]) -> Payload | None:
    batch = replace(was, **terms)
    return None if batch == was else {"batch": batch.name, "step": "change", "terms": batch.to_row()}


def reopen(ledger: Ledger, name: str, why: str, actor: str, task_ids: Sequence[str] = ()) -> None:
    """Rework: the next delivery is another version.

    Parameters
    ----------
    task_ids
        Those that are to be answered once more.

    Raises
    ------
    QualityError
        For a batch that is not delivered, without a reason, for tasks of another batch, or of another that is not
        delivered.
    """
    say(ledger, lambda found: _reopened(named(found, name), why.strip(), task_ids, found), actor)


def _reopened(was: Standing, why: str, task_ids: Sequence[str], found: Found) -> Payload:
    batch = was.batch
    strange = sorted(set(task_ids) - set(batch.task_ids))
    if strange:
        raise QualityError(f"{strange[0]!r} is no task of batch {batch.name!r}", hint="tasks of the batch, or none")
    if not was.delivered:
        raise QualityError(f"batch {batch.name!r} is not delivered", hint="only a delivered batch is reopened")
    if not why:
        raise QualityError(f"batch {batch.name!r} is reopened without a reason", hint="why='...', for the changelog")
    _check_free(batch, [one for one in found.values() if not one.delivered])
    return {"batch": batch.name, "step": "reopen", "why": why, "tasks": sorted(task_ids)}
