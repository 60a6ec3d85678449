"""The columns of every table that passes between rooms, and `check()`.

A table is a pandas or geopandas frame; a `Columns` says which columns it must have, in this order, and their kind.
More columns are allowed and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from geolabel.errors import CRSError, TableError

if TYPE_CHECKING:
    import geopandas as gpd

ColumnKind = Literal["str", "str?", "int", "float", "float?", "time", "time?", "geometry"]


@dataclass(frozen=True, slots=True)
class Columns:
    """Names and kinds of a table's columns; a `?` allows missing values."""

    name: str
    kinds: dict[str, ColumnKind]
    optional: dict[str, ColumnKind] = field(default_factory=dict)
    """Columns that a table may lack and that are kept where it has them."""

    def said(self, frame: Any) -> list[str]:
        """The optional columns in which this frame says something."""
        return [name for name in self.optional if name in frame.columns and frame[name].notna().any()]

    def __iter__(self) -> Any:
        return iter(self.kinds)


SHAPES = Columns(
    "shapes",
    {
        "label_id": "str",  # stable: the same polygon keeps it through export and correction
        "class": "str",  # a name of the ontology
        "severity": "str?",  # unburned / low / moderate / high, for burn scars
        "severity_scheme": "str?",
        "confidence": "float?",  # self-declared, 0-1
        "masked_share": "float?",  # share of the polygon that no clear pixel saw
        "geometry": "geometry",  # Polygon or MultiPolygon in the view's CRS, holes kept
    },
    optional={
        "start": "time?",  # of the ground it speaks of, where it is not the view's
        "end": "time?",
        "attributes": "str?",  # canonical JSON object: what the ontology's class asks for, and what a file brought along
    },
)
"""What an annotator drew or a rule found."""

LABELS = Columns(
    "labels",
    {
        **{name: kind for name, kind in SHAPES.kinds.items() if name != "geometry"},
        **SHAPES.optional,
        "annotator": "str?",  # `person:<id>` and the like; null where nobody is named
        "labeled_at": "time?",
        "geometry": "geometry",  # in any CRS
    },
)
"""Labels as they come from and go to files of other programs: shapes, and who says so since when."""

IGNORE = Columns("ignore", {"reason": "str", "geometry": "geometry"})
"""Areas that must not be counted: cloud / nodata / unsure / disputed."""

AGREED = Columns(
    "agreed",
    {**SHAPES.kinds, "probability": "float?", "n_votes": "int", "agreement": "float?", "boundary_sd_m": "float?"},
)
"""Shapes of a consensus."""

SKILL = Columns(
    "skill",
    {
        "annotator": "str",
        "class": "str",  # `all` first: labeled or not, and as what
        "n_gold": "int",  # of a class: gold tasks in which it is true or was drawn
        "n_passed": "int",  # at the stated IoU
        "accuracy": "float?",  # share of gold tasks passed, with Wilson's interval
        "accuracy_low": "float?",
        "accuracy_high": "float?",
        "pixel_accuracy": "float?",  # grows with the empty ground around a patch: never a headline figure
        "pixel_low": "float?",
        "pixel_high": "float?",
        "iou": "float?",
        "iou_low": "float?",
        "iou_high": "float?",
        "boundary_iou": "float?",
        "boundary_low": "float?",
        "boundary_high": "float?",
        "sensitivity": "float?",
        "specificity": "float?",
        "bias_m": "float?",  # of the outlines: + over-traced, - under-traced
        "bias_low": "float?",
        "bias_high": "float?",
        "over_m": "float?",  # mean over all outline pixels of the distance outside, and inside, of the truth
        "under_m": "float?",
        "n_answers": "int",  # complete ones, of all tasks
        "active_s": "float?",  # mean seconds a task
        "s_per_km": "float?",  # seconds a km of outline
        "n_agreement": "int",  # tasks that are not gold, answered with others
        "agreement": "float?",  # pooled IoU with them
    },
)
"""What gold tasks, time and the other annotators say of each annotator and class."""

