"""A landscape to a trained spread model: simulated fires, samples that share no ground between splits, a net."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geolabel import files
from geolabel.errors import InputError
from geolabel.grid import Grid, LonLat, Tile
from geolabel.nouns.samples import SpreadSamples
from geolabel.steps.landscape import fuel_draw, ignition_cell, random_cell, world
from geolabel.steps.options import Options
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.dataset.spread import Moment
    from geolabel.fire.front.arrival import Fire
    from geolabel.fire.landscape import Landscape
    from geolabel.fire.weather.weather import Weather
    from geolabel.model.spread import SpreadModel

FILE, WINDOWS = "spread-model.pt", "val-windows.json"
SMALLEST_WINDOW, LEAST_TRAIN = 32, 0.25
"""Edge of the smallest training window, cells; share of the burnable ground that training must be able to see."""
TRAINING_START = "2000-01-01T12:00Z"
"""Only a label: the training fires have no date."""


class SpreadOptions(Options):
    """How the spread model is trained."""

    fires: int = Field(default=160, ge=4, description="simulated fires to learn from")
    window: int = Field(default=64, ge=32, description="edge of a training window in cells")
    windows: int = Field(default=2, ge=1, description="windows cut from each fire at each start")
    buffer: int = Field(default=8, ge=0, description="cells between the ground of two splits")
    held_out: int = Field(default=96, ge=32, description="edge of the ground around the ignition kept from training")
    starts_h: tuple[float, ...] = Field(default=(0.0, 1.0), description="hours after ignition at which a fire is known")
    epochs: int = Field(default=18, ge=1, description="passes through the samples")
    seconds: float | None = Field(default=45, description="wall-time budget of training; none makes it reproducible")
    width: int = Field(default=16, ge=4, description="channels of the net's first level")
    wind_km_h: tuple[float, float] = Field(default=(5.0, 40.0), description="range of the training winds")
    seed: int = Field(default=0, description="draws fires, windows and weights")
    world: int | None = Field(
        default=None, description="seed of a simulated world's hidden fuels; none for the real one"
    )


def held_out_ground(grid: Grid, cell: tuple[int, int], size: int) -> Tile:
    """Square of `size` cells around a cell, shifted to lie on the grid."""
    row, col = cell
    height, width = min(size, grid.height), min(size, grid.width)
    top = int(np.clip(row - height // 2, 0, grid.height - height))
    left = int(np.clip(col - width // 2, 0, grid.width - width))
    return Tile(top, left, height, width)


@dataclass(frozen=True, slots=True)
class Trained:
    """A spread model and the windows it was calibrated on, where its weight beside an ensemble can be chosen."""

    model: SpreadModel
    val: tuple[Tile, ...]

    @property
    def digest(self) -> str:
        """The model's identity."""
        return self.model.digest

    def save(self, folder: Path) -> None:
        """Keep both in a product's folder."""
        self.model.save(folder / FILE)
        files.write_json(folder / WINDOWS, [[t.row, t.col, t.height, t.width] for t in self.val])

    @classmethod
    def load(cls, folder: Path) -> Trained:
        """What `save` kept."""
        from geolabel.model.spread import SpreadModel

        val = json.loads((folder / WINDOWS).read_text(encoding="utf-8"))
        return cls(SpreadModel.load(folder / FILE), tuple(Tile(*row) for row in val))

    def _repr_html_(self) -> str:
        return self.model._repr_html_()


def fit(
    landscape: Landscape,
    ignition: LonLat,
    hours: Sequence[float],
    options: SpreadOptions,
    *,
    made_of: Mapping[str, str],
    progress: Progress = silent,
) -> Trained:
    """Model trained, calibrated and scored on three grounds of one landscape; that around `ignition` is only scored."""
    from geolabel.model.spread import fit as train

    options = fitted(options, landscape, ignition_cell(landscape, ignition))
    drawn = samples(landscape, ignition, hours, options, made_of=made_of, progress=progress)
    recipe: dict[str, Any] = {"epochs": options.epochs, "seconds": options.seconds}
    model = train(drawn, width=options.width, seed=options.seed, progress=progress, **recipe)
    progress("training", options.epochs, options.epochs)  # it may have stopped before the last epoch
    return Trained(model, drawn.of("val").tiles)


