"""Task: one tile of one view to be labeled under one ontology, with a purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from geolabel.errors import InputError
from geolabel.grid import Tile
from geolabel.ontology import KINDS, Kind

Purpose = Literal["new", "gold", "review", "calibration"]
PURPOSES: tuple[Purpose, ...] = ("new", "gold", "review", "calibration")


@dataclass(frozen=True, slots=True)
class Task:
    """What one person is asked: label the classes of `kind` on this tile."""

    view_id: str
    grid_digest: str
    tile: Tile
    kind: Kind
    ontology: str
    """`name@version`."""
    purpose: Purpose = "new"
    instructions: int = 1
    """Version of the labeling instructions."""

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES or self.kind not in KINDS:
            raise InputError(f"task with purpose {self.purpose!r} and kind {self.kind!r}", hint=f"{PURPOSES}, {KINDS}")

    @property
    def tile_id(self) -> str:
        """`{view}/{grid}/{row}_{col}`: the same ground whatever is asked of it."""
        return f"{self.view_id}/{self.grid_digest}/{self.tile.key}"

    @property
    def id(self) -> str:
        """`{tile_id}#{kind}`; the purpose is hidden from the id, so a gold task looks like any other."""
        return f"{self.tile_id}#{self.kind}"
