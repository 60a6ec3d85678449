"""Accuracy of a map and the areas of its classes, adjusted for the map's errors, with honest intervals.

Counting the pixels of a map gives areas that are as wrong as the map. A random sample of reference labels says how
wrong that is, and how sure one may be (Olofsson et al. 2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geolabel.errors import QualityError
from geolabel.quality.survey import limits
from geolabel.quality.survey.limits import Method
from geolabel.quality.survey.stratified import Cells, Stratified
from geolabel.tables import ACCURACY, check

BY_STRATA = ("stratum", "map", "reference")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share, its standard error and confidence limits."""

    value: float
    se: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, repr=False)
class Accuracy:
    """How good a map is and how large its classes are, estimated from a stratified random sample."""

    overall: Estimate
    """Share of the area that is mapped right."""
    table: pd.DataFrame
    """`tables.ACCURACY`, a line a class."""
    matrix: pd.DataFrame
    """Samples by map class (rows) and reference class (columns)."""
    proportions: pd.DataFrame
    """Estimated share of the area in each of these cells; they sum to 1."""
    total_m2: float
    method: Method
    """How limits were made."""
    confidence: float
    about: Mapping[str, Any] = field(default_factory=dict)
    """Which map and sample this speaks of, where a project knows."""

    def margin_m2(self, z: float = 1.96) -> pd.Series:
        """Class -> z standard errors of its area, m2: what papers print behind +-."""
        return self.table.set_index("class")["area_se_m2"] * z

    def record(self) -> dict[str, Any]:
        """The whole as JSON values; `Accuracy.recorded` gives it again."""
        return {
            "overall": [self.overall.value, self.overall.se, self.overall.low, self.overall.high],
            "table": _values(self.table),
            "matrix": self.matrix.to_dict("split"),
            "proportions": self.proportions.to_dict("split"),
            "total_m2": self.total_m2,
            "method": self.method,
            "confidence": self.confidence,
            "about": dict(self.about),
        }

    @classmethod
    def recorded(cls, values: Mapping[str, Any]) -> Accuracy:
        """Accuracy of a `record`."""
        table = pd.DataFrame(values["table"])
        table = table.astype({name: float for name, kind in ACCURACY.kinds.items() if kind.startswith("float")})
        frames = {name: pd.DataFrame(**values[name]) for name in ("matrix", "proportions")}
        return cls(**{**values, **frames, "overall": Estimate(*values["overall"]), "table": table})

    def __str__(self) -> str:
        head = f"overall accuracy {_share(self.overall.value, self.overall.low, self.overall.high)}"
        return "\n".join(
            [f"{head} ({self.about_words})", *(f"{row['class']}: {_words(row)}" for row in _values(self.table))]
        )

    def __repr__(self) -> str:
        return str(self)

    @property
    def about_words(self) -> str:
        """How many samples, how the limits were made, and what it speaks of."""
        drawn = f"{self.matrix.to_numpy().sum():g} samples, {self.confidence:.0%} {self.method} limits"
        told = "; ".join(f"{name} {value}" for name, value in self.about.items())
        return f"{drawn}; {told}" if told else drawn

    def _repr_html_(self) -> str:
        from geolabel.quality.survey.area_shown import page

        return page(self)


