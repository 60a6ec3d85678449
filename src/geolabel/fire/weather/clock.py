"""Times of weather files: aware, or of a stated time zone; hours that a clock change drops or repeats are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geolabel.errors import InputError
from geolabel.nouns.times import utc

STATE_ZONE = "name it: timezone='America/Los_Angeles', or write offsets: 2025-07-01T12:00-07:00"


def aware(
    texts: Sequence[str],
    *,
    timezone: str | None = None,
    time_format: str | None = None,
    clocks: Sequence[str] | None = None,
) -> list[datetime]:
    """UTC moments of texts, in their order.

    Parameters
    ----------
    timezone
        Where the clock of times without an offset stands: an IANA name or a fixed offset such as `-08:00`.
    time_format
        For times that are not ISO 8601, as `datetime.strptime` reads it: `%d/%m/%y %H:%M`.
    clocks
        Whose time each is, such as a station's name; without it all are of one.

    Raises
    ------
    InputError
        Text that is no time, a time without offset and no `timezone`, an hour that the clock skipped, or one that it
        showed twice and that the texts do not hold twice.
    """
    zone = None if timezone is None else zone_of(timezone)
    moments = [_read(text, time_format, row) for row, text in enumerate(texts, 1)]
    if zone is None and any(moment.tzinfo is None for moment in moments):
        first = next(row for row, moment in enumerate(moments, 1) if moment.tzinfo is None)
        raise InputError(f"time {texts[first - 1]} in row {first} has no time zone", hint=STATE_ZONE)
    keys = list(zip([""] * len(moments) if clocks is None else clocks, moments, strict=True))
    there, met = Counter(keys), Counter[tuple[str, datetime]]()
    made = []
    for key in keys:
        met[key] += 1
        made.append(utc(key[1] if key[1].tzinfo else _placed(key[1], zone or UTC, there[key], met[key])))
    return made


def zone_of(name: str) -> tzinfo:
    """Time zone of an IANA name or of a fixed offset.

    Raises
    ------
    InputError
        For names that there are not.
    """
    try:
        if name[:1] in "+-" and name:
            return datetime.strptime(name, "%z").tzinfo or UTC
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise InputError(
            f"unknown time zone {name!r}", hint="an IANA name or an offset: Europe/Brussels, -08:00"
        ) from None


def _read(text: str, time_format: str | None, row: int) -> datetime:
    try:
        return datetime.strptime(text, time_format) if time_format else datetime.fromisoformat(text.strip())
    except ValueError:
        hint = f"it is read as {time_format}" if time_format else "ISO 8601: 2009-08-26T22:00Z; else give time_format"
        raise InputError(f"time {text!r} in row {row} cannot be read", hint=hint) from None


def _placed(moment: datetime, zone: tzinfo, times_there: int, which: int) -> datetime:
    """A wall-clock time on its zone's clock; `which` of its `times_there` occurrences says whether it is the second pass."""
    first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise InputError(
            f"the clock of {zone} skipped {moment.isoformat()}", hint="a station on standard time? give its offset"
        )
    if times_there != 2:
        raise InputError(
            f"the clock of {zone} showed {moment.isoformat()} twice; here it stands {times_there} times",
            hint="write the offset of that hour",
        )
    return first if which == 1 else second
