"""Verbs on fire behaviour: the fire at a point, one fire over a landscape, many fires."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.table import Table

from geolabel.cli.shown import app, out
from geolabel.errors import FireError

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
