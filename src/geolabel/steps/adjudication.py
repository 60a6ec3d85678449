"""Gold made and decided on: two experts, a third where they dispute, appeals, rotation. Every step is an event."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geolabel import shapes
from geolabel.digests import digest
from geolabel.errors import QualityError, nearest
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.ontology import Kind
from geolabel.quality.people import gold as golds
from geolabel.quality.people.gold import Gold
from geolabel.steps.gold import FUSED, GoldOptions, earlier, held_out, states
from geolabel.steps.tasks import draw_gold
from geolabel.tables import IGNORE, SHAPES, empty

if TYPE_CHECKING:
    from geolabel.steps.record import Record
    from geolabel.store.events import NewEvent


@dataclass(frozen=True, slots=True)
class Vault:
    """The gold of a project, and who may do what with it; every step is a `gold` event of the task's stream.

    Who decides on what somebody else changed meanwhile is told so (`OvertakenError`), and nothing is written.
    """

    record: Record
    grid: Grid
    options: GoldOptions

    def make(self, task_id: str, by: Sequence[str], *, why: str = "") -> Gold:
        """Gold of the complete answers of two experts: `standing` midway between them where they agree, else `disputed`.

        Asked again of the same answers it is what became of it.

        Raises
        ------
        QualityError
            For other than two experts, incomplete answers, machines, or a task that has gold of other answers.
        """
        if len(by) != 2:
            raise QualityError(f"{len(by)} experts for gold of {task_id!r}", hint="two, and a third adjudicates")
        task, after = self._task(task_id), self._last(task_id)
        pair = [self._own(task_id, name) for name in sorted(by)]
        golds.check_experts(pair, task_id)
        old = states(self.record.ledger).get(task_id)
        if old is not None and old.answers[:2] == tuple(answer.uuid for answer in pair):
            return old
        made, fused = self._compared(task, pair, why)
        golds.check_next(old, made)
        if not made.in_force:
            return self._keep(made, pair[0].annotator, after)
        self.record.ledger.append_answers([fused], actor=FUSED, then=[_event(made, pair[0].annotator, after)])
        return made

    def _compared(self, task: Task, pair: Sequence[Answer], why: str) -> tuple[Gold, Answer]:
        """(gold of two answers, the answer midway between them)."""
        from geolabel.quality.people.marks import drawn_codes

        classes = sorted({name for answer in pair for name in answer.shapes["class"]})
        one, other = (drawn_codes(task, self.grid, answer, classes) for answer in pair)
        iou = golds.expert_iou(one, other, classes)
        agreed = golds.agrees(iou, self.options.agree_iou, self.options.agree_iou_of)
        fused = _fused(task, self.grid, pair, golds.midway(one, other, len(classes)), classes)
        made = Gold(
            task.id,
            "standing" if agreed else "disputed",
            answers=tuple(answer.uuid for answer in pair),
            answer=fused.uuid if agreed else None,
            experts=tuple(answer.annotator for answer in pair),
            iou=min(iou.values(), default=1.0),
            why=why or ("two experts agree" if agreed else "two experts do not agree"),
        )
        return made, fused

    def adjudicate(self, task_id: str, by: str, *, why: str, answer: str | None = None) -> Gold:
        """Disputed gold decided by a third person: by their own complete answer, or one of the experts' (its uuid).

        Raises
        ------
        QualityError
            Where nothing is disputed, no reason is given, or the adjudicator is one of the experts.
        """
        after, old = self._last(task_id), self._known(task_id)
        if old.state != "disputed":
            raise QualityError(f"gold of {task_id!r} is {old.state}, not disputed", hint="appeal against it")
        truth = self._decided(old, by, why, answer, barred=old.experts)
        made = old.to("standing", answer=truth.uuid, adjudicator=by, why=why, **_with(old, truth, by))
        return self._keep(made, by, after)

    def appeal(self, task_id: str, by: str, *, why: str) -> Gold:
        """Gold against which somebody who answered its task appeals; it stays in force until another expert decides.

        Raises
        ------
        QualityError
            For gold that is not in force, without a reason, or by somebody who did not answer the task.
        """
        after, old = self._last(task_id), self._known(task_id)
        _check_why(why, "an appeal")
        if not old.in_force:
            raise QualityError(
                f"gold of {task_id!r} is {old.state} and scores nobody", hint="there is nothing to appeal"
            )
        self._own(task_id, by)
        return self._keep(old.to("appealed", why=why, appellant=by), by, after)

    def decide(self, task_id: str, by: str, *, upheld: bool, why: str, answer: str | None = None) -> Gold:
        """Appealed gold, upheld or overturned by an expert who had no part in it.

        Overturned, the truth is the decider's own complete answer, or the `answer` (uuid) that they name; the task has no
        gold where there is neither.

        Raises
        ------
        QualityError
            Where nobody appealed, no reason is given, or the decider made the gold or appealed.
        """
        after, old = self._last(task_id), self._known(task_id)
        barred = {*old.experts, old.adjudicator, old.appellant}
        _check_why(why, "a decision")
        if by in barred:
            raise QualityError(f"{by} would decide twice on {task_id!r}", hint="another expert")
        if upheld:
            return self._keep(old.to("upheld", why=why), by, after)
        if answer is None and not self.record.ledger.answers(task_id, by):
            return self._keep(old.to("overturned", answer=None, why=why, adjudicator=by), by, after)
        truth = self._decided(old, by, why, answer, barred=barred)
        made = old.to("overturned", answer=truth.uuid, adjudicator=by, why=why, **_with(old, truth, by))
        return self._keep(made, by, after)

    def calibrate(self, kind: Kind, n: int, *, by: str) -> list[Gold]:
        """The `n` gold tasks of a kind on which the experts agreed most, from now on shown with their truth."""
        known = {key: one for key, one in states(self.record.ledger).items() if key.endswith(f"#{kind}")}
        chosen = [known[key] for key in golds.easiest(known, n)]
        if len(chosen) < n:
            raise QualityError(f"{n} calibration tasks of {len(chosen)} gold tasks", hint="make more gold first")
        easy = [one.to(one.state, use="calibration", why="easy: the experts agreed most") for one in chosen]
        return [self._keep(one, by, self._last(one.task_id)) for one in easy]

    def rotate(self, kind: Kind, people: Collection[str], *, by: str) -> tuple[list[Gold], list[Gold]]:
        """(gold retired since all of these people have seen it, as many tasks proposed in its place, for two experts)."""
        known, answers = states(self.record.ledger), self.record.answers()
        own = [task for task in self.record.tasks() if task.kind == kind]
        ids = {task.id for task in own}
        gone = golds.spent({key: one for key, one in known.items() if key in ids}, answers, people)
        taken = {answer.task_id for answer in answers if answer.annotator in people} | held_out(own, known)
        drawn = draw_gold(own, len(gone), taken=taken, seed=self.options.seed + len(known))
        retired = [known[key].to("retired", why="everybody has seen it") for key in gone]
        proposed = [Gold(task.id, "proposed", why="in the place of retired gold") for task in drawn]
        for one in [*retired, *proposed]:
            self._keep(one, by, self._last(one.task_id))
        return retired, proposed

    def retire(self, task_id: str, *, by: str, why: str) -> Gold:
        """Gold that scores nobody any more."""
        _check_why(why, "to retire gold")
        after, old = self._last(task_id), self._known(task_id)
        return self._keep(old.to("retired", why=why), by, after)

    # ------------------------------------------------------------------ pieces
    def _task(self, task_id: str) -> Task:
        tasks = {task.id: task for task in self.record.tasks()}
        if task_id not in tasks:
            raise QualityError(f"there is no task {task_id!r}", hint=nearest(task_id, tasks))
        return tasks[task_id]

    def _known(self, task_id: str) -> Gold:
        known = states(self.record.ledger)
        if task_id not in known:
            raise QualityError(
                f"task {task_id!r} has no gold", hint="two experts make it: project.gold(task_id, by=...)"
            )
        return known[task_id]

    def _own(self, task_id: str, name: str) -> Answer:
        own = self.record.ledger.answers(task_id, name)
        if not own:
            raise QualityError(f"{name} did not answer {task_id!r}", hint="a complete answer comes first")
        return own[-1]

    def _decided(self, old: Gold, by: str, why: str, answer: str | None, *, barred: Collection[str | None]) -> Answer:
        """The answer that somebody says is the truth."""
        _check_why(why, "a decision")
        if by in barred:
            raise QualityError(f"{by} would decide twice on {old.task_id!r}", hint="another expert")
        if answer is None:
            truth = self._own(old.task_id, by)
        elif answer in old.answers:
            truth = earlier(self.record.ledger, replace(old, answer=answer))
        else:
            raise QualityError(f"{answer!r} is no expert's answer to {old.task_id!r}", hint=f"{', '.join(old.answers)}")
        golds.check_experts([truth], old.task_id)
        return truth

    def _last(self, task_id: str) -> str | None:
        last = self.record.ledger.last(task_id)
        return None if last is None else last.digest

    def _keep(self, made: Gold, by: str, after: str | None) -> Gold:
        self.record.ledger.append_many([_event(made, by, after)])
        return made


def _event(made: Gold, by: str, after: str | None) -> NewEvent:
    from geolabel.store.events import NewEvent

    return NewEvent("gold", made.to_row(), by, made.task_id, after)


def _with(old: Gold, truth: Answer, by: str) -> dict[str, Any]:
    """Fields of gold that somebody decided: their answer and their name beside the experts'."""
    more = () if truth.uuid in old.answers else (truth.uuid,)
    return {"answers": (*old.answers, *more), "experts": tuple(sorted({*old.experts, by}))}


