"""Verbs on fire behaviour: the fire at a point, one fire over a landscape, many fires."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from geolabel.cli.shown import app, bars, out, plain
from geolabel.errors import FireError, SourceError

Crown = Annotated[
    Literal["none", "rothermel", "cruz"],
    typer.Option(help="Model of crown fire; needs canopy base height and density."),
]
Moisture = Annotated[
    str | None,
    typer.Option(help="1-h, 10-h, 100-h, live herbs, live woody, in percent: 6,7,8,60,90 (those by default)."),
]
FUEL_CLASSES = ("m1", "m10", "m100", "live_herb", "live_woody")


def moistures(text: str | None) -> dict[str, float] | None:
    """Fractions by fuel class of a text of five percentages; None for none.

    Raises
    ------
    FireError
        For text that is no five numbers, and for fractions.
    """
    if text is None:
        return None
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != len(FUEL_CLASSES) or max(values) <= 1:
        raise FireError(f"cannot read the moistures {text!r}", hint="five percentages of dry weight, e.g. 6,7,8,60,90")
    return {name: value / 100 for name, value in zip(FUEL_CLASSES, values, strict=True)}


@app.command()
def behave(
    fuels: Annotated[list[int], typer.Argument(help="Standard fuel models, e.g. 102 145 165.")],
    *,
    wind: Annotated[str, typer.Option(help="Mean wind at 10 m in the open: '20 km/h from 225'.")],
    moisture: Moisture = None,
    slope: Annotated[float, typer.Option(help="Degrees.", min=0)] = 0.0,
    aspect: Annotated[
        float | None, typer.Option(help="Azimuth that the slope faces, degrees (default: it faces the wind).")
    ] = None,
    cover: Annotated[float, typer.Option(help="Canopy cover, percent.", min=0, max=100)] = 0.0,
    height: Annotated[float, typer.Option(help="Canopy height, m.", min=0)] = 0.0,
    base_height: Annotated[float | None, typer.Option(help="Canopy base height, m.")] = None,
    bulk_density: Annotated[float | None, typer.Option(help="Canopy bulk density, kg/m3.")] = None,
    crown: Crown = "none",
) -> None:
    """Say how fast, how strong and in which direction a fire goes over fuels: Rothermel, Albini, Byram; crowns if asked."""
    from geolabel.fire.behave.canopy import Canopy
    from geolabel.steps.behave import behave as of

    trees = Canopy(cover / 100, height, base_height, bulk_density)
    found = of(
        fuels,
        wind,
        moisture=moistures(moisture),
        slope_deg=slope,
        aspect_deg=aspect,
        canopy=trees,
        crown=None if crown == "none" else crown,
    )
    table = Table("fuel", "rate m/min", "flame m", "intensity kW/m", "toward", *(["fire"] if crown != "none" else []))
    for row in found.to_dict("records"):
        more = [row["crown"]] if crown != "none" else []
        table.add_row(
            f"{row['fuel']} {row['code']}",
            f"{row['rate_m_min']:.2f}",
            f"{row['flame_m']:.2f}",
            f"{row['intensity_kw_m']:.0f}",
            f"{row['bearing_deg']:.0f}°",
            *more,
        )
    out.print(table)


Land = Annotated[Path, typer.Argument(help="Folder of a LANDFIRE landscape: elevation, fuel, canopy as GeoTIFFs.")]
Wind = Annotated[str, typer.Option(help="'25 km/h from 225', or a CSV, NetCDF or Zarr of weather.")]
Start = Annotated[str, typer.Option(help="When it starts, e.g. 2017-10-09T05:00Z.")]
Hours = Annotated[float, typer.Option(help="How far to look.", min=0.1)]


def shapes_of(path: Path | None, what: str) -> Any:
    """Table of shapes of a vector file; None for none.

    Raises
    ------
    SourceError
        Where there is no such file, or it is no vector file.
    """
    import geopandas as gpd
    from pyogrio.errors import DataSourceError

    if path is None:
        return None
    try:
        return gpd.read_file(path)
    except DataSourceError as error:
        raise SourceError(
            f"cannot read the {what} of {path}", hint="a GeoJSON, GeoPackage or other vector file"
        ) from error


@app.command()
def spread(
    landscape: Land,
    *,
    wind: Wind,
    start: Start,
    ignition: Annotated[str | None, typer.Option(help="Where it starts: LON,LAT in degrees.")] = None,
    burning: Annotated[
        Path | None, typer.Option(help="Or points, lines or perimeters that burn already: a vector file.")
    ] = None,
    hours: Hours = 6.0,
    barriers: Annotated[
        Path | None, typer.Option(help="Lines or areas that let no fire through; a column 'minutes' says from when.")
    ] = None,
    crown: Crown = "none",
    fast: Annotated[bool, typer.Option("--fast", help="The fast setting: some percent too small.")] = False,
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for isochrones.geojson and fire.tif.")] = Path(
        "fire"
    ),
) -> None:
    """Say where a fire is after each hour: isochrones, and rasters of arrival, direction, rate and flames."""
    from geolabel.grid import LonLat
    from geolabel.steps import fires
    from geolabel.steps.landfire import landfire

    if (ignition is None) == (burning is None):
        raise FireError("where does it start?", hint="one of --ignition LON,LAT and --burning FILE")
    lit = shapes_of(burning, "burning area") if ignition is None else LonLat.parse(ignition)
    found = fires.spread(
        landfire(landscape),
        wind,
        lit,
        start=start,
        hours=hours,
        barriers=shapes_of(barriers, "barriers"),
        crown=None if crown == "none" else crown,
        setting="fast" if fast else "accurate",
    )
    written = fires.write_fire(found, out_folder, start=start)
    plain(f"{found.area_ha:.0f} ha after {hours:g} h, without suppression and spotting")
    plain(f"wrote {written['isochrones']} and {written['cog'].name}")


@app.command(name="burn-probability")
def burn_probability(
    landscape: Land,
    *,
    wind: Wind,
    start: Start,
    hours: Hours = 24.0,
    fires: Annotated[int, typer.Option(help="Simulated fires.", min=2)] = 1000,
    near: Annotated[
        Path | None, typer.Option(help="Objects near which fires start (roads, power lines): a vector file.")
    ] = None,
    reach_m: Annotated[float, typer.Option(help="Distance at which that falls to 1 / e, m.")] = 500.0,
    communities: Annotated[Path | None, typer.Option(help="Polygons with a column 'name': what reaches them.")] = None,
    crown: Crown = "none",
    title: Annotated[str, typer.Option(help="Of the map.")] = "Where a fire goes",
    seed: Annotated[int, typer.Option(help="Draws starts, weather and rate.")] = 0,
    threads: Annotated[int, typer.Option(help="Threads; the result is the same for any number.", min=1)] = 2,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask.distributed scheduler.")] = None,
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the map, its rasters and tables.")] = Path(
        "maps"
    ),
) -> None:
    """Map how often a fire that starts anywhere in a landscape burns each place, and what reaches communities."""
    from geolabel.fire.weather.read import read_weather
    from geolabel.steps import fires as steps
    from geolabel.steps.landfire import landfire

    ground, roads = landfire(landscape), shapes_of(near, "objects")
    weather = read_weather(wind, start, hours, grid=ground.grid)
    with bars() as progress:
        ensemble = steps.burn_probability(
            ground,
            weather,
            start=start,
            hours=hours,
            fires=fires,
            near=roads,
            reach_m=reach_m,
            communities=shapes_of(communities, "communities"),
            crown=None if crown == "none" else crown,
            seed=seed,
            threads=threads,
            scheduler=scheduler,
            progress=progress,
        )
        starts = steps.starts_words(roads, reach_m)
        made = steps.regional_map(ensemble, ground, title=title, start=start, weather=weather.source, starts=starts)
        written = steps.write_campaign(ensemble, made, ground, out_folder)
    low, middle, high = ensemble.size_quantiles_ha()
    plain(f"{ensemble.n} fires of {hours:g} h: {low:.0f} / {middle:.0f} / {high:.0f} ha (10, 50, 90 %)")
    plain(f"open {written['field']}")
