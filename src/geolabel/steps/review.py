"""The way of every task: what follows from answers, and what reviewers decide, appended to the ledger.

Every function takes a `Ledger`, and is safe for many workers at once, in one process or in many. A `Project` holds its
folder for one process; workers in other processes open the ledger itself and call these functions, or a server holds the
project and calls them for its users.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, TypeVar

from geolabel.errors import OvertakenError, QualityError
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.quality.flow import review as way
from geolabel.quality.flow.review import Standing
from geolabel.steps.board import Board, Terms, counts, standings_of

if TYPE_CHECKING:
    from geolabel.store.events import NewEvent
    from geolabel.store.ledger import Ledger

T = TypeVar("T")
SYSTEM = "system:geolabel"
Bulk = Literal["accepted", "answered"]
ATTEMPTS = 10
"""How often what follows from answers is looked at again where somebody was faster."""


def corrections(ledger: Ledger) -> dict[str, str]:
    """Task id -> uuid of the reviewer's answer that stands instead of all others."""
    found = standings_of(ledger.each_event("review"))[0]
    return {task: one.correction for task, one in sorted(found.items()) if one.correction and one.state == "accepted"}


def standing(answers: Iterable[Answer], corrected: Mapping[str, str]) -> list[Answer]:
    """The answers without those to tasks where a reviewer's correction stands instead of them."""
    return [one for one in answers if corrected.get(one.task_id, one.uuid) == one.uuid]


# ---------------------------------------------------------------------- what follows from answers
def submit(ledger: Ledger, answers: Sequence[Answer], terms: Terms, *, leased: bool = True) -> list[Answer]:
    """The answers, once they are in the ledger: in the same transaction their leases end, and tasks that have enough are
    `answered`.

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
    actor = actors.pop() if len(actors) == 1 else SYSTEM
    moved = {one.task_id for one in answers if counts(one.annotator)}

    def write() -> None:
        board = Board.of(ledger, moved).plus(answers) if moved else Board({}, {}, {}, {})
        steps = _due(board, terms, sorted(moved), {})
        after = {task: board.lasts.get(task) for task in moved}
        ledger.append_answers(answers, actor=actor, then=steps, after=after, leased=leased)

    _until_first(write)
    return list(answers)


def follow(ledger: Ledger, terms: Terms, fused: Mapping[str, Consensus]) -> int:
    """How many steps were recorded that follow from the answers to these tasks and from their consensus.

    All in one transaction; where nothing changed nothing is written.

    Raises
    ------
    OvertakenError
        Where others were faster again and again.
    """
    return _until_first(lambda: len(ledger.append_many(_due(Board.of(ledger), terms, sorted(fused), fused))))


def _until_first(act: Callable[[], T]) -> T:
    """What `act` gives, done anew where somebody was faster than it."""
    for _ in range(ATTEMPTS - 1):
        with suppress(OvertakenError):
            return act()
    return act()


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
        As `quality.flow.review.decide`, and for a correction of another task or by somebody else.
    OvertakenError
        Where the task changed while it was decided on.
    """
    board = Board.of(ledger, [task_id])
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
