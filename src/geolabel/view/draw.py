"""From a RiskMap to a folium map with its sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import folium
import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geolabel.errors import InputError
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.times import When, utc
from geolabel.view import inline, layers, paint, sheet, words
from geolabel.view.lines import start_pixel
from geolabel.view.page import OfflineMap, Page, Script, inert_html, steady_names
from geolabel.view.sheet import Legend, Maker
from geolabel.view.warp import MAX_PIXELS, Corners, Frame, frame_of

FOCUS_FROM = 0.01
"""The first view holds everything of at least this probability."""
FOCUS_MARGIN = 0.12
NOT_GIVEN = "not given"
"""Time of a scar of which nobody said when it was observed: the map says so."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What may lie beside the risk on a map."""

    scar: gpd.GeoDataFrame | None = None
    scar_time: When | None = None
    terrain: gpd.GeoDataFrame | None = None
    objects: gpd.GeoDataFrame | None = None
    backdrop: NDArray[np.uint8] | None = None
    elevation_m: NDArray[np.floating] | None = None
    author: str = ""
    prepared: When | None = None


def draw(
    risk: RiskMap,
    *,
    scar: gpd.GeoDataFrame | None = None,
    scar_time: When | None = None,
    terrain: gpd.GeoDataFrame | None = None,
    objects: gpd.GeoDataFrame | None = None,
    backdrop: NDArray[np.uint8] | None = None,
    elevation_m: NDArray[np.floating] | None = None,
    author: str = "",
    prepared: When | None = None,
) -> folium.Map:
    """A folium map of the risk with its sheet: probability by hour, arrival lines, direction, and what is given beside.

    Its page asks nothing of the network: `draw(risk).save("risk.html")` opens on any machine. Ordinary folium
    objects may be added; what they load themselves (tiles, plugins) they still load.

    Parameters
    ----------
    risk
        What to draw.
    scar, scar_time
        Polygons of an observed perimeter or burn scar, any CRS, and when it was observed (aware, or `NOT_GIVEN`).
    terrain
        Polygons of terrain classes (`tables.SHAPES`), a layer that is hidden until asked for.
    objects
        `tables.EXPOSED`, any CRS; a `name` column is used where there is one.
    backdrop
        (y, x) or (y, x, 3) uint8 picture on the map's grid, e.g. `paint.stretch([red, green, blue])`.
    elevation_m
        (y, x) heights on the map's grid, m: drawn as relief.
    author, prepared
        Who made the sheet and when (aware); by default geolabel, at the time of issue.

    Raises
    ------
    InputError
        A scar without its time, a picture of another shape, naive times.
    SourceError
        Where the build did not bring the map's assets.
    """
    extras = Extras(scar, scar_time, terrain, objects, backdrop, elevation_m, author, prepared)
    return build(risk, extras, sealed=False)


def build(risk: RiskMap, extras: Extras, *, sealed: bool, max_pixels: int = MAX_PIXELS) -> OfflineMap:
    """The map on its page; `sealed` forbids the browser every request, `max_pixels` bounds the edges of its pictures."""
    frame = frame_of(risk.grid, max_pixels=max_pixels)
    (south, west), (north, east) = frame.corners
    drawn = OfflineMap(((south + north) / 2, (west + east) / 2), zoom_snap=0.25)
    Page(f"{risk.title} - fire risk map", sealed=sealed).add_child(drawn)
    drawn.panes, drawn.label = layers.PANES, inert_html(words.safe(f"Map: {risk.title}"))
    pictures = layers.fills(risk, frame)
    legend = _add_layers(drawn, risk, frame, extras, pictures)
    drawn.css = inline.template("page.css")
    maker = Maker(extras.author or sheet.default_author(risk), _prepared(risk, extras))
    drawn.before_html = inert_html(sheet.render(risk, legend, maker))
    drawn.after_html = "</section></main>"
    _add_script(drawn, risk, frame, pictures)
    steady_names(drawn.get_root(), risk.digest[:8])
    return drawn