def _check_why(why: str, what: str) -> None:
    if not why.strip():
        raise QualityError(f"{what} without a reason", hint="why=..., it stays in the ledger")


def _fused(task: Task, grid: Grid, pair: Sequence[Answer], codes: Any, classes: Sequence[str]) -> Answer:
    """The answer midway between two experts', its ignored ground where either left something out."""
    tile = grid.crop(task.tile)
    traced = shapes.polygonise(codes.clip(0).astype(np.uint8), tile)
    mark = digest("gold", [answer.digest for answer in pair])
    drawn, ignore = empty(SHAPES, traced.crs), shapes.polygonise(codes < 0, tile).assign(reason="unsure")[list(IGNORE)]
    if len(traced):
        text = pd.Series([None] * len(traced), dtype=object)
        data = {
            "label_id": [f"gold/{mark[:12]}/{number}" for number in range(len(traced))],
            "class": [classes[code - 1] for code in traced["code"]],
            "severity": text,
            "severity_scheme": text,
            "confidence": float("nan"),
            "masked_share": float("nan"),
        }
        drawn = traced.assign(**data)[list(SHAPES)]
    return Answer(
        task_id=task.id,
        annotator=FUSED,
        outcome="labeled" if len(drawn) else "empty",
        shapes=drawn,
        ignore=ignore if len(ignore) else empty(IGNORE, traced.crs),
        at=datetime.now(UTC),
        uuid=str(uuid.uuid5(uuid.NAMESPACE_OID, mark)),
        how="gold:" + "+".join(answer.uuid for answer in pair),
    )
