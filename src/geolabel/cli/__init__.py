"""The command line: one verb a step, each a few lines over the package."""

from __future__ import annotations

from typing import Annotated

import typer

from geolabel import __version__
from geolabel.cli import fires, labels, quality, review, scenes, work  # noqa: F401 - their verbs
from geolabel.cli.shown import app, err, out

__all__ = ["app", "err", "main", "out"]


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    """Say the version."""
    if version:
        out.print(f"geolabel {__version__}")
        raise typer.Exit


def main() -> None:
    """Run a command."""
    app()
