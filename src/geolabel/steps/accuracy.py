"""Accuracy of a project's map: what reference labels of a sample say of it.

Reference labels are no votes: they are kept with the assessment, not with the answers, so that the map does not change
when it is assessed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from geolabel import files
from geolabel.digests import digest
from geolabel.errors import QualityError, nearest
from geolabel.nouns.answer import Answer
from geolabel.ontology import Kind
from geolabel.quality.survey.area import Accuracy, accuracy, accuracy_by_strata
from geolabel.quality.survey.limits import Method
from geolabel.steps import reference as references
from geolabel.steps.accuracy_sample import BACKGROUND, NONE, Sample, Shown, samples
from geolabel.steps.record import Record

ASSESSMENT = "accuracy"


@dataclass(frozen=True)
class Assess:
    """How reference labels are made into figures."""

    record: Record
    shown: Shown
    method: Method = "jeffreys"
    confidence: float = 0.95
    earlier: bool = False
    """Whether a sample of an earlier map will do; its strata stay what they were."""

    def sample(self, reference: pd.DataFrame) -> Sample:
        """The sample that these reference labels are of.

        Raises
        ------
        QualityError
            For ids of no sample or of several, a sample of another kind, or of a map that has changed since.
        """
        there = {one.name: one for one in samples(self.record, self.shown.kind)}
        names = sorted({key.rpartition("-")[0] for key in reference["point_id"]})
        if len(names) != 1 or names[0] not in there:
            known = ", ".join(sorted(there)) or "none"
            raise QualityError(
                f"points of {names or 'no sample'}; samples of this project's {self.shown.kind} map: {known}",
                hint="one file of one sample: project.accuracy_plan(kind)",
            )
        found = there[names[0]]
        strange = sorted(set(reference["point_id"]) - set(found.points["point_id"]))
        if strange:
            raise QualityError(f"{len(strange)} points are not in sample {found.name}, {strange[0]!r} among them")
        if found.map_digest != self.shown.digest and not self.earlier:
            raise QualityError(
                f"sample {found.name} was drawn from the map {found.map_digest[:8]}; it is {self.shown.digest[:8]} now",
                hint="labels changed since: draw another sample, or assess with the old strata: earlier=True",
            )
        return found

    def run(self, reference: pd.DataFrame) -> Accuracy:
        """Accuracy and areas of the map, kept as a product with the reference labels that they come from."""
        found, reference = self.sample(reference), references.last(reference)
        ordered = reference.sort_values(["point_id", "annotator", "class"], na_position="first", kind="stable")
        said = digest(ordered.astype(object).where(ordered.notna(), None).to_numpy().tolist())
        inputs = {"kind": found.kind, "sample": found.name, "map": self.shown.digest, "reference": said}
        how = {"method": self.method, "confidence": self.confidence}
        return self.record.product(ASSESSMENT, {**inputs, **how}, lambda to: self._keep(found, reference, to), _kept)

    def _keep(self, found: Sample, reference: pd.DataFrame, to: Path) -> Accuracy:
        made = self.assessed(found, reference)
        files.write_text(to / "reference.csv", reference.to_csv(index=False))
        files.write_json(to / "accuracy.json", made.record())
        return made

    def assessed(self, found: Sample, reference: pd.DataFrame) -> Accuracy:
        """Accuracy and areas of the map from reference labels of a sample.

        Raises
        ------
        QualityError
            For a class that the kind has not, or too few labeled points in a stratum.
        """
        known = references.settled(_plain(reference, self.shown.names.values()))
        rows = found.points.assign(
            map=self.shown.at(found.points), reference=found.points["point_id"].map(known["label"])
        )
        told = rows[rows["reference"].notna() & (rows["map"] != "")]
        how: dict[str, Any] = {"method": self.method, "confidence": self.confidence, "pixels": found.pixels}
        if found.map_digest == self.shown.digest:
            matrix = pd.crosstab(told["stratum"], told["reference"]).reindex(list(found.pixels), fill_value=0)
            made = accuracy(matrix, found.areas_m2, **{**how, "pixels": list(found.pixels.values())})
        else:
            cell = found.grid.cell_area_m2()
            mapped = {name: n * cell for name, n in self.shown.pixels().items()}
            made = accuracy_by_strata(told, found.areas_m2, mapped_m2=mapped, **how)
        return _about(made, found, self.shown, len(rows) - len(told), known["share"])


def _plain(reference: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Reference with classes of the map; what is named unburned is none of them."""
    said = reference["class"].where(~reference["class"].isin(BACKGROUND), NONE)
    names = set(names)
    strange = sorted(set(said.dropna()) - names)
    if strange:
        raise QualityError(f"unknown class {strange[0]!r} in the reference labels", hint=nearest(strange[0], names))
    return reference.assign(**{"class": said})


def _about(made: Accuracy, found: Sample, shown: Shown, unlabeled: int, agreement: pd.Series) -> Accuracy:
    about = {"map": shown.digest[:12], "sample": found.name, "unlabeled": unlabeled}
    if (agreement < 1).any():
        about["contested"] = int((agreement < 1).sum())
    if found.map_digest != shown.digest:
        about["strata"] = f"of the map {found.map_digest[:12]}"
    return replace(made, about=about)


def _kept(folder: Path) -> Accuracy:
    return Accuracy.recorded(json.loads((folder / "accuracy.json").read_text(encoding="utf-8")))


def told(
    source: Path | str | pd.DataFrame | Sequence[Answer],
    record: Record,
    kind: Kind,
    *,
    fields: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """`tables.REFERENCE` of a file, a frame, or answers to the tasks of a sample.

    Raises
    ------
    QualityError
        For answers to tasks that are of no sample of this kind.
    """
    if isinstance(source, (str, Path, pd.DataFrame)):
        return references.read(source, fields=fields, person=record.ledger.person)
    for drawn in reversed(samples(record, kind)):
        if references.are_of(source, drawn.points):
            return references.of_answers(source, drawn.points, NONE)
    raise QualityError(
        f"{len(source)} answers to tasks of no sample of the {kind} map", hint="project.accuracy_plan(kind)"
    )
