"""Verbs on the way of a task: who does what, review, batches and their delivery."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from geolabel.cli.shown import Folder, app, bars, out, plain
from geolabel.errors import ConfigError
from geolabel.nouns.times import utc
from geolabel.ontology import Kind

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


# ---------------------------------------------------------------------- batches and deliveries
Name = Annotated[str, typer.Argument(help="Name of a batch.")]
Tasks = Annotated[list[str] | None, typer.Option("--task", help="Id of a task, once for each.")]
Rated = Annotated[float | None, typer.Option(help="What an hour costs.", min=0)]
Currency = Annotated[str, typer.Option(help="Of the rate, ISO 4217.")]


@app.command()
def batch(
    folder: Folder,
    name: Annotated[str | None, typer.Argument(help="Name of a new batch; without it the batches are listed.")] = None,
    *,
    by: Annotated[str | None, typer.Option("--by", help="Who plans it.")] = None,
    kind: Annotated[Kind, typer.Option(help="Of its tasks.")] = "burn",
    task: Tasks = None,
    priority: Annotated[int, typer.Option(help="Higher goes first.")] = 0,
    due: Annotated[str | None, typer.Option(help="When it is due, e.g. 2026-03-01T12:00Z.")] = None,
    overlap: Annotated[int, typer.Option(help="Answers that every task is to have.", min=1)] = 1,
    aql: Annotated[float, typer.Option(help="Share of defective tiles that still passes.")] = 0.04,
    rejectable: Annotated[
        float, typer.Option(help="Share that must not pass; 0: the plan of ISO 2859-1, level II, for the AQL alone.")
    ] = 0.15,
    rate: Rated = None,
    currency: Currency = "EUR",
) -> None:
    """Plan a batch of tasks (default: all of the kind that are in no batch), or list the batches."""
    from geolabel.nouns.batch import Acceptance, Rate
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        if name is not None:
            terms = {"acceptance": Acceptance(aql, rejectable or None), "rate": rate and Rate(rate, currency)}
            more = {"priority": priority, "due": utc(due, what="--due") if due else None, "overlap": overlap}
            project.batch(name, task or project.unbatched(kind), kind=kind, by=by, **terms, **more)
        found = project.batches()
    table = Table(*(n.replace("_", " ") for n in found.columns))
    for row in found.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    out.print(table)


@app.command()
def sample(
    folder: Folder, name: Name, *, seed: Annotated[int, typer.Option(help="Draws the tasks.")] = 0, by: By
) -> None:
    """Draw the tasks of a finished batch that are to be inspected; drawn again they are the same until labels change."""
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.draw_sample(name, seed=seed, by=by)
    for task in found.task_ids:
        plain(task)
    plain(f"inspect these {found.plan.n} of {found.plan.lot} tiles; {found.plan.c} may be defective")


@app.command()
def inspect(
    folder: Folder,
    name: Name,
    *,
    by: By,
    defect: Annotated[list[str] | None, typer.Option(help="TASK=WORDS: what is wrong, once a defective task.")] = None,
    minutes: Annotated[float, typer.Option(help="What the inspection took.", min=0)] = 0.0,
) -> None:
    """Judge a batch by its sample: every drawn task that is not named was found without defect."""
    from geolabel.project import Project

    told = dict(_defect(text) for text in defect or ())
    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.draw_sample(name, by=by)
        said = project.inspect(name, {**dict.fromkeys(found.task_ids), **told}, by=by, minutes=minutes)
    plain(str(said))


@app.command()
def deliver(
    folder: Folder,
    name: Name,
    *,
    by: By,
    despite: Annotated[str, typer.Option(help="Why it goes out although its quality was not shown.")] = "",
    restricted: Annotated[
        bool, typer.Option("--restricted", help="Labels of a restricted scene may leave the project.")
    ] = False,
) -> None:
    """Deliver a batch as an immutable version with manifest and changelog."""
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        done = project.deliver(name, by=by, despite=despite, restricted=restricted)
    plain(f"version {done.version} of batch {done.batch}, manifest {done.digest[:12]}")
    plain(f"open {done.folder / 'CHANGELOG.md'}")


@app.command()
def reopen(
    folder: Folder,
    name: Name,
    *,
    by: By,
    why: Annotated[str, typer.Option(help="The reason, for the changelog.")],
    task: Tasks = None,
) -> None:
    """Take a delivered batch back for rework; tasks that are named are answered once more."""
    from geolabel.project import Project

    with Project.open(folder) as project:
        project.reopen(name, why, tasks=task or (), by=by)
    plain(f"batch {name} is reopened; its next delivery is another version")


@app.command()
def outdated(folder: Folder, *, kind: Annotated[Kind | None, typer.Option(help="Of tasks.")] = None) -> None:
    """List answers that were given before the instructions or the class list changed, where that touches them."""
    from geolabel.project import Project

    with Project.open(folder) as project:
        found = project.outdated(kind)
    for (why, touch), own in found.groupby(["why", "touch"], sort=True):
        plain(f"{len(own)} answers {touch} {'any class' if own['class'].isna().all() else own['class'].iloc[0]}: {why}")
    plain(f"{found['answer'].nunique()} answers to {found['task'].nunique()} tasks are touched")


@app.command()
def decide(
    folder: Folder,
    case: Annotated[
        str | None, typer.Argument(help="shadow, slc-off, island, clear-cut, other; without: list what was decided.")
    ] = None,
    *,
    question: Annotated[str, typer.Option(help="What was asked.")] = "",
    decision: Annotated[str, typer.Option(help="What holds from now on.")] = "",
    why: Annotated[str, typer.Option(help="The reason.")] = "",
    by: Annotated[str | None, typer.Option("--by", help="Who decided.")] = None,
    class_: Annotated[list[str] | None, typer.Option("--class", help="That it is about (default: all).")] = None,
    example: Annotated[list[str] | None, typer.Option(help="Id of a task, or LON,LAT.")] = None,
) -> None:
    """Keep a decision on an edge case, or list all of them as an appendix to the instructions."""
    from geolabel.project import Project

    with Project.open(folder) as project:
        if case is None:
            plain(project.casebook() or "nothing was decided yet")
            return
        if by is None:
            raise ConfigError("a decision of nobody", hint="--by NAME")
        told: dict[str, Any] = {"classes": class_ or (), "examples": example or ()}
        number = project.log_decision(case, question, decision, why=why, by=by, **told)
    plain(f"decision {number} on {case}")


@app.command()
def cost(
    folder: Folder,
    name: Annotated[str | None, typer.Argument(help="Name of a batch (default: the whole project).")] = None,
    *,
    kind: Annotated[Kind | None, typer.Option(help="Of tasks, where no batch is named.")] = None,
    rate: Rated = None,
    currency: Currency = "EUR",
) -> None:
    """Say what labels took, in minutes and money, and for each km2 of accepted ground."""
    from geolabel.nouns.batch import Rate
    from geolabel.project import Project

    with bars() as progress, Project.open(folder, progress=progress) as project:
        found = project.cost(batch=name, kind=kind, rate=None if rate is None else Rate(rate, currency))
    table = Table(*(n.replace("_", " ") for n in found.by_annotator.columns))
    for row in found.by_annotator.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    out.print(table)
    plain(str(found))


def _defect(text: str) -> tuple[str, str]:
    task, sign, words = text.partition("=")
    if not (sign and words.strip()):
        raise ConfigError(f"--defect {text!r} does not say what is wrong", hint="--defect TASK=WORDS")
    return task, words


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 - NaT


def _share(value: Any) -> str:
    return f"{value:.2f}".replace("nan", "")
