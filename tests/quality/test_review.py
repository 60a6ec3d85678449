"""The way of a task: what is allowed, what is refused and how it is said, and that no path leads around a reviewer."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geolabel.errors import QualityError
from geolabel.quality.flow.review import ALLOWED, STATES, Heard, Standing, Step, decide, due, folded, wanted

ME = "system:geolabel"


def heard(count=2, status="agreed", agreement=0.9, answers="a", **more):
    return Heard(count, status=status, agreement=agreement, consensus="c", answers=answers, **more)


def settled(standing, what, overlap=2):
    for step in due(standing, what, overlap, by=ME):
        standing = standing.after(step)
    return standing


def reviewed(standing, decision="accept", **more):
    for step in decide(standing, "person:rev", decision, answered={"person:a"}, why="looked at it", **more):
        standing = standing.after(step)
    return standing


def test_the_whole_way():
    """The walk of the issue: new, answered, disputed, reviewed, sent back, answered, agreed, reviewed, accepted."""
    disputed = settled(Standing(), heard(status="disputed", agreement=0.4))
    assert (disputed.state, disputed.agreement) == ("disputed", 0.4)
    back = reviewed(disputed, "send back")
    assert (back.state, back.rounds) == ("sent back", 1)
    again = settled(back, heard(3, fresh=True, answers="b"))
    assert (again.state, again.agreement, again.rounds) == ("agreed", 0.9, 1)
    done = reviewed(again, minutes=2.5)
    assert (done.state, done.minutes, done.reviewers) == ("accepted", 2.5, {"person:rev"})
    reopened = done.after(done.step("answered", by="person:lead", why="the class was split"))
    assert (reopened.state, reopened.rounds) == ("answered", 2)


def test_steps_come_back_from_their_events():
    standing, payloads = Standing(), []
    for steps in (
        due(standing, heard(status="disputed", agreement=0.5), 2, by=ME),
        decide(settled(standing, heard(status="disputed", agreement=0.5)), "person:r", "accept", answered=(), why="w"),
    ):
        payloads += [step.payload for step in steps]
    assert [(one["from"], one["to"]) for one in payloads] == [
        ("new", "answered"),
        ("answered", "disputed"),
        ("disputed", "reviewed"),
        ("reviewed", "accepted"),
    ]
    back = folded(payloads)
    assert (back.state, back.agreement, back.last) == ("accepted", 0.5, Step.of(payloads[-1]))
    with pytest.raises(QualityError, match="may not step"):
        folded([payloads[0], payloads[2]])
    with pytest.raises(QualityError, match="no step"):
        folded([{"to": "answered"}])


@pytest.mark.parametrize("state", STATES)
def test_what_is_not_allowed_is_refused_and_the_hint_says_what_is(state):
    standing = Standing(state=state)
    for to in STATES:
        if to in ALLOWED[state]:
            assert standing.after(standing.step(to, by="a", why="w")).state == to
            continue
        with pytest.raises(QualityError) as raised:
            standing.step(to, by="a", why="w")
        assert all(name in raised.value.hint for name in ALLOWED[state])


@given(st.lists(st.sampled_from(STATES), max_size=12))
def test_nothing_that_was_disputed_is_accepted_without_a_reviewer(walk):
    """Whatever steps are tried in whatever order: between a dispute and acceptance lies agreement or a review."""
    standing, since = Standing(), "agreed"
    for to in walk:
        try:
            standing = standing.after(standing.step(to, by="person:r", why="w"))
        except QualityError:
            continue
        if to in ("agreed", "disputed", "reviewed"):
            since = to
        assert standing.state != "accepted" or since in ("agreed", "reviewed")
        assert standing.state == "new" or standing.last.to == standing.state


def test_without_enough_answers_nothing_is_due():
    assert due(Standing(), heard(1), 2, by=ME) == []
    assert [step.to for step in due(Standing(), Heard(2), 2, by=ME)] == ["answered"]  # no consensus yet


def test_what_did_not_change_is_not_written_again():
    agreed = settled(Standing(), heard())
    assert due(agreed, heard(), 2, by=ME) == []
    assert due(agreed, heard(agreement=0.91), 2, by=ME) == []  # others' answers moved the weights, not this task's
    assert [step.to for step in due(agreed, heard(3, answers="b"), 2, by=ME)] == ["answered", "agreed"]
    assert [step.to for step in due(agreed, heard(status="disputed"), 2, by=ME)] == ["disputed"]  # another method
    for done in (reviewed(agreed), reviewed(agreed, "send back")):
        assert due(done, heard(9, answers="z", status="disputed"), 2, by=ME) == []


def test_one_voice_has_no_agreement_and_says_so():
    first, second = due(Standing(), heard(1, agreement=math.nan), 1, by=ME)
    assert (first.why, second.why, second.agreement) == ("answered once", "one voice", None)
    assert "agreement" not in second.payload
    assert math.isnan(settled(Standing(), heard(1, agreement=math.nan), 1).agreement)


def test_who_answered_may_not_review():
    with pytest.raises(QualityError, match="may not review") as raised:
        decide(settled(Standing(), heard()), "person:a", "accept", answered={"person:a"}, why="mine is good")
    assert "somebody else" in raised.value.hint


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"decision": "acept"}, "did you mean 'accept'"),
        ({"why": " "}, "why="),
        ({"decision": "send back", "correction": "uuid"}, "send it back"),
    ],
)
def test_reviews_without_sense_are_refused(how, says):
    told = {"decision": "accept", "why": "w", **how}
    with pytest.raises(QualityError) as raised:
        decide(settled(Standing(), heard()), "person:r", told.pop("decision"), answered=(), **told)
    assert says in raised.value.hint


def test_a_task_that_was_not_settled_says_how_it_is():
    with pytest.raises(QualityError) as raised:
        decide(Standing(state="answered"), "person:r", "accept", answered=(), why="w")
    assert "project.settle()" in raised.value.hint


def test_a_correction_stands_until_the_task_is_reopened():
    done = reviewed(settled(Standing(), heard()), correction="uuid")
    assert (done.state, done.correction) == ("accepted", "uuid")
    assert done.after(done.step("answered", by="a", why="w")).correction is None


def test_more_people_are_asked_where_they_dispute_and_after_each_round():
    assert wanted(Standing(), 2, more_if_disputed=1) == 2
    disputed = settled(Standing(), heard(status="disputed"))
    assert wanted(disputed, 2, more_if_disputed=1) == 3
    assert wanted(reviewed(disputed, "send back"), 2, more_if_disputed=1) == 3
