"""What a delivery and its reopening do to the way of single tasks: accepted with their lot, and answered once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from geolabel.nouns.batch import Batch
from geolabel.steps.board import Board
from geolabel.steps.review import move

if TYPE_CHECKING:
    from geolabel.store.ledger import Ledger


def accepted(ledger: Ledger, batch: Batch, version: Mapping[str, Any], actor: str) -> int:
    """How many agreed tasks of a batch were accepted with it; none where it was delivered despite doubts."""
    return 0 if version["doubts"] else _move(ledger, batch.task_ids, "agreed", f"with batch {batch.name}", actor)


def reopened(ledger: Ledger, task_ids: Sequence[str], why: str, actor: str) -> int:
    """How many accepted tasks are to be answered once more."""
    return _move(ledger, task_ids, "accepted", why, actor)


def _move(ledger: Ledger, task_ids: Sequence[str], state: str, why: str, actor: str) -> int:
    """How many of the tasks in this state made the step that follows it: agreed -> accepted -> answered."""
    if not task_ids:
        return 0
    board = Board.of(ledger)
    there = [key for key in task_ids if board.standing(key).state == state]
    return move(ledger, there, "accepted" if state == "agreed" else "answered", by=actor, why=why) if there else 0
