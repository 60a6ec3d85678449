"""The layers of a risk map as folium objects, each with its legend: what is drawn and what it is called go together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geolabel import tables
from geolabel.errors import InputError, OntologyError
from geolabel.nouns.risk import NO_DATA, NON_BURNABLE, RiskMap
from geolabel.ontology import WILDFIRE, Ontology
from geolabel.shapes import rasterise
from geolabel.view import paint, words
from geolabel.view.lines import Isochrone, Path, arrows, isochrones, outline
from geolabel.view.page import Marks, Shapes, image
from geolabel.view.palette import (
    ANY_FIRE,
    ARRIVAL,
    ARROW,
    GROUND,
    HALO,
    NO_DATA_FILL,
    NON_BURNABLE_FILL,
    OBJECT,
    OBSERVED,
    ONE_FIRE,
    Fill,
    Line,
    Scheme,
    classes_of,
    word,
)
from geolabel.view.warp import Frame, warp_codes, warp_picture

PANES = (
    ("glBackdrop", 210),
    ("glRelief", 220),
    ("glFill", 230),
    ("glGround", 240),
    ("glLines", 410),
    ("glObserved", 420),
)
"""Panes of the map and their height, lowest first."""
RECENT_S = 3 * 24 * 3600
"""Seconds from the start within which a day of the week tells when something was observed."""
MAX_OBJECTS = 12
"""Objects with a letter on the map and a row on the sheet; the others are outlined only."""


PUSH_PX, NEAR_START = 20, 0.2
"""How far a label is pushed from the start, and within which share of the last line's distance."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """One object a fire may reach, in words."""

    letter: str
    name: str
    share: str
    word: str
    arrival: str
    clock: str


def scheme_of(risk: RiskMap) -> Scheme:
    """Classes of a map's probabilities: those of a known start, or of fires that start anywhere."""
    return ANY_FIRE if risk.ignition is None else ONE_FIRE


def fills(risk: RiskMap, frame: Frame) -> list[Any]:
    """One picture of the probability classes for each hour; the last is shown."""
    pictures, scheme = [], scheme_of(risk)
    for number, (hours, probability) in enumerate(zip(risk.hours, risk.probability, strict=True)):
        codes = warp_codes(classes_of(probability, scheme), risk.grid, frame, outside=0)
        uri = paint.data_uri(paint.png(paint.paint(codes, scheme.fills)))
        pictures.append(
            image(
                uri,
                frame.corners,
                name=f"by {words.hours(hours)}",
                pane="glFill",
                control=False,
                show=number == len(risk.hours) - 1,
                alt=f"Probability of burning by {words.hours(hours)} after the start",
            )
        )
    return pictures


def ground(risk: RiskMap, frame: Frame) -> Any:
    """Picture of what does not burn and of what is not known."""
    codes = np.zeros(risk.grid.shape, np.uint8)
    codes[risk.ground == NON_BURNABLE] = NON_BURNABLE_FILL.code
    codes[risk.ground == NO_DATA] = NO_DATA_FILL.code
    uri = paint.data_uri(paint.png(paint.paint(warp_codes(codes, risk.grid, frame, outside=0), GROUND)))
    return image(uri, frame.corners, name="Ground that does not burn, or is not known", pane="glGround", alt="Ground")


def picture(values: NDArray[np.uint8], risk: RiskMap, frame: Frame, *, name: str, pane: str) -> Any:
    """A pale picture from (y, x) grey or (y, x, 3) colour on the map's grid, in the pane `glBackdrop` or `glRelief`."""
    uri = paint.data_uri(paint.webp(warp_picture(paint.pale(values), risk.grid, frame)))
    return image(uri, frame.corners, name=name, pane=pane, alt=name)


def terrain(
    frame: gpd.GeoDataFrame, risk: RiskMap, extent: Frame, ontology: Ontology = WILDFIRE
) -> tuple[Any, list[Fill]]:
    """(picture of terrain classes, hidden until asked for; its legend)."""
    kinds = [ontology[name] for name in frame["class"]]
    codes = rasterise(frame, risk.grid, [kind.code for kind in kinds])
    used = sorted({kind.code: kind for kind in kinds}.items())
    legend = [Fill(code, kind.title, "terrain", kind.colour) for code, kind in used]
    uri = paint.data_uri(paint.png(paint.paint(warp_codes(codes, risk.grid, extent, outside=0), legend)))
    layer = image(uri, extent.corners, name="Terrain classes", pane="glGround", show=False, opacity=0.75, alt="Terrain")
    return layer, legend


def _title(name: str) -> str:
    try:
        return WILDFIRE[name].title
    except OntologyError:
        return name


# ---------------------------------------------------------------------- lines
def stroke(line: Line) -> list[dict[str, Any]]:
    """Two styles: the halo, then the line over it."""
    halo = {"color": HALO, "weight": line.width + line.halo}
    over = {"color": line.colour, "weight": line.width, "dashArray": line.dash or None}
    same = {"opacity": 1.0, "fill": False, "lineCap": "butt" if line.dash else "round"}
    return [{**halo, **same}, {**over, **same}]


def _lines(paths: Iterable[Path]) -> list[dict[str, Any]]:
    return [{"type": "MultiLineString", "coordinates": [list(path) for path in paths]}]


def arrival(risk: RiskMap) -> tuple[Any, list[float]]:
    """(group of labelled arrival lines, latest first so that the soonest lies on top; their hours, soonest first)."""
    group = folium.FeatureGroup(name="Arrival lines")
    found = isochrones(risk)
    for one in reversed(found):
        line = Shapes(_lines(one.paths), stroke(ARRIVAL[one.hours]), name=f"{one.hours} h", pane="glLines")
        group.add_child(line)
    labels = [_hour_label(one, found[-1], risk) for one in found]
    group.add_child(Marks(labels, name="labels"))
    return group, [one.hours for one in found]


