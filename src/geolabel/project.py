"""Project: scenes, ledger and products in one folder; each method is one call of a step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from geolabel import config as configs
from geolabel import files
from geolabel.config import Config
from geolabel.digests import digest
from geolabel.errors import ConfigError, InputError, SourceError
from geolabel.grid import LonLat
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.scene import Scene
from geolabel.nouns.task import Task
from geolabel.nouns.times import When, utc
from geolabel.nouns.view import View
from geolabel.ontology import WILDFIRE, Kind
from geolabel.steps import consensus, exports, maps, products, risk, rules, spread, tasks
from geolabel.steps import landscape as landscapes
from geolabel.steps import view as views
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.fire.landscape import Landscape
    from geolabel.store.ledger import Ledger

T = TypeVar("T")
CONFIG, LEDGER, PRODUCTS = "project.toml", "ledger.sqlite", "products"
SYSTEM = "system:geolabel"


@dataclass
class Project:
    """A folder with `project.toml`, `ledger.sqlite` and `products/`; one process holds it at a time.

    Use it as a context manager, or call `close()`.
    """

    folder: Path
    config: Config
    ledger: Ledger
    progress: Progress = silent
    _open: ExitStack = field(default_factory=ExitStack, repr=False)
    _view: View | None = field(default=None, repr=False)
    _known: dict[str, Any] = field(default_factory=dict, repr=False)
    """Products already read or made here, and answers, by the digest of what they come from."""

    # ------------------------------------------------------------------ open and close
    @classmethod
    def create(
        cls, folder: Path | str, *, title: str = "", config: Config | None = None, progress: Progress = silent
    ) -> Self:
        """New project in an empty or absent folder.

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
        return cls._opened(folder, create=True, progress=progress)

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
        return cls._opened(folder, create=not (folder / LEDGER).is_file(), progress=progress)

    @classmethod
    def _opened(cls, folder: Path, *, create: bool, progress: Progress) -> Self:
        from geolabel.store.ledger import Ledger

        with ExitStack() as stack:
            stack.enter_context(files.lock(folder))
            config = configs.load(folder / CONFIG)
            ledger = Ledger.open(folder / LEDGER, create=create)
            stack.callback(ledger.engine.dispose)
            return cls(folder, config, ledger, progress, stack.pop_all())

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

    # ------------------------------------------------------------------ scenes and tasks
    def add(self, *, dem: Path | str | None = None, **scenes: Scene) -> View:
        """View of the scenes by role (`before`, `after`) and the DEM, on one metric grid; what was added stays added.

        Raises
        ------
        InputError
            Where a role already holds another scene: labels were made on it.
        """
        sources = {role: views.source_of(scene, role) for role, scene in scenes.items()}
        if dem is not None:
            sources["dem"] = views.SceneSource(path=str(Path(dem).resolve()), sensor="dem")
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
        self._record_view(view)
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
            self._record_view(view)
            self._view = view
        return self._view

    def _record_view(self, view: View) -> None:
        """Ledger events of a view's scenes, once; another digest under the same id means that pixels changed."""
        known = {event.payload["id"]: event.payload["digest"] for event in self.ledger.events("scene")}
        for role, scene in view.scenes.items():
            if known.get(scene.id, scene.digest) != scene.digest:
                raise InputError(
                    f"the {role} scene {scene.source[0]} is not the one that was labeled",
                    hint="put the old file back, or begin another project",
                )
            if scene.id not in known:
                self.ledger.append("scene", actor=SYSTEM, payload=views.described(scene, role))
        if view.id not in {event.payload["id"] for event in self.ledger.events("view")}:
            payload = {"id": view.id, "digest": view.digest, "grid": view.grid.digest, "roles": sorted(view.scenes)}
            self.ledger.append("view", actor=SYSTEM, payload=payload)

    def plan(self, kind: Kind, *, promising: Iterable[str] = ()) -> list[Task]:
        """Tasks of a kind, one a tile; planned once, then the same ever after."""
        known = self.tasks(kind)
        if known:
            return known
        planned = tasks.plan(self.view, kind, self.config.tasks, promising=set(promising))
        payload = {"kind": kind, "ontology": WILDFIRE.id, "tasks": [tasks.to_row(task) for task in planned]}
        self.ledger.append("task", actor=SYSTEM, payload=payload)
        return planned

    def tasks(self, kind: Kind | None = None) -> list[Task]:
        """Tasks planned so far."""
        events = [event.payload for event in self.ledger.events("task")]
        found = [tasks.from_row(row) for payload in events for row in payload["tasks"]]
        return [task for task in found if kind in (None, task.kind)]

    # ------------------------------------------------------------------ answers
    def rule(self, name: str) -> list[Answer]:
        """Complete answers of a rule to all tasks of its kind, appended to the ledger once."""
        rule = rules.rule(name)
        known = self.ledger.answers(annotator=rule.annotator)
        if known:
            return known
        found = rules.find(name, self.view, self.config.rules)
        own = self.plan(rule.kind, promising=rules.promising(found, self.view, self.config.tasks.tile))
        seen = rules.known_ground(self.view, rule.kind)
        return self.submit(rules.answers(rule.annotator, found, own, self.view.grid, known=seen, at=datetime.now(UTC)))

    def submit(self, answers: Sequence[Answer]) -> list[Answer]:
        """The answers, once they are in the ledger as one event."""
        self.ledger.append_answers(
            answers, actor=answers[0].annotator if len({a.annotator for a in answers}) == 1 else SYSTEM
        )
        return list(answers)

    # ------------------------------------------------------------------ consensus and labels
    def answers(self) -> tuple[Answer, ...]:
        """All current answers of the ledger, in the order they came."""
        state = self.answers_digest
        if state not in self._known:
            self._known[state] = tuple(self.ledger.answers())
        return self._known[state]

    @property
    def answers_digest(self) -> str:
        """Digest over the ledger's events of answers, which hold a digest of every row."""
        events = [*self.ledger.events("answer"), *self.ledger.events("supersede")]
        return digest("answers", [event.digest for event in events])

    def agree(self) -> dict[str, Consensus]:
        """Consensus of every task that has answers (task id -> Consensus), kept under products/."""
        inputs = {"answers": self.answers_digest, "options": self.config.consensus.digest}
        return self._product("consensus", inputs, lambda to: self._fuse(self.answers(), to), consensus.load_all)

    def _fuse(self, heard: Sequence[Answer], to: Path) -> dict[str, Consensus]:
        fused = consensus.agree(self.tasks(), self.view.grid, heard, self.config.consensus, progress=self.progress)
        consensus.save_all(fused, to)
        return fused

    def skill(self, kind: Kind) -> Any:
        """What gold tasks of a kind say of each annotator (`tables.SKILL`): IoU, sensitivity, specificity, bias in metres."""
        return consensus.skill(self.tasks(kind), self.view.grid, self.answers())

    def labels(self, kind: Kind) -> Any:
        """Whole agreed labels of a kind (`tables.AGREED`), without seams between tiles."""
        return consensus.labels(self.view, self.agree(), self.tasks(kind), kind)

    def export(self, format: str, path: Path | str) -> Path:  # noqa: A002 - the field's word
        """Path of what was written: `geojson` (a folder of labeled tiles), `gpkg` or `geoparquet` (whole labels)."""
        notes = "; ".join(self.config.notes) or None
        votes = [answer for answer in self.answers() if answer.annotator != consensus.GOLD]  # the truth stays hidden
        job = exports.Job(self.config.title, self.view, self.tasks(), self.agree(), votes, notes)
        return exports.write(job, Path(path), format, progress=self.progress)

    # ------------------------------------------------------------------ fire
    def landscape(self, start: datetime, *, hindcast: bool = False) -> Landscape:
        """Fuel and terrain for a fire at `start`: scars labeled before it have no fuel left, unless in a hindcast."""
        fused, grid = self.agree(), self.view.grid
        terrain = consensus.codes(consensus.mosaic(fused, self.tasks("terrain"), grid, "terrain"), "terrain")
        gone = "after" in self.view and start >= self.view["after"].end and not hindcast
        burned = consensus.codes(consensus.mosaic(fused, self.tasks("burn"), grid, "burn"), "burn") if gone else None
        scar = None if burned is None else burned == WILDFIRE["burned"].code
        return landscapes.landscape(self.view, terrain, consumed=scar)

    def fit(
        self,
        what: str = "spread",
        *,
        ignition: LonLat,
        start: When,
        hours: float | None = None,
        hindcast: bool = False,
    ) -> spread.Trained:
        """Trained, calibrated spread model; the ground around `ignition` is held out from training.

        Parameters
        ----------
        hours
            How far it looks; default: the last of the project's `risk.hours`.

        Raises
        ------
        ConfigError
            For another model than `spread`.
        """
        if what != "spread":
            raise ConfigError(f"there is no model {what!r} to fit", hint="spread")
        self._look_ahead(hours)
        ground = self.landscape(utc(start), hindcast=hindcast)
        made_of = self._made_of(landscape=ground.digest)
        leads, options = self.config.risk.hours, self.config.spread
        inputs = {**made_of, "ignition": str(ignition), "options": options.digest, "hours": list(leads)}

        def make(to: Path) -> spread.Trained:
            trained = spread.fit(ground, ignition, leads, options, made_of=made_of, progress=self.progress)
            trained.save(to)
            return trained

        return self._product("spread-model", inputs, make, spread.Trained.load)

    def risk(
        self,
        model: spread.Trained | None = None,
        *,
        weather: str | Path,
        ignition: LonLat,
        start: When,
        hours: float | None = None,
        hindcast: bool = False,
    ) -> RiskMap:
        """Risk map of a fire from `ignition` at `start`: an ensemble of simulated fires pooled with the model.

        Parameters
        ----------
        weather
            `"25 km/h from 225"`, or a CSV of times, speeds and directions.
        hours
            How far to look; default: the last of the project's `risk.hours`.

        Raises
        ------
        FireError
            An ignition on unknown or non-burnable ground (the nearest burnable cell is named), weather that ends early.
        """
        self._look_ahead(hours)
        moment, options = utc(start, what="start"), self.config.risk
        ground = self.landscape(moment, hindcast=hindcast)
        case = risk.Case.of(ground, weather, ignition, moment, options)
        made_of = self._made_of(landscape=ground.digest, model=model.digest if model else "none")
        inputs = {**made_of, "case": case.digest, "options": options.digest}

        def make(to: Path) -> RiskMap:
            made = risk.make(
                case,
                model,
                options,
                title=self.config.title,
                notes=self.config.notes,
                made_of=made_of,
                progress=self.progress,
            )
            risk.save(made, to)
            return made

        return self._product("risk", inputs, make, risk.load)

    def _look_ahead(self, hours: float | None) -> None:
        """Keep the lead times up to `hours` in project.toml, where they are others than it says."""
        if hours is not None and hours != self.config.risk.hours[-1]:
            self.configure(risk={"hours": risk.lead_hours(hours)})

    def _made_of(self, **more: str) -> dict[str, str]:
        """Digests of what a product of this project is made of, down to scenes and answers."""
        return {"view": self.view.digest, "ontology": WILDFIRE.digest, "answers": self.answers_digest, **more}

    def beside(self, made: RiskMap) -> dict[str, Any]:
        """What a map of this project shows beside the risk; keywords of `gl.draw` and `gl.field_map`."""
        labeled = {kind: self.labels(kind) for kind in ("burn", "terrain", "object") if self.tasks(kind)}
        exposed = risk.exposed(labeled["object"], made) if "object" in labeled else None
        return maps.beside(
            self.view, made.grid, scar=labeled.get("burn"), terrain=labeled.get("terrain"), objects=exposed
        )

    # ------------------------------------------------------------------ products
    def _product(self, name: str, inputs: Mapping[str, Any], make: Callable[[Path], T], read: Callable[[Path], T]) -> T:
        """A product that is made once: read where its inputs are those of one made before, else made and recorded."""
        key = digest(name, dict(inputs))
        home = self.folder / PRODUCTS / key[:16]
        if key in self._known:
            return self._known[key]
        if any(payload["inputs_digest"] == key for payload in self.ledger.products(name)) and home.is_dir():
            return self._known.setdefault(key, read(home))
        products.whole(home, make)
        payload = {"name": name, "inputs_digest": key, "inputs": dict(inputs), "digest": products.digest_of(home)}
        self.ledger.append("product", actor=SYSTEM, payload={**payload, "folder": home.name})
        return self._known.setdefault(key, read(home))  # as a rerun would read it: stored values are rounded

    def check(self) -> list[str]:
        """One sentence for each broken link of the ledger and each product that is not as it was recorded."""
        faults = self.ledger.check()
        for payload in self.ledger.products():
            home = self.folder / PRODUCTS / payload["folder"]
            if not home.is_dir():
                faults.append(f"the product {payload['name']} in {home.name} is missing")
            elif products.digest_of(home) != payload["digest"]:
                faults.append(f"the product {payload['name']} in {home.name} was changed since it was made")
        return faults

    def _repr_html_(self) -> str:
        counts = {kind: len(self.tasks(kind)) for kind in ("burn", "terrain", "object")}
        rows = "".join(f"<tr><th style='text-align:left'>{k} tasks</th><td>{n}</td></tr>" for k, n in counts.items())
        return f"<table><caption>{escape(self.config.title)}</caption>{rows}</table>{self.ledger._repr_html_()}"
