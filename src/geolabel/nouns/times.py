"""Aware times in UTC: what every noun that has a time uses."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from geolabel.errors import InputError

When = str | date | datetime


def utc(value: When, *, what: str = "time") -> datetime:
    """Aware datetime in UTC from an ISO 8601 text or a datetime that says its offset.

    Raises
    ------
    InputError
        For a naive time (one without offset) or text that is no time.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise InputError(f"{what} {value!r} is not an ISO 8601 time", hint="e.g. 2009-08-26T22:00Z") from None
    if not isinstance(value, datetime):
        raise InputError(f"{what} {value!r} has no time of day", hint="e.g. 2009-08-26T22:00Z")
    if value.tzinfo is None:
        raise InputError(
            f"{what} {value.isoformat()} has no time zone", hint="add Z for UTC or an offset such as -07:00"
        )
    return value.astimezone(UTC)


def span(at: When | tuple[When, When]) -> tuple[datetime, datetime]:
    """(start, end) in UTC of an acquisition: a bare date is that UTC day, a pair goes from its first to its last."""
    first, last = at if isinstance(at, tuple) else (at, at)
    start, end = _edge(first, last=False), _edge(last, last=True)
    if end < start:
        raise InputError(f"the acquisition ends ({end:%Y-%m-%d}) before it starts ({start:%Y-%m-%d})")
    return start, end


def _edge(value: When, *, last: bool) -> datetime:
    if isinstance(value, str) and len(value.strip()) == len("2009-08-26"):
        try:
            value = date.fromisoformat(value.strip())
        except ValueError:
            raise InputError(f"{value!r} is not a date", hint="e.g. 2009-08-26") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        midnight = datetime.combine(value, time(), UTC)
        return midnight + timedelta(days=1) - timedelta(seconds=1) if last else midnight
    return utc(value, what="acquisition time")


def iso(value: datetime) -> str:
    """`2009-08-26T22:00:00Z`."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact(value: datetime) -> str:
    """`2009-08-26T22:00:00Z`, with a fraction of a second where there is one: nothing is rounded."""
    moment = value.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def interval(text: str | None) -> tuple[str, str] | None:
    """(first, last) of `DATE` or `DATE/DATE`, as a command line gives it; None of nothing.

    Source: ISO 8601-1:2019, 5.5 (time interval).
    """
    if text is None:
        return None
    first, _, last = text.partition("/")
    return first, last or first
