"""The board: where every task stands, who answered it, who holds it, and what is asked of it; read from the ledger at once."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import Field

from geolabel.digests import digest
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.nouns.times import exact
from geolabel.quality.flow import review as way
from geolabel.quality.flow import routing
from geolabel.quality.flow.review import Heard, Standing, Step
from geolabel.steps import batches
from geolabel.steps.consensus import GOLD
from geolabel.steps.options import Options
from geolabel.tables import STATES, check

if TYPE_CHECKING:
    from geolabel.store.events import Event, NewEvent
    from geolabel.store.leases import Lease
    from geolabel.store.ledger import Ledger
    from geolabel.store.work import Head

PEOPLE = ("person:", "sim:")
"""Annotators whose answers count: rules and models are heard beside people, not instead of them."""


def counts(annotator: str) -> bool:
    """Whether an annotator's answers count as those of people: not rules and models, nor the truth of a simulation."""
    return annotator.startswith(PEOPLE) and annotator != GOLD


class ReviewOptions(Options):
    """How tasks are given out, and what they need."""

    overlap: int = Field(default=2, ge=1, description="how many people answer a task, independently")
    more_if_disputed: int = Field(default=1, ge=0, description="how many more are asked where they dispute")
    minutes: float = Field(default=30, gt=0, description="how long a task is kept for who was given it")
    gold_rate: float = Field(default=0.1, ge=0, lt=1, description="share of what an annotator is given that is gold")
    calibration: int = Field(default=3, ge=0, description="calibration tasks that a newcomer is given first")
    withheld: float = Field(default=0.1, ge=0, le=1, description="share of tasks whose proposals are not shown")
    seed: int = Field(default=0, description="draws what is gold, where annotators begin, and what is withheld")

    @property
    def rules(self) -> routing.Rules:
        """What routing is told."""
        return routing.Rules(self.gold_rate, self.calibration, self.seed)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of tasks: the options, and what batches ask otherwise of theirs."""

    options: ReviewOptions = field(default_factory=ReviewOptions)
    priority: Mapping[str, float] = field(default_factory=dict)
    """Task id -> the greater the sooner."""
    overlap: Mapping[str, int] = field(default_factory=dict)
    """Task id -> how many people are to answer it."""

    def of(self, task_id: str) -> int:
        """How many people are to answer a task."""
        return self.overlap.get(task_id, self.options.overlap)

    def wanted(self, task_id: str, standing: Standing) -> int:
        """How many are to answer it as it stands now."""
        return way.wanted(standing, self.of(task_id), more_if_disputed=self.options.more_if_disputed)


def terms(options: ReviewOptions, planned: Mapping[str, batches.Standing]) -> Terms:
    """The terms of a project with these batches, which come in the order in which they are worked on."""
    open_ = [one.batch for one in planned.values() if not one.delivered]
    priority = {task: float(rank) for rank, one in enumerate(reversed(open_), 1) for task in one.task_ids}
    return Terms(
        options, priority, {task: one.batch.overlap for one in planned.values() for task in one.batch.task_ids}
    )


# ---------------------------------------------------------------------- what the ledger says
@dataclass(frozen=True, slots=True)
class Board:
    """What the ledger says of the way of tasks."""

    standings: Mapping[str, Standing]
    since: Mapping[str, int]
    """Task id -> number of the last event of its way."""
    heads: Mapping[str, Sequence[Head]]
    lasts: Mapping[str, str]
    """Task id -> digest of the last event of its stream: who decides on this board appends after it."""
    leases: Sequence[Lease] = ()
    paused: Mapping[str, str] = field(default_factory=dict)
    """Annotator who is to be given nothing -> why."""

    @classmethod
    def of(cls, ledger: Ledger, task_ids: Collection[str] | None = None) -> Board:
        """The board as it is at this moment; of one task, where one is asked for, it is read sooner."""
        seen = ledger.snapshot(next(iter(task_ids)) if task_ids is not None and len(task_ids) == 1 else None)
        standings, since = standings_of(seen.reviews)
        return cls(standings, since, _by_task(seen.heads), seen.lasts, seen.leases, _paused(seen.annotators))

    def plus(self, answers: Sequence[Answer]) -> Board:
        """The board as it is when these answers are in the ledger."""
        from geolabel.store.work import Head

        old = {one.supersedes for one in answers}
        mine = {one.task_id for one in answers}
        known = [head for task in mine for head in self.heads.get(task, ())]
        kept = [replace(one, corrected=one.corrected or one.uuid in old) for one in known]
        more = [
            Head(one.task_id, one.annotator, one.outcome, one.uuid, exact(one.at), one.active_s, sys.maxsize, False)
            for one in answers
        ]
        return replace(self, heads={**self.heads, **_by_task([*kept, *more])})

    def standing(self, task_id: str) -> Standing:
        """Where a task stands: new where nothing was ever said of it."""
        return self.standings.get(task_id, Standing())

    def answered(self, task_id: str) -> frozenset[str]:
        """The people whose answers to a task count now; who skipped it did not answer it."""
        return frozenset(
            one.annotator
            for one in self.heads.get(task_id, ())
            if not one.corrected
            and one.outcome != "skipped"
            and one.annotator.startswith(PEOPLE)
            and one.annotator != GOLD
        )

    def seen(self, task_id: str) -> frozenset[str]:
        """Everybody who ever answered or reviewed a task."""
        return frozenset(one.annotator for one in self.heads.get(task_id, ())) | self.standing(task_id).reviewers

    def heard(self, task_id: str, consensus: Consensus | None) -> Heard:
        """What answers and their consensus say of a task."""
        fresh = any(one.event > self.since.get(task_id, 0) for one in self.heads.get(task_id, ()))
        count = len(self.answered(task_id))
        if consensus is None:
            return Heard(count, fresh)
        answers = digest(sorted(consensus.answers))
        return Heard(count, fresh, consensus.status, consensus.agreement, consensus.digest, answers)

    def event(self, task_id: str, step: Step) -> NewEvent:
        """The event of a step that rests on this board."""
        from geolabel.store.events import NewEvent

        return NewEvent("review", step.payload, step.by, task_id, self.lasts.get(task_id))


def standings_of(events: Iterable[Event]) -> tuple[dict[str, Standing], dict[str, int]]:
    """(task id -> standing, task id -> number of the last of these events)."""
    payloads: dict[str, list[dict[str, Any]]] = {}
    since = {}
    for event in events:
        payloads.setdefault(event.stream, []).append(event.payload)
        since[event.stream] = event.seq
    return {task: way.folded(own) for task, own in payloads.items()}, since


def _by_task(heads: Iterable[Head]) -> dict[str, list[Head]]:
    found: dict[str, list[Head]] = {}
    for head in heads:
        found.setdefault(head.task_id, []).append(head)
    return found


def _paused(events: Iterable[Event]) -> dict[str, str]:
    last = {event.payload["annotator"]: event for event in events}
    return {
        who: str(event.payload.get("why") or f"since {event.at}")
        for who, event in last.items()
        if event.payload.get("state") == "paused"
    }


def states(tasks: Sequence[Task], board: Board, terms: Terms) -> pd.DataFrame:
    """`tables.STATES` of these tasks, in their order."""
    rows = []
    for task in tasks:
        one = board.standing(task.id)
        last = (None, None) if one.last is None else (one.last.by, one.last.why)
        counts = len(board.answered(task.id)), terms.wanted(task.id, one)
        rows.append((task.id, task.kind, one.state, *counts, one.agreement, one.rounds, *last, one.minutes))
    frame = pd.DataFrame(rows, columns=list(STATES)).astype({"by": object, "why": object, "agreement": float})
    return check(frame.astype({"answers": int, "wanted": int, "rounds": int, "review_min": float}), STATES)


def queue(tasks: Sequence[Task], board: Board, terms: Terms) -> pd.DataFrame:
    """`tables.STATES` of the tasks that await a review, in the order they should get it."""
    by_id = {task.id: task for task in tasks}
    own = {key: one for key, one in board.standings.items() if key in by_id}
    return states([by_id[key] for key in routing.queue(own, terms.priority)], board, terms)
