"""Landscape, weather, ignition and model to a RiskMap: an ensemble of simulated fires pooled with the learned model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from geolabel import shapes
from geolabel.digests import digest
from geolabel.errors import InputError
from geolabel.grid import Grid, LonLat
from geolabel.nouns.risk import BURNABLE, NO_DATA, NON_BURNABLE, MapStatus, RiskMap
from geolabel.steps.landscape import fuel_draw, ignition_cell, random_cell, world
from geolabel.steps.options import Options
from geolabel.steps.spread import Trained, channels, inputs
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.fire.campaign.ensemble import Ensemble
    from geolabel.fire.front.arrival import Fire
    from geolabel.fire.landscape import Landscape
    from geolabel.fire.weather.read import Source
    from geolabel.fire.weather.weather import Weather
    from geolabel.model.spread import SpreadModel

Floats = NDArray[np.float32]
LEADS = (1.0, 3.0, 6.0, 12.0, 24.0, 48.0)
"""Hours at which a map speaks, up to the last that was asked for."""


EXPOSED_FROM = 0.05
"""Probability from which an object is named: unlikely or more."""
BLOCK_M = 500.0
"""Edge of the squares into which large objects are cut before exposure, m."""


def lead_hours(last: float) -> tuple[float, ...]:
    """Lead times up to `last` hours, which is among them."""
    return (*(hour for hour in LEADS if hour < last), float(last))


class RiskOptions(Options):
    """How a risk map is made."""

    hours: tuple[float, ...] = Field(default=(1.0, 3.0, 6.0), description="lead times in hours, rising")
    members: int = Field(default=200, ge=2, description="simulated fires in the ensemble")
    val_fires: int = Field(default=16, ge=1, description="fires on which the weight of the model is chosen")
    val_members: int = Field(default=24, ge=2, description="members of the ensemble of each of those")
    seed: int = Field(default=0, description="draws wind, moisture, fuel and rate of spread")
    world: int | None = Field(
        default=None, description="seed of a simulated world's hidden fuels; none for the real one"
    )
    status: MapStatus = Field(default="exercise", description="research, exercise or operational")
    approver: str = Field(default="", description="who takes responsibility for an operational map")
    timezone: str | None = Field(default=None, description="IANA name; without it that of the ignition")


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be forecast."""

    landscape: Landscape
    weather: Weather
    ignition: LonLat
    cell: tuple[int, int]

    @classmethod
    def of(cls, landscape: Landscape, weather: Source, ignition: LonLat, start: datetime, options: RiskOptions) -> Case:
        """Case from words and files.

        Raises
        ------
        FireError
            A bad ignition (the nearest burnable cell is named), weather that does not cover the forecast.
        """
        cell = ignition_cell(landscape, ignition)
        read = read_weather(weather, start, options.hours[-1], landscape.grid)
        return cls(landscape, read, ignition, cell)

    @property
    def digest(self) -> str:
        """Over landscape, weather and ignition."""
        return digest(self.landscape.digest, self.weather.digest, str(self.ignition))

    @property
    def reachable(self) -> NDArray[np.bool_]:
        """(y, x): burnable ground connected with the ignition, four neighbours at a time; spotting is not modelled."""
        patches, _ = ndimage.label(self.landscape.burnable)
        return np.asarray(patches == patches[self.cell])

    @property
    def burning(self) -> NDArray[np.bool_]:
        """(y, x): what burns at the start."""
        mask = np.zeros(self.landscape.grid.shape, bool)
        mask[self.cell] = True
        return mask


def read_weather(weather: Source, start: datetime, hours: float, grid: Grid | None = None) -> Weather:
    """Weather from `start` on, of a file, or the scenario that a text such as `"25 km/h from 225"` names."""
    from geolabel.fire.weather.read import read_weather as read

    return read(weather, start, hours, grid=grid)


def make(
    case: Case,
    trained: Trained | None,
    options: RiskOptions,
    *,
    title: str,
    notes: tuple[str, ...],
    made_of: Mapping[str, str],
    progress: Progress = silent,
) -> RiskMap:
    """RiskMap of a case; without a model the ensemble stands alone, and the map says so."""
    from geolabel.fire.risk import confidence, pool

    ground, grid = case.landscape, case.landscape.grid
    hours, members, model = options.hours, options.members, trained.model if trained else None
    ensemble = simulate(case, options, progress=progress)
    learned = within_reach(predict(model, case, hours)[0], ensemble) if model else ensemble.probability
    weight = model_weight(trained, case, options, progress=progress) if trained else 0.0
    known = ground.known
    probability = np.where(known, pool(ensemble.probability, learned, weight), np.nan).astype(np.float32)
    return RiskMap(
        grid=grid,
        title=title,
        hours=tuple(hours),
        probability=probability,
        arrival_min=ensemble.arrival_min(),
        bearing_deg=ensemble.bearing_deg,
        rate_m_min=ensemble.rate_m_min,
        confidence=np.where(known, confidence(ensemble.probability[-1], learned[-1], members), np.nan).astype(
            np.float32
        ),
        ground=np.where(known, np.where(ground.burnable, BURNABLE, NON_BURNABLE), NO_DATA).astype(np.uint8),
        issued=datetime.now(UTC).replace(microsecond=0),
        start=case.weather.start,
        timezone=options.timezone or timezone_of(case.ignition),
        ignition=case.ignition,
        n_members=members,
        model=f"ensemble:{members}" + (f" + spread@{model.digest[:10]} (weight {weight:.2f})" if model else ""),
        calibration=calibration_words(model.calibration.note if model else "", weight),
        weather=case.weather.source,
        status=options.status,
        approver=options.approver,
        notes=notes,
        made_of=made_of,
    )


