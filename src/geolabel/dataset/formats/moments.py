"""Times as files have them: aware in UTC, whole days, or refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from geolabel.errors import InputError, TableError
from geolabel.nouns.times import span

ZONE_HINT = "say in which zone the file's times are: tz='America/Los_Angeles', or tz='UTC'"

GDAL_DAY = re.compile(r"^(\d{4})/(\d{2})/(\d{2})(?: |$)")
"""How GDAL writes a day where a format has no field of times: `2003/06/02 00:00:00`, as in a shapefile."""


def moments(column: pd.Series, *, tz: str | None = None, last: bool = False) -> pd.Series:
    """Series of UTC times (datetime64[us, UTC], NaT where nothing is said) of a column of texts, dates or times.

    A bare date is that UTC day, or that day of `tz`: its first moment, or its last second where `last`.

    Raises
    ------
    TableError
        For a time without zone where none is told, and for text that is no ISO 8601 time.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_convert("UTC").dt.as_unit("us")
    name = str(column.name)
    found = {value: _moment(value, tz, last=last, name=name) for value in column.dropna().unique() if value != ""}
    return pd.to_datetime(column.map(lambda value: found.get(value, pd.NaT)), utc=True).dt.as_unit("us")


def _moment(value: Any, tz: str | None, *, last: bool, name: str) -> datetime:
    """One time; a naive midnight is a bare date, as GDAL gives dates."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value).strip()
    text = GDAL_DAY.sub(r"\1-\2-\3T", text).removesuffix("T")
    if text.endswith("T00:00:00"):
        text = text.partition("T")[0]
    day = len(text) == len("2009-08-26")
    try:
        if day and tz is not None:
            start = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz))
            return (start + timedelta(days=1) if last else start).astimezone(UTC) - timedelta(seconds=1 if last else 0)
        if day:
            return span(text)[last]
        moment = datetime.fromisoformat(text)
    except (ValueError, InputError):
        raise TableError(f"{name} {text!r} is no ISO 8601 time", hint="e.g. 2009-08-26 or 2009-08-26T22:00Z") from None
    if moment.tzinfo is None and tz is None:
        raise TableError(f"{name} {text!r} has no time zone", hint=ZONE_HINT)
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(tz or "UTC"))).astimezone(UTC)
