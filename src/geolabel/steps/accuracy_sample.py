"""A sample of the map that a project agreed on: planned, drawn once, and given to people who label it blind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from geolabel import files
from geolabel.digests import digest
from geolabel.errors import QualityError, nearest
from geolabel.grid import Grid, Tile
from geolabel.nouns.task import Task
from geolabel.ontology import NODATA, Kind, Ontology
from geolabel.quality.survey import points as drawing
from geolabel.quality.survey.area import Accuracy
from geolabel.quality.survey.design import Allocation, Design, design
from geolabel.steps import reference as references
from geolabel.steps.options import Options
from geolabel.steps.record import PRODUCTS, Record
from geolabel.tables import POINTS, check

NONE = "none"
"""Ground that is none of the classes of the kind."""
BACKGROUND = ("unburned",)
"""Classes that say the same."""
SAMPLE = "accuracy-sample"
MARGIN = 16
"""Pixels that are shown around the one that is asked for."""


class Asked(Options):
    """What a sample is to tell."""

    expected: float | dict[str, float] = Field(default=0.85, description="conjectured user's accuracy, 0-1")
    se_overall: float = Field(default=0.01, gt=0, lt=0.5, description="wanted standard error of overall accuracy")
    n: int | None = Field(default=None, ge=2, description="points, instead of a wanted standard error")
    allocation: Allocation = Field(default="compromise", description="compromise, proportional, equal, optimal")
    least: int = Field(default=75, ge=2, description="points of a rare class (compromise)")
    target: str | None = Field(default=None, description="class whose area is to be known best (optimal)")
    seed: int = Field(default=0, description="draws the points")


@dataclass(frozen=True)
class Shown:
    """The map that is assessed: class codes on a grid."""

    kind: Kind
    codes: NDArray[np.uint8]
    grid: Grid
    names: Mapping[int, str]
    """Code -> class; 0 is ground that is none of them."""

    @classmethod
    def of(cls, codes: NDArray[np.uint8], grid: Grid, kind: Kind, ontology: Ontology) -> Shown:
        """The map of a kind; what is named unburned is none of the classes."""
        same = [one.code for one in ontology.of_kind(kind) if one.name in BACKGROUND]
        plain = np.where(np.isin(codes, same), 0, codes).astype(np.uint8)
        return cls(kind, plain, grid, {0: NONE, **{one.code: one.name for one in ontology.of_kind(kind)}})

    @property
    def digest(self) -> str:
        """Sha-256 of the codes and where they lie."""
        return digest(self.kind, self.grid.digest, self.codes)

    def pixels(self) -> dict[str, int]:
        """Class that the map shows -> its pixels, by name; ground that nobody judged is left out.

        Raises
        ------
        QualityError
            Where nobody judged anything.
        """
        found = drawing.count(drawing.whole(self.codes), self.grid)
        known = {self.names[code]: n for code, n in found.items() if code != NODATA}
        if not known:
            raise QualityError(f"there is no {self.kind} map: nobody judged anything", hint="label first: project.rule")
        return dict(sorted(known.items()))

    def at(self, points: pd.DataFrame) -> list[str]:
        """Class that the map shows at each point; '' where it shows nothing."""
        found = self.codes[points["row"].to_numpy(), points["col"].to_numpy()]
        return [self.names.get(int(code), "") for code in found]


@dataclass(frozen=True, repr=False)
class Sample:
    """Pixels of one map for which the reference is asked; the strata are the map's classes."""

    name: str
    """Begins the ids of its points."""
    kind: Kind
    map_digest: str
    grid: Grid
    points: pd.DataFrame
    """`tables.POINTS`. Who labels must not see `stratum`: `write` and `blind` leave it out."""
    pixels: Mapping[str, int]
    design: Design
    ontology: str

    @property
    def blind(self) -> pd.DataFrame:
        """The points without what would tell their stratum."""
        return references.blind(self.points)

    @property
    def areas_m2(self) -> dict[str, float]:
        """Stratum -> area in the plane of the grid, m2."""
        return {name: n * self.grid.cell_area_m2() for name, n in self.pixels.items()}

    def write(self, path: Path | str) -> Path:
        """Path of the points for people: `.csv` (also for Collect Earth Online), `.geojson` or `.gpkg`."""
        return references.write(self.points, path)

    def tasks(self, view_id: str, *, margin: int = MARGIN) -> list[Task]:
        """A task a point: its core is the pixel, the margin is what is shown around it. They are not in the ledger."""
        tiles = [
            Tile(int(row), int(col), 1, 1, margin)
            for row, col in zip(self.points["row"], self.points["col"], strict=True)
        ]
        return [Task(view_id, self.grid.digest, tile, self.kind, self.ontology, "review") for tile in tiles]

    def save(self, folder: Path) -> Sample:
        """The sample, once it is kept: `sample.json`, `points.csv` (for people) and `key.csv` (with the strata)."""
        self.write(folder / "points.csv")
        files.write_text(folder / "key.csv", self.points.to_csv(index=False))
        own = {"name": self.name, "kind": self.kind, "map_digest": self.map_digest, "pixels": dict(self.pixels)}
        plan = {"n": self.design.n, "allocation": self.design.allocation, "expected": self.design.expected.record()}
        more = {"grid": self.grid.record(), "design": plan, "ontology": self.ontology}
        files.write_json(folder / "sample.json", {**own, **more})
        return self

    @classmethod
    def load(cls, folder: Path) -> Sample:
        """The sample that `save` kept."""
        told = json.loads((folder / "sample.json").read_text(encoding="utf-8"))
        points = check(
            pd.read_csv(folder / "key.csv", dtype={"point_id": str, "stratum": str}, keep_default_na=False), POINTS
        )
        plan, grid = told.pop("design"), Grid.recorded(told.pop("grid"))
        areas = tuple(n * grid.cell_area_m2() for n in told["pixels"].values())
        expected = Accuracy.recorded(plan["expected"])
        planned = Design(tuple(told["pixels"]), tuple(plan["n"]), areas, plan["allocation"], expected)
        return cls(**told, grid=grid, points=points, design=planned)

    def __str__(self) -> str:
        return f"sample {self.name} of the {self.kind} map {self.map_digest[:8]}: {self.design}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<p>sample {self.name} of the {self.kind} map {self.map_digest[:12]}</p>{self.design._repr_html_()}"


