"""Curation: who does what, what is reviewed, and what leaves the house; each method is one call of a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geolabel.digests import digest
from geolabel.grid import LonLat
from geolabel.judging import Judging
from geolabel.nouns.answer import Answer
from geolabel.nouns.batch import Batch, Rate
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.ontology import Kind
from geolabel.steps import assign as assigning
from geolabel.steps import batches, board, decisions, delivery, inspection, rework, stale
from geolabel.steps import cost as costs
from geolabel.steps import review as reviews
from geolabel.steps.batches import Sample as BatchSample
from geolabel.steps.batches import Standing as BatchStanding
from geolabel.steps.delivered import Delivery, delivered
from geolabel.steps.delivered import check as check_delivered

if TYPE_CHECKING:
    from geolabel.quality.flow.cost import Cost
    from geolabel.quality.flow.review import Standing
    from geolabel.quality.flow.sampling import Verdict
    from geolabel.store.leases import Lease, Role


@dataclass
class Curation(Judging):
    """The part of a `Project` that sees labels through to their delivery."""

    # ------------------------------------------------------------------ review and routing
    def submit(self, answers: Sequence[Answer]) -> list[Answer]:
        """The answers, once they are in the ledger as one event; their leases end, and the states of their tasks move.

        An answer whose lease ran out is kept all the same: nothing that a person did is lost.
        """
        return reviews.submit(self.ledger, answers, self._terms, leased=False)

    def next(
        self, annotator: str, *, role: Role = "answer", now: datetime | None = None
    ) -> assigning.Assignment | None:
        """The next task for somebody, theirs for `review.minutes`; None where nothing is left for them now.

        Nobody is given a task twice, or more people than it needs. Who still holds one is given it again.

        Parameters
        ----------
        annotator
            `person:<id>`, or a name.
        role
            `answer`; `review` gives a task of the review queue that they did not answer.

        Raises
        ------
        QualityError
            For an annotator who is paused.
        """
        who, at = batches.actor(self.ledger, annotator), now or datetime.now(UTC)
        return assigning.assign(self.ledger, self.tasks(), who, self._terms, now=at, role=role)

    def release(self, given: assigning.Assignment, *, now: datetime | None = None) -> None:
        """Hand a task back: its place is free for others."""
        self.ledger.leases.release(given.lease, now=now or datetime.now(UTC))

    def renew(self, given: assigning.Assignment, *, now: datetime | None = None) -> assigning.Assignment:
        """The assignment with `review.minutes` from now.

        Raises
        ------
        StoreError
            Where it ran out and its place was given away.
        """
        at, minutes = now or datetime.now(UTC), self.config.review.minutes
        return replace(given, lease=self.ledger.leases.renew(given.lease, now=at, minutes=minutes))

    def held(self, now: datetime | None = None) -> list[Lease]:
        """Leases that are open now: who works on what until when."""
        return self.ledger.leases.open(now or datetime.now(UTC))

    def settle(self) -> int:
        """How many steps were recorded because of what the answers agree on now: `agreed`, `disputed`; 0 if none."""
        return reviews.follow(self.ledger, self._terms, self.agree())

    def states(self, kind: Kind | None = None) -> Any:
        """Where tasks stand (`tables.STATES`)."""
        return board.states(self.tasks(kind), board.Board.of(self.ledger), self._terms)

    def review_queue(self) -> Any:
        """The tasks that await a review (`tables.STATES`), settled: disputed first, lowest agreement first."""
        self.settle()
        return board.queue(self.tasks(), board.Board.of(self.ledger), self._terms)

    def review(
        self,
        task: Task | str,
        reviewer: str,
        decision: str,
        *,
        why: str,
        correction: Answer | None = None,
        minutes: float = 0.0,
    ) -> Standing:
        """Where a task stands once `reviewer` said `accept` or `send back`, and why.

        Parameters
        ----------
        correction
            The reviewer's own answer, which then stands instead of all others.
        minutes
            What the review took.

        Raises
        ------
        QualityError
            For a task that is not agreed or disputed (`settle`), or that the reviewer answered.
        StoreError
            Where somebody else was faster.
        """
        key, who = reviews.known(task, self.tasks()), batches.actor(self.ledger, reviewer)
        told: dict[str, Any] = {"why": why, "correction": correction, "minutes": minutes, "now": datetime.now(UTC)}
        return reviews.review(self.ledger, key, who, decision, **told)

    def rework(self, tasks: Iterable[Task | str], *, by: str, why: str) -> int:
        """How many accepted tasks were reopened: they are `answered` again, and one more person is asked."""
        ids = {reviews.known(task, self.tasks()) for task in tasks}
        return reviews.move(self.ledger, ids, "answered", by=batches.actor(self.ledger, by), why=why)

    @property
    def _terms(self) -> board.Terms:
        return board.terms(self.config.review, batches.standings(self.ledger))

    @property
    def _label_inputs(self) -> dict[str, str]:
        """Digests of what the agreed labels come from, and which corrections stand."""
        corrected = reviews.corrections(self.ledger)
        return super()._label_inputs | ({"corrections": digest(corrected)} if corrected else {})

    def _fuse(self, heard: Sequence[Answer], to: Path) -> dict[str, Consensus]:
        return super()._fuse(reviews.standing(heard, reviews.corrections(self.ledger)), to)

    # ------------------------------------------------------------------ batches and deliveries
    def batch(
        self, name: str, tasks: Iterable[Task | str], *, kind: Kind = "burn", by: str | None = None, **terms: Any
    ) -> Batch:
        """A batch of tasks (or their ids), once it is planned; planned again under the same terms it stays as it is.

        Parameters
        ----------
        terms
            `priority`, `due` (UTC), `overlap`, `acceptance` (`Acceptance`), `rate` (`Rate`).

        Raises
        ------
        QualityError
            Where another batch has the name, or a task is unknown, of another kind or in a batch not yet delivered.
        """
        ids = tuple(one if isinstance(one, str) else one.id for one in tasks)
        planned = Batch(name, kind, ids, **terms)
        return batches.plan(self.ledger, planned, self.tasks(), batches.actor(self.ledger, by))

    def change_batch(self, name: str, *, by: str | None = None, **terms: Any) -> Batch:
        """The batch under other terms: `priority`, `due`, `overlap`, `acceptance`, `rate`."""
        return batches.change(self.ledger, name, batches.actor(self.ledger, by), **terms)

    def batches(self) -> Any:
        """Batches and their states (`tables.BATCHES`), in the order in which they are worked on."""
        return batches.table(self._batches().values())

    def unbatched(self, kind: Kind = "burn") -> list[Task]:
        """Planned tasks of a kind that are in no batch yet."""
        taken = {key for one in self._batches().values() for key in one.batch.task_ids}
        return [task for task in self.tasks(kind) if task.id not in taken]

    def _batches(self) -> dict[str, BatchStanding]:
        return batches.standings(self.ledger, {one.task_id for one in self.answers()})

    def _batch(self, name: str) -> BatchStanding:
        return batches.named(self._batches(), name)

    def _own_tasks(self, own: BatchStanding) -> list[Task]:
        ids = set(own.batch.task_ids)
        return [task for task in self.tasks(own.batch.kind) if task.id in ids]

    def _agreed_on(self, own: BatchStanding) -> dict[str, inspection.Codes]:
        """Task id -> class codes that hold now, of a batch's tasks."""
        return inspection.codes_of(self.agree(), self._own_tasks(own), self.view.grid, self.ontology)

    def draw_sample(self, name: str, *, seed: int = 0, by: str | None = None) -> BatchSample:
        """The tasks of a batch that an inspector looks at; the same ones until labels change.

        Raises
        ------
        QualityError
            Where tasks have fewer answers than the batch's overlap, or the batch is delivered.
        """
        own = self._batch(name)
        labels = inspection.digest_of(self._agreed_on(own), self.ontology)
        missing = inspection.lacking(own.batch, self._export_job().answers)
        return inspection.draw(self.ledger, name, missing, labels, seed, batches.actor(self.ledger, by))

    def inspect(self, name: str, found: Mapping[str, Answer | str | None], *, by: str, minutes: float = 0.0) -> Verdict:
        """Accept or reject of a batch, by what an inspector says of each task of its sample.

        Parameters
        ----------
        found
            Task id -> the truth as an `Answer` (which votes nowhere), or a defect in words; None where there is none.
        minutes
            That the inspection took.

        Raises
        ------
        QualityError
            Where other tiles were inspected than drawn, their labels changed since, or it was inspected before.
        """
        own = self._batch(name)
        agreed = self._agreed_on(own)
        told = inspection.found_on(own.batch, agreed, found, self._own_tasks(own), self.view.grid, self.ontology)
        labels = inspection.digest_of(agreed, self.ontology)
        return inspection.inspect(self.ledger, name, told, labels, minutes, batches.actor(self.ledger, by))

    def deliver(self, name: str, *, by: str | None = None, despite: str = "", restricted: bool = False) -> Delivery:
        """The version of a batch for its labels as they are: the last where nothing changed, else the next.

        An immutable folder `deliveries/<batch>/v<version>/`: labeled tiles, all labels in one GeoParquet, a manifest
        with the digest of every file, and a changelog.

        Parameters
        ----------
        despite
            Why it is delivered without an accepting verdict on these labels; it stands in the manifest.
        restricted
            Whether labels of a scene whose access is `restricted` may leave the project.

        Raises
        ------
        QualityError
            Where the quality was not shown, or labels of a delivered batch changed and it was not reopened.
        InputError
            Where a scene is restricted.
        """
        own, job = self._batch(name), self._export_job()
        terms = delivery.Terms(batches.actor(self.ledger, by), despite, restricted)
        more: dict[str, Any] = {"skill": self.skill, "progress": self.progress}
        return delivery.deliver(self.record, own, job, self._agreed_on(own), terms, **more)

    def deliveries(self, name: str) -> list[Delivery]:
        """The versions of a batch, in order."""
        return [delivered(self.folder, said) for said in self._batch(name).versions]

    def reopen(self, name: str, why: str, *, tasks: Iterable[Task | str] = (), by: str | None = None) -> None:
        """Take a delivered batch back for rework: the next delivery is another version.

        Parameters
        ----------
        tasks
            Those that are to be answered once more; the others stay as they are.

        Raises
        ------
        QualityError
            For a batch that is not delivered, without a reason, or for tasks of another batch.
        """
        ids = [one if isinstance(one, str) else one.id for one in tasks]
        batches.reopen(self.ledger, name, why, batches.actor(self.ledger, by), ids)
        rework.reopened(self.ledger, ids, why, batches.actor(self.ledger, by))

    def outdated(self, kind: Kind | None = None) -> Any:
        """Current answers that the present instructions or ontology touch and that were given before (`tables.OUTDATED`)."""
        return stale.outdated(self.record, self.tasks(kind), self.answers())

    def cost(self, *, batch: str | None = None, kind: Kind | None = None, rate: Rate | float | None = None) -> Cost:
        """Minutes and cost of the project's labels, of one batch or of one kind, and for each km2 of accepted ground.

        Parameters
        ----------
        rate
            What an hour costs (a number is EUR); default: as the batch says.
        """
        planned = self._batches()
        own = None if batch is None else batches.named(planned, batch)
        tasks = self.tasks(kind) if own is None else self._own_tasks(own)
        told = Rate(float(rate)) if isinstance(rate, int | float) else rate or (own.batch.rate if own else None)
        return costs.cost(self.ledger, tasks, self.view.grid, self.agree(), planned, rate=told)

    def log_decision(
        self, case: str, question: str, decision: str, *, why: str, by: str, classes: Iterable[str] = (),
        examples: Iterable[str | LonLat] = (),
    ) -> int:  # fmt: skip
        """Number of a decision on an edge case, once it is in the ledger.

        Parameters
        ----------
        case
            `shadow`, `slc-off`, `island`, `clear-cut` or `other`.
        classes
            That it is about; none: all.
        examples
            Ids of tasks, and places: `LonLat` or "LON,LAT".

        Raises
        ------
        QualityError
            For an unknown case, words that are missing, or an example that is no task and no place.
        OntologyError
            For a class that the ontology does not have.
        """
        said = decisions.Said(case, question, decision, why, tuple(classes), tuple(examples))
        known = {task.id for task in self.tasks()}
        checked = said.checked(self.ontology, known)
        return decisions.log(self.ledger, checked, self.instructions, batches.actor(self.ledger, by))

    def decisions(self, *, case: str | None = None, class_: str | None = None, text: str = "") -> Any:
        """Decisions on edge cases (`tables.DECISIONS`): of one case, on one class (and on all), that hold a text."""
        return decisions.decisions(self.ledger, case=case, class_=class_, text=text)

    def casebook(self) -> str:
        """All decisions on edge cases in Markdown, to stand at the end of the instructions."""
        return decisions.appendix(self.decisions())

    def check(self) -> list[str]:
        """One sentence for each broken link of the ledger, and each product and delivery that is not as it was made."""
        told = [event.payload for event in self.ledger.events("delivery")]
        return [*super().check(), *check_delivered(self.folder, told)]