def fitted(options: SpreadOptions, landscape: Landscape, cell: tuple[int, int]) -> SpreadOptions:
    """Options whose windows find ground to learn from beside the ground held out around `cell`: halved where need be.

    Raises
    ------
    InputError
        Where the known ground is too small even for the smallest windows.
    """
    from geolabel.dataset.spread import train_share

    choice, grid = options, landscape.grid
    while True:
        ground = held_out_ground(grid, cell, max(choice.held_out, choice.window))
        how: dict[str, Any] = {"held_out": ground, "buffer": choice.buffer, "seed": choice.seed}
        if train_share(landscape.burnable, grid, size=choice.window, **how) >= LEAST_TRAIN:
            return choice
        if choice.window // 2 < SMALLEST_WINDOW:
            raise InputError(
                f"{int(landscape.burnable.sum())} burnable cells on {grid!r} are too few to train on beside the ground"
                " held out around the ignition",
                hint="a larger scene, or project.risk(weather=..., ignition=..., start=...) without a model",
            )
        halves = {"window": choice.window // 2, "held_out": max(choice.held_out // 2, SMALLEST_WINDOW)}
        choice = choice.model_copy(update=halves)


def samples(
    landscape: Landscape,
    ignition: LonLat,
    hours: Sequence[float],
    options: SpreadOptions,
    *,
    made_of: Mapping[str, str],
    progress: Progress = silent,
) -> SpreadSamples:
    """Windows of simulated fires; what the model is told is the forecast weather, what it learns is what came of it."""
    from geolabel.dataset.spread import spread_samples

    cell = ignition_cell(landscape, ignition)
    return spread_samples(
        moments(landscape, hours, options, progress=progress),
        landscape.grid,
        channels=channels(),
        hours=hours,
        held_out=held_out_ground(landscape.grid, cell, max(options.held_out, options.window)),
        made_of=made_of,
        size=options.window,
        buffer=options.buffer,
        windows=options.windows,
        seed=options.seed,
    )


def moments(
    landscape: Landscape, hours: Sequence[float], options: SpreadOptions, *, progress: Progress = silent
) -> Iterator[Moment]:
    """Fires from random burnable cells under random winds, each at several start times.

    The forecast wind is constant; the fire runs under what it may turn out to be, and at an uncertain rate.
    """
    from geolabel.dataset.spread import Moment

    last = max(options.starts_h) + max(hours)
    for number, (weather, fire) in enumerate(_fires(landscape, last, options)):
        for start_h in options.starts_h:
            burning = fire.arrival_min <= start_h * 60
            yield Moment(
                fire=number,
                t0_min=start_h * 60,
                until_min=last * 60,
                inputs=inputs(landscape, weather, burning, max(hours)),
                arrival_min=fire.arrival_min,
                bearing_deg=fire.bearing_deg,
                burnable=landscape.burnable,
            )
        progress("training fires", number + 1, options.fires)


PHYSICS = ("front_time", "front_rate", "front_east", "front_north")
"""What one run of the front under the forecast says of each cell: arrival as a share of the forecast (2: not reached),
log(1 + m/min) / 3, and that times the direction of spread."""


def channels() -> tuple[str, ...]:
    """Names of the model's inputs."""
    from geolabel.fire.features import CHANNELS

    return (*CHANNELS, *PHYSICS)


def inputs(landscape: Landscape, weather: Weather, burning: NDArray[np.bool_], hours: float) -> NDArray[np.float32]:
    """(channel, y, x) what the model reads: the landscape, and one run of the front under the forecast weather.

    The physics is an input, so that the model learns where it errs instead of learning it anew.
    """
    from geolabel.fire.features import features
    from geolabel.fire.front.arrival import spread

    mean = features(landscape, weather, burning, hours=hours)[1]
    fire = spread(landscape, weather, burning, hours, setting="fast")
    time = np.where(fire.burned, np.where(fire.burned, fire.arrival_min, 0) / (60 * hours), 2.0)
    rate = np.log1p(np.nan_to_num(fire.rate_m_min)) / 3
    to = np.radians(np.nan_to_num(fire.bearing_deg) - landscape.grid.convergence_deg())
    planes = np.stack([time, rate, rate * np.sin(to), rate * np.cos(to)]).astype(np.float32)
    return np.concatenate([mean, planes])


def _fires(landscape: Landscape, hours: float, options: SpreadOptions) -> Iterator[tuple[Weather, Fire]]:
    """(forecast weather, what came of it) of each fire; in a simulated world it burns that world's fuels."""
    from geolabel.bearings import convert_speed
    from geolabel.fire.campaign.campaign import random_fires
    from geolabel.fire.weather.weather import Weather

    rng = np.random.default_rng(options.seed)
    truth = world(landscape, options.world)
    fuels = fuel_draw(landscape) if options.world is None else None
    cells = truth.has_burnable_neighbour()
    for number in range(options.fires):
        speed = float(convert_speed(rng.uniform(*options.wind_km_h), "km/h", "m/s"))
        weather = Weather.constant(TRAINING_START, speed_m_s=speed, from_deg=float(rng.uniform(0, 360)), hours=hours)
        start = random_cell(cells, rng)
        seed = options.seed + 1 + number
        yield weather, next(random_fires(truth, weather, [start], hours, seed=seed, fuels=fuels, threads=1))
