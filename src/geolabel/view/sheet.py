"""What stands on every sheet, in words: validity, status, legend, numbers, and where the map came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from geolabel.nouns.risk import BURNABLE, NO_DATA, NON_BURNABLE, RiskMap
from geolabel.nouns.times import iso
from geolabel.view import inline, words
from geolabel.view.layers import Exposed, scheme_of
from geolabel.view.paint import swatch
from geolabel.view.palette import ARRIVAL, NO_DATA_FILL, NON_BURNABLE_FILL, Fill, classes_of

STATUS = {
    "research": ("Research", "Not for evacuation decisions"),
    "exercise": ("Exercise", "Exercise only. Not for evacuation decisions"),
    "operational": ("Operational", "Approved by {approver}"),
}
OUTSIDE = "Outside the coloured area does not mean safe."
HEADING = "Chance that the fire has burned a place"
HEADING_ANY = "How often a fire that starts in this area burns a place"
ANY_NOTE = (
    "Colours count simulated fires, each of which starts in another place of the area: they do not say how many fires will "
    "start, and not the chance that a place burns this year. Hours count from the start of each fire. Fires that come from outside "
    "the area are not simulated: near its edges, above all upwind, the shares are too low."
)
PROBABILITY_NOTE = "Colours show chance, not the order in which places burn; the dashed lines show time."


@dataclass(frozen=True, slots=True)
class Legend:
    """What the map shows beside the probability, and what the sheet must therefore explain."""

    arrival: tuple[float, ...] = ()
    arrows: bool = False
    observed: str = ""
    objects: tuple[Exposed, ...] = ()
    more_objects: int = 0
    terrain: tuple[Fill, ...] = ()
    backdrop: str = ""


@dataclass(frozen=True, slots=True)
class Maker:
    """Who prepared the sheet, and when."""

    author: str
    prepared: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One class of the table of areas: hectares by hour, in words."""

    label: str
    words: str
    areas: tuple[str, ...] = field(default=())


def areas(risk: RiskMap) -> list[Row]:
    """Area of every class by every hour, the likeliest first, then what was not reached, does not burn, is not known."""
    cell_ha = risk.grid.cell_area_m2() / 1e4
    scheme = scheme_of(risk)
    codes = [np.where(risk.ground == BURNABLE, classes_of(p, scheme), 255) for p in risk.probability]
    rows = [
        Row(
            f"{fill.label.removesuffix(' (modelled)')} in {scheme.outcomes:,}",
            fill.words,
            tuple(words.area(int((c == fill.code).sum()) * cell_ha) for c in codes),
        )
        for fill in reversed(scheme.fills)
    ]
    rows.append(Row("none", "not reached", tuple(words.area(int((c == 0).sum()) * cell_ha) for c in codes)))
    for label, kind in ((NON_BURNABLE_FILL.label, NON_BURNABLE), (NO_DATA_FILL.label, NO_DATA)):
        area = words.area(int((risk.ground == kind).sum()) * cell_ha)
        rows.append(Row(label, "", (area,) * len(codes)))
    return rows


def times(risk: RiskMap) -> list[dict[str, str]]:
    """Issue and valid times, local (with the offset of that very moment) and UTC."""
    moments = (("Issued", risk.issued), ("Valid from", risk.start), ("Valid to", risk.valid_to))
    return [
        {
            "what": what,
            "local": words.moment(when, risk.timezone),
            "offset": words.offset(when, risk.timezone),
            "utc": words.moment(when),
            "iso": iso(when),
        }
        for what, when in moments
    ]


def hours(risk: RiskMap) -> list[dict[str, str]]:
    """The hours the map can show, each with the local time at which it ends."""
    return [
        {
            "label": words.hours(h),
            "until": f"{words.short(risk.start + timedelta(hours=h), risk.timezone)} local time, {words.hours(h)} after the start",
        }
        for h in risk.hours
    ]


def settings(risk: RiskMap) -> dict[str, Any]:
    """What the page's script must know: the hours, and when the map begins and ends to be valid (ms since 1970, UTC)."""
    valid_from, valid_to = risk.start.timestamp() * 1000, risk.valid_to.timestamp() * 1000
    local = f"{words.moment(risk.valid_to, risk.timezone)} ({words.offset(risk.valid_to, risk.timezone)})"
    return {
        "valid_from": valid_from,
        "valid_to": valid_to,
        "until": [h["until"] for h in hours(risk)],
        "expired": f"This map has expired: it was valid until {local}.",
        "early": f"This map is not valid yet: it is valid from {words.moment(risk.start, risk.timezone)} "
        f"({words.offset(risk.start, risk.timezone)}).",
    }


def _start(risk: RiskMap) -> str:
    if risk.ignition is None:
        return risk.starts
    return f"{words.place(risk.ignition)} ({words.decimal_place(risk.ignition)})"


def facts(risk: RiskMap, maker: Maker) -> list[tuple[str, str]]:
    """Where the map came from, as (term, text)."""
    grid = risk.grid
    return [
        ("Weather", risk.weather),
        ("Outcomes", f"{risk.n_members} simulated fires"),
        ("Model", risk.model),
        ("Calibration", risk.calibration),
        ("Start of the fire", _start(risk)),
        ("Coordinates", "WGS 84, degrees and decimal minutes; drawn in web mercator (EPSG:3857), true north up"),
        ("Computed on", f"{grid.crs_name}, cells of {grid.res_m:g} m"),
        ("Prepared", f"{words.moment(maker.prepared)} UTC by {maker.author}"),
        ("Map", risk.digest[:12]),
    ]


def render(risk: RiskMap, legend: Legend, maker: Maker) -> str:
    """HTML of the sheet; every text of the user's is escaped."""
    badge, line = STATUS[risk.status]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["swatch"] = lambda fill: Markup(swatch(fill))  # noqa: S704 - our own base64
    return environment.from_string(inline.template("sheet.html")).render(
        risk=risk,
        legend=legend,
        badge=badge,
        status_line=line.format(approver=risk.approver),
        times=times(risk),
        hours=hours(risk),
        areas=areas(risk),
        facts=facts(risk, maker),
        fills=tuple(reversed(scheme_of(risk).fills)),
        outcomes=f"{scheme_of(risk).outcomes:,}",
        heading=HEADING if risk.ignition else HEADING_ANY,
        clear=Fill(0, "none", "not reached", ""),
        ground=(NON_BURNABLE_FILL, NO_DATA_FILL),
        arrival=[(h, ARRIVAL[h]) for h in legend.arrival],
        outside=OUTSIDE,
        note=PROBABILITY_NOTE if risk.ignition else ANY_NOTE,
        start_label=words.moment(risk.start, risk.timezone),
    )


def default_author(risk: RiskMap) -> str:
    """The approver of an operational map, or the program."""
    return risk.approver or f"geolabel {version('geolabel')}"
