"""Collect Earth Online's sample data as CSV: what people answered to a question about each sample of a plot.

Source: Collect Earth Online (Saah et al. 2019), sample data export.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geolabel.dataset.formats.carries import Carries
from geolabel.dataset.formats.images import Look
from geolabel.dataset.formats.moments import moments
from geolabel.dataset.formats.parts import with_kinds
from geolabel.dataset.formats.reading import Told, table
from geolabel.dataset.formats.said import csv_of
from geolabel.digests import canonical
from geolabel.errors import InputError, TableError

CARRIES = Carries(
    geometry="exact",
    holes="exact",
    crs="no",
    ids="exact",
    times="rounded",
    attributes="exact",
    annotator="exact",
    confidence="no",
    note="WGS84; a sample that is a point becomes a box of the told size; times are minutes without an offset, taken as UTC unless `tz` is told; "
    "a sample that was answered twice has two labels, the second as `<plot>/<sample>#2`.",
)
OURS = ("plotid", "sampleid", "lon", "lat", "sample_geom", "collection_time", "analysis_duration", "flagged")
"""Columns that every export has in some version."""
BY = ("annotator", "email", "user_email", "user_id", "userid")
THEIRS = (
    "flagged_reason",
    "confidence",
    "confidence_comment",
    "imagery_title",
    "imagery_attributions",
    "sample_internal_id",
)
OWN = ("pl_", "smpl_")
"""How columns begin that the project's maker brought along."""
SECOND = "#"
GEOD = Geod(ellps="WGS84")


def read(path: Path, told: Told) -> gpd.GeoDataFrame:
    """`tables.LABELS` of a sample data export; `attrs["looked"]` has a line for every answer, empty ones too.

    Parameters
    ----------
    told
        `fields["class"]` names the question whose answers are the classes, where there are several; the others become
        attributes. `values["size_m"]` is the side of a sample that is a point, metres. An answer that is empty is
        `unsure`, `skipped` where the plot was flagged.

    Raises
    ------
    TableError
        Where a column is missing or it is not clear which is the question.
    InputError
        For points without a size.
    """
    rows = csv_of(path)
    rows = rows.rename(columns={name: str(name).strip().lower() for name in rows if str(name).strip().lower() in OURS})
    question = _question(rows, told)
    by = told.fields.get("annotator") or next((name for name in BY if name in rows.columns), None)
    known = rows.assign(_id=_ids(rows), _by=None if by is None else rows[by].map(_person, na_action="ignore"))
    known = known.assign(_at=_times(rows, told))
    answered = known[known[question].notna()]
    data = {
        "label_id": answered["_id"],
        "class": answered[question],
        "annotator": answered["_by"],
        "labeled_at": answered["_at"],
        "attributes": _attributes(answered, {question, by}),
    }
    shapes = [_sample(row, told) for row in answered.to_dict("records")]
    found = table(with_kinds(gpd.GeoDataFrame(pd.DataFrame(data), geometry=shapes, crs="EPSG:4326")), told)
    found.attrs["looked"] = tuple(_look(row, question) for row in known.to_dict("records"))
    return found


def first_answers(labels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The labels without second answers to a sample."""
    return labels[~labels["label_id"].str.contains(SECOND, regex=False)]


def _question(rows: pd.DataFrame, told: Told) -> str:
    known = {*OURS, *BY, *THEIRS}
    asked = [
        str(name) for name in rows.columns if str(name).lower() not in known and not str(name).lower().startswith(OWN)
    ]
    wanted = told.fields.get("class")
    if wanted is None and len(asked) == 1:
        return asked[0]
    if wanted is None or wanted not in rows.columns:
        raise TableError(
            f"which question's answers are the classes is not clear: {asked}", hint="fields={'class': '<question>'}"
        )
    return wanted


def _ids(rows: pd.DataFrame) -> pd.Series:
    """`<plot>/<sample>`; `#2` and so on after the answers that are not the first."""
    lost = [name for name in ("plotid", "sampleid") if name not in rows.columns]
    if lost:
        raise TableError(f"no column {lost[0]!r}; the file has {list(rows.columns)}", hint="export the sample data")
    keys = rows["plotid"].astype(str) + "/" + rows["sampleid"].astype(str)
    again = keys.groupby(keys).cumcount() + 1
    return keys.where(again == 1, keys + SECOND + again.astype(str))


def _person(name: Any) -> str:
    return f"person:{name}"


def _times(rows: pd.DataFrame, told: Told) -> Any:
    return moments(rows["collection_time"], tz=told.tz or "UTC") if "collection_time" in rows.columns else pd.NaT


def _sample(row: Mapping[Any, Any], told: Told) -> BaseGeometry:
    """The sample's polygon, or a box of the told size around its point."""
    text = row.get("sample_geom")
    there = shapely.from_wkt(text) if isinstance(text, str) else shapely.Point(row["lon"], row["lat"])
    if there.geom_type != "Point":
        return there
    size_m = told.values.get("size_m")
    if size_m is None:
        raise InputError(
            f"sample {row['_id']} is a point, and a point is no ground",
            hint="values={'size_m': 30}: the side of a sample",
        )
    east, north, west, south = (GEOD.fwd(there.x, there.y, azimuth, size_m / 2) for azimuth in (90, 0, 270, 180))
    return shapely.box(west[0], south[1], east[0], north[1])


def _attributes(rows: pd.DataFrame, taken: set[str | None]) -> list[str | None]:
    """What else was answered, and on which imagery."""
    held = [name for name in rows.columns if name not in (*OURS, *taken) and not str(name).startswith("_")]

    def said(row: Mapping[Any, Any]) -> str | None:
        values = {str(name): row[name] for name in held if not pd.isna(row[name])}
        return canonical(values).decode() if values else None

    return [said(row) for row in rows[held].to_dict("records")]


def _look(row: Mapping[Any, Any], question: str) -> Look:
    nothing = "skipped" if str(row.get("flagged")).lower() == "true" else "unsure"
    seconds = str(row.get("analysis_duration", "")).removesuffix("secs").strip()
    active_s = float(seconds) if seconds.replace(".", "", 1).isdigit() else 0.0
    at = None if pd.isna(row["_at"]) else row["_at"].to_pydatetime()
    by = None if pd.isna(row["_by"]) else str(row["_by"])
    return Look(row["_id"], by, at, nothing if pd.isna(row[question]) else "labeled", active_s)
