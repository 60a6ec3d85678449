from dataclasses import replace

import numpy as np
import pytest

from geolabel.errors import QualityError
from geolabel.quality.people.gold import Gold, agrees, check_experts, easiest, expert_iou, exposure, midway, read, spent
from geolabel.quality.simulate import HABITS, annotate, draw
from labels import NOW, answer, scar, tasks_of, utm_grid

GRID = utm_grid()
(TASK,) = tasks_of(GRID)
MADE = Gold("t", "standing", ("u1", "u2"), "g", ("person:a", "person:b"), 0.9)


def told(*golds):
    return read(one.to_row() for one in golds)


def box(*at, size=64):
    drawn = np.zeros((size, size), np.int8)
    drawn[at[0] : at[2], at[1] : at[3]] = 1
    return drawn


# ---------------------------------------------------------------------- the way of gold
def test_gold_is_what_was_said_last():
    disputed = Gold("t", "disputed", ("u1", "u2"), experts=("person:a", "person:b"), iou=0.4)
    decided = disputed.to("standing", answer="u3", adjudicator="person:c")
    assert told(disputed)["t"].in_force is False
    assert told(disputed, decided) == {"t": decided}
    appealed = decided.to("appealed", appellant="person:d")
    assert told(disputed, decided, appealed)["t"].answer == "u3"  # in force until it is decided
    for last, force in ((appealed.to("upheld"), True), (appealed.to("overturned", answer=None), False)):
        assert told(disputed, decided, appealed, last)["t"].in_force is force
    assert told(disputed, decided, decided.to("retired"))["t"].in_force is False


def test_a_row_comes_back():
    assert Gold.from_row(MADE.to_row()) == MADE


@pytest.mark.parametrize(
    "way", [("appealed",), ("upheld",), ("overturned",), ("standing", "upheld"), ("standing", "disputed")]
)
def test_steps_that_do_not_follow_are_refused(way):
    with pytest.raises(QualityError) as error:
        told(*(replace(MADE, state=state) for state in way))
    assert error.value.hint


def test_two_truths_of_one_task_contradict_each_other():
    with pytest.raises(QualityError, match="contradicts itself: g and h stand"):
        told(MADE, replace(MADE, answer="h"))
    assert told(MADE, replace(MADE, use="calibration"))["t"].use == "calibration"
    with pytest.raises(QualityError, match="contradicts itself"):
        told(MADE, MADE.to("appealed"), MADE.to("appealed").to("upheld", answer="h"))


def test_unknown_words_name_the_nearest():
    with pytest.raises(QualityError) as error:
        Gold("t", "standng")
    assert "'standing'" in error.value.hint
    with pytest.raises(QualityError):
        Gold("t", "standing", use="training")


# ---------------------------------------------------------------------- two experts
def test_experts_are_two_people_with_complete_answers():
    good = [answer(TASK, GRID, box(0, 0, 9, 9), by=f"person:{n}") for n in "ab"]
    check_experts(good, TASK.id)
    bad = {
        "decide twice": [good[0], replace(good[0], uuid="again")],
        "makes no gold": [good[0], answer(TASK, GRID, box(0, 0, 9, 9), by="rule:burned@2")],
        "unsure": [good[0], answer(TASK, GRID, box(0, 0, 0, 0), by="person:c", outcome="unsure")],
        "answered": [good[0], replace(good[1], task_id="elsewhere")],
    }
    for words, answers in bad.items():
        with pytest.raises(QualityError, match=words):
            check_experts(answers, TASK.id)
    with pytest.raises(QualityError, match="person:b would decide twice"):
        check_experts([good[1]], TASK.id, barred=["person:b"])


def test_experts_agree_class_by_class():
    one, other = (
        np.where(box(0, 0, 64, 32) > 0, 1, 2).astype(np.int8),
        np.where(box(0, 0, 64, 30) > 0, 1, 2).astype(np.int8),
    )
    iou = expert_iou(one, other, ["forest", "grass"])
    assert iou == {"forest": 30 / 32, "grass": 32 / 34}
    assert agrees(iou, 0.9)
    assert not agrees(iou, 0.9, {"grass": 0.95})
    assert not agrees({"forest": 0.0}, 0.8)
    assert agrees(expert_iou(box(0, 0, 0, 0), box(0, 0, 0, 0), ["burned"]))  # both looked and found nothing


def test_the_truth_lies_midway():
    middle = midway(box(10, 10, 50, 30), box(10, 10, 50, 40), 1)
    assert (middle[20] > 0).sum() == pytest.approx(25, abs=1)
    assert (midway(box(9, 9, 30, 30), box(9, 9, 30, 30), 1) == box(9, 9, 30, 30)).all()
    assert not midway(box(0, 0, 0, 0), box(20, 20, 30, 30), 1).any()  # what one of them does not see is not true
    unknown = np.where(box(0, 0, 64, 20) > 0, -1, box(10, 10, 50, 30)).astype(np.int8)
    assert (midway(unknown, box(10, 10, 50, 30), 1)[:, :20] == -1).all()


def test_midway_of_two_experts_is_nearer_to_the_truth_than_they_are():
    from geolabel.quality.scores import iou

    gains = []
    for seed in range(6):
        truth = scar(128, seed)
        one, other = (draw(truth, HABITS["expert"], np.random.default_rng([seed, n])) for n in (1, 2))
        fused = midway(one.astype(np.int8), other.astype(np.int8), 1) > 0
        gains.append(iou(fused, truth) - (iou(one, truth) + iou(other, truth)) / 2)
    assert np.mean(gains) > 0.005
    assert min(gains) > 0


def test_several_classes_share_the_ground_without_gaps():
    one, other = (
        np.where(box(0, 0, 64, 20) > 0, 1, 2).astype(np.int8),
        np.where(box(0, 0, 64, 40) > 0, 1, 2).astype(np.int8),
    )
    middle = midway(one, other, 2)
    assert set(np.unique(middle)) == {1, 2}
    assert (middle[5] == 1).sum() == pytest.approx(30, abs=1)


# ---------------------------------------------------------------------- rotation
def test_gold_that_everybody_saw_is_spent():
    grid = utm_grid(128, 128)
    tasks = tasks_of(grid, 32)
    given = [a for n in (1, 2, 3) for a in annotate(scar(), grid, tasks[: 4 * n], habit="expert", n=n, at=NOW)]
    golds = {t.id: replace(MADE, task_id=t.id, experts=("person:a",)) for t in tasks[:8:2]}
    people = {f"sim:expert-{n}" for n in (1, 2, 3)}
    assert spent(golds, given, people) == [tasks[0].id, tasks[2].id]
    assert spent(golds, given, people - {"sim:expert-1"}) == sorted(golds)
    assert spent(golds, given, []) == []
    assert spent({key: replace(one, use="calibration") for key, one in golds.items()}, given, people) == []
    assert exposure(golds, given, {})[tasks[0].id] == 3
    assert exposure(golds, given, {tasks[0].id: ("sim:expert-1",)})[tasks[0].id] == 2


def test_the_easiest_are_those_on_which_experts_agreed_most():
    golds = {
        name: replace(MADE, task_id=name, iou=iou) for name, iou in (("a", 0.9), ("b", 1.0), ("c", 1.0), ("d", None))
    }
    golds["e"] = replace(MADE, task_id="e", iou=1.0, use="calibration")
    assert easiest(golds, 2) == ["b", "c"]
    assert easiest(golds, 9) == ["b", "c", "a"]
