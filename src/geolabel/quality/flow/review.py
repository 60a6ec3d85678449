"""Review: the way of a task from new to accepted, as a table of allowed steps folded from what the ledger says.

    new -> answered -> agreed / disputed -> reviewed -> accepted / sent back -> answered ...

The state of a task is that of the last step recorded of it; nothing else holds it. Every function is pure: the store
sees to it that two reviewers do not both step on from the same state.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from geolabel.errors import QualityError, nearest

State = Literal["new", "answered", "agreed", "disputed", "reviewed", "accepted", "sent back"]
STATES: tuple[State, ...] = get_args(State)
Decision = Literal["accept", "send back"]
DECISIONS: Mapping[str, State] = {"accept": "accepted", "send back": "sent back"}

ALLOWED: Mapping[State, tuple[State, ...]] = {
    "new": ("answered",),
    "answered": ("agreed", "disputed"),
    "agreed": ("answered", "disputed", "reviewed", "accepted"),  # accepted unseen: with the lot whose sample passed
    "disputed": ("answered", "agreed", "reviewed"),
    "reviewed": ("accepted", "sent back"),
    "sent back": ("answered",),
    "accepted": ("answered",),  # reopened
}
"""State -> the states that a task may step to."""
AGAIN: tuple[State, ...] = ("sent back", "accepted")
"""States out of which a task that steps to `answered` begins another round."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one task, as an event of kind `review` in its stream says it."""

    before: State
    to: State
    by: str
    why: str
    agreement: float | None = None
    """Of the consensus that it is about, 0-1; None where fewer than two were heard."""
    consensus: str | None = None
    """Digest of that consensus."""
    answers: str | None = None
    """Digest of the answers that were fused."""
    correction: str | None = None
    """uuid of the reviewer's own answer, which stands instead of the others."""
    minutes: float = 0.0
    """The reviewer's time."""

    @property
    def payload(self) -> dict[str, Any]:
        """Plain JSON values, without those that say nothing."""
        said = {"from": self.before, "to": self.to, "by": self.by, "why": self.why, "minutes": self.minutes}
        more = {name: getattr(self, name) for name in ("agreement", "consensus", "answers", "correction")}
        return said | {name: value for name, value in more.items() if value is not None}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Step:
        """The step of a payload.

        Raises
        ------
        QualityError
            For a payload that is none.
        """
        try:
            return cls(before=payload["from"], **{name: value for name, value in payload.items() if name != "from"})
        except (KeyError, TypeError) as error:
            raise QualityError(
                f"a review event that is no step: {error}", hint="`geolabel check` verifies it"
            ) from None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a task stands: its state, and what of its way still matters."""

    state: State = "new"
    last: Step | None = None
    rounds: int = 0
    """How often it was sent back or reopened."""
    agreement: float = math.nan
    answers: str | None = None
    """Digest of the answers that its agreement is of."""
    correction: str | None = None
    """uuid of the answer of a reviewer that stands instead of the others."""
    reviewers: frozenset[str] = field(default_factory=frozenset)
    minutes: float = 0.0
    """What all reviews took."""

    def after(self, step: Step) -> Standing:
        """Where the task stands after one more step.

        Raises
        ------
        QualityError
            For a step from another state, or one that is not allowed.
        """
        if step.before != self.state or step.to not in ALLOWED[self.state]:
            raise _refused(self.state, step.to, step.before)
        judged = step.to in ("agreed", "disputed")
        fresh = step.to == "answered"
        return replace(
            self,
            state=step.to,
            last=step,
            rounds=self.rounds + (step.to == "sent back" or (self.state == "accepted" and fresh)),
            agreement=_known(step.agreement) if judged else self.agreement,
            answers=step.answers if judged else self.answers,
            correction=None if fresh else step.correction or self.correction,
            reviewers=self.reviewers | {step.by} if step.to == "reviewed" else self.reviewers,
            minutes=self.minutes + step.minutes,
        )

    def step(self, to: State, *, by: str, why: str, **more: Any) -> Step:
        """A step from here.

        Raises
        ------
        QualityError
            Where it is not allowed, or nobody says why.
        """
        if to not in ALLOWED[self.state]:
            raise _refused(self.state, to)
        if not why.strip():
            raise QualityError(f"a step from {self.state!r} to {to!r} without a reason", hint="why='...'")
        return Step(self.state, to, by, why.strip(), **more)


def folded(payloads: Iterable[Mapping[str, Any]]) -> Standing:
    """Where a task stands after these steps, in their order.

    Raises
    ------
    QualityError
        For steps that do not follow one another.
    """
    standing = Standing()
    for payload in payloads:
        standing = standing.after(Step.of(payload))
    return standing


# ---------------------------------------------------------------------- what follows from answers
@dataclass(frozen=True, slots=True)
class Heard:
    """What answers say of one task at this moment."""

    count: int
    """People who answered it; who skipped it did not."""
    fresh: bool = False
    """Whether somebody answered, or corrected an answer, after the task was sent back."""
    status: Literal["agreed", "disputed"] | None = None
    """Of its consensus; None where there is none yet."""
    agreement: float = math.nan
    consensus: str | None = None
    answers: str | None = None


def wanted(standing: Standing, overlap: int, *, more_if_disputed: int = 0) -> int:
    """How many people are to answer: the overlap, one more a round, and some more while it is disputed."""
    return overlap + standing.rounds + (more_if_disputed if standing.state == "disputed" else 0)


def due(standing: Standing, heard: Heard, overlap: int, *, by: str) -> list[Step]:
    """The steps that follow from the answers without anybody's decision; none where nothing changed.

    new -> answered when `overlap` people answered; sent back -> answered with the first answer after it; and on to
    agreed or disputed as the consensus says. Agreed and disputed tasks go back to answered when other answers were
    fused. What was accepted stays accepted: who wants it otherwise reopens it.
    """
    steps: list[Step] = []
    moved = standing.state in ("agreed", "disputed") and heard.answers not in (None, standing.answers)
    enough = standing.state == "new" and heard.count >= overlap
    if enough or moved or (standing.state == "sent back" and heard.fresh):
        steps.append(standing.step("answered", by=by, why=_times(heard.count)))
        standing = standing.after(steps[0])
    turned = standing.state in ("agreed", "disputed") and standing.state != heard.status
    if heard.status is not None and (standing.state == "answered" or turned):
        steps.append(_judged(standing, heard, by))
    return steps


def _judged(standing: Standing, heard: Heard, by: str) -> Step:
    known = None if math.isnan(heard.agreement) else heard.agreement
    why = "one voice" if known is None else f"agreement {known:.2f}"
    told = {"agreement": known, "consensus": heard.consensus, "answers": heard.answers}
    return standing.step(heard.status or "agreed", by=by, why=why, **told)


def _times(count: int) -> str:
    return "answered once" if count == 1 else f"answered {count} times"


# ---------------------------------------------------------------------- decisions
def decide(
    standing: Standing, reviewer: str, decision: str, *, answered: Collection[str], why: str, **more: Any
) -> tuple[Step, Step]:
    """The two steps of a review: to `reviewed`, and on to `accepted` or `sent back`.

    Parameters
    ----------
    answered
        Who answered the task.
    more
        What the first step tells besides: minutes, correction.

    Raises
    ------
    QualityError
        For an unknown decision, without a reason, for a task that is not agreed or disputed, one that the reviewer
        answered, and a correction of what is sent back.
    """
    if decision not in DECISIONS:
        raise QualityError(f"unknown decision {decision!r}", hint=nearest(decision, DECISIONS))
    if reviewer in answered:
        hint = "somebody else reviews it: four eyes see more than two"
        raise QualityError(f"{reviewer} answered this task and may not review it", hint=hint)
    if more.get("correction") and decision != "accept":
        raise QualityError(
            "a correction of a task that is sent back", hint="accept it with the correction, or send it back"
        )
    first = standing.step("reviewed", by=reviewer, why=why, **more)
    return first, standing.after(first).step(DECISIONS[decision], by=reviewer, why=why)


def _refused(state: State, to: str, before: str | None = None) -> QualityError:
    said = f"from {before!r} to {to!r}, of a task that is {state!r}" if before not in (None, state) else f"to {to!r}"
    hint = f"from {state!r} a task may step to: {', '.join(ALLOWED[state])}"
    if to == "reviewed" and state in ("new", "answered"):
        hint += "; project.settle() records what the answers agree on"
    return QualityError(f"a task that is {state!r} may not step {said}", hint=hint)


def _known(agreement: float | None) -> float:
    return math.nan if agreement is None else agreement