AGREEMENT = Columns(
    "agreement",
    {
        "stratum": "str",  # `all` first
        "n_tasks": "int",
        "n_annotators": "int",
        "n_pixels": "int",  # coded by two or more
        "alpha": "float?",  # Krippendorff's
        "alpha_low": "float?",
        "alpha_high": "float?",
        "kappa": "float?",  # Fleiss'
        "kappa_low": "float?",
        "kappa_high": "float?",
        "iou": "float?",  # mean over the pairs of annotators
    },
)
"""How far annotators agree, in all ground and by stratum."""

PAIRWISE = Columns(
    "pairwise",
    {"stratum": "str", "annotator": "str", "other": "str", "n_tasks": "int", "iou": "float?"},
)
"""IoU of each two annotators."""

GOLD = Columns(
    "gold",
    {
        "task": "str",
        "state": "str",  # proposed / disputed / standing / appealed / upheld / overturned / retired
        "use": "str",  # evaluation (hidden) / calibration (its truth is shown)
        "iou": "float?",  # of its two experts
        "experts": "str",  # by commas
        "adjudicator": "str?",
        "n_shown": "int",  # annotators who answered it
        "why": "str",
    },
)
"""Gold tasks, what became of each, and how many annotators have seen it."""

PAUSES = Columns(
    "pauses",
    {
        "annotator": "str",
        "state": "str",  # continue / cleared / pause
        "n_gold": "int",
        "n_failed": "int",
        "llr": "float",  # log-likelihood ratio of careless to careful
        "lower": "float",
        "upper": "float",
        "paused": "str?",  # since when, where an event says so
    },
)
"""The sequential test of each annotator."""

BATCHES = Columns(
    "batches",
    {
        "batch": "str",
        "kind": "str",
        "state": "str",  # planned / open / delivered / reopened
        "priority": "int",  # higher goes first
        "due": "time?",
        "overlap": "int",  # independent answers that a task is to have
        "tasks": "int",
        "answered": "int",  # tasks that somebody answered
        "decision": "str?",  # accept / reject, of the last inspection
        "version": "int",  # of the last delivery, 0 before the first
        "review_min": "float",  # minutes of inspection
    },
)
"""Batches and what became of them, in the order in which they are worked on."""

OUTDATED = Columns(
    "outdated",
    {
        "task": "str",
        "answer": "str",  # its uuid
        "annotator": "str",
        "class": "str?",  # that changed; null where the change is to all of them
        "touch": "str",  # `uses` it, or `may use` it: it could have been drawn on the tile
        "why": "str",
    },
)
"""Current answers that a later version of the instructions or the ontology touches; one row a class that changed."""

DECISIONS = Columns(
    "decisions",
    {
        "number": "int",  # of its event
        "at": "time",
        "by": "str",
        "case": "str",  # shadow / slc-off / island / clear-cut / other
        "question": "str",
        "decision": "str",
        "why": "str",
        "classes": "str",  # by commas
        "examples": "str",  # task ids and lon,lat, by "; "
        "instructions": "int",  # version that held
    },
)
"""What was decided on edge cases."""

COST = Columns(
    "cost",
    {
        "annotator": "str",
        "answers": "int",
        "corrected": "int",  # of them superseded: their minutes count too
        "untimed": "int",  # answers of people without active seconds
        "label_min": "float",
        "review_min": "float",
    },
)
"""Active minutes by annotator."""

STATES = Columns(
    "states",
    {
        "task": "str",
        "kind": "str",
        "state": "str",  # new / answered / agreed / disputed / reviewed / accepted / sent back
        "answers": "int",  # of people, who did not skip it
        "wanted": "int",  # answers that it is to have
        "agreement": "float?",
        "rounds": "int",  # how often it was sent back or reopened
        "by": "str?",  # whose step was the last
        "why": "str?",
        "review_min": "float",  # minutes of review
    },
)
"""Where tasks stand."""

