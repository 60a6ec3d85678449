"""Verbs on the whole work: the demo, the risk map of a project, and whether all that was recorded holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geolabel.cli.shown import BANDS, SENSOR, Folder, app, bars, out, plain
from geolabel.errors import GeolabelError


@app.command()
def demo(
    *,
    before: Annotated[
        str | None, typer.Option(help="Scene before the fire: file, product folder, STAC item (default: the sample).")
    ] = None,
    after: Annotated[str | None, typer.Option(help="Scene after the fire.")] = None,
    dem: Annotated[Path | None, typer.Option(help="Elevation: a file, or a folder of chips.")] = None,
    sensor: Annotated[str | None, typer.Option(help=SENSOR)] = None,
    ignition: Annotated[str | None, typer.Option(help="Where a fire starts, LON,LAT in degrees.")] = None,
    wind: Annotated[str | None, typer.Option(help="'25 km/h from 225', or a CSV, NetCDF or Zarr of weather.")] = None,
    start: Annotated[str | None, typer.Option(help="When it starts, e.g. 2009-08-26T22:00Z (default: now).")] = None,
    hours: Annotated[float, typer.Option(help="How far the risk map looks ahead.", min=1, max=72)] = 6,
    members: Annotated[int, typer.Option(help="Simulated fires in the ensemble.", min=2)] = 200,
    before_at: Annotated[str | None, typer.Option(help="Acquisition of the before scene: DATE or DATE/DATE.")] = None,
    after_at: Annotated[str | None, typer.Option(help="Acquisition of the after scene: DATE or DATE/DATE.")] = None,
    bands: Annotated[str | None, typer.Option(help=BANDS)] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Try the flow: few fires, little training; the products say so.")
    ] = False,
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the products; a rerun resumes there.")] = Path(
        "demo"
    ),
) -> None:
    """Run the main job: scenes to labels to consensus to a trained model to a risk map.

    Without arguments on a real scene that is shipped, with a simulated fire whose truth is known; with --before,
    --after, --dem, --ignition and --wind on your own scenes.
    """
    from geolabel import demo as job

    given = job.Given.of(
        before=before,
        after=after,
        dem=dem,
        sensor=sensor,
        ignition=ignition,
        wind=wind,
        before_at=before_at,
        after_at=after_at,
        bands=bands,
    )
    with bars() as progress:
        report = job.run(given, out_folder, start=start, hours=hours, members=members, quick=quick, progress=progress)
    report.show(out)


@app.command()
def check(folder: Folder) -> None:
    """Verify every stream of the ledger and every product; name the first broken link."""
    from geolabel.project import Project

    with Project.open(folder) as project:
        broken = project.check()
    for line in broken:
        plain(line)
    if broken:
        raise GeolabelError(f"{len(broken)} broken links in {folder}", hint="restore the folder from a copy")
    plain("every stream of the ledger and every product holds")


@app.command()
def risk(
    folder: Folder,
    *,
    ignition: Annotated[str, typer.Option(help="Where a fire starts, LON,LAT in degrees.")],
    wind: Annotated[str, typer.Option(help="'25 km/h from 225', or a CSV of times, speeds, directions.")],
    start: Annotated[str, typer.Option(help="When it starts, e.g. 2009-08-26T22:00Z.")],
    hours: Annotated[float | None, typer.Option(help="How far to look (default: as the project says).")] = None,
    hindcast: Annotated[bool, typer.Option("--hindcast", help="Burn the fuel from before the scar.")] = False,
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the maps.")] = Path("maps"),
) -> None:
    """Make a risk map of a labeled project: train a model for this ground, simulate, pool, draw."""
    from geolabel.grid import LonLat
    from geolabel.project import Project
    from geolabel.steps import maps

    point = LonLat.parse(ignition)
    with bars() as progress, Project.open(folder, progress=progress) as project:
        model = project.fit("spread", ignition=point, start=start, hours=hours, hindcast=hindcast)
        made = project.risk(model, weather=wind, ignition=point, start=start, hours=hours, hindcast=hindcast)
        drawn = maps.write(made, out_folder, project.beside(made))
    plain(f"{made.area_ha(0.6):.0f} ha likely or more, {made.area_ha(0.2):.0f} ha possible or more; {made.model}")
    plain(f"open {drawn['field']}")
