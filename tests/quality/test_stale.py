"""Which answers a later version of the instructions or of the ontology touches."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from geolabel.ontology import Class, Instructions, Ontology
from geolabel.quality.flow.stale import Words, listed_differently, outdated, told_differently
from labels import NOW, answer, tasks_of, utm_grid

GRID = utm_grid()
DAY = timedelta(days=1)
TEXT = "Look at both dates.\n\n### `burned` scar\n\nInclude char.\n\n### `water`\n\nOpen water only.\n"
CLASSES = (
    Class("burned", "Burned", 1, "burn", "#aa0000", description="killed by fire"),
    Class("unburned", "Island", 2, "burn", "#00aa00"),
    Class("water", "Water", 3, "terrain", "#0000aa"),
)
FIRST = Ontology("fire", 1, CLASSES)


def told(version, text):
    return Instructions(version, "fire@1", text)


def words(*versions, ontology=FIRST, known=(FIRST,)):
    """Versions a day apart; the first held half a day before NOW."""
    return Words([(NOW + DAY * (n - 0.5), one) for n, one in enumerate(versions)], {o.id: o for o in known}, ontology)


def drawn(*, by="person:ann", kind="burn", label="burned", at=NOW, empty=False, **more):
    (task,) = [replace(one, ontology="fire@1") for one in tasks_of(GRID, kind=kind)]
    mask = np.zeros((64, 64), bool)
    mask[8:20, 8:20] = not empty
    return task, answer(task, GRID, mask, by=by, at=at, label=label, **more)


def flagged(pairs, said):
    frame = outdated([task for task, _ in pairs], [one for _, one in pairs], said)
    return [tuple(row) for row in frame[["annotator", "class", "touch"]].itertuples(index=False)]


# ---------------------------------------------------------------------- instructions
def test_what_is_said_differently_is_told_by_class():
    assert told_differently(told(1, TEXT), told(2, TEXT)) == {}
    other = told_differently(told(1, TEXT), told(2, TEXT.replace("char", "char and ash")))
    assert other == {"burned": "instructions 1 -> 2: its note changed"}
    general = told_differently(told(1, TEXT), told(2, TEXT.replace("both dates", "the date after")))
    assert list(general) == [None]
    more = told_differently(told(1, TEXT), told(2, TEXT + "\n### `unburned`\n\nKeep islands.\n"))
    assert more == {"unburned": "instructions 1 -> 2: its note is new"}
    less = told_differently(told(2, TEXT + "\n### `unburned`\n\nKeep islands.\n"), told(3, TEXT))
    assert less == {"unburned": "instructions 2 -> 3: its note is gone"}


def test_an_answer_is_held_against_what_was_told_when_it_was_given():
    said = words(told(1, TEXT), told(2, TEXT), told(3, TEXT.replace("char", "char and ash")))
    assert flagged([drawn(at=NOW)], said) == [("person:ann", "burned", "uses")]
    assert flagged([drawn(at=NOW + DAY)], said) == [("person:ann", "burned", "uses")]
    assert flagged([drawn(at=NOW + 2 * DAY)], said) == []  # after the change
    assert flagged([drawn(by="rule:burned@1")], said) == []  # a rule reads nothing


def test_only_answers_that_the_changed_class_may_concern_are_flagged():
    said = words(told(1, TEXT), told(2, TEXT.replace("Open water", "Water of any kind")))
    burn, terrain = drawn(), drawn(kind="terrain", label="water", by="person:bob")
    looked = drawn(kind="terrain", empty=True, by="person:cat")
    assert flagged([burn, terrain, looked], said) == [
        ("person:bob", "water", "uses"),
        ("person:cat", "water", "may use"),
    ]


def test_a_change_for_all_classes_touches_everybody():
    said = words(told(1, TEXT), told(2, TEXT.replace("both dates", "the date after")))
    found = flagged([drawn(), drawn(empty=True, by="person:bob")], said)
    assert [(name, touch) for name, _, touch in found] == [("person:ann", "uses"), ("person:bob", "may use")]


def test_unrecorded_instructions_are_said_to_be():
    said = Words([(datetime(2030, 1, 1, tzinfo=UTC), told(4, TEXT))], {"fire@1": FIRST}, FIRST)
    task, given = drawn()
    (why,) = outdated([task], [given], said)["why"]
    assert why == "given under instructions 1, which are not recorded; now 4"


# ---------------------------------------------------------------------- ontology
@pytest.fixture
def second():
    meant = replace(CLASSES[0], description="killed or scorched by fire", colour="#bb0000")
    return Ontology("fire", 2, (meant, CLASSES[1], Class("bare", "Bare", 4, "terrain", "#999999")))


def test_a_changed_class_list_touches_what_it_speaks_of(second):
    changed = listed_differently(FIRST, second)
    assert changed == {
        "burned": "fire@1 -> fire@2: it has another description",  # the colour is only its look
        "water": "fire@1 -> fire@2: the class is gone",
        "bare": "fire@1 -> fire@2: the class is new",
    }
    said = words(ontology=second, known=(FIRST, second))
    pairs = [drawn(), drawn(by="rule:burned@1"), drawn(kind="terrain", label="water", by="person:bob")]
    assert flagged(pairs, said) == [
        ("person:ann", "burned", "uses"),
        ("rule:burned@1", "burned", "uses"),
        ("person:bob", "bare", "may use"),
        ("person:bob", "water", "uses"),
    ]


def test_answers_under_the_present_list_are_not_touched(second):
    task, given = drawn(ontology="fire@2")
    assert flagged([(task, given)], words(ontology=second, known=(FIRST, second))) == []


def test_a_migrated_answer_was_still_given_under_the_old_list(second):
    task, given = drawn(ontology="fire@2", how="migrate:fire@1->fire@2")
    said = words(ontology=second, known=(FIRST, second))
    assert flagged([(task, given)], said) == [("person:ann", "burned", "uses")]


def test_a_list_that_nobody_recorded_is_said_to_be(second):
    task, given = drawn(ontology="other@9")
    (why,) = outdated([task], [given], words(ontology=second, known=(second,)))["why"]
    assert why == "given under other@9, which is not recorded; now fire@2"