def _prepared(risk: RiskMap, extras: Extras) -> datetime:
    return risk.issued if extras.prepared is None else utc(extras.prepared, what="time of preparation")


def _add_layers(drawn: OfflineMap, risk: RiskMap, frame: Frame, extras: Extras, pictures: list[Any]) -> Legend:
    backdrop = _add_backdrop(drawn, risk, frame, extras)
    for one in pictures:
        drawn.add_child(one)
    drawn.add_child(layers.ground(risk, frame))
    terrain: tuple[Any, ...] = ()
    if extras.terrain is not None and len(extras.terrain):
        layer, legend = layers.terrain(extras.terrain, risk, frame)
        drawn.add_child(layer)
        terrain = tuple(legend)
    arrival, hours = layers.arrival(risk)
    arrows, any_arrow = layers.direction(risk)
    rows, more, observed = _add_observed_and_objects(drawn, risk, extras, (arrows, arrival))
    drawn.add_child(layers.ignition(risk))
    return Legend(tuple(hours), any_arrow, observed, tuple(rows), more, terrain, backdrop)


def _add_observed_and_objects(
    drawn: OfflineMap, risk: RiskMap, extras: Extras, below: tuple[Any, ...]
) -> tuple[list[layers.Exposed], int, str]:
    for one in below:
        drawn.add_child(one)
    title, rows, more = "", list[layers.Exposed](), 0
    if extras.scar is not None and len(extras.scar):
        if extras.scar_time is None:
            raise InputError(
                "an observed perimeter without its time", hint="scar_time=after.end, or '2009-08-27T18:00Z'"
            )
        when = None if extras.scar_time == NOT_GIVEN else utc(extras.scar_time, what="time of the scar")
        layer, title = layers.observed(extras.scar, when, risk)
        drawn.add_child(layer)
    if extras.objects is not None and len(extras.objects):
        layer, rows, more = layers.exposed(extras.objects, risk)
        drawn.add_child(layer)
    return rows, more, title


def _add_backdrop(drawn: OfflineMap, risk: RiskMap, frame: Frame, extras: Extras) -> str:
    names = []
    if extras.elevation_m is not None:
        relief = paint.hillshade(extras.elevation_m, risk.grid)
        drawn.add_child(layers.picture(relief, risk, frame, name="Relief", pane="glRelief"))
        names.append("relief")
    if extras.backdrop is not None:
        drawn.add_child(layers.picture(extras.backdrop, risk, frame, name="Satellite image", pane="glBackdrop"))
        names.append("satellite image")
    return " and ".join(names)


def _add_script(drawn: OfflineMap, risk: RiskMap, frame: Frame, pictures: list[Any]) -> None:
    graticule = folium.FeatureGroup(name="Graticule")
    drawn.add_child(graticule)
    drawn.add_child(folium.LayerControl(collapsed=True))
    settings = {**sheet.settings(risk), "extent": frame.corners, "focus": focus(risk, frame)}
    drawn.add_child(Script(inline.template("page.js"), settings, fills=pictures, graticule=graticule))


def focus(risk: RiskMap, frame: Frame) -> Corners:
    """Corners of the first view: all cells of at least 1 % and the start of the fire, with a margin."""
    rows, cols = np.nonzero(np.nan_to_num(risk.final) >= FOCUS_FROM)
    if not len(rows) or risk.ignition is None:
        return frame.corners
    start_col, start_row = start_pixel(risk.grid, risk.ignition)
    edges_row, edges_col = [rows.min(), rows.max(), start_row], [cols.min(), cols.max(), start_col]
    pad = FOCUS_MARGIN * max(np.ptp(edges_row), np.ptp(edges_col), 8)
    corners = [
        risk.grid.lonlat(row, col)
        for row in (min(edges_row) - pad, max(edges_row) + pad)
        for col in (min(edges_col) - pad, max(edges_col) + pad)
    ]
    lats, lons = [c.lat for c in corners], [c.lon for c in corners]
    return (min(lats), min(lons)), (max(lats), max(lons))
