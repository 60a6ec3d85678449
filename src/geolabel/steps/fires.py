"""A landscape, weather and a start in words to a fire; and to how often fires that start anywhere burn a place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np

from geolabel.digests import digest
from geolabel.errors import FireError
from geolabel.files import atomic, write_text
from geolabel.grid import LonLat
from geolabel.nouns.risk import BURNABLE, NO_DATA, NON_BURNABLE, MapStatus, RiskMap
from geolabel.nouns.times import When, utc
from geolabel.steps.landscape import fuel_draw
from geolabel.steps.risk import lead_hours, timezone_of
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.fire.behave.point import CrownModel
    from geolabel.fire.campaign.ensemble import Ensemble
    from geolabel.fire.campaign.uncertainty import Uncertainty
    from geolabel.fire.front.arrival import Fire
    from geolabel.fire.front.ignition import Ignition
    from geolabel.fire.front.solver import Setting
    from geolabel.fire.landscape import Landscape
    from geolabel.fire.weather.read import Source

NOT_A_RATE = "how many fires start, and when, is not part of this map"
NOTES = ("Simulated fires, without suppression and spotting.",)
"""What stands on every map of fires from anywhere."""
UNITS = {"arrival_min": "min", "bearing_deg": "degree", "rate_m_min": "m/min", "flame_m": "m", "intensity_kw_m": "kW/m"}
"""Rasters of a fire that are written, and their units."""
KINDS = "0 surface, 1 conditional, 2 passive, 3 active"


# ---------------------------------------------------------------------------------------------- one fire
def spread(
    landscape: Landscape,
    weather: Source,
    ignition: LonLat | Sequence[LonLat] | gpd.GeoDataFrame | Ignition,
    *,
    start: When,
    hours: float,
    barriers: gpd.GeoDataFrame | None = None,
    crown: CrownModel | None = None,
    setting: Setting = "accurate",
) -> Fire:
    """The fire that starts at `start` and runs for `hours`: arrival, direction, rate, flames, (y, x) on the landscape's grid.

    Parameters
    ----------
    weather
        `"25 km/h from 225"`, a CSV, NetCDF or Zarr, a table, a dataset, or Weather (`fire.weather.read`).
    ignition
        Points, lines or an area that burns already (a GeoDataFrame in any CRS: points, lines, polygons), or an `Ignition`.
    barriers
        Lines and areas in any CRS that let no fire through; a column `minutes` says from when (after the start), else at once.
    crown
        "rothermel" or "cruz"; needs canopy base height and bulk density.

    Raises
    ------
    FireError
        An ignition on ground that does not burn (the nearest burnable cell is named), weather that ends early, a crown model
        without canopy.
    """
    from geolabel.fire.front.arrival import spread as run
    from geolabel.fire.front.barrier import closing_min
    from geolabel.fire.weather.read import read_weather

    air = read_weather(weather, start, hours, grid=landscape.grid)
    closes = None
    if barriers is not None:
        minutes = barriers["minutes"].tolist() if "minutes" in barriers else 0.0
        closes = closing_min(barriers, landscape.grid, minutes)
    lit = ignition_on(landscape, ignition)
    return run(landscape, air, lit, hours, closes_min=closes, crown=crown, setting=setting)


def ignition_on(landscape: Landscape, ignition: Any) -> Ignition:
    """An `Ignition` from points, from shapes in any CRS, or from one.

    Raises
    ------
    FireError
        Without shapes, and as `Ignition` says.
    """
    from geolabel.fire.front.ignition import Ignition

    if isinstance(ignition, Ignition):
        return ignition
    if not isinstance(ignition, gpd.GeoDataFrame):
        return Ignition.points(ignition, grid=landscape.grid)
    if ignition.crs is None:
        raise FireError("an ignition without a CRS", hint="frame.set_crs(...) with the CRS it was drawn in")
    kinds, parts = ignition.geom_type.str.replace("Multi", ""), []
    if (kinds == "Point").any():
        places = ignition[kinds == "Point"].to_crs("EPSG:4326").geometry.explode(index_parts=False)
        parts.append(Ignition.points([LonLat(p.x, p.y) for p in places], grid=landscape.grid))
    if (kinds == "LineString").any():
        parts.append(Ignition.line(ignition[kinds == "LineString"], landscape.grid))
    if (kinds == "Polygon").any():
        parts.append(Ignition.perimeter(ignition[kinds == "Polygon"], landscape.grid))
    if not parts:
        raise FireError(f"an ignition of {sorted(set(kinds))}", hint="points, lines or polygons")
    return sum(parts[1:], parts[0])


def write_fire(fire: Fire, folder: Path, *, start: When, hours: Sequence[float] | None = None) -> dict[str, Path]:
    """Paths of `isochrones.geojson` (RFC 7946, WGS84) and `fire.tif` (a COG with a band a quantity) in a folder.

    Outlines are drawn at the hours given, by default at those of maps up to the fire's last.

    Raises
    ------
    SourceError
        On a full disk; files are whole or absent.
    """
    from geolabel.dataset import geojson
    from geolabel.fire.front.fields import NOWHERE
    from geolabel.fire.front.isochrones import isochrones
    from geolabel.view.cog import write_cog

    lines = isochrones(fire, hours or lead_hours(fire.hours), start=start)
    shapes = geojson.lonlat(lines.geometry, fire.grid.crs.proj, longest=geojson.longest_edge(fire.grid))
    rows = lines.drop(columns="geometry").to_dict("records")
    features = [geojson.feature(f"{row['hour']:g}h", at, row) for row, at in zip(rows, shapes, strict=True)]
    bands = {name: np.asarray(getattr(fire, name), np.float32) for name in UNITS}
    bands["arrival_min"] = np.where(fire.burned, bands["arrival_min"], np.float32(np.nan))
    units = dict(UNITS)
    if fire.kind is not None:
        bands["crown_fire"] = np.where(fire.kind == NOWHERE, np.float32(np.nan), fire.kind).astype(np.float32)
        units["crown_fire"] = KINDS
    path, nan = folder / "isochrones.geojson", float("nan")
    write_text(path, geojson.text(features))
    cog = write_cog(
        folder / "fire.tif", [*bands.values()], fire.grid, names=[*bands], nodata=nan, units=[*units.values()]
    )
    return {"isochrones": path, "cog": cog}


# ---------------------------------------------------------------------------------------------- fires anywhere
def burn_probability(
    landscape: Landscape,
    weather: Source,
    *,
    start: When,
    hours: float = 24.0,
    fires: int = 1000,
    near: gpd.GeoDataFrame | None = None,
    reach_m: float = 500.0,
    communities: gpd.GeoDataFrame | None = None,
    crown: CrownModel | None = None,
    unsure: Uncertainty | None = None,
    seed: int = 0,
    threads: int = 2,
    scheduler: Any = None,
    progress: Progress = silent,
) -> Ensemble:
    """How often a place burns if a fire starts somewhere: fires from ignitions all over, under weather that may turn out otherwise.

    Each fire has its own start, errors of wind, moisture and rate of spread (`fire.campaign.uncertainty`) and, where fuel
    was read from terrain labels, its own draw of fuels. The same for any number of threads, and on dask.distributed.

    Parameters
    ----------
    near
        Objects near which fires start (roads, power lines), any CRS: the density falls to 1 / e at `reach_m`. None: all
        ground that burns alike.
    communities
        Polygons with a column `name`: whether, when and from where fires reach them is kept.
    crown
        "rothermel" or "cruz"; needs canopy base height and bulk density.
    unsure
        How far weather and rate may err (`fire.campaign.uncertainty`).

    Raises
    ------
    FireError
        Fewer than two fires, no ground on which one can start, weather that ends early.
    """
    from geolabel.fire.campaign.campaign import burn_probability as run
    from geolabel.fire.campaign.ignitions import density_near
    from geolabel.fire.weather.read import read_weather

    density = None if near is None else density_near(near, landscape.grid, reach_m=reach_m)
    return run(
        landscape,
        read_weather(weather, start, hours, grid=landscape.grid),
        density,
        lead_hours(hours),
        fires=fires,
        seed=seed,
        fuels=None if landscape.cover is None else fuel_draw(landscape),
        communities=communities,
        crown=crown,
        unsure=unsure,
        threads=threads,
        scheduler=scheduler,
        progress=progress,
    )


def starts_words(near: gpd.GeoDataFrame | None = None, reach_m: float = 500.0) -> str:
    """Where fires may start, as a map says it."""
    if near is None:
        return f"anywhere on ground that burns, all places alike; {NOT_A_RATE}"
    return f"near {len(near)} objects given, less often the further off (1 / e at {reach_m:g} m); {NOT_A_RATE}"


def regional_map(
    ensemble: Ensemble,
    landscape: Landscape,
    *,
    title: str,
    start: When,
    weather: str,
    starts: str,
    status: MapStatus = "exercise",
    approver: str = "",
    notes: Sequence[str] = NOTES,
) -> RiskMap:
    """RiskMap of fires that start anywhere: share of them that burn a place, dominant direction, Monte-Carlo confidence."""
    grid, known = landscape.grid, landscape.known
    middle = grid.lonlat(grid.height // 2, grid.width // 2)
    # 90 % of repeated campaigns lie within so much of the share
    error = 1.645 * ensemble.error[-1]
    return RiskMap(
        grid=grid,
        title=title,
        hours=ensemble.hours,
        probability=np.where(known, ensemble.probability, np.nan).astype(np.float32),
        arrival_min=np.full(grid.shape, np.nan, np.float32),
        bearing_deg=ensemble.bearing_deg,
        rate_m_min=ensemble.rate_m_min,
        confidence=np.where(known, 1 - error, np.nan).astype(np.float32),
        ground=np.where(known, np.where(landscape.burnable, BURNABLE, NON_BURNABLE), NO_DATA).astype(np.uint8),
        issued=datetime.now(UTC).replace(microsecond=0),
        start=utc(start, what="start"),
        timezone=timezone_of(middle),
        ignition=None,
        starts=starts,
        n_members=ensemble.n,
        model=f"ensemble:{ensemble.n} fires; mean size {ensemble.mean_area_ha:.0f} ha",
        calibration="not calibrated: ensemble alone",
        weather=weather,
        status=status,
        approver=approver,
        notes=tuple(notes),
        made_of={"landscape": landscape.digest, "campaign": digest(ensemble.n, list(ensemble.hours), ensemble.counts)},
    )


def write_campaign(ensemble: Ensemble, made: RiskMap, landscape: Landscape, folder: Path) -> dict[str, Path]:
    """Paths of what a campaign leaves in a folder: the offline map, exact shares and their error as COGs, tables as CSV.

    `field` field.html; `shares` burn_probability.tif (share and Monte-Carlo error by hour); `flames` flame_length.tif (share of
    each class among the fires that came: below 4, 4-8, 8-11, above 11 ft); `map` the RiskMap's own folder; and with communities
    `communities` and `rose`.
    """
    from geolabel.view.cog import save_risk, write_cog
    from geolabel.view.field import field_map

    folder.mkdir(parents=True, exist_ok=True)
    grid, nan = landscape.grid, float("nan")
    unknown = ~landscape.known
    bands = [*ensemble.probability, *ensemble.error]
    bands = [np.where(unknown, np.float32(nan), band) for band in bands]
    names = [f"{what}_by_{hour:g}h" for what in ("share_burned", "error") for hour in ensemble.hours]
    classes = ("below_4_ft", "4_to_8_ft", "8_to_11_ft", "above_11_ft")
    save_risk(made, folder)
    written = {
        "field": field_map(made, folder / "field.html", elevation_m=landscape.elevation_m),
        "shares": write_cog(folder / "burn_probability.tif", bands, grid, names=names, nodata=nan),
        "flames": write_cog(folder / "flame_length.tif", ensemble.flame_probability, grid, names=classes, nodata=nan),
        "map": folder / "risk.json",
    }
    if ensemble.communities is not None:
        for name, table in (("communities", ensemble.communities.table()), ("rose", ensemble.communities.rose())):
            written[name] = folder / f"{name}.csv"
            with atomic(written[name]) as tmp:
                table.to_csv(tmp, index=False)
    return written
