"""Record: what a project's ledger and products hold, and how each product is made once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import geopandas as gpd

from geolabel.digests import digest
from geolabel.errors import ConfigError, InputError, OntologyError
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.nouns.view import View
from geolabel.ontology import WILDFIRE, Instructions, Migration, Ontology
from geolabel.ontology.instructions import parsed
from geolabel.ontology.shipped import instructions as shipped
from geolabel.steps import gold as golds
from geolabel.steps import products
from geolabel.steps.tasks import from_row, to_row
from geolabel.steps.view import SceneSource, described

if TYPE_CHECKING:
    from geolabel.store.ledger import Ledger

T = TypeVar("T")
LEDGER, PRODUCTS = "ledger.sqlite", "products"
LABELS_FILE = "labels.parquet"
DATABASE = "GEOLABEL_LEDGER"
"""Environment variable with the URL of a team's PostgreSQL; a project that is created without it has a file."""
SYSTEM = "system:geolabel"


@dataclass(frozen=True)
class Record:
    """The ledger of a project and its folder of products; the ledger is the only truth, the rest is read from it."""

    folder: Path
    ledger: Ledger
    _known: dict[str, Any] = field(default_factory=dict, repr=False)
    """Products already read or made here, and answers, by the digest of what they come from."""

    @classmethod
    def open(cls, folder: Path, name: str, *, shared: bool, create: bool) -> Record:
        """Record of a project's folder; its ledger is a file there, or `shared` in the database of `GEOLABEL_LEDGER`.

        Raises
        ------
        ConfigError
            Where the ledger is in a database and nobody says in which.
        StoreError
            Where the ledger cannot be opened.
        """
        from geolabel.store.ledger import Ledger

        where: Path | str = os.environ.get(DATABASE, "") if shared else folder / LEDGER
        if not where:
            raise ConfigError(
                f"the ledger of {folder.name} is in a database", hint=f"{DATABASE}=postgresql://user@host/database"
            )
        return cls(folder, Ledger.open(where, name=name, create=create))

    # ------------------------------------------------------------------ scenes
    def keep_view(self, view: View, sources: Mapping[str, SceneSource]) -> None:
        """Events of a view and its scenes, once.

        Raises
        ------
        InputError
            Where a scene of the same id has another digest: its pixels changed since they were labeled.
        """
        known = {event.payload["id"]: event.payload["digest"] for event in self.ledger.events("scene")}
        for role, scene in view.scenes.items():
            if known.get(scene.id, scene.digest) != scene.digest:
                raise InputError(
                    f"the {role} scene {scene.source[0]} is not the one that was labeled",
                    hint="put the old file back, or begin another project",
                )
            if scene.id not in known:
                access = sources[role].access if role in sources else "open"
                self.ledger.append("scene", actor=SYSTEM, payload=described(scene, role, access))
        if view.id not in {event.payload["id"] for event in self.ledger.events("view")}:
            payload = {"id": view.id, "digest": view.digest, "grid": view.grid.digest, "roles": sorted(view.scenes)}
            self.ledger.append("view", actor=SYSTEM, payload=payload)

    # ------------------------------------------------------------------ what labels are made under
    @property
    def ontology(self) -> Ontology:
        """The class list that holds now: the last one recorded, else the shipped one."""
        told = self.ledger.events("ontology")
        return Ontology.from_row(told[-1].payload["ontology"]) if told else WILDFIRE

    @property
    def instructions(self) -> Instructions:
        """The instructions that hold now; where none were given the shipped ones, or version 1 without a word."""
        told = self.ledger.events("instruction")
        if told:
            return parsed(told[-1].payload["text"], where=f"event {told[-1].seq}")
        return shipped() if self.ontology.id == WILDFIRE.id else Instructions(1, self.ontology.id, "")

    def begin(self, ontology: Ontology | None) -> None:
        """Keep the ontology that a project begins with; without one, that of a ledger that others began.

        Raises
        ------
        OntologyError
            Where labels were made under another: going over is a migration.
        """
        told = self.ledger.events("ontology")
        if ontology is not None and told and self.ontology.digest != ontology.digest:
            raise OntologyError(
                f"this ledger is under {self.ontology.id}, not {ontology.id}",
                hint="open it, and go over: project.migrate",
            )
        if not told:
            self.keep_ontology(ontology or WILDFIRE)

    def keep_ontology(self, ontology: Ontology, *, migration: Migration | None = None) -> None:
        """Make an ontology the one that holds; where labels exist, the migration that brought them over goes with it.

        Raises
        ------
        OntologyError
            For another ontology under a name and version that was recorded before.
        """
        self.check_new(ontology)
        if ontology.digest != self.ontology.digest or not self.ledger.events("ontology"):
            row = {"id": ontology.id, "digest": ontology.digest, "ontology": ontology.to_row()}
            how = {} if migration is None else {"migration": migration.to_row()}
            self.ledger.append("ontology", actor=SYSTEM, payload={**row, **how})

    def check_new(self, ontology: Ontology) -> None:
        """Raise OntologyError for other classes under a name and version that was recorded before."""
        for event in self.ledger.events("ontology"):
            if event.payload["id"] == ontology.id and event.payload["digest"] != ontology.digest:
                raise OntologyError(f"{ontology.id} was recorded with other classes", hint="raise its version")

    def keep_instructions(self, instructions: Instructions) -> None:
        """Make instructions the ones that hold."""
        head = {"version": instructions.version, "ontology": instructions.ontology, "digest": instructions.digest}
        self.ledger.append("instruction", actor=SYSTEM, payload={**head, "text": instructions.to_text()})

    # ------------------------------------------------------------------ tasks and answers
    def tasks(self) -> list[Task]:
        """Tasks planned so far, each with the purpose that it has now: gold is made, and retired."""
        planned = [from_row(row) for event in self.ledger.events("task") for row in event.payload["tasks"]]
        return golds.with_purposes(planned, golds.states(self.ledger))

    def keep_tasks(self, planned: Sequence[Task]) -> None:
        """Tasks of one kind, as one event."""
        head = {"kind": planned[0].kind, "ontology": planned[0].ontology}
        self.ledger.append("task", actor=SYSTEM, payload={**head, "tasks": [to_row(task) for task in planned]})

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

    # ------------------------------------------------------------------ products
    def product(self, name: str, inputs: Mapping[str, Any], make: Callable[[Path], T], read: Callable[[Path], T]) -> T:
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

    def labels(self, make: Callable[[], gpd.GeoDataFrame], inputs: Mapping[str, Any]) -> gpd.GeoDataFrame:
        """Agreed labels as a product, so that what was exported is known when it comes back edited."""
        return self.product("labels", inputs, lambda to: _keep(make(), to), _kept)

    def exported(self) -> list[gpd.GeoDataFrame]:
        """The tables of labels that were exported under the ontology that holds, as a reader gives them, in their order."""
        from geolabel.dataset.formats.registry import read

        digest = self.ontology.digest
        made = [one["folder"] for one in self.ledger.products("labels") if one["inputs"]["ontology"] == digest]
        files = [self.folder / PRODUCTS / folder / LABELS_FILE for folder in made]
        return [read(path, "geoparquet", ontology=self.ontology) for path in files if path.is_file()]

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


def _keep(labels: gpd.GeoDataFrame, folder: Path) -> None:
    from geolabel.dataset.export import export

    export(labels, folder / LABELS_FILE, format="geoparquet")


def _kept(folder: Path) -> gpd.GeoDataFrame:
    return gpd.read_parquet(folder / LABELS_FILE)
