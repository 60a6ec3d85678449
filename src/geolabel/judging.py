"""Judging: how good labels are. Gold and skill, labels that a model doubts, accuracy and area of the finished map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from geolabel.labeling import Labeling
from geolabel.nouns.answer import Answer
from geolabel.ontology import Kind
from geolabel.steps import accuracy as accuracies
from geolabel.steps import (
    accuracy_sample,
    batches,
    consensus,
    strata,
    unseen,
)
from geolabel.steps import gold as golds
from geolabel.steps import skill as skills
from geolabel.steps import suggest as suggesting
from geolabel.steps import suspects as doubts
from geolabel.steps.accuracy_sample import Asked, Sample, Shown
from geolabel.steps.adjudication import Vault

if TYPE_CHECKING:
    from geolabel.quality.people.gold import Gold
    from geolabel.quality.survey.area import Accuracy
    from geolabel.quality.survey.limits import Method


@dataclass
class Judging(Labeling):
    """The part of a `Project` that knows how good its labels are."""

    # ------------------------------------------------------------------ gold and skill
    def gold(self, task_id: str, *, by: Sequence[str], why: str = "") -> Gold:
        """Gold of two experts' complete answers to a task: `standing` midway between them, `disputed` where they differ.

        Raises
        ------
        QualityError
            For other than two experts, incomplete answers, machines, or a task that has gold of other answers.
        """
        return self._vault.make(task_id, [batches.actor(self.ledger, one) for one in by], why=why)

    def adjudicate(self, task_id: str, *, by: str, why: str, answer: str | None = None) -> Gold:
        """Disputed gold, decided by a third person: their own answer, or one of the experts' (its uuid)."""
        return self._vault.adjudicate(task_id, batches.actor(self.ledger, by), why=why, answer=answer)

    def appeal(self, task_id: str, *, by: str, why: str) -> Gold:
        """Gold against which somebody who answered its task appeals; it stays in force until it is decided."""
        return self._vault.appeal(task_id, batches.actor(self.ledger, by), why=why)

    def decide(self, task_id: str, *, by: str, upheld: bool, why: str, answer: str | None = None) -> Gold:
        """Appealed gold, upheld or overturned by an expert who had no part in it; every score follows."""
        return self._vault.decide(task_id, batches.actor(self.ledger, by), upheld=upheld, why=why, answer=answer)

    def calibrate(self, kind: Kind, n: int, *, by: str | None = None) -> list[Gold]:
        """The `n` easiest gold tasks of a kind, from now on for calibration: their truth is shown, and they do not count."""
        return self._vault.calibrate(kind, n, by=batches.actor(self.ledger, by))

    def feedback(self, answer: Answer) -> dict[str, Any]:
        """What the truth of a calibration task says of an answer to it; of any other task nothing is told."""
        return skills.feedback(self._heard(skills.kind_of(answer.task_id)), answer, self.config.skill)

    def rotate(
        self, kind: Kind, people: Iterable[str] | None = None, *, by: str | None = None
    ) -> tuple[list[Gold], list[Gold]]:
        """(gold retired since all of these people saw it, tasks proposed in its place); default: all who are not paused."""
        told = skills.active(self._heard(kind), self.ledger) if people is None else set(people)
        return self._vault.rotate(kind, told, by=batches.actor(self.ledger, by))

    def retire(self, task_id: str, *, by: str, why: str) -> Gold:
        """Gold that scores nobody any more."""
        return self._vault.retire(task_id, by=batches.actor(self.ledger, by), why=why)

    def gold_tasks(self, kind: Kind) -> Any:
        """Gold of a kind (`tables.GOLD`): state, use, who made it, and how many have seen it. Not for annotators."""
        return golds.table(self.record, kind)

    def standing_gold(self) -> dict[str, Answer]:
        """Task id -> the answer that is its truth now."""
        return golds.standing_gold(self.record)

    @property
    def _vault(self) -> Vault:
        return Vault(self.record, self.view.grid, self.config.gold)

    def _heard(self, kind: Kind) -> skills.Heard:
        return skills.Heard.of(self.record, self.tasks(kind), self.view.grid, self.ontology)

    def skill(self, kind: Kind) -> Any:
        """What gold of a kind says of each annotator and class (`tables.SKILL`), with intervals over gold tasks.

        Raises
        ------
        QualityError
            Where gold contradicts itself.
        """
        return skills.skill(self._heard(kind), self.config.skill)

    def agreement(self, kind: Kind, *, by: strata.By | None = None) -> Any:
        """How far people agree (`tables.AGREEMENT`): alpha, kappa and IoU, whole and by severity, slope or cloud."""
        return skills.agreement(self._heard(kind), self.config.skill, by and strata.strata(self.view, by))

    def pairwise(self, kind: Kind, *, by: strata.By | None = None) -> Any:
        """IoU of each two people (`tables.PAIRWISE`); `quality.people.agreement.matrix` lays it out as a square."""
        return skills.pairwise(self._heard(kind), by and strata.strata(self.view, by))

    def anchoring(self, kind: Kind) -> Any:
        """How far proposals pull those who are shown them: IoU with the proposal where shown and where withheld."""
        return skills.anchoring(self._heard(kind), self.config.skill)

    def pauses(self, kind: Kind) -> Any:
        """The sequential test of each annotator (`tables.PAUSES`), after those who fail it are paused."""
        found = skills.verdicts(self._heard(kind), self.config.skill, self.ledger)
        return skills.pause(self.ledger, found, kind)

    def reinstate(self, annotator: str, *, by: str, why: str) -> None:
        """Take a paused annotator back; their test begins anew."""
        skills.reinstate(self.ledger, annotator, by=batches.actor(self.ledger, by), why=why)

    # ------------------------------------------------------------------ label errors, and what to label next
    def suspects(self, kind: Kind, *, probability: Any = None, classes: Sequence[str] = ()) -> Any:
        """Agreed labels that a model does not believe (`tables.SUSPECTS`), the most suspect first, with reasons.

        Parameters
        ----------
        probability
            (class, y, x) of a model that has not seen these labels, for `classes` (`nothing`: unlabeled ground); default:
            a pixel classifier taught with the labels elsewhere, never with gold.

        Raises
        ------
        QualityError
            Where too little is labeled, or the probabilities are not those of this ground.
        """
        found = self._unseen(kind)
        if probability is not None:
            found = doubts.believed(found, probability, classes, self.view.grid)
        return doubts.suspects(found, self.view.grid, min_area_m2=self.config.unseen.min_missed_ha * 1e4).table

    def suggest(self, kind: Kind, *, minutes: float = 60.0, now: datetime | None = None) -> Any:
        """What to label next for a budget of minutes (`tables.SUGGESTED`): new tiles, and tiles to be asked again.

        Gold and what somebody holds now is not suggested. Where too little is labeled to teach a classifier, tiles are told
        apart by what they look like.

        Raises
        ------
        QualityError
            For a budget that is not above 0, or where no task may be suggested.
        """
        heard = self._heard(kind)
        held = {lease.task_id for lease in self.ledger.leases.open(now or datetime.now(UTC))}
        out = self._untaught(kind) | held
        try:
            found = self._unseen(kind)
        except unseen.TooLittleError:
            found = unseen.blank(self.view, kind, self.tasks(kind), self._agreed_codes(kind), self.ontology)
        return suggesting.suggest(found, heard, minutes=minutes, skill=skills.right(heard, self.config.skill), out=out)

    def _unseen(self, kind: Kind) -> unseen.Unseen:
        how: dict[str, Any] = {"out": self._untaught(kind), "options": self.config.unseen}
        return unseen.unseen(self.view, kind, self.tasks(kind), self._agreed_codes(kind), self.ontology, **how)

    def _agreed_codes(self, kind: Kind) -> Any:
        """(y, x) codes of the ontology that the annotators agree on."""
        return consensus.codes(self.agree(), self.tasks(kind), self.view.grid, kind, self.ontology)[0]

    def _untaught(self, kind: Kind) -> set[str]:
        """Ids of tasks that no model may learn from."""
        return golds.held_out(self.tasks(kind), golds.states(self.ledger))

    # ------------------------------------------------------------------ area and accuracy
    def accuracy_plan(self, kind: Kind, **asked: Any) -> Sample:
        """A random sample of the agreed map of a kind, drawn once: points whose ground people are to name, blind.

        `sample.write("points.csv")` (or `.geojson`, `.gpkg`) gives them out, `project.accuracy` takes them back.

        Parameters
        ----------
        asked
            `expected` user's accuracy (one, or by class), `se_overall` (standard error of overall accuracy) or `n` points,
            `allocation` (compromise, proportional, equal, optimal), `least` points of a rare class, `target`, `seed`.

        Raises
        ------
        ConfigError
            For something else that is asked.
        QualityError
            Where there is no map, or it allows no such sample.
        """
        wanted = Asked.read(asked, where="accuracy_plan(...)")
        return accuracy_sample.plan(self.record, self._shown(kind), wanted, self.ontology.id)

    def accuracy(
        self,
        kind: Kind,
        reference: Any,
        *,
        method: Method = "jeffreys",
        confidence: float = 0.95,
        earlier: bool = False,
        fields: Mapping[str, str] | None = None,
    ) -> Accuracy:
        """Accuracy of the agreed map of a kind and error-adjusted areas of its classes, with limits; kept as a product.

        Parameters
        ----------
        reference
            What people say the ground is: the file that `accuracy_plan(kind).write` gave, filled in; a frame; or answers
            to the sample's tasks. `none` (or `unburned`) is ground that is none of the classes.
        method
            Of the limits: `jeffreys` holds for rare classes too; `normal` is that of Olofsson et al. 2014.
        earlier
            Whether a sample drawn before the map changed will do; its strata stay (Stehman 2014).
        fields
            Which columns are the `point_id`, `class` and `annotator`, where they have other names.

        Raises
        ------
        QualityError
            For points of another project, of several samples, or of a map that has changed; unknown classes; fewer than
            two labeled points in a stratum.
        """
        said = accuracies.told(reference, self.record, kind, fields=fields)
        return accuracies.Assess(self.record, self._shown(kind), method, confidence, earlier).run(said)

    def _shown(self, kind: Kind) -> Shown:
        codes, _ = consensus.codes(self.agree(), self.tasks(kind), self.view.grid, kind, self.ontology)
        return Shown.of(codes, self.view.grid, kind, self.ontology)
