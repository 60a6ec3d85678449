"""Numbers, times and places as a person reads them, never more precise than they are."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from html import escape as escape_html
from zoneinfo import ZoneInfo

from geolabel.grid import LonLat

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ARRIVAL_STEP_MIN = 15
SHARE_STEP = 0.05


def safe(text: str) -> str:
    """Text that HTML and a JavaScript template literal both take as text."""
    return escape_html(text).replace("`", "&#96;").replace("$", "&#36;").replace("\\", "&#92;")


def moment(when: datetime, timezone: str = "UTC") -> str:
    """`Wed 26 Aug 2009, 15:00` in a time zone, English whatever the machine's locale."""
    there = when.astimezone(ZoneInfo(timezone))
    return f"{DAYS[there.weekday()]} {there.day} {MONTHS[there.month - 1]} {there.year}, {there:%H:%M}"


def short(when: datetime, timezone: str) -> str:
    """`Wed 15:00` in a time zone."""
    there = when.astimezone(ZoneInfo(timezone))
    return f"{DAYS[there.weekday()]} {there:%H:%M}"


def day(when: datetime, timezone: str) -> str:
    """`26 Aug 2009` in a time zone."""
    there = when.astimezone(ZoneInfo(timezone))
    return f"{there.day} {MONTHS[there.month - 1]} {there.year}"


def offset(when: datetime, timezone: str) -> str:
    """`UTC−03:00`: the zone's offset at that moment, daylight saving time included."""
    minutes = int(when.astimezone(ZoneInfo(timezone)).utcoffset().total_seconds() // 60)  # type: ignore[union-attr]
    return f"UTC{'−' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def degrees_minutes(value: float, letters: str, *, digits: int = 3) -> str:
    """`34°53.456′ W` from degrees; `letters` are those of positive and negative, `NS` or `EW`.

    Sixty minutes carry to the next degree: 7.9999999 is 8°00.000′, never 7°60.000′.
    """
    unit = 10**digits
    total = round(abs(value) * 60 * unit)
    degrees, rest = divmod(total, 60 * unit)
    width = 3 + digits if digits else 2
    return f"{degrees}°{rest / unit:0{width}.{digits}f}′ {letters[value < 0]}"


def place(point: LonLat) -> str:
    """`7°57.000′ S, 34°54.000′ W`."""
    return f"{degrees_minutes(point.lat, 'NS')}, {degrees_minutes(point.lon, 'EW')}"


def decimal_place(point: LonLat) -> str:
    """`−7.95000, −34.90000`: latitude, longitude."""
    return f"{point.lat:.5f}, {point.lon:.5f}".replace("-", "−")


def hours(value: float) -> str:
    """`6 h`, `1.5 h`."""
    return f"{value:g} h"


def share(probability: float) -> str:
    """A probability to the nearest 5 %: `65 %`, `under 5 %`, `over 95 %`, `none`."""
    if not probability > 0:
        return "none"
    if probability < SHARE_STEP:
        return "under 5 %"
    if probability > 1 - SHARE_STEP:
        return "over 95 %"
    return f"{math.floor(probability / SHARE_STEP + 0.5 + 1e-9) * 5} %"


def arrival(minutes: float) -> str:
    """An arrival after the start to the nearest quarter of an hour: `after 6 h 15`; `time not known` for NaN."""
    if not math.isfinite(minutes):
        return "time not known"
    total = math.floor(minutes / ARRIVAL_STEP_MIN + 0.5) * ARRIVAL_STEP_MIN
    if total < ARRIVAL_STEP_MIN:
        return "within 15 min"
    return f"after {total // 60} h {total % 60:02d}" if total % 60 else f"after {total // 60} h"


def area(hectares: float) -> str:
    """Hectares to two digits: `1,200 ha`, `35 ha`, `under 1 ha`, `0`."""
    if hectares <= 0:
        return "0"
    if hectares < 1:
        return "under 1 ha"
    step = 10 ** max(0, math.floor(math.log10(hectares)) - 1)
    return f"{math.floor(hectares / step + 0.5) * step:,} ha"


def clock(start: datetime, minutes: float, timezone: str) -> str:
    """Local time of an arrival to the nearest quarter of an hour: `Wed 21:15`; a dash for NaN."""
    if not math.isfinite(minutes):
        return "–"
    quarter = ARRIVAL_STEP_MIN * 60
    seconds = math.floor((start.timestamp() + minutes * 60) / quarter + 0.5) * quarter
    return short(datetime.fromtimestamp(seconds, UTC), timezone)
