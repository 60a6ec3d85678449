"""Standard fuel models: their published parameters, and the numbers that do not burn.

Source: Albini (1976), INT-GTR-30, and Anderson (1982), INT-GTR-122, for models 1-13; Scott & Burgan (2005),
RMRS-GTR-153, for models 101-204. The live load of models 4, 5, 7 and 10 is woody (Anderson 1982, table 1). Tables
disagree on the live surface-area-to-volume ratio of model 7: 1500 1/ft here, as in Behave; 1550 in others (-0.9 % rate).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np

from geolabel.errors import FireError
from geolabel.fire.arrays import F64, Mask

NON_BURNABLE: Mapping[int, str] = MappingProxyType(
    {91: "Urban or developed", 92: "Snow or ice", 93: "Agricultural", 98: "Open water", 99: "Bare ground"}
)
"""Numbers of Scott & Burgan (2005) that carry no fire."""
SAV_10H_FT, SAV_100H_FT = 109.0, 30.0
"""Surface-area-to-volume ratio of 10-h and 100-h fuel, 1/ft, in every standard model."""


@dataclass(frozen=True, slots=True)
class FuelModel:
    """One standard fuel model, in the units of its publication."""

    number: int
    code: str
    name: str
    dynamic: bool
    """Whether cured herbs move to the dead fuel (Scott & Burgan 2005)."""
    load_lb_ft2: tuple[float, float, float, float, float]
    """1-h, 10-h, 100-h, live herbaceous, live woody."""
    sav_ft: tuple[float, float, float, float, float]
    """Surface-area-to-volume ratio of the same classes, 1/ft; 0 where there is no such fuel."""
    depth_ft: float
    extinction: float
    """Moisture of extinction of the dead fuel, fraction."""
    heat_btu_lb: float


@dataclass(frozen=True, slots=True)
class Beds:
    """n fuel models as arrays, one column a model; imperial, as the equations are."""

    numbers: tuple[int, ...]
    load_lb_ft2: F64
    """(5, n): 1-h, 10-h, 100-h, live herbaceous, live woody."""
    sav_ft: F64
    """(5, n)."""
    depth_ft: F64
    extinction: F64
    heat_btu_lb: F64
    dynamic: Mask


@cache
def fuel_models() -> Mapping[int, FuelModel]:
    """The 53 standard fuel models by number."""
    text = files("geolabel.fire.behave").joinpath("fuel_models.csv").read_text(encoding="utf-8")
    models = (_model(row) for row in csv.DictReader(text.splitlines()))
    return MappingProxyType({model.number: model for model in models})


def _model(row: Mapping[str, str]) -> FuelModel:
    one, ten, hundred, herb, woody = (
        float(row[f"load_{part}_lb_ft2"]) for part in ("1h", "10h", "100h", "herb", "woody")
    )
    sav_1h, sav_herb, sav_woody = (float(row[f"sav_{part}_ft"]) for part in ("1h", "herb", "woody"))
    return FuelModel(
        number=int(row["number"]),
        code=row["code"],
        name=row["name"],
        dynamic=row["dynamic"] == "1",
        load_lb_ft2=(one, ten, hundred, herb, woody),
        sav_ft=(sav_1h, SAV_10H_FT, SAV_100H_FT, sav_herb, sav_woody),
        depth_ft=float(row["depth_ft"]),
        extinction=float(row["extinction_percent"]) / 100,
        heat_btu_lb=float(row["heat_btu_lb"]),
    )


def fuel_model(number: int) -> FuelModel:
    """The standard fuel model of a number.

    Raises
    ------
    FireError
        For a number that does not exist (the nearest is named) or does not burn.
    """
    if number in NON_BURNABLE:
        raise FireError(f"fuel {number} ({NON_BURNABLE[number]}) does not burn", hint="ask for a burnable fuel model")
    check_fuel_numbers([number])
    return fuel_models()[number]


def check_fuel_numbers(numbers: Iterable[int]) -> None:
    """Raise FireError where a number is neither a standard fuel model nor a non-burnable one; the nearest is named."""
    known = np.array(sorted({*fuel_models(), *NON_BURNABLE}))
    unknown = sorted({int(n) for n in numbers} - set(known.tolist()))
    if unknown:
        close = int(known[np.abs(known - unknown[0]).argmin()])
        name = NON_BURNABLE.get(close) or fuel_models()[close].code
        raise FireError(
            f"fuel numbers {unknown[:5]} do not exist",
            hint=f"nearest to {unknown[0]} is {close} ({name}); Scott & Burgan 101-204, Anderson 1-13, "
            f"non-burnable {', '.join(map(str, NON_BURNABLE))}",
        )


def beds(numbers: Iterable[int]) -> Beds:
    """Parameters of several fuel models as arrays, in the order given."""
    models = [fuel_model(int(n)) for n in numbers]
    return Beds(
        numbers=tuple(m.number for m in models),
        load_lb_ft2=np.array([m.load_lb_ft2 for m in models]).reshape(-1, 5).T,
        sav_ft=np.array([m.sav_ft for m in models]).reshape(-1, 5).T,
        depth_ft=np.array([m.depth_ft for m in models]),
        extinction=np.array([m.extinction for m in models]),
        heat_btu_lb=np.array([m.heat_btu_lb for m in models]),
        dynamic=np.array([m.dynamic for m in models], bool),
    )
