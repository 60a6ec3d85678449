"""Verbs on how good labels are: gold and skill, suspected errors, what to label next, area and accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from geolabel.cli.shown import Folder, app, bars, plain
from geolabel.ontology import Kind

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
