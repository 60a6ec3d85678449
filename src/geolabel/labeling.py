"""Labeling: answers of people, rules and other programs, and what they agree on; each method is one call of a step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from geolabel.digests import digest_shapes
from geolabel.errors import InputError
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.ontology import Kind, Migration, check_labels
from geolabel.steps import consensus, edits, exports, imports, rules
from geolabel.steps import gold as golds
from geolabel.steps import migration as migrations
from geolabel.steps import view as views
from geolabel.steps.record import SYSTEM
from geolabel.workspace import Workspace


@dataclass
class Labeling(Workspace):
    """The part of a `Project` that makes labels and gives them out."""

    # ------------------------------------------------------------------ answers
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
        moved = migrations.migrated(self.answers(), self.tasks(), migration, self.ontology, decided=decided)
        self.record.check_new(migration.target)
        given = self.submit(moved) if moved else []  # first: stopped here, the same call finds them done and goes on
        self.record.keep_ontology(migration.target, migration=migration)
        return given

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
        whose = check_labels(self.ontology, imports.named(frame, annotator, self.ledger.person))
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
        before = edits.likest(frame, self.record.exported())
        now, touched = edits.edited(before, frame, self.tasks(), self.view.grid, self.ontology)
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
            `tables.SHAPES` of terrain classes; default: what people drew in this project's terrain tasks that are not gold.

        Raises
        ------
        InputError
            Where there is too little to learn from.
        LeakageError
            For polygons that were drawn on gold tasks.
        """
        held = golds.held_out(self.tasks(), golds.states(self.ledger))
        if polygons is None:
            polygons = rules.drawn_by_people(golds.teachable(self.answers(), held), "terrain", self.view.grid)
        else:
            golds.check_unleaked(polygons, self.answers(), held)
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
        gold = golds.inputs(self.ledger)
        return {"answers": self.record.answers_digest, "options": options, "ontology": ontology, **gold}

    def _fuse(self, heard: Sequence[Answer], to: Path) -> dict[str, Consensus]:
        how: dict[str, Any] = {"ontology": self.ontology, "progress": self.progress}
        how["gold"] = golds.standing_gold(self.record)
        votes = golds.voters(heard, golds.states(self.ledger))
        fused = consensus.agree(self.tasks(), self.view.grid, votes, self.config.consensus, **how)
        consensus.save_all(fused, to)
        return fused

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
        """Path of what was written: `geojson` (a folder of labeled tiles), or another that `geolabel formats` lists.

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
        if what == "answers":
            exports.check_holds_answers(format)
            drawn = job.given()
        else:
            drawn = self.record.labels(job.labels, {**self._label_inputs, "notes": job.notes})
        return exports.write(job, drawn, Path(path), format, lossy=lossy, progress=self.progress)

    def _export_job(self) -> exports.Job:
        votes = [answer for answer in self.answers() if answer.annotator not in golds.HIDDEN]
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
