"""Rule: a way to find shapes of one kind, an annotator with a version; and what rules may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
from pydantic import Field

from geolabel.nouns.view import View
from geolabel.ontology import Kind
from geolabel.steps.options import Options


class RuleOptions(Options):
    """What the rules may be told."""

    threshold: float | Literal["scheme", "otsu"] = Field(
        default="scheme", description="where burned begins: 'scheme', 'otsu' or a number"
    )
    seed: float | None = Field(default=None, description="value that one pixel of a scar must reach, default none")
    offset: float | Literal["ring"] | None = Field(
        default=None, description="dNBR of unburned ground to take off: a number, or 'ring' around the scar"
    )
    scheme: str | None = Field(default=None, description="severity scheme, default: the index's published one")
    min_burned_ha: float = Field(default=0.5, ge=0, description="smallest burn scar kept")
    min_terrain_ha: float = Field(default=0.5, ge=0, description="smallest terrain patch kept")
    min_settlement_ha: float = Field(default=1.0, ge=0, description="smallest settlement kept")


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to find shapes of one kind; an annotator with a version."""

    name: str
    version: int
    kind: Kind
    find: Callable[[View, RuleOptions], gpd.GeoDataFrame]

    @property
    def annotator(self) -> str:
        """`rule:burned@1`."""
        return f"rule:{self.name}@{self.version}"
