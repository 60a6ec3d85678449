"""The main job from end to end: scenes to labels, consensus, a trained model and a risk map, with an honest table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from geolabel import files, gallery
from geolabel.config import Config
from geolabel.errors import ConfigError, InputError
from geolabel.grid import LonLat
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.scene import Scene
from geolabel.nouns.times import When, interval, iso, utc
from geolabel.project import Project
from geolabel.steps import maps, risk, score
from geolabel.steps.consensus import GOLD
from geolabel.steps.skill import short
from geolabel.steps.view import SceneSource, located, open_source, read_mask
from geolabel.stream import Progress, silent
from geolabel.workspace import CONFIG

HABITS = ("expert", "over", "under", "coarse", "careless")
HELD_OUT_FIRES, HELD_OUT_SEED = 40, 9000
JOB, REPORT = "job.json", "report.json"
OWN_TILE = 64
"""Edge of a task's tile of a user's own scenes, pixels: whole scenes are larger than the shipped sample."""
SAMPLE_GOLD = 0.5
"""Share of the sample's few tiles with a burn that are gold: fewer than three say nothing of how to fuse."""
QUICK: dict[str, dict[str, Any]] = {
    "spread": {"fires": 24, "epochs": 2, "seconds": None, "starts_h": (0.0,), "window": 32, "held_out": 48},
    "risk": {"val_fires": 2, "val_members": 8},
}
"""Options of a quick run."""
QUICK_MEMBERS, QUICK_HELD_OUT = 20, 6
QUICK_NOTE = "Quick run to try the flow: few fires, little training; its figures say nothing of the method"


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
    def of(cls, *, before: str | None, **flags: Any) -> Self:
        """From the command line's flags: the shipped sample where none is given.

        Raises
        ------
        ConfigError
            Where some flags of a user's own scenes are missing; they are named.
        """
        needed = {"before": before, **{name: flags[name] for name in ("after", "dem", "ignition", "wind")}}
        told = {**needed, **{name: flags.get(name) for name in ("before_at", "after_at", "bands", "sensor")}}
        if all(value is None for value in told.values()):
            return cls.shipped()
        lost = [f"--{name}" for name, value in needed.items() if value is None]
        if lost:
            raise ConfigError(
                f"{', '.join(lost)} missing", hint="own scenes need --before --after --dem --ignition --wind"
            )
        return cls.own(**{**flags, **needed})

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
        cls,
        *,
        before: str | Path,
        after: str | Path,
        dem: Path,
        ignition: str,
        wind: str,
        sensor: str | None = None,
        before_at: str | None = None,
        after_at: str | None = None,
        bands: str | None = None,
    ) -> Self:
        """A user's own scenes; nobody labels them but rules, and the products say so."""
        pair = {"before": (before, before_at), "after": (after, after_at)}
        names = tuple(bands.split(",")) if bands else None
        scenes = {
            role: SceneSource(path=located(path), sensor=sensor, at=interval(at), bands=names)
            for role, (path, at) in pair.items()
        }
        scenes["dem"] = SceneSource(path=located(dem), sensor="dem")
        notes: tuple[str, ...] = (
            "Labels by rule; no person has checked them",
            "Hindcast: fuel as before the fire, without the scar that is drawn",
        )
        if not str(wind).lower().endswith(".csv"):
            notes = ("Scenario weather from the command line", *notes)
        rules = ("burned", "burned-rdnbr", "burned-rbr", "terrain", "settlement")
        point = LonLat.parse(ignition)
        return cls(Path(before).stem, scenes, point, wind, notes, rules=rules, hindcast=True)


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
            console.print(Text(note, style="bold"))
        for name, frame in self.tables.items():
            console.print(_table(name, frame))
        for name, what in {**self.facts, **self.more}.items():
            console.print(Text(f"{name}: {what}"), soft_wrap=True)
        console.print(Text(f"open {self.open_first}"), soft_wrap=True)

    def save(self, path: Path) -> Path:
        """Path of the report as JSON."""
        tables = {name: json.loads(frame.to_json(orient="records")) for name, frame in self.tables.items()}
        return files.write_json(
            path, {"title": self.title, "notes": list(self.notes), "tables": tables, "facts": self.facts}
        )


def _table(name: str, frame: pd.DataFrame) -> Table:
    table = Table(title=Text(name), title_justify="left")
    for column in frame.columns:
        table.add_column(str(column), justify="left" if frame[column].dtype == object else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(_cell(value)) for value in row))
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
    quick: bool = False,
    progress: Progress = silent,
) -> Report:
    """Report of the whole job; what an interrupted run finished is not done again.

    Parameters
    ----------
    quick
        Few fires and little training, to try the flow; every product says so.

    Raises
    ------
    InputError
        Where `folder` holds something else than this very job.
    """
    moment = utc(start, what="--start") if start else datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    config = _config(given, hours=hours, members=members, quick=quick)
    risk.read_weather(given.wind, moment, config.risk.hours[-1])  # bad input stops here, before a folder is made
    scenes = {role: open_source(source, role) for role, source in given.scenes.items() if role != "dem"}
    job = {"config": config.model_dump(mode="json"), "given": _plain(given), "start": iso(moment) if start else None}
    with _project(folder, config, job, moment, progress) as project:
        return _Job(given, project, QUICK_HELD_OUT if quick else HELD_OUT_FIRES).run(scenes)


