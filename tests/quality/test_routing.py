"""Who is given which task next: never one twice, doubt first, gold at its rate and unseen, the same again with the seed."""

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolabel.quality.flow.review import Standing
from geolabel.quality.flow.routing import Rules, Work, away, draw, order, queue
from labels import tasks_of, utm_grid

GRID = utm_grid(640, 640)
TASKS = tasks_of(GRID)  # 10 x 10
NO_GOLD = Rules(gold_rate=0, calibration=0)


def purposed(gold=0, calibration=0):
    """Works, the first of them gold, the next calibration."""
    names = ["gold"] * gold + ["calibration"] * calibration + ["new"] * (len(TASKS) - gold - calibration)
    return [Work(replace(task, purpose=name)) for task, name in zip(TASKS, names, strict=True)]


def served(works, rules, who, count):
    """Tasks that one annotator is given one after the other."""
    by, last = {one.task.id: n for n, one in enumerate(works)}, None
    works, given_ = list(works), []
    for _ in range(count):
        offered = order(who, works, rules, last=last)
        if not offered:
            break
        n = by[offered[0]]
        works[n] = replace(works[n], seen=works[n].seen | {who})
        last = works[n].task
        given_.append(last)
    return given_


def test_everybody_is_given_everything_once():
    given_ = served(purposed(), NO_GOLD, "person:a", 200)
    assert sorted(task.id for task in given_) == sorted(task.id for task in TASKS)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.floats(0, 1) | st.just(math.nan)), max_size=30))
def test_only_free_tasks_that_they_have_not_seen_are_offered_and_doubt_comes_first(told):
    works = [
        Work(task, frozenset({"person:a"} if seen else ()), places, agreement)
        for task, (seen, places, agreement) in zip(TASKS, told, strict=False)
    ]
    offered = order("person:a", works, NO_GOLD)
    assert set(offered) == {one.task.id for one in works if one.places and "person:a" not in one.seen}
    doubt = {one.task.id: math.inf if math.isnan(one.agreement) else one.agreement for one in works}
    assert [doubt[task] for task in offered] == sorted(doubt[task] for task in offered)
    assert offered == order("person:a", works[::-1], NO_GOLD)  # whatever order they are told in


def test_priority_comes_after_doubt_and_before_place():
    works = purposed()
    works[7] = replace(works[7], priority=1.0)
    works[50] = replace(works[50], agreement=0.5)
    works[51] = replace(works[51], agreement=0.5, priority=2.0)
    offered = order("person:a", works, NO_GOLD, last=TASKS[99])
    assert offered[:4] == [TASKS[n].id for n in (51, 50, 7, 99)]


def test_the_next_task_is_a_neighbour():
    """Nearest first: on a full grid of tasks each step goes to an adjoining tile until they run out around it."""
    given_ = served(purposed(), NO_GOLD, "person:a", 30)
    steps = [away(one, other) for one, other in itertools.pairwise(given_)]
    assert np.median(steps) == 64  # one tile
    shuffled = np.random.default_rng(1).permutation(len(TASKS))[:31]
    assert np.mean(steps) < 0.3 * np.mean([away(TASKS[i], TASKS[j]) for i, j in itertools.pairwise(shuffled)])


def test_annotators_begin_apart_and_the_seed_says_where():
    first = [order(f"person:{n}", purposed(), NO_GOLD)[0] for n in range(40)]
    assert len(set(first)) > 25
    assert first == [order(f"person:{n}", purposed(), NO_GOLD)[0] for n in range(40)]
    assert first != [order(f"person:{n}", purposed(), replace(NO_GOLD, seed=1))[0] for n in range(40)]


def test_gold_comes_at_its_rate():
    """Over 60 annotators of 20 assignments: 0.2 within four standard errors."""
    works = purposed(gold=30)
    kinds = Counter(t.purpose for n in range(60) for t in served(works, Rules(0.2, 0), f"person:{n}", 20))
    share = kinds["gold"] / kinds.total()
    assert abs(share - 0.2) < 4 * math.sqrt(0.2 * 0.8 / kinds.total())


def test_gold_is_served_at_no_foreseeable_moment():
    """The gaps between gold tasks are those of a coin: each is followed by gold as often as any other task is."""
    works = purposed(gold=40)
    runs = [[t.purpose == "gold" for t in served(works, Rules(0.3, 0), f"person:{n}", 25)] for n in range(60)]
    after = Counter((one, other) for run in runs for one, other in itertools.pairwise(run))
    share = [after[was, True] / (after[was, True] + after[was, False]) for was in (True, False)]
    assert abs(share[0] - share[1]) < 0.12


def test_gold_comes_in_the_order_of_work_so_that_neither_place_nor_doubt_tells_it_apart():
    last = TASKS[55]
    works = [Work(replace(task, purpose="gold" if n % 2 else "new")) for n, task in enumerate(TASKS)]
    always, never = order("a", works, Rules(1.0, 0), last=last), order("a", works, NO_GOLD, last=last)
    near = {task.id: away(task, last) for task in TASKS}
    assert near[always[0]] == near[never[0]] == 0 or abs(near[always[0]] - near[never[0]]) <= 64


def test_a_long_way_does_not_give_gold_away():
    """Gold lies thin, so the next one is far; of those who are sent far at most about half are sent to gold."""
    works = [Work(replace(task, purpose="gold" if n % 7 == 3 else "new")) for n, task in enumerate(TASKS)]
    far = Counter()
    for n in range(60):
        given_ = served(works, Rules(0.15, 0), f"person:{n}", 25)
        far.update(t.purpose for last, t in itertools.pairwise(given_) if away(t, last) > 1.5 * 64)
    assert far.total() > 200
    assert far["gold"] / far.total() < 0.65


def test_without_work_to_hide_it_among_there_is_no_gold():
    works = [replace(one, places=0) if one.task.purpose == "new" else one for one in purposed(gold=5)]
    assert order("person:a", works, Rules(1.0, 0)) == []


def test_newcomers_are_calibrated_first():
    given_ = served(purposed(gold=10, calibration=5), Rules(0.1, 3), "person:new", 12)
    assert [task.purpose for task in given_[:3]] == ["calibration"] * 3
    assert "calibration" not in {task.purpose for task in given_[3:]}


def test_a_queue_of_reviews_begins_with_what_is_most_disputed():
    told = {
        "b": ("disputed", 0.6), "a": ("disputed", 0.6), "c": ("disputed", 0.3), "d": ("agreed", 0.8),
        "e": ("agreed", math.nan), "f": ("accepted", 0.1), "g": ("answered", math.nan),
    }  # fmt: skip
    standings = {task: Standing(state=state, agreement=agreement) for task, (state, agreement) in told.items()}
    assert queue(standings) == ["c", "a", "b", "d", "e"]
    assert queue(standings, {"b": 1.0}) == ["c", "b", "a", "d", "e"]


def test_draws_are_even():
    seen = np.array([draw(3, "x", n) for n in range(4000)])
    assert 0 <= seen.min() < seen.max() < 1
    assert seen.mean() == pytest.approx(0.5, abs=0.03)
    assert np.histogram(seen, 10, (0, 1))[0].min() > 300
