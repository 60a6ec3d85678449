"""The main job from end to end: scenes to labels, consensus, a trained model and a risk map, with an honest table."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from geolabel import files, gallery
from geolabel.config import Config
from geolabel.errors import ConfigError, InputError
from geolabel.grid import LonLat
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.times import When, iso, utc
from geolabel.project import CONFIG, Project
from geolabel.steps import maps, risk, score
from geolabel.steps.consensus import GOLD
from geolabel.steps.view import SceneSource, open_source, read_mask
from geolabel.stream import Progress, silent

HABITS = ("expert", "over", "under", "coarse", "careless")
HELD_OUT_FIRES, HELD_OUT_SEED = 40, 9000


@dataclass(frozen=True, slots=True)
class Given:
    """What the job runs on: the shipped sample with its truth, or a user's own scenes."""

    title: str
    scenes: dict[str, SceneSource]
    ignition: LonLat
    wind: str
    notes: tuple[str, ...] = ()
    truth: Path | None = None
    """Raster of where the simulated fire burned; none for a user's own scenes."""
    world: int | None = None
    """Seed of the simulated world's fuels, which no forecaster is told."""
    rules: tuple[str, ...] = ("burned", "terrain", "settlement")
    hindcast: bool = False
    """The fuel is that before the fire: the map shows what could have been forecast."""

    @classmethod
    def of(cls, *, before: Path | None, **flags: Any) -> Self:
        """From the command line's flags: the shipped sample where none is given.

        Raises
        ------
        ConfigError
            Where some flags of a user's own scenes are missing; they are named.
        """
        needed = {"before": before, **{name: flags[name] for name in ("after", "dem", "ignition", "wind")}}
        if not any(needed.values()):
            return cls.shipped()
        lost = [f"--{name}" for name, value in needed.items() if value is None]
        if lost:
            raise ConfigError(
                f"{', '.join(lost)} missing", hint="own scenes need --before --after --dem --ignition --wind"
            )
        return cls.own(before=before, **flags)

    @classmethod
    def shipped(cls) -> Self:
        """The Olinda sample: a real Landsat scene with a simulated fire."""
        sample = gallery.sample()
        times = {"before": sample.facts["before_at"], "after": sample.facts["after_at"]}
        scenes = {
            role: SceneSource(
                path=str(sample.path(role)), sensor=sample.facts["sensor"], at=at, licence=sample.facts["licence"]
            )
            for role, at in times.items()
        }
        scenes["dem"] = SceneSource(path=str(sample.path("dem")), sensor="dem", licence=sample.facts["licence"])
        facts = sample.facts
        return cls(
            sample.title, scenes, sample.ignition, facts["wind"], sample.notes, sample.path("truth"), facts["world"]
        )

    @classmethod
    def own(
        cls, *, before: Any, after: Any, dem: Any, sensor: str, ignition: Any, wind: Any, before_at: Any, after_at: Any
    ) -> Self:
        """A user's own scenes; nobody labels them but rules, and the products say so."""
        pair = {"before": (before, before_at), "after": (after, after_at)}
        scenes = {
            role: SceneSource(path=str(Path(path).resolve()), sensor=sensor, at=_span(at))
            for role, (path, at) in pair.items()
        }
        scenes["dem"] = SceneSource(path=str(Path(dem).resolve()), sensor="dem")
        notes = ("Scenario weather from the command line", "Labels by rule; no person has checked them")
        rules = ("burned", "burned-rdnbr", "burned-rbr", "terrain", "settlement")
        point = LonLat.parse(ignition)
        return cls(Path(before).stem, scenes, point, wind, notes, rules=rules, hindcast=True)


def _span(at: str | None) -> tuple[str, str] | None:
    if at is None:
        return None
    first, _, last = at.partition("/")
    return first, last or first


