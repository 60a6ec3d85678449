"""Ways in: one module a kind of product, each with `finds(source)` and `read(source, wanted)`; the first that finds reads.

`raster` (any file that GDAL reads) comes last.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from geolabel.nouns.scene import Quantity, Scene
from geolabel.nouns.times import When

KINDS = ("raster",)
"""Modules of this folder, in the order in which they are asked."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user said of a scene beside where it is; None where nothing was said."""

    sensor: str | None = None
    at: When | tuple[When, When] | None = None
    bands: tuple[str, ...] | None = None
    id: str | None = None
    licence: str | None = None
    chunks: int = 512
    offset: float | None = None
    res_m: float | None = None
    quantity: Quantity | None = None

    def recipe(self, source: Any) -> dict[str, Any]:
        """What `open_scene` needs to open the same scene again, as JSON values, beside the times and the licence."""
        said = {
            "sensor": self.sensor,
            "bands": None if self.bands is None else list(self.bands),
            "offset": self.offset,
            "res_m": self.res_m,
            "quantity": self.quantity,
        }
        return {"path": str(source), **{key: value for key, value in said.items() if value is not None}}


class WayIn(Protocol):
    """A module of this folder."""

    def finds(self, source: Any) -> bool:
        """Whether the source is of this kind; cheap: names and folders, no pixel."""

    def read(self, source: Any, wanted: Wanted) -> Scene:
        """The source as a Scene."""


def reader_of(source: Any) -> WayIn:
    """The way in that knows the source."""
    ways: list[WayIn] = [import_module(f"{__name__}.{kind}") for kind in KINDS]
    return next(way for way in ways if way.finds(source))