SUSPECTS = Columns(
    "suspects",
    {
        "label_id": "str",  # `missed/<class>/<row>_<col>` of an area that nobody labeled
        "class": "str",  # as it is labeled; `nothing` of an area that nobody labeled
        "error": "str",  # class / boundary / missed / none
        "score": "float",  # 0-1: softmin of the probability of the class as labeled; low is suspect
        "likely": "str",  # the class that the model names
        "share": "float",  # of its pixels for which the model names another class than the label does
        "probability": "float",  # mean of the likely class
        "confident": "int",  # 1 where confident learning counts the label as wrong
        "over_px": "float?",  # how far its outline lies outside of what the model sees, and inside
        "under_px": "float?",
        "area_m2": "float",
        "reason": "str",
        "geometry": "geometry",
    },
)
"""Labels that a model doubts which was not taught with them, the most suspect first."""

SUGGESTED = Columns(
    "suggested",
    {
        "task": "str",
        "action": "str",  # new / relabel
        "score": "float",  # uncertainty x diversity x balance per minute
        "uncertainty": "float",  # share of wrong pixels that one more answer is expected to mend
        "diversity": "float",  # 0-1: how unlike it is to reliable labels and to the rest of the batch
        "balance": "float",  # above 1 where rare classes are expected
        "minutes": "float",
        "reason": "str",
    },
)
"""What to label next, in the order of its worth for the time it takes."""

WIND = Columns("wind", {"time": "time", "speed_m_s": "float", "from_deg": "float"})
"""Mean wind at 10 m above open ground, FROM, degrees clockwise from true north."""

ISOCHRONES = Columns(
    "isochrones",
    {
        "hour": "float",  # after the start of the forecast
        "minutes": "float",
        "time": "time?",  # null where the start is not known
        "area_ha": "float",  # in the plane of the grid
        "geometry": "geometry",  # in the grid's CRS
    },
)
"""Where a fire is at each time: every outline holds those before it."""


EXPOSED = Columns(
    "exposed",
    {
        "label_id": "str",
        "class": "str",
        "probability": "float",
        "arrival_min": "float?",
        "area_m2": "float",
        "geometry": "geometry",
    },
)
"""Objects a fire may reach: probability within the map's period, median arrival in minutes after start."""

REACHED = Columns(
    "reached",
    {
        "community": "str",
        "members": "int",  # fires simulated
        "came": "int",  # of them to its edge
        "probability": "float",
        "error": "float",  # Monte-Carlo standard error of it
        "arrival_p10_min": "float?",  # over the members that came, of their first arrival; null where none did
        "arrival_p50_min": "float?",
        "arrival_p90_min": "float?",
        "bearing_deg": "float?",  # mean of spread TO, from true north; null where none dominates
    },
)
"""Communities a campaign looked at: whether, when and from where fires come to their edge."""

ROSE = Columns(
    "rose",
    {"community": "str", "sector": "str", "bearing_deg": "float", "came": "int", "share": "float"},
)
"""Direction of spread TO, from true north, with which fires come to each community, a row a sector."""

ACCURACY = Columns(
    "accuracy",
    {
        "class": "str",
        "samples": "float",  # whose reference is this class
        "users": "float?",  # share of what is mapped as the class that is it; null where nothing is
        "users_se": "float?",
        "users_low": "float?",
        "users_high": "float?",
        "producers": "float?",  # share of what is the class that is mapped as it
        "producers_se": "float?",
        "producers_low": "float?",
        "producers_high": "float?",
        "mapped_m2": "float",  # area that the map shows
        "area_m2": "float",  # area adjusted for the map's errors
        "area_se_m2": "float",
        "area_low_m2": "float",
        "area_high_m2": "float",
    },
)
"""Accuracy and error-adjusted area of each class of a map."""

