"""Batches said by many at once, in a file and in a database: what is said rests on how they stand."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from geolabel.errors import OvertakenError, QualityError
from geolabel.nouns.batch import Acceptance, Batch
from geolabel.steps import batches, inspection
from geolabel.store.ledger import Ledger
from labels import tasks_of, utm_grid

TASKS = tasks_of(utm_grid(256, 256))
BY = "system:geolabel"


def at_once(where, *jobs):
    """What each job says of the ledger, or the sentence that it is refused with; all begin together."""

    def run(job):
        ledger = Ledger.open(where)
        try:
            return job(ledger)
        except QualityError as error:
            return error.message
        finally:
            ledger.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def ids(*numbers):
    return tuple(TASKS[n].id for n in numbers)


def test_of_many_who_plan_a_task_at_once_one_has_it(where, ledger):
    planned = [Batch(f"b{n}", "burn", ids(0, n)) for n in range(1, 7)]
    said = at_once(where, *(lambda own, one=one: batches.plan(own, one, TASKS, BY) for one in planned))
    (first,) = [one for one in said if isinstance(one, Batch)]
    assert all("which is not delivered" in one for one in said if one is not first)
    assert list(batches.standings(ledger)) == [first.name]
    assert ledger.check() == []


def test_of_many_who_draw_one_sample_holds(where, ledger):
    batches.plan(ledger, Batch("all", "burn", tuple(task.id for task in TASKS)), TASKS, BY)
    said = at_once(where, *(lambda own, n=n: inspection.draw(own, "all", (), "labels", n, BY) for n in range(4)))
    assert len({one.task_ids for one in said}) == 1
    found = dict.fromkeys(said[0].task_ids, ())
    told = at_once(where, *(lambda own: inspection.inspect(own, "all", found, "labels", 1.0, BY) for _ in range(3)))
    assert sum(not isinstance(one, str) for one in told) == 1
    assert batches.standings(ledger)["all"].minutes == 1.0  # of one inspection
    with pytest.raises(QualityError, match="its labels changed since"):
        inspection.inspect(ledger, "all", found, "others", 1.0, BY)


def test_what_is_said_is_looked_at_again_where_others_spoke(ledger):
    batches.plan(ledger, Batch("one", "burn", ids(0)), TASKS, BY)
    looked = []

    def tell(found):
        looked.append(found["one"].batch.priority)
        if len(looked) == 1:
            batches.change(ledger, "one", BY, priority=4)  # somebody else, in between
        return {"batch": "one", "step": "change", "terms": Batch("one", "burn", ids(0), len(looked)).to_row()}

    batches.say(ledger, tell, BY)
    assert looked == [0, 4]
    assert batches.standings(ledger)["one"].batch.priority == 2

    def never(found):
        batches.change(ledger, "one", BY, priority=found["one"].batch.priority + 1)
        return {"batch": "one", "step": "change", "terms": Batch("one", "burn", ids(0)).to_row()}

    with pytest.raises(OvertakenError):
        batches.say(ledger, never, BY)
    assert batches.standings(ledger)["one"].batch.priority == 2 + batches.ATTEMPTS


def test_changed_terms_hold_for_what_comes(ledger):
    one = Batch("one", "burn", ids(0, 1), acceptance=Acceptance())
    batches.plan(ledger, one, TASKS, BY)
    changed = batches.change(ledger, "one", BY, overlap=3, acceptance=Acceptance(0.01, 0.2))
    assert (changed.overlap, changed.acceptance.aql, changed.task_ids) == (3, 0.01, one.task_ids)
    counted = len(ledger.events("batch"))
    assert batches.change(ledger, "one", BY, overlap=3) == changed
    assert len(ledger.events("batch")) == counted
