"""A risk map and the labels beside it to maps for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geolabel.nouns.risk import RiskMap
from geolabel.nouns.view import View

PICTURE = ("swir16", "nir08", "red")
"""Bands of the backdrop: vegetation green, bare and built ground pink, burned ground brown, water dark."""


def beside(
    view: View, *, scar: gpd.GeoDataFrame | None, terrain: gpd.GeoDataFrame | None, objects: gpd.GeoDataFrame | None
) -> dict[str, Any]:
    """What a map shows beside the risk: backdrop, relief, agreed labels; keywords of `view.draw.draw`."""
    latest = view["after"] if "after" in view else view["before"]
    return {
        "backdrop": backdrop(view),
        "elevation_m": np.asarray(view["dem"].band("elevation"), np.float32),
        "scar": scar if scar is not None and len(scar) else None,
        "scar_time": latest.end if scar is not None and len(scar) else None,
        "terrain": terrain,
        "objects": objects,
    }


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
    draw(risk, **extras).save(str(page))
    save_risk(risk, folder)
    return {"map": page, "field": field_map(risk, folder / "field.html", **extras), "cog": folder / "probability.tif"}