POINTS = Columns(
    "points",
    {
        "point_id": "str",  # in an order that says nothing of the map
        "row": "int",
        "col": "int",
        "x": "float",  # centre of the pixel in the grid's CRS
        "y": "float",
        "lon": "float",
        "lat": "float",
        "stratum": "str",
        "inclusion": "float",  # probability that the pixel was drawn
    },
)
"""Pixels drawn at random within strata, for whom the reference is asked."""

REFERENCE = Columns("reference", {"point_id": "str", "class": "str?", "annotator": "str?"})
"""What people say the ground is at points; null where they could not tell."""

_MISSING_ALLOWED = "?"


def empty(columns: Columns, crs: Any = None) -> Any:
    """Empty frame with these columns (a GeoDataFrame in `crs` where they hold a geometry)."""
    import geopandas as gpd
    import pandas as pd

    data = {name: pd.Series(dtype=_dtype(kind)) for name, kind in columns.kinds.items() if kind != "geometry"}
    if "geometry" not in columns.kinds:
        return pd.DataFrame(data)
    return gpd.GeoDataFrame(data, geometry=gpd.GeoSeries([], crs=crs))[list(columns)]


def _dtype(kind: ColumnKind) -> str:
    base = kind.rstrip(_MISSING_ALLOWED)
    return {"str": "object", "int": "int64", "float": "float64", "time": "datetime64[ns, UTC]"}[base]


def check(frame: Any, columns: Columns) -> Any:
    """The frame itself, once it is known to hold these columns.

    Raises
    ------
    TableError
        A column is missing, holds missing values where none may be, or holds another kind of value.
    CRSError
        A table with geometry and without a CRS.
    """
    lost = [name for name in columns if name not in frame.columns]
    if lost:
        raise TableError(f"the {columns.name} table lacks {lost}; it has {list(frame.columns)}")
    there = {name: kind for name, kind in columns.optional.items() if name in frame.columns}
    for name, kind in {**columns.kinds, **there}.items():
        if kind == "geometry":
            _check_geometry(frame, columns)
        else:
            _check_values(frame[name], name, kind, columns)
    return frame


def _check_geometry(frame: gpd.GeoDataFrame, columns: Columns) -> None:
    import shapely

    if frame.crs is None:
        raise CRSError(f"the {columns.name} table has no CRS", hint="frame.set_crs(...) with the CRS it was drawn in")
    geometry = frame.geometry.to_numpy()
    bad = shapely.is_missing(geometry) | shapely.is_empty(geometry) | ~shapely.is_valid(geometry)
    if bad.any():
        raise TableError(
            f"{int(bad.sum())} of {len(frame)} shapes of the {columns.name} table are missing, empty or invalid",
            hint="geolabel.shapes.repair(frame) mends them or says why it cannot",
        )


def _check_values(column: Any, name: str, kind: ColumnKind, columns: Columns) -> None:
    import pandas as pd
    from pandas.api.types import is_datetime64_any_dtype, is_integer_dtype, is_numeric_dtype

    lost = pd.isna(column.array)  # on arrays: a project reads back a hundred thousand tables of a few rows each
    if not kind.endswith(_MISSING_ALLOWED) and lost.any():
        raise TableError(f"column {name!r} of the {columns.name} table has {int(lost.sum())} missing values")
    if not len(column):
        return
    base = kind.rstrip(_MISSING_ALLOWED)
    tests: dict[str, Callable[[], bool]] = {
        "str": lambda: (
            isinstance(column.dtype, pd.StringDtype) or all(isinstance(value, str) for value in column.array[~lost])
        ),
        "int": lambda: bool(is_integer_dtype(column.dtype)),
        "float": lambda: bool(is_numeric_dtype(column.dtype) or lost.all()),
        "time": lambda: bool(lost.all() or (is_datetime64_any_dtype(column.dtype) and column.dt.tz is not None)),
    }
    good = tests[base]()
    if not good:
        hint = "times are aware: pandas.to_datetime(..., utc=True)" if base == "time" else ""
        raise TableError(f"column {name!r} of the {columns.name} table is {column.dtype}, not {base}", hint=hint)
