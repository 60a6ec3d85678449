"""The way of every task, and who is given it next: what the ledger says, and what is appended to it.

Every function takes a `Ledger`, and is safe for many workers at once, in one process or in many. A `Project` holds its
folder for one process; workers in other processes open the ledger itself and call these functions, or a server holds the
project and calls them for its users.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from pydantic import Field

from geolabel.digests import digest
from geolabel.errors import OvertakenError, QualityError
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.quality import review as way
from geolabel.quality import routing
from geolabel.quality.review import Heard, Standing, Step
from geolabel.steps import batches
from geolabel.steps.consensus import GOLD
from geolabel.steps.options import Options
from geolabel.tables import STATES, check

if TYPE_CHECKING:
    from geolabel.store.events import Event, NewEvent
    from geolabel.store.heads import Head
    from geolabel.store.ledger import Ledger

SYSTEM = "system:geolabel"
PEOPLE = ("person:", "sim:")
"""Annotators whose answers count: rules and models are heard beside people, not instead of them."""
Bulk = Literal["accepted", "answered"]
ATTEMPTS = 10
"""How often what follows from answers is looked at again where somebody was faster."""


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
    """Task id -> digest of the last event of its stream, read before everything else: who decides on this board comes
    after it."""

    @classmethod
    def of(cls, ledger: Ledger, task_id: str | None = None) -> Board:
        """The board of all tasks, or of one."""
        lasts = ledger.lasts() if task_id is None else _last(ledger, task_id)
        standings, since = _standings(ledger.each_event("review", task_id))
        heads: dict[str, list[Head]] = {}
        for head in ledger.heads(task_id):
            heads.setdefault(head.task_id, []).append(head)
        return cls(standings, since, heads, lasts)

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


def _standings(events: Iterable[Event]) -> tuple[dict[str, Standing], dict[str, int]]:
    """(task id -> standing, task id -> number of the last of these events)."""
    payloads: dict[str, list[dict[str, Any]]] = {}
    since = {}
    for event in events:
        payloads.setdefault(event.stream, []).append(event.payload)
        since[event.stream] = event.seq
    return {task: way.folded(own) for task, own in payloads.items()}, since


def _last(ledger: Ledger, task_id: str) -> dict[str, str]:
    last = ledger.last(task_id)
    return {} if last is None else {task_id: last.digest}


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


def corrections(ledger: Ledger) -> dict[str, str]:
    """Task id -> uuid of the reviewer's answer that stands instead of all others."""
    found = _standings(ledger.each_event("review"))[0]
    return {task: one.correction for task, one in sorted(found.items()) if one.correction and one.state == "accepted"}


def standing(answers: Iterable[Answer], corrected: Mapping[str, str]) -> list[Answer]:
    """The answers without those to tasks where a reviewer's correction stands instead of them."""
    return [one for one in answers if corrected.get(one.task_id, one.uuid) == one.uuid]


# ---------------------------------------------------------------------- what follows from answers
def submit(ledger: Ledger, answers: Sequence[Answer], terms: Terms, *, leased: bool = True) -> list[Answer]:
    """The answers, once they are in the ledger: their leases are ended, and tasks that have enough are `answered`.

    Parameters
    ----------
    leased
        Refuse answers whose lease ran out and whose place may be somebody else's.

    Raises
    ------
    StoreError
        As `Ledger.append_answers`; nothing is written then.
    """
    actors = {one.annotator for one in answers}
    ledger.append_answers(answers, actor=actors.pop() if len(actors) == 1 else SYSTEM, leased=leased)
    follow(ledger, terms, touched(answers))
    return list(answers)


def touched(answers: Iterable[Answer]) -> set[str]:
    """Tasks whose state may change with these answers."""
    return {one.task_id for one in answers if one.annotator.startswith(PEOPLE) and one.annotator != GOLD}


def follow(
    ledger: Ledger, terms: Terms, task_ids: Collection[str], fused: Mapping[str, Consensus] | None = None
) -> int:
    """How many steps were recorded that follow from the answers to these tasks, and from their consensus where given.

    Of one transaction; where nothing changed nothing is written.

    Raises
    ------
    OvertakenError
        Where others were faster again and again.
    """
    for attempt in range(ATTEMPTS if task_ids else 0):
        board = Board.of(ledger, next(iter(task_ids)) if len(task_ids) == 1 else None)
        try:
            return len(ledger.append_many(_due(board, terms, sorted(task_ids), fused or {})))
        except OvertakenError:
            if attempt == ATTEMPTS - 1:
                raise
    return 0


