"""What the ledger says of the words that answers were given under, and which answers later words touch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from geolabel.errors import OntologyError
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.ontology import Instructions, Ontology
from geolabel.ontology.instructions import parsed
from geolabel.ontology.shipped import instructions as shipped
from geolabel.ontology.shipped import known
from geolabel.steps.record import Record

if TYPE_CHECKING:
    from geolabel.quality.flow.stale import Words


def outdated(record: Record, tasks: Sequence[Task], answers: Sequence[Answer]) -> Any:
    """`tables.OUTDATED` of a project's answers to these tasks."""
    from geolabel.quality.flow.stale import outdated as touched

    return touched(tasks, answers, words(record, {one.ontology or "" for one in answers} | {t.ontology for t in tasks}))


def words(record: Record, named: set[str]) -> Words:
    """Every version of the instructions and of the class list that the ledger recorded, and those that geolabel ships."""
    from geolabel.quality.flow.stale import Words

    lists = {
        one.id: one for one in (Ontology.from_row(e.payload["ontology"]) for e in record.ledger.events("ontology"))
    }
    for name in sorted(named - set(lists)):
        try:
            lists[name] = known(name)
        except OntologyError:
            continue  # the table says that it is not recorded
    return Words(_instructions(record), lists, record.ontology)


def _instructions(record: Record) -> list[tuple[datetime, Instructions]]:
    told = [
        (datetime.fromisoformat(event.at), parsed(event.payload["text"], where=f"event {event.seq}"))
        for event in record.ledger.events("instruction")
    ]
    if told and min(one.version for _, one in told) > 1:
        first = _first(told[0][1])
        told.insert(0, (datetime.min.replace(tzinfo=told[0][0].tzinfo), first))
    return told


def _first(now: Instructions) -> Instructions:
    """What annotators were told before any instructions were recorded."""
    begun = shipped()
    return begun if begun.ontology == now.ontology else Instructions(1, now.ontology, "")
