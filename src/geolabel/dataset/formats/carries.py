"""What a format carries of a label, said once: the documents print it, an export that would lose something asks it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import Literal

import geopandas as gpd
import shapely

from geolabel.errors import InputError

How = Literal["exact", "rounded", "pixels", "box", "no"]
"""exact: bit for bit. rounded: to the last digit the format writes (its note says which). pixels: to the pixel of the
image. box: only the upright box. no: not at all."""
VALUES = ("severity", "severity_scheme", "masked_share", "attributes")


@dataclass(frozen=True, slots=True)
class Carries:
    """How well a format carries each property of a label, in its standard fields or in our own beside them."""

    geometry: How
    holes: How
    crs: How
    """no: the format has one fixed CRS, or none; shapes are brought into it."""
    ids: How
    times: How
    """`start`, `end` and `labeled_at`."""
    attributes: How
    """Severity and its scheme, masked share, and the class's attributes."""
    annotator: How
    confidence: How
    note: str = ""
    """What else must be known, one sentence."""

    def items(self) -> Iterator[tuple[str, str]]:
        """(property, how) in order."""
        for one in fields(self):
            if one.name != "note":
                yield one.name, getattr(self, one.name)

    def lost(self, labels: gpd.GeoDataFrame) -> dict[str, str]:
        """Property -> what of these labels the format would lose; precision within a pixel or a digit is no loss."""
        found = {
            "geometry": _count(not_box(labels), "shapes that are no upright boxes") if self.geometry == "box" else "",
            "holes": _count(shapely.get_num_interior_rings(shapely.get_parts(labels.geometry.to_numpy())) > 0, "holes"),
            "ids": f"{len(labels)} ids" if len(labels) else "",
            "times": _said(labels, ("start", "end", "labeled_at")),
            "attributes": _said(labels, VALUES),
            "annotator": _said(labels, ("annotator",)),
            "confidence": _said(labels, ("confidence",)),
        }
        return {
            name: what
            for name, what in found.items()
            if what and getattr(self, name) == ("box" if name == "geometry" else "no")
        }


def not_box(labels: gpd.GeoDataFrame) -> list[bool]:
    """Of each shape, whether it is more than its upright box."""
    shapes = labels.geometry.to_numpy()
    return list(~shapely.equals(shapes, shapely.box(*shapely.bounds(shapes).T)))


def refuse_loss(labels: gpd.GeoDataFrame, carries: Carries, name: str, lossy: bool | Collection[str]) -> None:
    """Nothing, where the format `name` carries these labels or the loss was agreed to.

    Raises
    ------
    InputError
        Names what would be lost and how to agree to it.
    """
    lost = carries.lost(labels)
    left = {} if lossy is True else {key: what for key, what in lost.items() if not lossy or key not in lossy}
    if left:
        words = "; ".join(f"{key} ({what})" for key, what in left.items())
        raise InputError(
            f"{name} cannot carry {words}",
            hint=f"geoparquet and gpkg carry all of it; or agree to the loss: lossy={tuple(lost)!r}",
        )


def _count(rows: object, what: str) -> str:
    number = sum(bool(row) for row in rows)  # type: ignore[attr-defined]
    return f"{number} {what}" if number else ""


def _said(labels: gpd.GeoDataFrame, names: Collection[str]) -> str:
    there = [name for name in names if name in labels.columns and labels[name].notna().any()]
    return ", ".join(there)
