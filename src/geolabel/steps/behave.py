"""Fuel, wind, slope and moisture in words to the fire at a point, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geolabel.errors import FireError

if TYPE_CHECKING:
    from geolabel.fire.behave.canopy import Canopy
    from geolabel.fire.behave.point import CrownModel, PointFire


def behave(
    fuels: Sequence[int],
    wind: str,
    *,
    moisture: Mapping[str, float] | None = None,
    slope_deg: float = 0.0,
    aspect_deg: float | None = None,
    canopy: Canopy | None = None,
    crown: CrownModel | None = None,
) -> pd.DataFrame:
    """The fire at its head over each fuel model, one row a fuel: the whole point model in one call.

    Columns: `fuel`, `code`, `rate_m_min` (along the slope), `flame_m` (Byram 1959; Thomas 1963 where crowns burn),
    `intensity_kw_m`, `bearing_deg` (of spread TO, true north), `eccentricity`, `wind_adjustment` (midflame over 20-ft wind),
    and with a crown model `crown` (surface, conditional, passive, active).

    Parameters
    ----------
    fuels
        Numbers of standard fuel models (Anderson 1982: 1-13; Scott & Burgan 2005: 101-204).
    wind
        Mean wind at 10 m in the open, e.g. `"20 km/h from 225"`.
    moisture
        `m1`, `m10`, `m100`, `live_herb`, `live_woody` as fractions of dry weight; what is left out is D2L2 of Scott & Burgan.
    aspect_deg
        Azimuth that the slope faces; without it the slope faces the wind, which blows upslope.

    Raises
    ------
    FireError
        Fuels that do not exist or do not burn, moisture or slope in percent, a crown model without canopy.
    """
    from geolabel.fire.behave.canopy import Canopy
    from geolabel.fire.behave.point import Conditions, Options, Site, point_fire
    from geolabel.fire.weather.text import parse

    if not len(fuels):
        raise FireError("no fuel is given", hint="numbers of standard fuel models, e.g. 102")
    air = parse(wind, "2000-01-01T00:00Z", moisture=moisture)
    facing = float(air.from_deg[0]) if aspect_deg is None else aspect_deg
    site = Site(list(fuels), slope_deg, facing if slope_deg > 0 else np.nan, canopy or Canopy())
    there = Conditions(float(air.speed_m_s[0]), float(air.from_deg[0]), air.moisture[:, 0])
    return _table(fuels, point_fire(site, there, Options(crown=crown)))


def _table(fuels: Sequence[int], fire: PointFire) -> pd.DataFrame:
    from geolabel.fire.behave.crown import FIRE_TYPES
    from geolabel.fire.behave.fuel import fuel_model

    crowned, surface = fire.crown, fire.surface
    head = surface if crowned is None else crowned
    columns = {
        "fuel": list(fuels),
        "code": [fuel_model(number).code for number in fuels],
        "rate_m_min": head.rate_m_min,
        "flame_m": head.flame_m,
        "intensity_kw_m": head.intensity_kw_m,
        "bearing_deg": surface.bearing_deg,
        "eccentricity": head.eccentricity,
        "wind_adjustment": fire.wind_adjustment,
    }
    rows = len(fuels)
    table = pd.DataFrame({n: v if isinstance(v, list) else np.broadcast_to(v, rows) for n, v in columns.items()})
    return table if crowned is None else table.assign(crown=[FIRE_TYPES[int(kind)] for kind in crowned.kind])
