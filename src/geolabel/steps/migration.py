"""Answers under one version of an ontology to answers under the next: corrections of the old ones, which stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import uuid4

from geolabel.errors import OntologyError
from geolabel.nouns.answer import Answer, Outcome
from geolabel.nouns.task import Task
from geolabel.ontology import Migration, Ontology


def migrated(
    heard: Sequence[Answer],
    tasks: Sequence[Task],
    migration: Migration,
    ontology: Ontology,
    *,
    decided: Mapping[str, str] | None = None,
) -> list[Answer]:
    """Corrections of all answers that were given under the migration's source.

    Raises
    ------
    OntologyError
        Where the project's ontology is not the source, or a class that is used has no place in the target.
    """
    if ontology.id != migration.source.id:
        raise OntologyError(f"the project is under {ontology.id}", hint=f"this migration is from {migration.source.id}")
    under = {task.id: task.ontology for task in tasks}
    how = f"migrate:{migration.source.id}->{migration.target.id}"
    old = [one for one in heard if (one.ontology or under[one.task_id]) == migration.source.id]
    return [_moved(one, migration, how, decided or {}) for one in old]


def _moved(one: Answer, migration: Migration, how: str, decided: Mapping[str, str]) -> Answer:
    shapes = migration.apply(one.shapes, decided) if len(one.shapes) else one.shapes
    outcome: Outcome = "empty" if one.outcome == "labeled" and not len(shapes) else one.outcome
    return replace(
        one,
        shapes=shapes,
        outcome=outcome,
        supersedes=one.uuid,
        uuid=str(uuid4()),
        ontology=migration.target.id,
        how=how,
    )