# ---------------------------------------------------------------------- what comes back
@dataclass(frozen=True, slots=True)
class Report:
    """What the job found, and the file to open first."""

    title: str
    notes: tuple[str, ...]
    tables: dict[str, pd.DataFrame]
    facts: dict[str, str]
    open_first: Path
    more: dict[str, Path] = field(default_factory=dict)

    def show(self, console: Console) -> None:
        """Print the tables, then where everything is; the last line says which file to open."""
        for note in self.notes:
            console.print(f"[bold]{note}[/]")
        for name, frame in self.tables.items():
            console.print(_table(name, frame))
        for name, text in self.facts.items():
            console.print(f"{name}: {text}", highlight=False, soft_wrap=True)
        for name, path in self.more.items():
            console.print(f"{name}: {path}", highlight=False, soft_wrap=True)
        console.print(f"open {self.open_first}", highlight=False, soft_wrap=True)

    def save(self, path: Path) -> Path:
        """Path of the report as JSON."""
        tables = {name: json.loads(frame.to_json(orient="records")) for name, frame in self.tables.items()}
        return files.write_json(
            path, {"title": self.title, "notes": list(self.notes), "tables": tables, "facts": self.facts}
        )


def _table(name: str, frame: pd.DataFrame) -> Table:
    table = Table(title=name, title_justify="left")
    for column in frame.columns:
        table.add_column(str(column), justify="left" if frame[column].dtype == object else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.3f}"
    return str(value)


# ---------------------------------------------------------------------- the job
def run(
    given: Given,
    folder: Path,
    *,
    start: When | None = None,
    hours: float = 6,
    members: int = 200,
    progress: Progress = silent,
) -> Report:
    """Report of the whole job; what an interrupted run finished is not done again.

    Raises
    ------
    InputError
        Where `folder` holds something else than this very job.
    """
    with _project(given, folder, start=start, hours=hours, members=members, progress=progress) as project:
        return _Job(given, project).run()


def _project(
    given: Given, folder: Path, *, start: When | None, hours: float, members: int, progress: Progress
) -> Project:
    """The project of this job: a new one, or the one an interrupted run left in the folder."""
    lead = risk.lead_hours(hours)
    options = {
        "title": given.title,
        "notes": given.notes,
        "risk": {"hours": lead, "members": members, "world": given.world},
        "spread": {"world": given.world},
    }
    config = Config.read(options, where="the demo's options")
    moment = utc(start, what="--start") if start else datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    job = {"given": _plain(given), "hours": list(lead), "members": members, "start": iso(moment) if start else None}
    if not (folder / CONFIG).is_file():
        project = Project.create(folder, config=config, progress=progress)
        files.write_json(folder / "job.json", {**job, "moment": iso(moment)})
        return project
    kept = json.loads((folder / "job.json").read_text()) if (folder / "job.json").is_file() else {}
    if {key: kept.get(key) for key in job} != job:
        raise InputError(f"{folder} holds another job", hint="choose another --out folder, or remove this one")
    return Project.open(folder, progress=progress)


def _plain(given: Given) -> dict[str, Any]:
    scenes = {role: source.model_dump(mode="json") for role, source in given.scenes.items()}
    return {"title": given.title, "scenes": scenes, "ignition": str(given.ignition), "wind": given.wind}