def calibration_words(note: str, weight: float) -> str:
    """What of a map was calibrated: at most the learned model's part of it, never the ensemble or the pool."""
    if not weight:
        return "not calibrated: ensemble alone" + ("; the learned model earned no weight" if note else "")
    return f"not calibrated as a whole; the learned model's part: {note}"


def simulate(case: Case, options: RiskOptions, *, progress: Progress = silent) -> Ensemble:
    """The ensemble of a case: fires under weather, moisture, fuel and rate as they may turn out to be."""
    from geolabel.fire.campaign.campaign import campaign

    return campaign(
        case.landscape,
        case.weather,
        case.cell,
        options.hours,
        members=options.members,
        seed=options.seed,
        fuels=fuel_draw(case.landscape),
        progress=progress,
    )


def predict(model: SpreadModel, case: Case, hours: tuple[float, ...]) -> tuple[Floats, Floats]:
    """((hour, y, x) the learned probability, 1 where it burns at the start; (y, x) its bearing of spread TO)."""
    if model.hours != tuple(hours):
        raise InputError(
            f"the model speaks of {model.hours} h, the map of {tuple(hours)} h", hint="fit a model for them"
        )
    read = inputs(case.landscape, case.weather, case.burning, hours[-1])
    scored = case.reachable & ~case.burning
    said = model.predict(model.select(channels(), read), case.landscape.grid, scored=scored)
    return np.where(case.burning, np.float32(1), said.probability), said.bearing_deg


def within_reach(learned: Floats, ensemble: Ensemble) -> Floats:
    """(hour, y, x) the learned probability where at least one member had come by that hour, else 0.

    The model may say how likely the physics' outcomes are; it does not send a fire where none of them went.
    """
    return np.where(ensemble.counts > 0, learned, 0).astype(np.float32)


def model_weight(trained: Trained, case: Case, options: RiskOptions, *, progress: Progress = silent) -> float:
    """The model's weight in the pool: what it earns on fires of its validation ground.

    The fires start from random cells there, under the case's own weather; without such ground the weight is 0.
    """
    from geolabel.fire.risk import earned_weight

    rng, ground = np.random.default_rng(options.seed + 7), np.zeros(case.landscape.grid.shape, bool)
    for tile in trained.val:
        ground[tile.slices] = True
    ground &= case.landscape.has_burnable_neighbour()
    if not ground.any():
        return 0.0
    parts = []
    for number in range(options.val_fires):
        cell = random_cell(ground, rng)
        other = Case(case.landscape, case.weather, case.landscape.grid.lonlat(*cell), cell)
        parts.append(_validated(trained.model, other, options, number))
        progress("weight of the model", number + 1, options.val_fires)
    return earned_weight(parts)


def _validated(model: SpreadModel, case: Case, options: RiskOptions, number: int) -> tuple[Any, Any, Any]:
    """(ensemble, model, whether it burned) at all hours and scored cells of one fire."""
    few = options.model_copy(update={"members": options.val_members, "seed": options.seed + 100 + number})
    ensemble = simulate(case, few)
    learned = within_reach(predict(model, case, options.hours)[0], ensemble)
    (truth,) = true_fires(case, options, n=1, seed=options.seed + 500 + number)
    burned = np.stack([truth.burned_by(hour) for hour in options.hours])
    scored = np.broadcast_to(case.landscape.burnable & ~case.burning, burned.shape)
    return ensemble.probability[scored], learned[scored], burned[scored]


def true_fires(case: Case, options: RiskOptions, *, n: int, seed: int) -> Iterator[Fire]:
    """Fires of a case as they come to be: in the simulated world where one is given, else under drawn fuels."""
    from geolabel.fire.campaign.campaign import random_fires

    ground, hours = world(case.landscape, options.world), options.hours[-1]
    fuels = fuel_draw(case.landscape) if options.world is None else None
    return random_fires(ground, case.weather, [case.cell] * n, hours, seed=seed, fuels=fuels)


def timezone_of(point: LonLat) -> str:
    """IANA name of the time zone at a point (tzfpy, offline)."""
    from tzfpy import get_tz

    return str(get_tz(point.lon, point.lat)) or "UTC"


def exposed(objects: gpd.GeoDataFrame, risk: RiskMap) -> gpd.GeoDataFrame:
    """`tables.EXPOSED`: the objects a fire reaches with at least `EXPOSED_FROM` within the map's period.

    A settlement of many square kilometres is not exposed as a whole: objects are cut into squares of `BLOCK_M`, and
    each part has its own probability and arrival.
    """
    from geolabel.fire.exposure import exposed as reached

    found = reached(blocks(objects, risk.grid), risk.final, risk.arrival_min, risk.grid)
    return found[found["probability"] >= EXPOSED_FROM].reset_index(drop=True)


def blocks(objects: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoDataFrame:
    """The objects cut along a lattice of about `BLOCK_M`; parts keep the label's id and add the square's."""
    size = max(1, round(BLOCK_M / grid.res_m))
    placed = shapes.to_grid_crs(objects, grid)
    parts = []
    for tile in grid.tiles(size):
        part = shapes.clip(placed, grid.crop(tile))
        if len(part):
            parts.append(part.assign(label_id=[f"{label}/{tile.key}" for label in part["label_id"]]))
    return pd.concat(parts, ignore_index=True) if parts else placed


def save(risk: RiskMap, folder: Path) -> None:
    """Keep a risk map in a product's folder."""
    from geolabel.view.cog import save_risk

    save_risk(risk, folder)


def load(folder: Path) -> RiskMap:
    """The risk map kept in a product's folder."""
    from geolabel.view.cog import load_risk

    return load_risk(folder)