def accuracy(
    matrix: ArrayLike | pd.DataFrame,
    areas_m2: Sequence[float] | Mapping[str, float],
    *,
    classes: Sequence[str] | None = None,
    pixels: Sequence[float] | None = None,
    method: Method = "normal",
    confidence: float = 0.95,
) -> Accuracy:
    """Accuracy of a map whose classes were the strata of the sample.

    Parameters
    ----------
    matrix
        (map class, reference class) samples. A frame may have rows without column (a class that is not there) and
        columns without row (one that the map does not have).
    areas_m2
        Mapped area of each row, m2: pixels times the area of one.
    classes
        Names of rows and columns of an array; default "1", "2" ...
    pixels
        Of each row, for the finite population correction; without them the variances are Olofsson's.
    method
        `normal` (estimate +- z standard errors, as published), or limits that hold for rare classes too: `jeffreys`
        (the better of the two in `make evidence ROOM=quality`), `wilson`.

    Raises
    ------
    QualityError
        For a class with fewer than two samples, areas or counts that are none, or an unknown method.

    Source: Olofsson et al. 2014, Remote Sensing of Environment 148, 42-57, eqs. 4-7 and 9-11.
    """
    frame = _named(matrix, classes)
    areas = _areas(areas_m2, frame.index)
    names = [*frame.index, *(name for name in frame.columns if name not in set(frame.index))]
    full = frame.reindex(index=names, columns=names, fill_value=0).to_numpy(float)
    own = np.eye(len(names))[: len(frame)]
    sample = _sample(full[None] * own[:, :, None], areas, tuple(frame.index), pixels, own > 0)
    mapped = np.concatenate([areas, np.zeros(len(names) - len(areas))])
    return _estimated(sample, names, mapped, method, confidence)


def accuracy_by_strata(
    points: pd.DataFrame,
    areas_m2: Mapping[str, float],
    *,
    mapped_m2: Mapping[str, float] | None = None,
    pixels: Mapping[str, float] | None = None,
    method: Method = "normal",
    confidence: float = 0.95,
) -> Accuracy:
    """Accuracy of a map from samples whose strata are not its classes, e.g. because it changed since they were drawn.

    Parameters
    ----------
    points
        A line a sample: `stratum`, `map`, `reference`.
    areas_m2
        Area of each stratum, m2.
    mapped_m2
        Area of each class on the map, m2; estimated from the sample where nobody says.
    pixels
        Of each stratum, for the finite population correction.

    Raises
    ------
    QualityError
        As `accuracy`, and for a stratum whose area nobody says.

    Source: Stehman 2014, International Journal of Remote Sensing 35, 4923-4939.
    """
    lost = [name for name in BY_STRATA if name not in points.columns]
    if lost:
        raise QualityError(f"the samples lack {lost}", hint=f"columns {', '.join(BY_STRATA)}")
    strange = sorted(set(points["stratum"]) - set(areas_m2))
    if strange:
        raise QualityError(f"strata without area: {', '.join(strange)}", hint="areas_m2={stratum: m2}")
    names = sorted({*points["map"], *points["reference"]})
    strata = list(areas_m2)
    counts = np.zeros((len(strata), len(names), len(names)))
    cells = [
        pd.Index(one).get_indexer(points[column]) for one, column in zip((strata, names, names), BY_STRATA, strict=True)
    ]
    np.add.at(counts, tuple(cells), 1)
    sizes = None if pixels is None else [pixels[name] for name in strata]
    sample = _sample(counts, np.array([areas_m2[name] for name in strata], float), tuple(strata), sizes)
    total = sample.areas_m2.sum()
    known = dict(zip(names, sample.proportions().sum(1) * total, strict=True)) if mapped_m2 is None else mapped_m2
    return _estimated(sample, names, np.array([known.get(name, 0.0) for name in names], float), method, confidence)


# ---------------------------------------------------------------------- what was given
def _named(matrix: ArrayLike | pd.DataFrame, classes: Sequence[str] | None) -> pd.DataFrame:
    if isinstance(matrix, pd.DataFrame):
        frame = matrix.rename(index=str, columns=str)
    else:
        values = np.asarray(matrix, float)
        if values.ndim != 2 or values.shape[0] != values.shape[1]:
            raise QualityError(
                f"an error matrix of shape {values.shape}", hint="a frame where rows are not the columns"
            )
        names = [str(n) for n in range(1, len(values) + 1)] if classes is None else list(classes)
        if len(names) != len(values):
            raise QualityError(f"{len(names)} names for {len(values)} classes")
        frame = pd.DataFrame(values, names, names)
    counts = frame.to_numpy(float)
    if not (np.isfinite(counts).all() and (counts >= 0).all() and frame.index.is_unique and frame.columns.is_unique):
        raise QualityError("an error matrix with counts below 0, missing counts or a class twice")
    return frame


