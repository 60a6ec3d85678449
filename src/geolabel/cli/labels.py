"""Verbs on labels: in and out of a project, from one format to another, and the classes they are made under."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from geolabel.cli.shown import Folder, app, bars, out, plain
from geolabel.errors import ConfigError

Source = Annotated[Path, typer.Argument(help="File or folder with labels; `geolabel formats` lists what is read.")]
Kind = Annotated[str | None, typer.Option("--from", help="Format of the labels (default: by the file's name).")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", help="COLUMN=FIELD: which of their fields holds class, label_id, annotator, start ..."),
]
Classes = Annotated[
    list[str] | None,
    typer.Option("--class", help="THEIRS=OURS: a class of the file is one of the ontology; THEIRS= leaves it out."),
]
Values = Annotated[
    list[str] | None, typer.Option("--value", help="COLUMN=VALUE: of all labels, where no field says it.")
]
Crs = Annotated[str | None, typer.Option(help="CRS of a file that states none, e.g. EPSG:25830.")]
Layer = Annotated[str | None, typer.Option(help="Layer of a file that has several.")]
Annotator = Annotated[
    str | None, typer.Option(help="Whose labels that name nobody are: person:<id>, rule:<name>@1, or a name.")
]
Lossy = Annotated[
    str | None, typer.Option(help="What the format may lose: names from `geolabel formats`, by commas; or all.")
]


@app.command(name="import")
def import_(
    folder: Folder,
    source: Source,
    *,
    annotator: Annotator = None,
    kind: Kind = None,
    field: Fields = None,
    class_: Classes = None,
    value: Values = None,
    crs: Crs = None,
    layer: Layer = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Every tile was looked at: those without labels are empty.")
    ] = False,
) -> None:
    """Take labels of another program into a project, as answers of whoever made them; run again, it changes nothing."""
    from geolabel.project import Project

    told = _told(field, class_, value, crs=crs, layer=layer)
    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.import_labels(source, annotator=annotator, complete=complete, format=kind, **told)
    plain(str(found))


@app.command()
def edits(
    folder: Folder,
    source: Source,
    *,
    annotator: Annotated[str, typer.Option(help="Who edited: person:<id>, or a name.")],
    kind: Kind = None,
    layer: Layer = None,
) -> None:
    """Take exported labels back that were edited in a GIS: answers on the tiles that changed, under the same ids."""
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.import_edits(source, annotator=annotator, format=kind, **_told(layer=layer))
    plain(str(found))


@app.command()
def export(
    folder: Folder,
    path: Annotated[Path, typer.Argument(help="Folder (geojson tiles, coco, yolo, masks, stac) or file.")],
    *,
    format_: Annotated[str, typer.Option("--format", help="What is written: see `geolabel formats`.")] = "geojson",
    what: Annotated[str, typer.Option(help="labels that all agree on, or answers of each annotator.")] = "labels",
    lossy: Lossy = None,
    restricted: Annotated[
        bool, typer.Option("--restricted", help="Labels of a restricted scene may leave the project.")
    ] = False,
) -> None:
    """Export the agreed labels of a project."""
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        written = project.export(format_, path, what=_what(what), lossy=_lossy(lossy), restricted=restricted)
    plain(f"open {written / 'index.geojson' if (written / 'index.geojson').is_file() else written}")


@app.command()
def convert(
    source: Source,
    target: Annotated[Path, typer.Argument(help="File or folder to write.")],
    *,
    kind: Kind = None,
    to: Annotated[str | None, typer.Option("--to", help="Format to write (default: by the target's name).")] = None,
    field: Fields = None,
    class_: Classes = None,
    value: Values = None,
    crs: Crs = None,
    layer: Layer = None,
    lossy: Lossy = None,
) -> None:
    """Bring labels from one format to another; refused where something would be lost that nobody agreed to lose."""
    import geolabel as gl
    from geolabel.dataset.formats.registry import by_path

    labels = gl.read_labels(source, format=kind, **_told(field, class_, value, crs=crs, layer=layer))
    written = gl.export(labels, target, format=to or by_path(target, writes=True).name, lossy=_lossy(lossy))
    plain(f"{len(labels)} labels")
    plain(f"open {written}")


@app.command()
def formats() -> None:
    """Say which formats are read and written, and what each carries of a label."""
    from geolabel.dataset.formats.registry import FORMATS

    table = Table("format", "", *(name for name, _ in next(iter(FORMATS.values())).carries.items()))
    for name, one in FORMATS.items():
        ways = " and ".join(way for way, there in (("in", one.reads), ("out", one.writes)) if there)
        table.add_row(name, ways, *(how for _, how in one.carries.items()))
    out.print(table)


@app.command()
def ontology(
    source: Annotated[
        Path | None, typer.Argument(help="Folder of a project, or a TOML or JSON file (default: the shipped one).")
    ] = None,
    *,
    to: Annotated[Path | None, typer.Option("--out", help="Write it to a .toml or .json file.")] = None,
) -> None:
    """Show the classes that may be labeled, or write them to a file to change them."""
    from geolabel.ontology import WILDFIRE, Ontology
    from geolabel.project import Project

    found = WILDFIRE
    if source is not None and source.is_dir():
        with Project.open(source) as project:
            found = project.ontology
    elif source is not None:
        found = Ontology.read(source)
    table = Table("code", "class", "kind", "within", "title", title=f"{found.id} {found.digest[:12]}")
    for one in found:
        table.add_row(str(one.code), one.name, one.kind, one.parent or "", one.title)
    out.print(table)
    if to is not None:
        plain(f"open {found.write(to)}")


@app.command()
def migrate(
    folder: Folder,
    target: Annotated[Path, typer.Argument(help="TOML or JSON file of the ontology to go to.")],
    *,
    move: Annotated[
        list[str] | None, typer.Option("--move", help="OLD=NEW: what becomes of a class; OLD= drops its labels.")
    ] = None,
    decided: Annotated[
        list[str] | None, typer.Option("--decided", help="LABEL_ID=CLASS: of a label whose class was split.")
    ] = None,
    note: Annotated[str, typer.Option(help="Why, for the record.")] = "",
) -> None:
    """Bring the labels of a project under another version of its ontology; the old answers stay."""
    from geolabel.ontology import Migration, Ontology
    from geolabel.project import Project

    moves = {old: new or None for old, new in _pairs(move or (), "--move")}
    with bars() as progress, Project.open(folder, progress=progress) as project:
        told = Migration(project.ontology, Ontology.read(target), moves, note)
        moved = project.migrate(told, decided=dict(_pairs(decided or (), "--decided")))
    plain(f"{len(moved)} answers are now under {told.target.id}")


# ---------------------------------------------------------------------- what flags say
def _told(
    field: Sequence[str] | None = None,
    class_: Sequence[str] | None = None,
    value: Sequence[str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Keywords of `gl.read_labels`."""
    classes = {theirs: ours or None for theirs, ours in _pairs(class_ or (), "--class")}
    told = {"fields": dict(_pairs(field or (), "--field")), "classes": classes}
    given = {**told, "values": dict(_pairs(value or (), "--value")), **more}
    return {name: one for name, one in given.items() if one}


def _pairs(texts: Iterable[str], flag: str) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise ConfigError(f"{flag} {name!r} has no '='", hint=f"{flag} NAME=VALUE, once for each")
    return [(name, text) for name, _, text in pairs]


def _lossy(text: str | None) -> bool | tuple[str, ...]:
    return False if text is None else True if text == "all" else tuple(text.split(","))


def _what(text: str) -> Any:
    if text not in ("labels", "answers"):
        raise ConfigError(f"unknown --what {text!r}", hint="labels or answers")
    return text
