"""Who is given which task next: routing over what the ledger says, and a lease that nobody else can get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from geolabel.errors import QualityError
from geolabel.nouns.task import Task
from geolabel.quality.flow import routing
from geolabel.quality.flow.routing import Work
from geolabel.steps.board import Board, Terms

if TYPE_CHECKING:
    from geolabel.store.leases import Lease, Role
    from geolabel.store.ledger import Ledger

HIDDEN = ("gold", "calibration")
"""Purposes of tasks that any number of people may have, and that nobody is told of."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task that was given to somebody."""

    task: Task
    """As the annotator may see it: gold and calibration look like any other."""
    lease: Lease
    proposals: bool
    """Whether they may be shown what rules and models propose."""


def assign(
    ledger: Ledger, tasks: Sequence[Task], annotator: str, terms: Terms, *, now: datetime, role: Role = "answer"
) -> Assignment | None:
    """What is next for this annotator, leased to them; None where nothing is left for them now.

    To answer: as `quality.flow.routing.order` has it. To review or adjudicate: as `quality.flow.routing.queue` has it, to one person.
    Who holds an assignment in this role is given it again. Safe for many workers at once: what was read may be old by
    the time the lease is taken, so the ledger looks again before it gives one.

    Raises
    ------
    QualityError
        For an annotator who is paused.
    """
    board = Board.of(ledger)
    if annotator in board.paused:
        hint = "reinstate them after a talk, or let them appeal the gold"
        raise QualityError(f"{annotator} is paused: {board.paused[annotator]}", hint=hint)
    limits = {task.id: _limit(task, board, terms) for task in tasks}
    works = _works(tasks, board, terms, limits, now)
    ids = (_answers if role == "answer" else _reviews)(works, board, annotator, terms)
    if not ids and not any(one.annotator == annotator and one.how is None for one in board.leases):
        return None  # who waits and asks again keeps nobody from writing
    offered = [(key, limits[key] if role == "answer" else 1) for key in ids]
    lease = ledger.leases.take(offered, annotator, now=now, minutes=terms.options.minutes, role=role)
    return None if lease is None else _assignment(tasks, lease, terms)


def _assignment(tasks: Sequence[Task], lease: Lease, terms: Terms) -> Assignment:
    from geolabel.quality.consensus.anchoring import withheld

    task, options = next(task for task in tasks if task.id == lease.task_id), terms.options
    alone = withheld(task.id, lease.annotator, options.seed, share=options.withheld)
    return Assignment(replace(task, purpose="new"), lease, not alone)


def _works(
    tasks: Sequence[Task], board: Board, terms: Terms, limits: Mapping[str, int | None], now: datetime
) -> list[Work]:
    had: dict[str, set[str]] = {}
    holding: dict[str, set[str]] = {}
    for one in board.leases:
        had.setdefault(one.task_id, set()).add(one.annotator)
        if one.how is None and one.expires_at > now and one.role == "answer":
            holding.setdefault(one.task_id, set()).add(one.annotator)
    works = []
    for task, (key, limit) in zip(tasks, limits.items(), strict=True):
        seen = board.seen(key) | had.get(key, set())
        filled = board.answered(key) | holding.get(key, set()) if seen else seen
        places = None if limit is None else limit - len(filled)
        works.append(Work(task, seen, places, board.standing(key).agreement, terms.priority.get(key, 0.0)))
    return works


def _limit(task: Task, board: Board, terms: Terms) -> int | None:
    """How many people may have answered a task or hold it: none more once it is accepted."""
    if task.purpose in HIDDEN:
        return None
    standing = board.standing(task.id)
    return 0 if standing.state == "accepted" else terms.wanted(task.id, standing)


def _answers(works: Sequence[Work], board: Board, annotator: str, terms: Terms) -> list[str]:
    by_id = {one.task.id: one.task for one in works}
    own = [by_id[one.task_id] for one in board.leases if one.annotator == annotator and one.task_id in by_id]
    return routing.order(annotator, works, terms.options.rules, last=own[-1] if own else None)


def _reviews(works: Sequence[Work], board: Board, annotator: str, terms: Terms) -> list[str]:
    mine = {one.task.id: board.standing(one.task.id) for one in works if annotator not in one.seen}
    return routing.queue(mine, terms.priority)
