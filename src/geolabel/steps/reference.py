"""Points to be labeled out to a GIS, Collect Earth Online or a spreadsheet, and what people say of them back in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geolabel import files
from geolabel.errors import InputError, nearest
from geolabel.nouns.answer import Answer
from geolabel.quality.items import Names, agree_items
from geolabel.steps.imports import is_annotator
from geolabel.tables import REFERENCE, check

IDS = ("point_id", "pl_point_id", "label_id")
"""Columns that may hold the points' ids; Collect Earth Online puts `pl_` before what a project's maker brought along."""
CLASSES = ("class", "label", "reference")
ANNOTATORS = ("annotator", "email", "user_email", "user_id")
UNSURE = {"", "unsure", "skipped", "unknown"}
SHOWN = ("point_id", "lon", "lat", "x", "y", "row", "col")
DRIVERS = {".geojson": "GeoJSON", ".gpkg": "GPKG"}


def blind(points: pd.DataFrame) -> pd.DataFrame:
    """The points without what would tell their stratum, and an empty `class` and `annotator` to be filled in."""
    return points[list(SHOWN)].assign(**{"class": None, "annotator": None})


def write(points: pd.DataFrame, path: Path | str) -> Path:
    """Path of the points for people: `.csv` (also for Collect Earth Online), `.geojson` or `.gpkg` (in WGS84).

    The map's class is not in it: who sees it follows it.

    Raises
    ------
    InputError
        For another suffix.
    """
    path, shown = Path(path), blind(points)
    if path.suffix == ".csv":
        plots = shown.rename(columns={"lon": "LON", "lat": "LAT"}).assign(PLOTID=range(1, len(shown) + 1))
        first = ["LON", "LAT", "PLOTID"]
        plots = plots[[*first, *(name for name in plots if name not in first)]]
        return files.write_text(path, plots.to_csv(index=False))
    if path.suffix not in DRIVERS:
        raise InputError(f"points cannot be written as {path.suffix or 'a folder'}", hint=".csv, .geojson or .gpkg")
    frame = gpd.GeoDataFrame(shown, geometry=gpd.points_from_xy(shown["lon"], shown["lat"]), crs="EPSG:4326")
    frame = frame.astype({"class": "string", "annotator": "string"})
    with files.atomic(path) as tmp:
        frame.to_file(tmp, driver=DRIVERS[path.suffix], layer="points")
    return path


def read(
    source: Path | str | pd.DataFrame, *, fields: Mapping[str, str] | None = None, person: Callable[[str], str]
) -> pd.DataFrame:
    """`tables.REFERENCE` of a file that came back, or of a frame; several annotators may have labeled a point.

    Parameters
    ----------
    fields
        Which column is the `point_id`, `class` and `annotator`, where it has another name.
    person
        Gives the pseudonym of somebody who is named.

    Raises
    ------
    InputError
        Where a column is missing, or the file is none.
    """
    frame = source if isinstance(source, pd.DataFrame) else _of_file(Path(source))
    told = dict(fields or {})
    strange = sorted(set(told) - set(REFERENCE.kinds))
    if strange:
        raise InputError(f"no field {strange[0]!r}", hint=nearest(strange[0], REFERENCE.kinds))
    ids = frame[_column(frame, "point_id", told, IDS)].map(_text)
    said = frame[_column(frame, "class", told, CLASSES)].map(_text)
    by = _column(frame, "annotator", told, ANNOTATORS, optional=True)
    names = pd.Series(None, frame.index, dtype=object) if by is None else frame[by].map(_text)
    who = {name: name if is_annotator(name) else person(name) for name in sorted({*names.dropna()})}
    unsure = said.isna() | said.fillna("").str.lower().isin(UNSURE)
    table = pd.DataFrame({"point_id": ids, "class": said.mask(unsure, None), "annotator": names.map(who)})
    return check(table.dropna(subset=["point_id"]).astype(object).where(lambda t: t.notna(), None), REFERENCE)


def _of_file(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        from geolabel.dataset.formats.said import csv_of

        return csv_of(path)
    with files.named_errors(path):
        if not path.exists():
            raise FileNotFoundError(2, "no such file", str(path))
        return pd.DataFrame(gpd.read_file(path).drop(columns="geometry"))


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value).strip() or None


def _column(
    frame: pd.DataFrame, what: str, told: Mapping[str, str], names: Collection[str], *, optional: bool = False
) -> Any:
    """The column that holds what is asked for; the one that was told, else the first of the known names."""
    wanted = (told[what],) if what in told else names
    known = {str(name).strip().lower(): name for name in frame.columns}
    found = next((known[name.lower()] for name in wanted if name.lower() in known), None)
    if found is None and (what in told or not optional):
        hint = f"fields={{'{what}': '...'}}; the columns are {', '.join(map(str, frame.columns))}"
        raise InputError(f"no column {' or '.join(wanted)} with the {what} of a point", hint=hint)
    return found


def are_of(answers: Sequence[Answer], points: pd.DataFrame) -> bool:
    """Whether all of the answers are to tasks of a sample, whose core is the pixel that was drawn."""
    return {_key(answer) for answer in answers} <= set(_ids(points))


def of_answers(answers: Sequence[Answer], points: pd.DataFrame, none: str) -> pd.DataFrame:
    """`tables.REFERENCE` of answers to the tasks of a sample.

    Parameters
    ----------
    none
        Name of ground that is none of the classes: what an empty answer says.
    """
    ids, said = _ids(points), [_class(answer, none) for answer in answers]
    keys, names = [ids[_key(answer)] for answer in answers], [answer.annotator for answer in answers]
    return check(pd.DataFrame({"point_id": keys, "class": said, "annotator": names}).astype(object), REFERENCE)


def _ids(points: pd.DataFrame) -> dict[str, str]:
    """Key of a pixel's tile -> id of the point."""
    return {f"{row}_{col}": one for row, col, one in zip(points["row"], points["col"], points["point_id"], strict=True)}


def _key(answer: Answer) -> str:
    return answer.task_id.rpartition("#")[0].rpartition("/")[2]


def _class(answer: Answer, none: str) -> str | None:
    """What an answer says of its pixel: the class of most of it, by name where two are equal."""
    if answer.outcome == "empty":
        return none
    if answer.outcome != "labeled":
        return None
    areas = answer.shapes.area.groupby(answer.shapes["class"]).sum()
    return str(areas.sort_index().idxmax())


def settled(reference: pd.DataFrame) -> pd.DataFrame:
    """By point that somebody could name: `label` of the majority (by name where equal) and the `share` that says so.

    Rules and models weigh 0 where a person spoke.

    Raises
    ------
    QualityError
        Where nobody could name any point.
    """
    nobody = "nobody " + reference.groupby("point_id").cumcount().astype(str)
    named = reference.assign(annotator=reference["annotator"].fillna(nobody))
    return agree_items(named, method="majority", names=Names("point_id", "annotator", "class")).table[
        ["label", "share"]
    ]


def last(reference: pd.DataFrame) -> pd.DataFrame:
    """The reference without what an annotator said of a point before saying something else; nobody is not one annotator."""
    again = reference.duplicated(["point_id", "annotator"], keep="last") & reference["annotator"].notna()
    return reference[~again]
