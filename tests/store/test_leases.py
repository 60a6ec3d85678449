"""Leases: nobody is given a task twice, no task to more people than it has places; and streams that move on."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from geolabel.errors import InputError, StoreError
from geolabel.store.events import NewEvent
from labels import NOW, answer, scar, tasks_of, utm_grid

GRID = utm_grid(128, 128)
TASKS = tasks_of(GRID)
MASK = scar()[:64, :64]
PLACES = [(task.id, 2) for task in TASKS]
LATER = NOW + timedelta(minutes=31)


def given(task, by, **more):
    return answer(task, GRID, MASK, by=by, **more)


def test_tasks_are_given_in_the_order_asked_for_until_their_places_are_taken(ledger):
    names = [f"person:{letter}" for letter in "abcdefgh"]
    taken = [ledger.leases.take(PLACES, who, now=NOW).task_id for who in names]
    assert taken == [task.id for task in TASKS for _ in range(2)]
    assert ledger.leases.take(PLACES, "person:late", now=NOW) is None
    assert [one.annotator for one in ledger.leases.open(NOW)] == names


def test_who_holds_a_lease_is_given_it_again(ledger):
    first = ledger.leases.take(PLACES, "person:a", now=NOW)
    assert ledger.leases.take(PLACES[1:], "person:a", now=NOW + timedelta(minutes=5)) == first
    assert ledger.leases.take(PLACES, "person:a", now=NOW, role="review").role == "review"  # another role: another task
    assert len(ledger.leases.find(annotator="person:a")) == 2


def test_a_lease_that_ran_out_frees_its_place_but_not_for_who_held_it(ledger):
    one = [(TASKS[0].id, 1)]
    first = ledger.leases.take(one, "person:a", now=NOW)
    assert ledger.leases.take(one, "person:b", now=NOW + timedelta(minutes=29)) is None
    assert ledger.leases.take(one, "person:b", now=LATER).task_id == first.task_id
    assert ledger.leases.take(one, "person:a", now=LATER + timedelta(days=9)) is None
    old = ledger.leases.find(annotator="person:a")[0]
    assert (old.how, old.ended_at) == ("expired", first.expires_at)
    with pytest.raises(StoreError, match="expired"):
        ledger.leases.renew(first, now=LATER)


def test_a_renewed_lease_lives_on_and_a_released_one_is_over(ledger):
    one = [(TASKS[0].id, 1)]
    lease = ledger.leases.take(one, "person:a", now=NOW)
    lease = ledger.leases.renew(lease, now=NOW + timedelta(minutes=29))
    assert ledger.leases.take(one, "person:b", now=LATER) is None
    ended = ledger.leases.release(lease, now=LATER)
    assert ledger.leases.find() == [ended]
    assert ledger.leases.take(one, "person:a", now=LATER) is None
    assert ledger.leases.take(one, "person:b", now=LATER) is not None
    with pytest.raises(StoreError, match="released"):
        ledger.leases.release(lease, now=LATER)


def test_an_answer_ends_its_lease_in_the_same_transaction(ledger):
    lease = ledger.leases.take(PLACES, "person:a", now=NOW)
    ledger.append_answers([given(TASKS[0], "person:a"), given(TASKS[1], "person:b")], actor="a")
    assert ledger.leases.open(NOW) == []
    assert ledger.leases.find() == [replace(lease, ended_at=NOW, how="answered")]
    ledger.leases.take(PLACES[2:], "person:c", now=NOW)
    twice = given(TASKS[2], "person:c")
    with pytest.raises(StoreError, match="already in the ledger"):
        ledger.append_answers([twice, twice], actor="a")
    assert len(ledger.leases.open(NOW)) == 1  # nothing was written, so nothing ended


def test_people_fill_places_and_rules_do_not(ledger):
    told = [("rule:burned@1", {}), ("model:unet@1", {}), ("person:a", {"outcome": "skipped"}), ("person:b", {})]
    for by, more in told:
        mask = MASK & False if more else MASK
        ledger.append_answers([answer(TASKS[0], GRID, mask, by=by, **more)], actor=by)
    place = [(TASKS[0].id, 2)]
    for seen in ("person:a", "person:b"):
        assert ledger.leases.take(place, seen, now=NOW) is None  # who skipped it has seen it
    assert ledger.leases.take(place, "person:c", now=NOW) is not None
    assert ledger.leases.take(place, "person:d", now=NOW) is None
    assert ledger.leases.take([(TASKS[0].id, None)], "person:d", now=NOW) is not None


def test_nobody_is_given_for_review_what_they_answered_and_one_reviewer_is_enough(ledger):
    ledger.append_answers([given(TASKS[0], "person:a"), given(TASKS[0], "person:b")], actor="a")
    place = [(TASKS[0].id, 1)]
    assert ledger.leases.take(place, "person:a", now=NOW, role="review") is None
    assert ledger.leases.take(place, "person:c", now=NOW, role="review") is not None
    assert ledger.leases.take(place, "person:d", now=NOW, role="review") is None
    ledger.append("review", stream=TASKS[1].id, actor="person:e", payload={})
    assert ledger.leases.take([(TASKS[1].id, 9)], "person:e", now=NOW) is None  # nor to answer what they reviewed


def test_a_late_answer_is_refused_where_a_lease_is_asked_for(ledger):
    place = [(TASKS[0].id, 1)]
    ledger.leases.take(place, "person:a", now=NOW)
    ledger.leases.take(place, "person:b", now=LATER)
    with pytest.raises(StoreError, match="holds no open lease") as raised:
        ledger.append_answers([given(TASKS[0], "person:a")], actor="person:a", leased=True)
    assert "next task" in raised.value.hint
    assert ledger.events() == []
    ledger.append_answers([given(TASKS[0], "person:b")], actor="person:b", leased=True)
    ledger.append_answers([given(TASKS[0], "person:a")], actor="person:a")  # nobody asked: what was done is kept
    assert len(ledger.answers()) == 2


def test_many_at_once_never_get_more_than_there_is(ledger):
    """Sixteen threads ask for everything they can get."""

    def work(n):
        taken = []
        while (lease := ledger.leases.take(PLACES, f"person:{n}", now=NOW)) is not None:
            taken.append(lease.task_id)
            task = next(task for task in TASKS if task.id == lease.task_id)
            ledger.append_answers([given(task, lease.annotator)], actor=lease.annotator, leased=True)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [task for own in pool.map(work, range(16)) for task in own]
    assert sorted(taken) == sorted(task for task, places in PLACES for _ in range(places))
    assert {one.how for one in ledger.leases.find()} == {"answered"}
    assert ledger.check() == []


@pytest.mark.parametrize(
    "more", [{"now": datetime(2024, 1, 1)}, {"now": NOW, "minutes": 0}, {"now": NOW, "role": "boss"}]
)
def test_what_is_no_lease_is_refused(ledger, more):
    with pytest.raises(InputError) as raised:
        ledger.leases.take(PLACES, "person:a", **more)
    assert raised.value.hint


def test_heads_say_who_answered_without_the_shapes(ledger):
    old = given(TASKS[0], "person:a", active_s=3.5)
    new = given(TASKS[0], "person:a", supersedes=old.uuid)
    ledger.append_answers([old, given(TASKS[1], "person:b")], actor="a")
    ledger.append_answers([new], actor="person:a")
    assert [(one.uuid, one.corrected, one.event) for one in ledger.heads(TASKS[0].id)] == [
        (old.uuid, True, 1),
        (new.uuid, False, 2),
    ]
    assert [one.task_id for one in ledger.heads()] == [TASKS[0].id, TASKS[1].id, TASKS[0].id]
    assert ledger.heads()[0].active_s == 3.5


# ---------------------------------------------------------------------- compare and append
def told(stream, n, **more):
    return NewEvent("review", {"n": n}, "person:a", stream, **more)


def test_an_event_that_comes_after_one_is_refused_where_somebody_was_faster(ledger):
    first = ledger.append("review", stream="s", actor="a", payload={}, after=None)
    second = ledger.append("review", stream="s", actor="b", payload={}, after=first)
    assert ledger.last("s").digest == second
    assert ledger.last("t") is None
    for after in (None, first, "unheard of"):
        with pytest.raises(StoreError, match=r"faster.*event 2 \(review by b"):
            ledger.append("review", stream="s", actor="c", payload={}, after=after)
    with pytest.raises(StoreError, match=r"faster.*no event"):
        ledger.append("review", stream="t", actor="c", payload={}, after=first)
    assert len(ledger.events()) == 2


def test_many_events_are_chained_and_all_there_or_none(ledger):
    links = ledger.append_many([told("s", 0, after=None), told("t", 1), told("s", 2), told("s", 3)])
    assert [event.digest for event in ledger.events()] == links
    assert [event.payload["n"] for event in ledger.events(stream="s")] == [0, 2, 3]
    assert ledger.check() == []
    with pytest.raises(StoreError, match="faster"):
        ledger.append_many([told("u", 4), told("s", 5, after=links[0])])
    with pytest.raises(StoreError, match="come with answers"):
        ledger.append_many([told("u", 4), NewEvent("answer", {}, "a")])
    assert ledger.append_many([]) == []
    assert len(ledger.events()) == 4


def test_answers_and_what_follows_from_them_are_one_transaction(ledger):
    one = given(TASKS[0], "person:a")
    ledger.append_answers([one], actor="person:a", then=[told(TASKS[0].id, 0, after=None), told(TASKS[0].id, 1)])
    assert [event.kind for event in ledger.events(stream=TASKS[0].id)] == ["answer", "review", "review"]
    with pytest.raises(StoreError, match="faster"):
        ledger.append_answers([given(TASKS[0], "person:b")], actor="b", then=[told(TASKS[0].id, 2, after=None)])
    assert len(ledger.answers()) == 1
    assert ledger.check() == []


def test_of_many_who_decide_on_the_same_state_one_does(ledger):
    first = ledger.append("review", stream="s", actor="a", payload={})

    def decide(n):
        try:
            return ledger.append("review", stream="s", actor=f"w{n}", payload={"n": n}, after=first)
        except StoreError:
            return None

    with ThreadPoolExecutor(8) as pool:
        links = [link for link in pool.map(decide, range(16)) if link]
    assert links == [ledger.last("s").digest]
