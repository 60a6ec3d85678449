"""Labeling: a project's scenes, classes, answers and what they agree on, in one folder; each method is one call of a step."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from geolabel import config as configs
from geolabel import files
from geolabel.config import Config
from geolabel.digests import digest_shapes
from geolabel.errors import InputError, SourceError
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.scene import Scene
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import WILDFIRE, Instructions, Kind, Migration, Ontology
from geolabel.steps import consensus, exports, imports, rules, tasks
from geolabel.steps import view as views
from geolabel.steps.record import SYSTEM, Record
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.store.ledger import Ledger

CONFIG = "project.toml"


@dataclass
class Labeling:
    """A folder with `project.toml`, `ledger.sqlite` and `products/`; one process holds it at a time.

    The half of a `Project` that makes labels. Use it as a context manager, or call `close()`.
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
            What may be labeled; default: the shipped `gl.WILDFIRE`. See `gl.Ontology.read` for one's own.

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
        configs.save(folder / CONFIG, config or Config(title=title or folder.name))
        project = cls._opened(folder, create=True, progress=progress)
        project.record.keep_ontology(ontology or WILDFIRE)
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
            record = Record.open(folder, config.title, create=create)
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

    def migrate(self, migration: Migration, *, decided: Mapping[str, str] | None = None) -> list[Answer]:
        """Every current answer under the migration's target: corrections of the old ones, which stay.

        Parameters
        ----------
        decided
            Label id -> class, for labels whose class was split.

        Raises
        ------
        OntologyError
            Where the migration is from another ontology than the project's, or leaves a used class without a place;
            nothing is written then.
        """
        moved = imports.migrated(self.answers(), self.tasks(), migration, self.ontology, decided=decided)
        self.record.keep_ontology(migration.target, migration=migration)
        return self.submit(moved) if moved else []

    # ------------------------------------------------------------------ answers
    def import_labels(
        self,
        labels: Path | str | Any,
        *,
        annotator: str | None = None,
        complete: bool = False,
        format: str | None = None,  # noqa: A002 - the field's word
        **told: Any,
    ) -> imports.Imported:
        """What came of labels of another program; given again, they change nothing.

        A tile on which an annotator has a label is taken as looked at wholly by that annotator; the others are only with
        `complete`. People who are named become pseudonyms.

        Parameters
        ----------
        labels
            A file (see `gl.read_labels` for formats and `told`: fields, classes, values, crs), or `tables.LABELS`.
        annotator
            Of labels that name none: `person:<id>`, `rule:<name>@<version>`, `model:` or a person's name.
        complete
            Whether every tile of the view was looked at, so that those without labels are `empty`.

        Raises
        ------
        GeolabelError
            Where the file cannot be read as labels, names classes that the ontology has not, or nobody's name.
        """
        frame, how = imports.source(labels, format=format, ontology=self.ontology, **told)
        whose = imports.named(frame, annotator, self.ledger.person)
        looked = imports.without_labels(frame, annotator, self.ledger.person)
        found = self._import(whose, how, looked=looked).run(whose, complete=complete)
        return self._imported(found)

    def import_edits(
        self,
        labels: Path | str | Any,
        *,
        annotator: str,
        format: str | None = None,  # noqa: A002 - the field's word
        **told: Any,
    ) -> imports.Imported:
        """What came of labels that were exported, edited in a GIS and brought back: answers on the tiles that changed.

        Shapes keep their `label_id`. Raises as `import_labels` does.
        """
        frame, how = imports.source(labels, format=format, ontology=self.ontology, **told)
        name = annotator if imports.is_annotator(annotator) else self.ledger.person(annotator)
        before = imports.likest(frame, self.record.exported())
        now, touched = imports.edited(before, frame, self.tasks(), self.view.grid)
        job = self._import(now, how.replace("import:", "edit:"), shown=("consensus",))
        return self._imported(job.run(imports.given_by(now, name), annotators=(name,), only=touched))

    def _import(self, labels: Any, how: str, **more: Any) -> imports.Import:
        kinds = sorted({self.ontology[name].kind for name in labels["class"]} | {task.kind for task in self.tasks()})
        tasks = {kind: self.plan(kind) for kind in kinds}
        known = {kind: rules.known_ground(self.view, kind) for kind in kinds}
        at = datetime.now(UTC)
        return imports.Import(self.view, tasks, self.answers(), self.ontology, known, at, how, **more)

    def _imported(self, found: imports.Imported) -> imports.Imported:
        if found.answers:
            self.submit(found.answers)
        return found

    def rule(self, name: str) -> list[Answer]:
        """Complete answers of a rule to all tasks of its kind, appended to the ledger once.

        Answers of an earlier version of the rule are corrected: one rule is one voice.
        """
        rule = rules.rule(name)
        known = [one for one in self.answers() if one.annotator.rpartition("@")[0] == f"rule:{name}"]
        if known and all(one.annotator == rule.annotator for one in known):
            return known
        return self._found(rule, rules.find(name, self.view, self.config.rules), known=known)

    def learn(self, polygons: Any = None, *, seed: int = 0) -> tuple[list[Answer], dict[str, Any]]:
        """(Answers of `rule:terrain-learned@1` to all terrain tasks, the report of how well it names polygons held out).

        Asked again with the same polygons it gives the same; with others its answers are corrected.

        Parameters
        ----------
        polygons
            `tables.SHAPES` of terrain classes; default: what people drew in this project's terrain tasks.

        Raises
        ------
        InputError
            Where there is too little to learn from.
        """
        if polygons is None:
            polygons = rules.drawn_by_people(self.answers(), "terrain", self.view.grid)
        learned, drawn = rules.learned_rule(polygons, seed=seed), digest_shapes(polygons)
        inputs = {"view": self.view.digest, "polygons": drawn, "options": self.config.rules.digest, "seed": seed}
        found, report = self.record.product(
            "terrain-learned",
            inputs,
            lambda to: rules.keep_found(learned, self.view, self.config.rules, to),
            rules.read_found,
        )
        how = f"learned:{drawn[:12]}"
        known = self.ledger.answers(annotator=learned.annotator)
        if known and all(one.how == how for one in known):
            return known, report
        return self._found(learned, found, known=known, how=how), report

    def _found(
        self, rule: rules.Rule, found: Any, *, known: Sequence[Answer] = (), how: str | None = None
    ) -> list[Answer]:
        """The answers of a rule that found these shapes, submitted; corrections of those that are `known`."""
        own = self.plan(rule.kind, promising=rules.promising(found, self.view, self.config.tasks.tile))
        seen = rules.known_ground(self.view, rule.kind, roles=rule.sees(self.view))
        given = rules.answers(rule.annotator, found, own, self.view.grid, known=seen, at=datetime.now(UTC))
        old = {one.task_id: one.uuid for one in known}
        return self.submit([replace(one, how=how, supersedes=old.get(one.task_id)) for one in given])

    def submit(self, answers: Sequence[Answer]) -> list[Answer]:
        """The answers, once they are in the ledger as one event."""
        self.ledger.append_answers(
            answers, actor=answers[0].annotator if len({a.annotator for a in answers}) == 1 else SYSTEM
        )
        return list(answers)

    # ------------------------------------------------------------------ consensus and labels
    def answers(self) -> tuple[Answer, ...]:
        """All current answers of the ledger, in the order they came."""
        return self.record.answers()

    def agree(self) -> dict[str, Consensus]:
        """Consensus of every task that has answers (task id -> Consensus), kept under products/."""
        return self.record.product(
            "consensus", self._label_inputs, lambda to: self._fuse(self.answers(), to), consensus.load_all
        )

    @property
    def _label_inputs(self) -> dict[str, str]:
        """Digests of what the agreed labels come from."""
        options, ontology = self.config.consensus.digest, self.ontology.digest
        return {"answers": self.record.answers_digest, "options": options, "ontology": ontology}

    def _fuse(self, heard: Sequence[Answer], to: Path) -> dict[str, Consensus]:
        how: dict[str, Any] = {"ontology": self.ontology, "progress": self.progress}
        fused = consensus.agree(self.tasks(), self.view.grid, heard, self.config.consensus, **how)
        consensus.save_all(fused, to)
        return fused

    def skill(self, kind: Kind) -> Any:
        """What gold tasks of a kind say of each annotator (`tables.SKILL`): IoU, sensitivity, specificity, bias in metres."""
        return consensus.skill(self.tasks(kind), self.view.grid, self.answers(), ontology=self.ontology)

    def labels(self, kind: Kind) -> Any:
        """Whole agreed labels of a kind (`tables.AGREED`), without seams between tiles."""
        return consensus.labels(self.view, self.agree(), self.tasks(kind), kind, ontology=self.ontology)

    def export(
        self,
        format: str,  # noqa: A002 - the field's word
        path: Path | str,
        *,
        what: exports.What = "labels",
        lossy: bool | Collection[str] = False,
        restricted: bool = False,
    ) -> Path:
        """Path of what was written: `geojson` (a folder of labeled tiles), or another of `gl.formats()`.

        Parameters
        ----------
        what
            `labels`, which the annotators agree on, or `answers`, what each of them drew (people under pseudonyms).
        lossy
            Properties that the format may lose, or True for all of them.
        restricted
            Whether labels of a scene whose access is `restricted` may leave the project.

        Raises
        ------
        InputError
            Where the format would lose something, or a scene is restricted, and nobody agreed to that.
        """
        access = views.access_of(self.config.scenes)
        if access == "restricted" and not restricted:
            raise InputError(
                "a scene of this project is restricted, and so are its labels",
                hint="who may share them says so: restricted=True",
            )
        job = self._export_job()
        drawn = job.given() if what == "answers" else self.record.labels(job.labels, self._label_inputs)
        return exports.write(job, drawn, Path(path), format, lossy=lossy, progress=self.progress)

    def _export_job(self) -> exports.Job:
        votes = [answer for answer in self.answers() if answer.annotator != consensus.GOLD]  # the truth stays hidden
        return exports.Job(
            self.config.title,
            self.view,
            self.tasks(),
            self.agree(),
            votes,
            notes="; ".join(self.config.notes) or None,
            ontology=self.ontology,
            instructions=self.instructions.version,
            access=views.access_of(self.config.scenes),
        )

    def check(self) -> list[str]:
        """One sentence for each broken link of the ledger and each product that is not as it was recorded."""
        return self.record.check()

    def _repr_html_(self) -> str:
        counts = {kind: len(self.tasks(kind)) for kind in ("burn", "terrain", "object")}
        rows = "".join(f"<tr><th style='text-align:left'>{k} tasks</th><td>{n}</td></tr>" for k, n in counts.items())
        return f"<table><caption>{escape(self.config.title)}</caption>{rows}</table>{self.ledger._repr_html_()}"
