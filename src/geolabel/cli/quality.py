"""Verbs on how good labels are: gold and skill, suspected errors, what to label next, area and accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from geolabel.cli.shown import Folder, app, bars, out, plain
from geolabel.errors import ConfigError
from geolabel.ontology import Kind

KindOption = Annotated[Kind, typer.Option(help="Tasks that are looked at: burn, terrain or object.")]
Json = Annotated[bool, typer.Option("--json", help="Every column, for machines.")]
Limits = Literal["jeffreys", "normal", "wilson"]
Allocation = Literal["compromise", "proportional", "equal", "optimal"]


@app.command()
def accuracy(
    folder: Folder,
    *,
    kind: Annotated[Kind, typer.Option(help="Map to assess.")] = "burn",
    plan: Annotated[
        Path | None, typer.Option(help="Draw a sample and write its points here: .csv, .geojson, .gpkg.")
    ] = None,
    reference: Annotated[Path | None, typer.Option(help="That file, with what people say each point is.")] = None,
    expected: Annotated[float, typer.Option(help="Conjectured user's accuracy.", min=0, max=1)] = 0.85,
    se: Annotated[float, typer.Option("--se", help="Wanted standard error of overall accuracy.")] = 0.01,
    n: Annotated[int | None, typer.Option("-n", help="Points, instead of a wanted standard error.")] = None,
    allocation: Annotated[Allocation, typer.Option(help="How points are shared out to classes.")] = "compromise",
    seed: Annotated[int, typer.Option(help="Draws the points.")] = 0,
    method: Annotated[Limits, typer.Option(help="Of the limits; normal is as published.")] = "jeffreys",
    earlier: Annotated[
        bool, typer.Option("--earlier", help="Use a sample that was drawn before the map changed.")
    ] = False,
) -> None:
    """Assess the agreed map: draw points to be labeled blind, then accuracy and error-adjusted areas with limits."""
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        if reference is not None:
            plain(str(project.accuracy(kind, reference, method=method, earlier=earlier)))
            return
        sample = project.accuracy_plan(kind, expected=expected, se_overall=se, n=n, allocation=allocation, seed=seed)
        plain(str(sample))
        if plan is not None:
            plain(
                f"label the points of {sample.write(plan)}; then: geolabel accuracy {folder} --kind {kind} --reference ..."
            )


@app.command()
def skill(
    folder: Folder,
    *,
    kind: KindOption = "burn",
    pause: Annotated[bool, typer.Option("--pause", help="Test everybody, and pause who is careless.")] = False,
    json: Json = False,
) -> None:
    """Say how good each annotator is at each class, by gold tasks, with intervals; or who is careless."""
    from geolabel.project import Project
    from geolabel.tables import PAUSES

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.pauses(kind) if pause else project.skill(kind)
    if pause:
        shown(found, list(PAUSES), json=json)
        return
    ends = {"accuracy": "accuracy", "iou": "iou", "boundary_iou": "boundary", "bias_m": "bias"}
    shown(found, ["annotator", "class", "n_gold", *ends, "active_s", "s_per_km", "agreement"], ends, json=json)


@app.command()
def agreement(
    folder: Folder,
    *,
    kind: KindOption = "burn",
    by: Annotated[Literal["severity", "slope", "cloud"] | None, typer.Option(help="Split the ground by this.")] = None,
    pairs: Annotated[bool, typer.Option("--pairs", help="IoU of each two annotators instead.")] = False,
    json: Json = False,
) -> None:
    """Say how far annotators agree beyond chance: Krippendorff's alpha, Fleiss' kappa, IoU."""
    from geolabel.project import Project
    from geolabel.tables import PAIRWISE

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.pairwise(kind, by=by) if pairs else project.agreement(kind, by=by)
    if pairs:
        shown(found, list(PAIRWISE), json=json)
        return
    ends = {"alpha": "alpha", "kappa": "kappa"}
    shown(found, ["stratum", "n_tasks", "n_annotators", "n_pixels", *ends, "iou"], ends, json=json)


@app.command()
def gold(
    folder: Folder,
    *,
    kind: KindOption = "burn",
    do: Annotated[
        Literal["make", "adjudicate", "appeal", "uphold", "overturn", "retire", "rotate"] | None,
        typer.Option(help="What is done; without it the gold tasks are listed."),
    ] = None,
    task: Annotated[str, typer.Option(help="Id of the task; rotate needs none.")] = "",
    by: Annotated[list[str] | None, typer.Option(help="Who does it: person:<id>, or a name; make needs two.")] = None,
    why: Annotated[str, typer.Option(help="The reason, which stays in the ledger.")] = "",
    json: Json = False,
) -> None:
    """List gold tasks, or make, decide, retire and rotate them. Not for annotators: it shows what is hidden from them."""
    from geolabel.project import Project
    from geolabel.tables import GOLD

    with bars() as progress, Project.open(folder, progress=progress) as project:
        if do is not None:
            _gold(project, do, kind, task, by or [], why)
        shown(project.gold_tasks(kind), list(GOLD), json=json)


@app.command()
def suspects(
    folder: Folder,
    *,
    kind: KindOption = "terrain",
    most: Annotated[int, typer.Option(help="Rows that are shown.", min=1)] = 20,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write all of them with their shapes: .gpkg.")] = None,
    json: Json = False,
) -> None:
    """Rank the agreed labels by how much a model doubts them that was taught with the labels elsewhere."""
    from geolabel.project import Project
    from geolabel.steps import suspects as doubts

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.suspects(kind)
    if out_file is not None:
        plain(f"open {doubts.write(found, out_file)}")
    columns = ["label_id", "class", "error", "score", "likely", "area_m2", "reason"]
    shown(found.drop(columns="geometry").head(most), columns, json=json)


@app.command()
def suggest(
    folder: Folder,
    *,
    kind: KindOption = "burn",
    minutes: Annotated[float, typer.Option(help="Minutes of labeling to be spent.")] = 60.0,
    json: Json = False,
) -> None:
    """Say what to label next for a budget of minutes: new tiles, and tiles to be asked again."""
    from geolabel.project import Project
    from geolabel.tables import SUGGESTED

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.suggest(kind, minutes=minutes)
    shown(found, list(SUGGESTED), json=json)


def _gold(project: Any, do: str, kind: Kind, task: str, by: list[str], why: str) -> None:
    """One step of gold, by one person; two make it."""
    if do != "make" and len(by) != 1:
        raise ConfigError(f"--do {do} by {len(by)} people", hint="--by says who, once")
    ways = {
        "make": lambda: project.gold(task, by=by, why=why),
        "adjudicate": lambda: project.adjudicate(task, by=by[0], why=why),
        "appeal": lambda: project.appeal(task, by=by[0], why=why),
        "uphold": lambda: project.decide(task, by=by[0], upheld=True, why=why),
        "overturn": lambda: project.decide(task, by=by[0], upheld=False, why=why),
        "retire": lambda: project.retire(task, by=by[0], why=why),
        "rotate": lambda: project.rotate(kind, by=by[0]),
    }
    ways[do]()


def shown(frame: Any, columns: list[str], ends: Mapping[str, str] | None = None, *, json: bool) -> None:
    """Print some columns of a table for people, each figure with the ends of its interval; or all of it as JSON."""
    if json:
        plain(frame.to_json(orient="records"))
        return
    table = Table(*columns)
    for row in frame.to_dict("records"):
        table.add_row(*(_cell(row, name, (ends or {}).get(name)) for name in columns))
    out.print(table)


def _cell(row: Mapping[str, Any], name: str, ends: str | None) -> str:
    value = row[name]
    if isinstance(value, str | int) or value is None:
        return "" if value is None else str(value)
    text = "" if value != value else f"{value:.3g}"  # noqa: PLR0124 - NaN: nothing is known
    return text if ends is None or not text else f"{text} ({row[f'{ends}_low']:.3g} to {row[f'{ends}_high']:.3g})"