def _hour_label(one: Isochrone, last: Isochrone, risk: RiskMap) -> dict[str, Any]:
    """A label on its line; one so near the start that the start's mark would hide it is pushed outward."""
    if risk.ignition is None:
        raise InputError("arrival lines of fires without a common start")
    start = np.array([risk.ignition.lon, risk.ignition.lat])
    away, far = np.array(one.label) - start, np.hypot(*(np.array(last.label) - start))
    length = float(np.hypot(*away))
    push = PUSH_PX * away / length if 0 < length < NEAR_START * far else np.zeros(2)
    shift = f"transform:translate({push[0]:.0f}px,{-push[1]:.0f}px)"
    html = f'<span class="gl-tag" style="{shift}">{words.hours(one.hours)}</span>'
    return {"at": one.label[::-1], "html": html, "kind": "gl-hour", "title": f"arrival {words.hours(one.hours)}"}


def direction(risk: RiskMap) -> tuple[Any, bool]:
    """(layer of arrows toward where the fire spreads; whether there is any)."""
    drawn = arrows(risk)
    return Shapes(_lines(drawn), stroke(ARROW), name="Direction of spread", pane="glLines"), bool(drawn)


def observed(scar: gpd.GeoDataFrame, when: datetime | None, risk: RiskMap) -> tuple[Any, str]:
    """(group of the observed outline, solid with a halo and its time; its name); None where no time was given."""
    geometry, tolerance_m = outline(scar, risk.grid.res_m / 2)
    title, told = _observed_at(when, risk)
    if tolerance_m > risk.grid.res_m:
        title += f"; outline simplified to {tolerance_m:.0f} m"
    group = folium.FeatureGroup(name="Observed perimeter")
    group.add_child(Shapes([geometry], stroke(OBSERVED), name="outline", pane="glObserved"))
    points = shapely.get_coordinates(shapely.geometry.shape(geometry))
    lon, lat = points[points[:, 1].argmax()].tolist()
    tag = f'<span class="gl-tag">observed{told}</span>'
    group.add_child(Marks([{"at": (lat, lon), "html": tag, "kind": "gl-observed", "title": title}], name="label"))
    return group, title


def _observed_at(when: datetime | None, risk: RiskMap) -> tuple[str, str]:
    """(words of the legend, words of the tag on the map) for when a perimeter was observed."""
    if when is None:
        return "Observed, time not given", ", time not given"
    recent = abs((when - risk.start).total_seconds()) < RECENT_S
    told = words.short(when, risk.timezone) if recent else words.day(when, risk.timezone)
    return f"Observed, {words.moment(when, risk.timezone)} ({words.offset(when, risk.timezone)})", f" {told}"


def ignition(risk: RiskMap) -> Any:
    """The mark of where the fire starts; no mark where fires start anywhere."""
    if risk.ignition is None:
        return Marks([], name="Start of the fire", control=False)
    at = (risk.ignition.lat, risk.ignition.lon)
    title = f"Start of the fire, {words.place(risk.ignition)}"
    cross = (
        '<svg viewBox="-12 -12 24 24" width="24" height="24" aria-hidden="true"><path d="M-8-8L8 8M-8 8L8-8"/></svg>'
    )
    mark = {"at": at, "html": cross, "kind": "gl-start", "title": title, "popup": words.safe(title)}
    return Marks([mark], name="Start of the fire")


# ---------------------------------------------------------------------- objects
def exposed(objects: gpd.GeoDataFrame, risk: RiskMap) -> tuple[Any, list[Exposed], int]:
    """(group of objects a fire may reach, the rows of the sheet, how many more there are).

    Raises
    ------
    TableError
        Where `objects` is not a table of `tables.EXPOSED`.
    """
    frame = tables.check(objects, tables.EXPOSED)
    frame = frame[frame["probability"] > 0].to_crs("EPSG:4326")
    order = ["probability", "arrival_min", "label_id"]
    frame = frame.sort_values(order, ascending=[False, True, True], kind="stable").reset_index(drop=True)
    rows = [_row(number, row, risk) for number, row in enumerate(frame.head(MAX_OBJECTS).to_dict("records"))]
    group = folium.FeatureGroup(name="Objects in reach")
    outlines = [shapely.geometry.mapping(g.simplify(1e-5)) for g in frame.geometry]
    group.add_child(Shapes(outlines, stroke(OBJECT), name="outlines", pane="glLines"))
    points = frame.geometry.representative_point()
    marks = [_badge(row, (point.y, point.x)) for row, point in zip(rows, points, strict=False)]
    group.add_child(Marks(marks, name="letters"))
    return group, rows, len(frame) - len(rows)


def _row(number: int, row: dict[str, Any], risk: RiskMap) -> Exposed:
    minutes = float(row["arrival_min"]) if row["arrival_min"] is not None else float("nan")
    name = str(row.get("name") or _title(row["class"]))
    probability = float(row["probability"])
    clock = words.clock(risk.start, minutes, risk.timezone)
    letter, said = chr(ord("A") + number), words.share(probability)
    return Exposed(letter, name, said, word(probability), words.arrival(minutes), clock)


def _badge(row: Exposed, at: tuple[float, float]) -> dict[str, Any]:
    lines = (row.name, f"{row.word}, {row.share}", f"if it comes: {row.clock}, {row.arrival}")
    popup = "<br>".join(words.safe(line) for line in lines)
    return {
        "at": at,
        "html": f'<span class="gl-badge">{row.letter}</span>',
        "kind": "gl-object",
        "title": " · ".join(lines),
        "popup": popup,
    }
