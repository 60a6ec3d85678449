"""Workspace: a project's folder, its scenes and tasks, and what they are labeled under; opened by one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from geolabel import config as configs
from geolabel import files
from geolabel.config import Config
from geolabel.errors import InputError, SourceError
from geolabel.nouns.scene import Scene
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import Instructions, Kind, Ontology
from geolabel.steps import tasks
from geolabel.steps import view as views
from geolabel.steps.record import DATABASE, Record
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.store.ledger import Ledger

CONFIG = "project.toml"


@dataclass
class Workspace:
    """A folder with `project.toml`, `ledger.sqlite` and `products/`; one process holds it at a time.

    What a `Project` stands on. Use it as a context manager, or call `close()`.
    """

    folder: Path
    config: Config
    record: Record
    progress: Progress = silent
    _open: ExitStack = field(default_factory=ExitStack, repr=False)
    _view: View | None = field(default=None, repr=False)

    # ------------------------------------------------------------------ open and close
    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        title: str = "",
        config: Config | None = None,
        ontology: Ontology | None = None,
        progress: Progress = silent,
    ) -> Self:
        """New project in an empty or absent folder.

        Parameters
        ----------
        ontology
            What may be labeled; default: that of the team's ledger, where there is one, else the shipped `gl.WILDFIRE`.
            See `gl.Ontology.read` for one's own.

        Raises
        ------
        InputError
            Where the folder holds something; an existing project is opened with `Project.open`.
        """
        folder = Path(folder)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            what = "is a geolabel project" if (folder / CONFIG).is_file() else "exists and is not empty"
            raise InputError(f"{folder} {what}", hint="open it with Project.open(...), or choose another folder")
        with files.named_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        files.require_space(folder, 200_000_000)
        told = config or Config(title=title or folder.name)
        if os.environ.get(DATABASE):
            told = told.model_copy(update={"ledger": "database"})
        configs.save(folder / CONFIG, told)
        project = cls._opened(folder, create=True, progress=progress)
        try:
            project.record.begin(ontology)
        except BaseException:
            project.close()
            raise
        return project

    @classmethod
    def open(cls, folder: Path | str, *, progress: Progress = silent) -> Self:
        """Existing project.

        Raises
        ------
        SourceError
            Where there is none, or another process holds it.
        """
        folder = Path(folder)
        if not (folder / CONFIG).is_file():
            raise SourceError(
                f"no geolabel project in {folder}", hint="Project.create(folder), or `geolabel demo --out ...`"
            )
        return cls._opened(folder, create=True, progress=progress)

    @classmethod
    def _opened(cls, folder: Path, *, create: bool, progress: Progress) -> Self:
        with ExitStack() as stack:
            stack.enter_context(files.lock(folder))
            config = configs.load(folder / CONFIG)
            record = Record.open(folder, config.title, shared=config.ledger == "database", create=create)
            stack.callback(record.ledger.close)
            return cls(folder, config, record, progress, stack.pop_all())

    def close(self) -> None:
        """Release the folder."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def configure(self, **changes: Any) -> None:
        """Change options and keep them in project.toml, e.g. `configure(risk={"members": 500})`."""
        values = self.config.model_dump(mode="json")
        for key, value in changes.items():
            values[key] = {**values[key], **value} if isinstance(value, Mapping) else value
        self.config = Config.read(values, where="configure(...)")
        configs.save(self.folder / CONFIG, self.config)

    @property
    def ledger(self) -> Ledger:
        """The append-only record of all events."""
        return self.record.ledger

    # ------------------------------------------------------------------ scenes and tasks
    def add(self, *, dem: Path | str | None = None, access: views.Access = "open", **scenes: Scene) -> View:
        """View of the scenes by role (`before`, `after`) and the DEM, on one metric grid; what was added stays added.

        Parameters
        ----------
        access
            Who may have what is made from these scenes: `open`, `internal` (the files say so) or `restricted` (no
            export unless `restricted=True`).

        Raises
        ------
        InputError
            Where a role already holds another scene: labels were made on it.
        """
        sources = {role: views.source_of(scene, role, access) for role, scene in scenes.items()}
        if dem is not None:
            sources["dem"] = views.SceneSource(path=str(Path(dem).resolve()), sensor="dem", access=access)
        for role in sources.keys() & self.config.scenes.keys():
            if sources[role] != self.config.scenes[role]:
                raise InputError(
                    f"the project already has a {role} scene: {Path(self.config.scenes[role].path).name}",
                    hint="labels were made on it; begin another project for other scenes",
                )
        kept = {**self.config.scenes, **sources}
        view = views.open_view(kept, id=self.view_id)
        self.configure(
            scenes={role: source.model_dump(mode="json", exclude_none=True) for role, source in kept.items()}
        )
        self.record.keep_view(view, self.config.scenes)
        self._view = view
        return view

    @property
    def view_id(self) -> str:
        """The project's title as an id."""
        return "-".join(self.config.title.lower().split())

    @property
    def view(self) -> View:
        """The project's scenes, opened anew where they are not open.

        Raises
        ------
        InputError
            Without scenes, or where a file changed since it was labeled.
        """
        if self._view is None:
            view = views.open_view(self.config.scenes, id=self.view_id)
            self.record.keep_view(view, self.config.scenes)
            self._view = view
        return self._view

    def plan(self, kind: Kind, *, promising: Iterable[str] = ()) -> list[Task]:
        """Tasks of a kind, one a tile; planned once, then the same ever after."""
        known = self.tasks(kind)
        if known:
            return known
        planned = tasks.plan(
            self.view,
            kind,
            self.config.tasks,
            promising=set(promising),
            ontology=self.ontology.id,
            instructions=self.instructions.version,
        )
        self.record.keep_tasks(planned)
        return planned

    def tasks(self, kind: Kind | None = None) -> list[Task]:
        """Tasks planned so far."""
        return [task for task in self.record.tasks() if kind in (None, task.kind)]

    # ------------------------------------------------------------------ what labels are made under
    @property
    def ontology(self) -> Ontology:
        """What may be labeled."""
        return self.record.ontology

    @property
    def instructions(self) -> Instructions:
        """How it is to be labeled."""
        return self.record.instructions

    def instruct(self, text: str, *, title: str = "") -> Instructions:
        """The next version of the instructions (Markdown); tasks planned from now on name it."""
        version = self.instructions.version + 1
        told = Instructions(version, self.ontology.id, text, title).check(self.ontology)
        self.record.keep_instructions(told)
        return told