def _config(given: Given, *, hours: float, members: int, quick: bool) -> Config:
    """Options of the job's project."""
    few = QUICK if quick else {"spread": {}, "risk": {}}
    members = min(members, QUICK_MEMBERS) if quick else members
    options = {
        "title": given.title,
        "notes": (*given.notes, *((QUICK_NOTE,) if quick else ())),
        "tasks": {"gold_share": SAMPLE_GOLD} if given.truth else {"tile": OWN_TILE},
        "risk": {**few["risk"], "hours": risk.lead_hours(hours), "members": members, "world": given.world},
        "spread": {**few["spread"], "world": given.world},
    }
    return Config.read(options, where="the demo's options")


def _project(folder: Path, config: Config, job: dict[str, Any], moment: datetime, progress: Progress) -> Project:
    """The project of this job: a new one, or the one an interrupted run left in the folder.

    A job that stopped before it had scenes (a wrong file, say) gives way to another.
    """
    kept = json.loads((folder / JOB).read_text(encoding="utf-8")) if (folder / JOB).is_file() else {}
    new = not (folder / CONFIG).is_file()
    project = (
        Project.create(folder, config=config, progress=progress) if new else Project.open(folder, progress=progress)
    )
    if {key: kept.get(key) for key in job} == job:
        return project
    if project.config.scenes and not _corrects(job, kept, folder):
        project.close()
        raise InputError(f"{folder} holds another job", hint="choose another --out folder, or remove this one")
    project.configure(**config.model_dump(mode="json", exclude={"scenes"}))
    files.write_json(folder / JOB, {**job, "moment": iso(moment)})
    return project


def _corrects(job: dict[str, Any], kept: dict[str, Any], folder: Path) -> bool:
    """Whether a job of the same scenes takes the place of one that never finished: a mended ignition or wind."""
    same = kept.get("given", {}).get("scenes") == job["given"]["scenes"]
    return same and not (folder / REPORT).is_file()


def _plain(given: Given) -> dict[str, Any]:
    scenes = {role: source.model_dump(mode="json") for role, source in given.scenes.items()}
    return {"title": given.title, "scenes": scenes, "ignition": str(given.ignition), "wind": given.wind}


@dataclass(frozen=True, slots=True)
class _Job:
    """The steps of the main job, in order."""

    given: Given
    project: Project
    n_held_out: int

    @property
    def folder(self) -> Path:
        return self.project.folder

    def run(self, scenes: Mapping[str, Scene]) -> Report:
        project, given = self.project, self.given
        start = utc(json.loads((self.folder / JOB).read_text(encoding="utf-8"))["moment"])
        view = project.add(access="open", dem=given.scenes["dem"].path, **scenes)
        view.grid.index(given.ignition)  # outside the scene? said before anything is labeled
        for done, name in enumerate(given.rules, start=1):
            project.rule(name)
            project.progress("labels by rule", done, len(given.rules))
        if given.truth is not None:
            self._annotate()
        project.agree()
        project.export("geojson", self.folder / "tiles")
        project.export("gpkg", self.folder / "labels.gpkg")
        self._case(start)  # an ignition that cannot burn is said before anything is trained
        trained = project.fit("spread", ignition=given.ignition, start=start, hindcast=given.hindcast)
        made = project.risk(trained, weather=given.wind, ignition=given.ignition, start=start, hindcast=given.hindcast)
        drawn = maps.write(made, self.folder / "maps", project.beside(made))
        report = self._report(trained, made, start, drawn)
        report.save(self.folder / REPORT)
        return report

    def _case(self, start: datetime) -> risk.Case:
        """What is to be forecast, on the agreed ground."""
        ground = self.project.landscape(start, hindcast=self.given.hindcast)
        return risk.Case.of(ground, self.given.wind, self.given.ignition, start, self.project.config.risk)

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
            tables["Skill on the gold tasks"] = short(self.project.skill("burn"))
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
        return score.label_scores(self.truth(), project.tasks(), project.view.grid, project.answers(), project.agree())

    def _forecast(self, trained: Any, made: RiskMap, start: datetime) -> dict[str, pd.DataFrame]:
        options, case = self.project.config.risk, self._case(start)
        fires = list(risk.true_fires(case, options, n=self.n_held_out, seed=options.seed + HELD_OUT_SEED))
        ensemble, learned = risk.simulate(case, options), risk.predict(trained.model, case, options.hours)
        modelled = risk.within_reach(learned[0], ensemble)[-1]
        parts = {"ensemble alone": ensemble.probability[-1], "model within the ensemble's reach": modelled}
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
        scores = sorted((name, one["score"]) for found in evidence.values() for name, one in found.items())
        chosen = ", ".join(f"{name} {value:.3f}" for name, value in scores)
        return {
            "consensus": f"{', '.join(methods) or 'single'}"
            + (f", chosen on gold left out: {chosen}" if chosen else ""),
            "map": f"{made.area_ha(0.6):.0f} ha likely or more, {made.area_ha(0.2):.0f} ha possible or more; {made.model}",
            "valid": f"{iso(made.start)} to {iso(made.valid_to)} ({made.timezone}); {made.weather}",
        }