# ---------------------------------------------------------------------- plan
def plan(record: Record, shown: Shown, asked: Asked, ontology: str) -> Sample:
    """The sample of a map, drawn once; asked again for the same it is the same.

    Raises
    ------
    QualityError
        Where the map or what is asked for allows none.
    """
    inputs = {"kind": shown.kind, "map": shown.digest, "asked": asked.model_dump(mode="json"), "ontology": ontology}
    name = digest(SAMPLE, inputs)[:6]
    return record.product(SAMPLE, inputs, lambda to: _drawn(shown, asked, name, ontology).save(to), Sample.load)


def _drawn(shown: Shown, asked: Asked, name: str, ontology: str) -> Sample:
    pixels = shown.pixels()
    areas = {one: n * shown.grid.cell_area_m2() for one, n in pixels.items()}
    expected = conjecture(areas, asked.expected)
    told = asked.model_dump(include={"se_overall", "n", "allocation", "least", "target"})
    planned = design(areas, expected, pixels=pixels, **told)
    codes = {one: code for code, one in shown.names.items() if one in pixels}
    counts = dict(zip(planned.classes, planned.n, strict=True))
    drawn = drawing.draw(drawing.whole(shown.codes), shown.grid, counts, codes, seed=asked.seed)
    drawn["point_id"] = name + "-" + drawn["point_id"]
    return Sample(name, shown.kind, shown.digest, shown.grid, drawn, pixels, planned, ontology)


def conjecture(areas_m2: Mapping[str, float], expected: float | Mapping[str, float]) -> dict[str, float]:
    """Class -> conjectured user's accuracy. Of one figure for all, as much is missed in the ground that is none of the
    classes as is found wrongly in them.

    Raises
    ------
    QualityError
        For a class that the map does not show.
    """
    if isinstance(expected, Mapping):
        strange = sorted(set(expected) - set(areas_m2))
        if strange:
            raise QualityError(f"the map does not show {strange[0]!r}", hint=nearest(strange[0], areas_m2))
        return dict(expected)
    users = dict.fromkeys(areas_m2, expected)
    if NONE in users and len(users) > 1:
        rest = sum(area for name, area in areas_m2.items() if name != NONE)
        users[NONE] = max(expected, 1 - (1 - expected) * rest / areas_m2[NONE])
    return users


def samples(record: Record, kind: Kind) -> list[Sample]:
    """The samples that were drawn of a kind, the latest last."""
    made = [one for one in record.ledger.products(SAMPLE) if one["inputs"]["kind"] == kind]
    return [Sample.load(record.folder / PRODUCTS / one["folder"]) for one in made]