def _due(board: Board, terms: Terms, task_ids: Sequence[str], fused: Mapping[str, Consensus]) -> list[NewEvent]:
    found = []
    for task in task_ids:
        heard = board.heard(task, fused.get(task))
        steps = way.due(board.standing(task), heard, terms.of(task), by=SYSTEM)
        found += [board.event(task, step) for step in steps]
    return found


# ---------------------------------------------------------------------- decisions
def known(task: Task | str, tasks: Iterable[Task]) -> str:
    """The id of a task, once it is known to be planned.

    Raises
    ------
    QualityError
        For another; the hint names the nearest.
    """
    key, ids = task if isinstance(task, str) else task.id, {one.id for one in tasks}
    if key not in ids:
        close = get_close_matches(key, ids, 1)
        hint = f"did you mean {close[0]!r}?" if close else "project.states() lists them"
        raise QualityError(f"no task {key!r} in this project", hint=hint)
    return key


def review(
    ledger: Ledger,
    task_id: str,
    reviewer: str,
    decision: str,
    *,
    why: str,
    now: datetime,
    correction: Answer | None = None,
    minutes: float = 0.0,
) -> Standing:
    """Where a task stands once it was accepted or sent back; the reviewer's lease is ended.

    With a correction, an answer of the reviewer's own, the task is accepted and that answer stands instead of the
    others; it is written in the same transaction.

    Raises
    ------
    QualityError
        As `quality.review.decide`, and for a correction of another task or by somebody else.
    OvertakenError
        Where the task changed while it was decided on.
    """
    board = Board.of(ledger, task_id)
    _check_correction(correction, task_id, reviewer)
    _check_minutes(minutes)
    answered = {one.annotator for one in board.heads.get(task_id, ())}
    told = {"correction": correction and correction.uuid, "minutes": float(minutes)}
    was = board.standing(task_id)
    steps = way.decide(was, reviewer, decision, answered=answered, why=why, **told)
    events = [board.event(task_id, step) for step in steps]
    if correction is None:
        ledger.append_many(events)
    else:
        ledger.append_answers([correction], actor=reviewer, then=events)
    ledger.leases.end(task_id, reviewer, role="review", now=now)
    return was.after(steps[0]).after(steps[1])


def _check_correction(correction: Answer | None, task_id: str, reviewer: str) -> None:
    if correction is not None and (correction.task_id, correction.annotator) != (task_id, reviewer):
        said = f"a correction of {correction.task_id!r} by {correction.annotator}"
        raise QualityError(
            f"{said} in a review of {task_id!r} by {reviewer}", hint="the reviewer's own answer to this task"
        )
    if correction is not None and correction.outcome not in ("labeled", "empty"):
        raise QualityError(
            f"a correction that is {correction.outcome!r}", hint="labeled or empty: it stands as the truth"
        )


def _check_minutes(minutes: float) -> None:
    if not 0 <= minutes < math.inf:
        raise QualityError(f"a review of {minutes} minutes", hint="0 or more")


# what is decided of many tasks at once
def move(ledger: Ledger, task_ids: Collection[str], to: Bulk, *, by: str, why: str) -> int:
    """How many tasks made this step, all of them in one transaction or none.

    `accepted`: agreed tasks of a lot whose sample passed. `answered`: accepted tasks that need rework are reopened.
    Tasks that are there already stay.

    Raises
    ------
    QualityError
        For a task that may not make this step, or without a reason.
    OvertakenError
        Where a task changed meanwhile.
    """
    if to not in ("accepted", "answered"):
        raise QualityError(f"many tasks at once to {to!r}", hint="accepted (with their lot) or answered (reopened)")
    board = Board.of(ledger)
    moving = [task for task in sorted(task_ids) if board.standing(task).state != to]
    events = [board.event(task, board.standing(task).step(to, by=by, why=why)) for task in moving]
    return len(ledger.append_many(events))
