"""The command line: one verb a step, each a few lines over Project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text
from typer.core import TyperGroup

from geolabel import __version__
from geolabel.errors import GeolabelError, SourceError
from geolabel.files import DISK_HINTS
from geolabel.stream import Progress as Report

out, err = Console(), Console(stderr=True)


class Verbs(TyperGroup):
    """The verbs; an error of any of them says what was found and what to do, and the exit status is 2."""

    def invoke(self, ctx: Any) -> Any:
        """What the verb gives; no traceback for what a user can mend."""
        try:
            return super().invoke(ctx)
        except GeolabelError as error:
            stop(error)
        except OSError as error:
            if error.errno not in DISK_HINTS:
                raise
            where = Path(error.filename or ".")
            stop(SourceError(f"{error.strerror}: {where}", hint=DISK_HINTS[error.errno].format(folder=where.parent)))
        except KeyboardInterrupt:
            err.print("interrupted; run the same command again and it goes on where it stopped", soft_wrap=True)
            raise typer.Exit(2) from None


def stop(error: GeolabelError) -> NoReturn:
    """Say what was found and what to do, and exit with 2."""
    err.print(Text.assemble(("error: ", "bold red"), error.message), soft_wrap=True)
    if error.hint:
        err.print(Text.assemble(("hint: ", "bold"), error.hint), soft_wrap=True)
    raise typer.Exit(2)


app = typer.Typer(
    cls=Verbs,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Satellite scenes to labels that can be trusted, and labels to wildfire risk maps that can be acted on.",
)


class Bars:
    """A progress bar for each step, made when the step first reports."""

    def __init__(self, shown: Progress) -> None:
        self.shown = shown
        self.tasks: dict[str, Any] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show how far a step is."""
        if what not in self.tasks:
            self.tasks[what] = self.shown.add_task(what, total=total)
        self.shown.update(self.tasks[what], completed=done, total=total)


