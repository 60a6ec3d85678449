"""The point model of fire held against other programs: errors of tables that they made."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.fire.behave.canopy import Canopy
from geolabel.fire.behave.fuel import beds
from geolabel.fire.behave.point import Conditions, Options, PointFire, Site, point_fire
from geolabel.fire.behave.rothermel import HeadFire, head_fire, surface_fuel
from geolabel.fire.danger.fwi_daily import FWIDays, NoonWeather, fwi_days

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "reference"
CROWN = ROOT / "tests" / "fire" / "behave_crown.csv"
WORDS = ("code", "case", "moisture", "fire_type")
GROUPS = {
    "1-13 (Anderson)": (1, 13),
    "GR grass": (101, 109),
    "GS grass-shrub": (121, 124),
    "SH shrub": (141, 149),
    "TU timber-understory": (161, 165),
    "TL timber litter": (181, 189),
    "SB slash-blowdown": (201, 204),
}
SPREADS_M_MIN = 0.05
"""Below this rate a fuel is close to extinction."""
MOISTURE = {"D1": (0.03, 0.04, 0.05, 0.30, 0.60), "D2": (0.06, 0.07, 0.08, 0.60, 0.90)}
TYPES = ("surface", "conditional_crown_fire", "torching", "crowning")

Table = dict[str, NDArray[Any]]
Floats = NDArray[np.float64]


def table(path: Path) -> Table:
    """Columns of a CSV file: words as they are, the rest as numbers (NaN where empty)."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {
        name: np.array([row[name] if name in WORDS else float(row[name] or "nan") for row in rows]) for name in rows[0]
    }


# ---------------------------------------------------------------------------------------------- surface fire
def surface(reference: Table, **options: Any) -> HeadFire:
    """Our head fire in every case of `rothermel_surface.csv`."""
    wet = np.stack([reference[f"m_{part}"] for part in ("1h", "10h", "100h", "lherb", "lwoody")])
    fuel = surface_fuel(beds(reference["fuel_model"].astype(int)), wet)
    at = [reference[k] for k in ("midflame_wind_m_min", "wind_from_deg", "slope_rise_run", "aspect_deg")]
    return head_fire(fuel, *at, **options)


def errors_by_group(reference: Table, ours: Floats, theirs: str) -> Iterator[tuple[str, Floats, Floats]]:
    """(group, relative errors where fire spreads, those close to extinction) of a quantity of Behave."""
    error = np.abs(ours / np.maximum(reference[theirs], 1e-9) - 1)
    moves, burns = reference["behave_ros_m_min"] > SPREADS_M_MIN, reference[theirs] > 0
    for name, (first, last) in GROUPS.items():
        own = (reference["fuel_model"] >= first) & (reference["fuel_model"] <= last) & burns
        yield name, error[own & moves], error[own & ~moves]


def projected(reference: Table) -> Floats:
    """Relative errors of the rate with the wind laid on the slope, against pyretechnics, where both have the same live load."""
    ours = surface(reference, wind_on_slope="projected", wind_limit=False).rate_m_min
    theirs = reference["pyret_nolimit_ros_m_min"]
    same = (reference["slope_rise_run"] > 0) & ~np.isin(reference["fuel_model"], [4, 5, 7, 10])
    return np.abs(ours / theirs - 1)[same & (theirs > SPREADS_M_MIN)]


# ---------------------------------------------------------------------------------------------- danger
def danger(reference: Table) -> FWIDays:
    """Our codes and indices of the 60 days of `fwi_daily.csv`."""
    weather = (reference[k] for k in ("temp_c", "rh_pct", "wind10m_kmh", "precip24_mm"))
    return fwi_days(NoonWeather(reference["month"], *weather))


# ---------------------------------------------------------------------------------------------- crown fire
def crowns(behave: Table) -> PointFire:
    """Our surface and crown fire in every case of Behave's table."""
    canopy = Canopy(*(behave[k] for k in ("cover", "height_m", "base_m", "density_kg_m3", "foliar")))
    site = Site(behave["fuel_model"].astype(int), behave["slope_deg"], 180.0, canopy)
    wet = np.array([MOISTURE[k] for k in behave["moisture"]]).T
    return point_fire(site, Conditions(behave["wind10m_kmh"] / 3.6, 180.0, wet), Options(crown="rothermel"))