def _areas(areas_m2: Sequence[float] | Mapping[str, float], rows: pd.Index[str]) -> NDArray[np.float64]:
    if isinstance(areas_m2, Mapping):
        if set(areas_m2) != set(rows):
            raise QualityError(f"areas of {sorted(areas_m2)} for the map classes {sorted(rows)}")
        areas_m2 = [areas_m2[name] for name in rows]
    if len(areas_m2) != len(rows):
        raise QualityError(f"{len(areas_m2)} areas for {len(rows)} map classes")
    return np.asarray(areas_m2, float)


def _sample(
    counts: NDArray[np.float64],
    areas: NDArray[np.float64],
    names: tuple[str, ...],
    pixels: Sequence[float] | None,
    shown: Cells | None = None,
) -> Stratified:
    if not (np.isfinite(areas).all() and (areas > 0).all()):
        raise QualityError(f"areas {areas.tolist()} m2", hint="above 0; leave out a class that the map does not show")
    sizes = None if pixels is None else np.asarray(pixels, float)
    if sizes is not None and (len(sizes) != len(areas) or (sizes < counts.sum((1, 2))).any()):
        raise QualityError(f"{sizes.tolist()} pixels for samples of {counts.sum((1, 2)).tolist()}")
    return Stratified(counts, areas, names, sizes, shown)


# ---------------------------------------------------------------------- estimates
def _estimated(
    sample: Stratified, names: Sequence[str], mapped: NDArray[np.float64], method: Method, confidence: float
) -> Accuracy:
    limits.check_method(method, confidence)
    how, total, k = (method, confidence), float(sample.areas_m2.sum()), len(names)
    right, rows = np.eye(k, dtype=bool), []
    for j, name in enumerate(names):
        is_mapped, is_there = np.zeros((k, k), bool), np.zeros((k, k), bool)
        is_mapped[j], is_there[:, j] = True, True
        users, producers = (_ratio(sample, right & of, of, *how) for of in (is_mapped, is_there))
        area = _share_of(sample, is_there, *how)
        rows.append(
            {"class": name, "samples": float(sample.counts[:, :, j].sum())}
            | _columns("users", users)
            | _columns("producers", producers)
            | {"mapped_m2": float(mapped[j]), "area_m2": area.value * total, "area_se_m2": area.se * total}
            | {"area_low_m2": area.low * total, "area_high_m2": area.high * total}
        )
    return Accuracy(
        overall=_share_of(sample, right, *how),
        table=check(pd.DataFrame(rows)[list(ACCURACY)], ACCURACY),
        matrix=pd.DataFrame(sample.counts.sum(0), list(names), list(names)),
        proportions=pd.DataFrame(sample.proportions(), list(names), list(names)),
        total_m2=total,
        method=method,
        confidence=confidence,
    )


def _share_of(sample: Stratified, cells: Cells, method: Method, confidence: float) -> Estimate:
    return Estimate(*sample.share(cells), *limits.of_share(sample, cells, method, confidence))


def _ratio(sample: Stratified, cells: Cells, of: Cells, method: Method, confidence: float) -> Estimate:
    return Estimate(*sample.ratio(cells, of), *limits.of_ratio(sample, cells, of, method, confidence))


def _columns(name: str, one: Estimate) -> dict[str, float]:
    return {name: one.value, f"{name}_se": one.se, f"{name}_low": one.low, f"{name}_high": one.high}


def _values(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of plain values; None where there is nothing to say."""
    return [
        {str(key): None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
        for row in table.to_dict("records")
    ]


# ---------------------------------------------------------------------- in words
def _share(value: float | None, low: float | None, high: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _words(row: Mapping[str, Any]) -> str:
    area, low, high, mapped = (row[name] / 1e4 for name in ("area_m2", "area_low_m2", "area_high_m2", "mapped_m2"))
    users, producers = (_share(row[name], row[f"{name}_low"], row[f"{name}_high"]) for name in ("users", "producers"))
    size = f"{area:,.0f} ha ({low:,.0f} to {high:,.0f}; {mapped:,.0f} mapped)"
    return f"{size}, user's accuracy {users}, producer's {producers}"
