"""Burn scars from radar: where backscatter fell between two dates. Seen through smoke and cloud, and trusted less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd

from geolabel.grid import Grid
from geolabel.label.burned import burned_parts
from geolabel.label.scars.walk import How
from geolabel.label.severity import SeverityScheme

MOST_SURE = 0.6
"""Confidence that no radar scar passes: Sentinel-1 scars and optical perimeters of 18 places agreed to a mean Dice of 0.59
(Belenguer-Plomer et al. 2019, Remote Sensing of Environment 233:111345), by a method that also knew of hotspots."""
LEAST_DB = 1.0
"""Otsu's threshold is taken from here upwards: where nothing burned it would part noise, and wetter or drier ground alone
changes backscatter by some tenths of a dB."""


def scheme_of_drop(name: str) -> SeverityScheme:
    """Scheme of a drop of backscatter in dB: burned or not. Radar tells no severity that holds elsewhere."""
    words = "none published: the threshold is the image's own, or told"
    return SeverityScheme(
        f"drop-{name}", name, "dB", (LEAST_DB,), ("unchanged", "burned"), ("unburned", "low"), words, "initial"
    )


def burned_radar_parts(
    drop: Any, grid: Grid, *, name: str = "vh/vv", how: How | None = None, **definition: Any
) -> Iterator[gpd.GeoDataFrame]:
    """Burn scars where backscatter fell, in parts as `burned.burned_parts` gives them; without severity.

    `tables.SHAPES` with `drop_db_mean` and `area_m2`; `confidence` is at most `MOST_SURE`.

    Parameters
    ----------
    drop
        (y, x) backscatter before less after in dB, speckle filtered, NaN = no data; or a `spool.Source` of it.
    name
        What fell: `vh/vv`, `vh`, `vv`.
    definition
        Fields of `scars.definition.Definition`; the threshold is in dB, `otsu` by default.

    Raises
    ------
    InputError, UnitError, SourceError
        As `burned.burned`.
    """
    told: dict[str, Any] = {
        "threshold": "otsu",
        "least": LEAST_DB,
        **definition,
        "severity": False,
        "most_sure": MOST_SURE,
    }
    return burned_parts(drop, grid, units="dB", how=how, scheme=scheme_of_drop(name), **told)
