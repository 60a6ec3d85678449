"""Stale answers: which were given before the instructions or the ontology said what they say now, and which that touches.

A change touches an answer that has a shape of a class that changed (`uses`), and one to a task that asks for that class
(`may use`): under the new words it might have been drawn, or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.ontology import Instructions, Ontology
from geolabel.ontology.record import class_row
from geolabel.quality.consensus.votes import is_machine
from geolabel.tables import OUTDATED, check

ALL = None
"""A change that is to no single class."""
LOOKS = ("colour", "title")
"""What a class may look like and be called without anyone drawing it differently."""
Changed = dict[str | None, str]
"""Class, or `ALL` -> what changed, in words."""


@dataclass(frozen=True, slots=True)
class Words:
    """The instructions and the class lists that a project had, each with the moment from which it held."""

    instructions: Sequence[tuple[datetime, Instructions]]
    """In order of time; the last one holds."""
    ontologies: Mapping[str, Ontology]
    """By id; those that tasks or answers name and that are not here are unknown."""
    ontology: Ontology
    """The one that holds."""
    _seen: dict[tuple[str, str], Changed] = field(default_factory=dict, repr=False)


def outdated(tasks: Sequence[Task], answers: Sequence[Answer], words: Words) -> pd.DataFrame:
    """`tables.OUTDATED`: current answers that a later version touches, by task, annotator and class.

    Rules and models read no instructions; a changed class touches them too.
    """
    by_id = {task.id: task for task in tasks}
    rows = [row for one in answers if one.task_id in by_id for row in _rows(by_id[one.task_id], one, words)]
    frame = pd.DataFrame(rows, columns=list(OUTDATED)).sort_values(["task", "annotator", "answer", "class", "why"])
    return check(frame.reset_index(drop=True), OUTDATED)


def _rows(task: Task, answer: Answer, words: Words) -> Iterator[dict[str, str | None]]:
    used = set(answer.shapes["class"]) if len(answer.shapes) else set()
    for name, why in [*_told(task, answer, words).items(), *_listed(task, answer, words).items()]:
        asked = name is ALL or (name in words.ontology and words.ontology[name].kind == task.kind)
        if name in used or asked:
            touch = "uses" if name in used or (name is ALL and used) else "may use"
            own = {"task": task.id, "answer": answer.uuid, "annotator": answer.annotator}
            yield {**own, "class": name, "touch": touch, "why": why}


# ---------------------------------------------------------------------- instructions
def _told(task: Task, answer: Answer, words: Words) -> Changed:
    """What the instructions say differently since the answer was given."""
    if is_machine(answer.annotator) or not words.instructions:
        return {}
    now = words.instructions[-1][1]
    read = read_by(task, answer, words.instructions)
    if read is None:
        return {ALL: f"given under instructions {task.instructions}, which are not recorded; now {now.version}"}
    key = (f"instructions {read.version}", read.digest)
    if key not in words._seen:
        words._seen[key] = told_differently(read, now)
    return words._seen[key]


def read_by(task: Task, answer: Answer, told: Sequence[tuple[datetime, Instructions]]) -> Instructions | None:
    """The instructions that held when an answer was given; before the first that is recorded, those of its task."""
    before = [one for moment, one in told if moment <= answer.at]
    if before:
        return before[-1]
    return next((one for _, one in told if one.version == task.instructions), None)


def told_differently(was: Instructions, now: Instructions) -> Changed:
    """Class -> what changed in its note or its examples; `ALL` where the text for all classes did."""
    if was.digest == now.digest:
        return {}
    step = f"instructions {was.version} -> {now.version}"
    names = sorted({*was.notes, *now.notes, *_pictured(was), *_pictured(now)})
    other = {name: _note(was, now, name) for name in names}
    found: Changed = {name: f"{step}: {how}" for name, how in other.items() if how}
    if _general(was) != _general(now):
        found[ALL] = f"{step}: the text for all classes changed"
    return found


def _note(was: Instructions, now: Instructions, name: str) -> str:
    before, after = was.notes.get(name), now.notes.get(name)
    if before != after:
        return "its note is new" if before is None else "its note is gone" if after is None else "its note changed"
    return "its examples changed" if _pictured(was).get(name) != _pictured(now).get(name) else ""


def _pictured(told: Instructions) -> dict[str, list[tuple[str, str, bool]]]:
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for one in told.examples:
        found.setdefault(one.name, []).append((one.href, one.caption, one.right))
    return found


def _general(told: Instructions) -> str:
    """The text without the notes on single classes."""
    text = told.text
    for note in told.notes.values():
        text = text.replace(note, "") if note else text
    kept = [line.strip() for line in text.splitlines() if not line.startswith("### `")]
    return "\n".join(line for line in kept if line)


# ---------------------------------------------------------------------- ontology
def _listed(task: Task, answer: Answer, words: Words) -> Changed:
    """What the class list says differently since the answer was given."""
    own = under(task, answer)
    if own == words.ontology.id:
        return {}
    if own not in words.ontologies:
        return {ALL: f"given under {own}, which is not recorded; now {words.ontology.id}"}
    key = (own, words.ontology.digest)
    if key not in words._seen:
        words._seen[key] = listed_differently(words.ontologies[own], words.ontology)
    migrated = answer.how is not None and answer.how.startswith("migrate:")
    found = words._seen[key]
    return {n: why for n, why in found.items() if n in words.ontology} if migrated else found


def under(task: Task, answer: Answer) -> str:
    """The class list that a person had before their eyes: of an answer that was migrated, the one it came from."""
    if answer.how is not None and answer.how.startswith("migrate:"):
        return answer.how.removeprefix("migrate:").partition("->")[0]
    return answer.ontology or task.ontology


def listed_differently(was: Ontology, now: Ontology) -> Changed:
    """Class -> what changed in its definition, for classes that came, went or mean something else; looks do not count."""
    step = f"{was.id} -> {now.id}"
    found: Changed = {one.name: f"{step}: the class is gone" for one in was if one.name not in now}
    found |= {one.name: f"{step}: the class is new" for one in now if one.name not in was}
    for one in was:
        if one.name in now:
            before, after = class_row(one), class_row(now[one.name])
            other = [k for k in dict.fromkeys([*before, *after]) if before.get(k) != after.get(k) and k not in LOOKS]
            if other:
                found[one.name] = f"{step}: it has another {' and '.join(other)}"
    return found