@contextmanager
def bars() -> Iterator[Report]:
    """Progress bars on standard error, so that standard output holds results only."""
    columns = TextColumn("{task.description:<44}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err) as shown:
        yield Bars(shown)


BANDS = "Names of the files' bands, in order: blue,green,red,nir08,swir16,swir22 (default: as the files say)."
ONE_FILE = {".gpkg": "gpkg", ".parquet": "geoparquet", ".geojson": "geojson"}
"""Suffix -> format of all shapes in one file."""
RES_M = "Edge of the pixels that all bands are put on, in metres (default: the sensor's working resolution)."
SENSOR = "What made the scenes, e.g. landsat-c2-l2 (default: as the product says; a plain file is generic)."
Folder = Annotated[Path, typer.Argument(help="Folder of a geolabel project.")]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Say the version."""
    if version:
        out.print(f"geolabel {__version__}")
        raise typer.Exit


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
    wind: Annotated[str | None, typer.Option(help="'25 km/h from 225', or a CSV of times, speeds, directions.")] = None,
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
def scene(
    source: Annotated[str, typer.Argument(help="File, product folder, STAC item, Zarr store, or an address of one.")],
    *,
    sensor: Annotated[str | None, typer.Option(help=SENSOR)] = None,
    at: Annotated[
        str | None, typer.Option(help="Acquisition: DATE or DATE/DATE (default: as the product says).")
    ] = None,
    bands: Annotated[str | None, typer.Option(help=BANDS)] = None,
    res_m: Annotated[float | None, typer.Option(help=RES_M)] = None,
    quantity: Annotated[
        str | None, typer.Option(help="What the numbers are where no metadata say it: gamma0_db, gamma0_linear.")
    ] = None,
) -> None:
    """Say what a scene is, as geolabel opens it: bands, grid, times, and what was applied to its numbers."""
    from geolabel.nouns.times import interval
    from geolabel.steps.view import SceneSource, is_dated, located, open_source

    names = tuple(bands.split(",")) if bands else None
    told = {"sensor": sensor, "at": interval(at), "bands": names, "res_m": res_m, "quantity": quantity}
    opened = open_source(SceneSource.read({"path": located(source), **told}, where="geolabel scene"), "scene")
    unknown = {} if is_dated(opened) else {"acquired": "it does not say: give --at"}
    for name, value in {**opened.facts, **unknown}.items():
        plain(f"{name:<10}{value}")


@app.command()
def burned(
    before: Annotated[str, typer.Argument(help="Scene before the fire: file, product folder, STAC item or address.")],
    after: Annotated[str, typer.Argument(help="Scene after the fire.")],
    *,
    sensor: Annotated[str | None, typer.Option(help=SENSOR)] = None,
    at: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Acquisition of before and of after, each DATE or DATE/DATE (default: as the product says)."),
    ] = None,
    bands: Annotated[str | None, typer.Option(help=BANDS)] = None,
    res_m: Annotated[float | None, typer.Option(help=RES_M)] = None,
    index: Annotated[str, typer.Option(help="dnbr, rdnbr or rbr.")] = "dnbr",
    scheme: Annotated[
        str | None, typer.Option(help="Severity scheme (default: the published one, for DN relative).")
    ] = None,
    threshold: Annotated[str, typer.Option(help="Where burned begins: scheme, otsu or a number.")] = "scheme",
    seed: Annotated[float | None, typer.Option(help="Value that a pixel of each scar must reach.")] = None,
    offset: Annotated[str | None, typer.Option(help="dNBR of unburned ground to take off: ring or a number.")] = None,
    min_area_ha: Annotated[float, typer.Option(help="Smallest scar kept.", min=0)] = 0.5,
    severity: Annotated[bool, typer.Option(help="Whether scars are parted by severity.")] = True,
    threads: Annotated[int, typer.Option(help="Threads that read and map.", min=1)] = 2,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler to map on instead.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder that keeps what is done; a rerun goes on there.")] = None,
    out_folder: Annotated[
        Path, typer.Option("--out", help="Folder for the labeled tiles, or one .gpkg, .parquet or .geojson file.")
    ] = Path("tiles"),
    size: Annotated[int, typer.Option(help="Edge of a tile in pixels.", min=16)] = 512,
) -> None:
    """Map burn scars of two scenes of any size and export them as labeled GeoJSON tiles or as one file."""
    import geolabel as gl
    from geolabel.nouns.times import interval

    names = bands.split(",") if bands else None
    first, last = (
        gl.open_scene(path, sensor=sensor, at=interval(day), bands=names, res_m=res_m)
        for path, day in zip((before, after), at or (None, None), strict=True)
    )
    told: dict[str, Any] = {
        "scheme": scheme,
        "threshold": threshold,
        "seed": seed,
        "offset": offset,
        "min_burned_ha": min_area_ha,
    }
    how: dict[str, Any] = {"threads": threads, "scheduler": scheduler, "work": work}
    with bars() as progress:
        scar = gl.burned(first, last, index=index, severity=severity, progress=progress, **how, **told)
        kind = ONE_FILE.get(out_folder.suffix)
        tiles = None if kind else gl.tiles(last, size=size)
        written = gl.export(scar, out_folder, format=kind or "geojson", tiles=tiles, progress=progress)
    plain(f"{len(scar)} polygons, {scar['area_m2'].sum() / 1e4:.0f} ha burned")
    plain(f"open {written}")


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
def export(
    folder: Folder,
    path: Annotated[Path, typer.Argument(help="Folder for the tiles (geojson), or the file (gpkg, geoparquet).")],
    *,
    format_: Annotated[str, typer.Option("--format", help="geojson, gpkg or geoparquet.")] = "geojson",
) -> None:
    """Export the agreed labels of a project."""
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        written = project.export(format_, path)
    plain(f"open {written / 'index.geojson' if written.is_dir() else written}")


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


def plain(line: str) -> None:
    """Print a line as it is: a path may hold what rich would take for markup."""
    out.print(Text(line), soft_wrap=True)


def main() -> None:
    """Run a command."""
    app()