@dataclass(frozen=True, slots=True)
class _Job:
    """The steps of the main job, in order."""

    given: Given
    project: Project

    @property
    def folder(self) -> Path:
        return self.project.folder

    def run(self) -> Report:
        project, given = self.project, self.given
        start = utc(json.loads((self.folder / "job.json").read_text())["moment"])
        opened = {role: open_source(source, role) for role, source in given.scenes.items() if role != "dem"}
        project.add(dem=given.scenes["dem"].path, **opened)
        for done, name in enumerate(given.rules, start=1):
            project.rule(name)
            project.progress("labels by rule", done, len(given.rules))
        if given.truth is not None:
            self._annotate()
        project.agree()
        project.export("geojson", self.folder / "tiles")
        project.export("gpkg", self.folder / "labels.gpkg")
        trained = project.fit("spread", ignition=given.ignition, start=start, hindcast=given.hindcast)
        made = project.risk(trained, weather=given.wind, ignition=given.ignition, start=start, hindcast=given.hindcast)
        drawn = maps.write(made, self.folder / "maps", project.beside(made))
        report = self._report(trained, made, start, drawn)
        report.save(self.folder / "report.json")
        return report

    # ------------------------------------------------------------------ people, simulated
    def _annotate(self) -> None:
        """Answers of the simulated annotators and the truth of the gold tasks, once."""
        from geolabel.quality.simulate import TRUTH, annotate

        project, tasks, truth = self.project, self.project.tasks("burn"), self.truth()
        if project.ledger.answers(annotator=GOLD):
            return
        gold = [task for task in tasks if task.purpose == "gold"]
        at, given = datetime.now(UTC), list[Any]()
        for done, habit in enumerate(HABITS, start=1):
            given += annotate(truth, project.view.grid, tasks, habit=habit, at=at)
            project.progress("simulated annotators", done, len(HABITS))
        project.submit(given + annotate(truth, project.view.grid, gold, habit=TRUTH, at=at))

    def truth(self) -> Any:
        """(y, x) bool: where the simulated fire burned."""
        if self.given.truth is None:
            raise InputError("no truth is known for these scenes")
        return read_mask(self.given.truth)

    # ------------------------------------------------------------------ what came of it
    def _report(self, trained: Any, made: RiskMap, start: datetime, drawn: dict[str, Path]) -> Report:
        tables = {}
        if self.given.truth is not None:
            tables["Labels against the truth (burn scar, tasks that are not gold)"] = self._labels()
        tables |= self._forecast(trained, made, start)
        return Report(
            title=self.project.config.title,
            notes=self.project.config.notes,
            tables=tables,
            facts=self._facts(made),
            open_first=drawn["field"],
            more={
                "interactive map": drawn["map"],
                "probability for a GIS (COG)": drawn["cog"],
                "labeled tiles (GeoJSON)": self.folder / "tiles" / "index.geojson",
                "labels (GeoPackage)": self.folder / "labels.gpkg",
            },
        )

    def _labels(self) -> pd.DataFrame:
        project = self.project
        return score.label_scores(
            self.truth(), project.tasks(), project.view.grid, project.ledger.answers(), project.agree()
        )

    def _forecast(self, trained: Any, made: RiskMap, start: datetime) -> dict[str, pd.DataFrame]:
        project, options = self.project, self.project.config.risk
        ground = project.landscape(start, hindcast=self.given.hindcast)
        case = risk.Case.of(ground, self.given.wind, self.given.ignition, start, options)
        fires = list(risk.true_fires(case, options, n=HELD_OUT_FIRES, seed=options.seed + HELD_OUT_SEED))
        ensemble, learned = risk.simulate(case, options), risk.predict(trained.model, case, options.hours)
        parts = {"ensemble alone": ensemble.probability[-1], "model alone": learned[0][-1]}
        by = f"by hour {options.hours[-1]:g}, mean over {len(fires)} held-out simulated fires"
        headings = {"risk map": made.bearing_deg, "model alone": learned[1]}
        return {
            f"Probability of burning {by}": score.risk_scores(made, parts, fires, case),
            "Direction of spread on the cells those fires burned": score.direction_scores(headings, fires, case),
        }

    def _facts(self, made: RiskMap) -> dict[str, str]:
        fused = [one for key, one in self.project.agree().items() if key.endswith("#burn")]
        methods = sorted({one.method for one in fused if one.n_annotators > 1})
        evidence = next((one.evidence for one in fused if one.evidence), {})
        chosen = ", ".join(f"{name} {value:.3f}" for name, value in sorted(evidence.items()))
        return {
            "consensus": f"{', '.join(methods) or 'single'}"
            + (f", chosen on gold left out: {chosen}" if chosen else ""),
            "map": f"{made.area_ha(0.6):.0f} ha likely or more, {made.area_ha(0.2):.0f} ha possible or more; {made.model}",
            "valid": f"{iso(made.start)} to {iso(made.valid_to)} ({made.timezone}); {made.weather}",
        }
