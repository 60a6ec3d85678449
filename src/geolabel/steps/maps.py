"""A risk map and the labels beside it to maps for people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geolabel import files, shapes
from geolabel.grid import Grid
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.view import View
from geolabel.steps.landscape import part_of
from geolabel.steps.view import is_dated

PICTURE = ("swir16", "nir08", "red")
"""Bands of the backdrop: vegetation green, bare and built ground pink, burned ground brown, water dark."""


def beside(
    view: View,
    grid: Grid,
    *,
    scar: gpd.GeoDataFrame | None,
    terrain: gpd.GeoDataFrame | None,
    objects: gpd.GeoDataFrame | None,
) -> dict[str, Any]:
    """What a map on `grid`, cut from the view's, shows beside the risk; keywords of `view.draw.draw`.

    Backdrop, relief and agreed labels are those inside the map's frame.
    """
    rows, cols = part_of(view.grid, grid).slices
    here = scar if scar is None else shapes.clip(scar, grid)
    there = here is not None and len(here) > 0
    return {
        "backdrop": backdrop(view)[rows, cols],
        "elevation_m": np.asarray(view["dem"].band("elevation"), np.float32)[rows, cols],
        "scar": here if there else None,
        "scar_time": observed_at(view) if there else None,
        "terrain": terrain if terrain is None else shapes.clip(terrain, grid),
        "objects": objects,
    }


def observed_at(view: View) -> datetime | str:
    """End of the latest scene's acquisition, when its scar was seen; `NOT_GIVEN` where nobody said."""
    from geolabel.view.draw import NOT_GIVEN

    latest = view["after"] if "after" in view else view["before"]
    return latest.end if is_dated(latest) else NOT_GIVEN


def backdrop(view: View) -> Any:
    """(y, x, 3) uint8 false-colour picture of the latest scene."""
    from geolabel.view.paint import stretch

    latest = view["after"] if "after" in view else view["before"]
    return stretch([np.asarray(latest.band(name)) for name in PICTURE])


def write(risk: RiskMap, folder: Path, extras: dict[str, Any]) -> dict[str, Path]:
    """Paths of the folium page, the offline file and the COG in `folder`."""
    from geolabel.view.cog import save_risk
    from geolabel.view.draw import draw
    from geolabel.view.field import field_map

    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "risk.html"
    files.write_text(page, draw(risk, **extras).get_root().render())
    save_risk(risk, folder)
    return {"map": page, "field": field_map(risk, folder / "field.html", **extras), "cog": folder / "probability.tif"}
