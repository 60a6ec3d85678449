"""Project: labels, and the fire that they are made for; each method is one call of a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geolabel.curation import Curation
from geolabel.errors import ConfigError
from geolabel.grid import LonLat
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.times import When, utc
from geolabel.steps import landscape as landscapes
from geolabel.steps import maps, risk, spread

if TYPE_CHECKING:
    from geolabel.fire.landscape import Landscape


@dataclass
class Project(Curation):
    """Scenes, ledger and products in one folder: labels (`Labeling`), how good they are (`Judging`) and what becomes of them (`Curation`), the model that learns from them, and risk maps."""

    def landscape(self, start: datetime, *, hindcast: bool = False) -> Landscape:
        """Fuel and terrain for a fire at `start`: scars labeled before it have no fuel left, unless in a hindcast."""
        gone = "after" in self.view and start >= self.view["after"].end and not hindcast
        scar = self._agreed_codes("burn") == self.ontology["burned"].code if gone else None
        return landscapes.landscape(self.view, self._agreed_codes("terrain"), consumed=scar, ontology=self.ontology)

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

        return self.record.product("spread-model", inputs, make, spread.Trained.load)

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

        return self.record.product("risk", inputs, make, risk.load)

    def _look_ahead(self, hours: float | None) -> None:
        """Keep the lead times up to `hours` in project.toml, where they are others than it says."""
        if hours is not None and hours != self.config.risk.hours[-1]:
            self.configure(risk={"hours": risk.lead_hours(hours)})

    def _made_of(self, **more: str) -> dict[str, str]:
        """Digests of what a product of this project is made of, down to scenes and answers."""
        return {
            "view": self.view.digest,
            "ontology": self.ontology.digest,
            "answers": self.record.answers_digest,
            **more,
        }

    def beside(self, made: RiskMap) -> dict[str, Any]:
        """What a map of this project shows beside the risk; keywords of `gl.draw` and `gl.field_map`."""
        labeled = {kind: self.labels(kind) for kind in ("burn", "terrain", "object") if self.tasks(kind)}
        exposed = risk.exposed(labeled["object"], made) if "object" in labeled else None
        return maps.beside(
            self.view, made.grid, scar=labeled.get("burn"), terrain=labeled.get("terrain"), objects=exposed
        )
