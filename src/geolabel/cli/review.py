"""Verbs on the way of a task: who does what, review, batches and their delivery."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from geolabel.cli.shown import Folder, app, bars, out, plain
from geolabel.errors import ConfigError

By = Annotated[str, typer.Option("--by", help="Who: person:<id>, or a name.")]


# ---------------------------------------------------------------------- review and routing
@app.command()
def status(folder: Folder) -> None:
    """Say where the tasks of a project stand, and how many are being worked on."""
    from geolabel.project import Project

    with Project.open(folder) as project:
        states, held = project.states(), project.held()
    table = Table("kind", "state", "tasks", "answers", "review min")
    for (kind, state), own in states.groupby(["kind", "state"], sort=True):
        table.add_row(kind, state, str(len(own)), str(own["answers"].sum()), f"{own['review_min'].sum():.0f}")
    out.print(table)
    plain(f"{len(held)} tasks are being worked on")


@app.command(name="next")
def next_(
    folder: Folder,
    *,
    by: By,
    to_review: Annotated[bool, typer.Option("--review", help="A task to review, not one to answer.")] = False,
) -> None:
    """Give somebody their next task, and keep it for them a while."""
    from geolabel.project import Project

    with Project.open(folder) as project:
        given = project.next(by, role="review" if to_review else "answer")
    if given is None:
        plain("nothing is left for now")
        return
    plain(given.task.id)
    plain(f"until {given.lease.expires_at:%Y-%m-%dT%H:%MZ}; proposals {'shown' if given.proposals else 'withheld'}")


@app.command()
def queue(folder: Folder, *, limit: Annotated[int, typer.Option(help="The first so many.", min=1)] = 20) -> None:
    """List the tasks that await a review: disputed first, the lowest agreement first."""
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.review_queue()
    table = Table("task", "state", "answers", "agreement", "rounds")
    for row in found.head(limit).itertuples():
        table.add_row(row.task, row.state, str(row.answers), _share(row.agreement), str(row.rounds))
    out.print(table)
    plain(f"{len(found)} tasks await a review")


@app.command()
def review(
    folder: Folder,
    task: Annotated[str, typer.Argument(help="Id of a task, as `geolabel queue` gives it.")],
    *,
    by: By,
    why: Annotated[str, typer.Option(help="The reason, for who answered and who asks later.")],
    accept: Annotated[bool, typer.Option("--accept", help="It is good.")] = False,
    send_back: Annotated[bool, typer.Option("--send-back", help="It has to be done again.")] = False,
    minutes: Annotated[float, typer.Option(help="What the review took.", min=0)] = 0.0,
) -> None:
    """Accept a task or send it back; nobody reviews what they answered."""
    from geolabel.project import Project

    if accept == send_back:
        raise ConfigError("a review without one decision", hint="--accept or --send-back")
    with Project.open(folder) as project:
        stands = project.review(task, by, "accept" if accept else "send back", why=why, minutes=minutes)
    plain(f"{task} is {stands.state}")


def _share(value: Any) -> str:
    return f"{value:.2f}".replace("nan", "")
