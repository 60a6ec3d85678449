"""What labels took and what was accepted for it, from what the ledger says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from geolabel.grid import Grid
from geolabel.nouns.batch import Rate
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.steps.batches import Standing
from geolabel.steps.board import Board

if TYPE_CHECKING:
    from geolabel.quality.flow.cost import Cost
    from geolabel.store.ledger import Ledger


def cost(
    ledger: Ledger,
    tasks: Sequence[Task],
    grid: Grid,
    agreed: Mapping[str, Consensus],
    planned: Mapping[str, Standing],
    *,
    rate: Rate | None = None,
) -> Cost:
    """Minutes and cost of these tasks: of all answers to them, their reviews, and inspections of batches among them.

    Accepted is a task that a review accepted, and one of a batch that is delivered with nothing against it, unless a
    review sent it back.

    Parameters
    ----------
    planned
        The project's batches; a batch's inspections count where all of its tasks do.
    """
    from geolabel.quality.flow.cost import cost as counted

    ids = {task.id for task in tasks}
    own = [one for one in planned.values() if set(one.batch.task_ids) <= ids]
    return counted(
        tasks,
        grid,
        ledger.answers(current=False),
        accepted(ledger, planned.values()) & ids,
        agreed,
        reviewed=_reviewed(ledger, ids, {one.batch.name for one in own}),
        rate=rate,
    )


def accepted(ledger: Ledger, planned: Collection[Standing]) -> set[str]:
    """Ids of the tasks that are accepted, one by one or with their batch."""
    states = {key: one.state for key, one in Board.of(ledger).standings.items()}
    sound = [one for one in planned if one.delivered and not one.versions[-1]["doubts"]]
    lots = {key for one in sound for key in one.batch.task_ids if states.get(key) != "sent back"}
    return lots | {key for key, state in states.items() if state == "accepted"}


def _reviewed(ledger: Ledger, ids: Collection[str], names: Collection[str]) -> dict[str, float]:
    """Reviewer -> minutes, of the reviews of these tasks and the inspections of these batches."""
    minutes: dict[str, float] = defaultdict(float)
    for event in ledger.each_event("review"):
        if event.stream in ids and event.payload.get("minutes"):
            minutes[event.payload["by"]] += event.payload["minutes"]
    for event in ledger.each_event("batch"):
        said = event.payload
        if said["step"] == "inspect" and said["batch"] in names:
            minutes[event.actor] += said["minutes"]
    return dict(minutes)
