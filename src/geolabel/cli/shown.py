"""What every verb needs: the two consoles, progress bars, errors that say what to do, and words of several verbs."""

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
            err.print(
                "interrupted; run the same command again: with a project or a --work folder it goes on where it stopped",
                soft_wrap=True,
            )
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


def plain(line: str) -> None:
    """Print a line as it is: a path may hold what rich would take for markup."""
    out.print(Text(line), soft_wrap=True)
