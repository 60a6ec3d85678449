"""Rule: a way to find shapes of one kind, an annotator with a version; and what rules may be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

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
        default=None,
        description="change of unburned ground to take off: a number (0 for none), or 'ring' around the scar; default: "
        "the ring where unburned ground was seen there (dNBR and radar), else none",
    )
    scheme: str | None = Field(
        default=None,
        description="severity scheme: a published one, 'relative' (to the scene) or 'per-fire' (moderate and high cut "
        "from the scars themselves); default: the index's published one, for DN relative",
    )
    breaks: tuple[float, float, float] | None = Field(
        default=None, description="where low, moderate and high begin, set for this fire, in the index's units"
    )
    citation: str | None = Field(default=None, description="who set the breaks, from what")
    cleanup: Literal["majority", "none"] = Field(
        default="majority", description="'majority' of 3 x 3 pixels, or 'none': single pixels and islands stay"
    )
    radar_index: Literal["vh/vv", "vh", "vv"] = Field(
        default="vh/vv", description="backscatter whose drop shows a burn: the ratio of VH to VV, or one of them"
    )
    radar_threshold: float | Literal["otsu"] = Field(
        default="otsu", description="where radar calls ground burned: a drop in dB, or 'otsu' (1 dB or more)"
    )
    water_db: float | Literal["otsu"] = Field(
        default="otsu", description="mean of VV and VH in dB below which radar calls ground water, or 'otsu'"
    )
    looks: float = Field(default=4.4, gt=0, description="equivalent looks of the radar product, for its speckle")
    min_burned_ha: float = Field(default=0.5, ge=0, description="smallest burn scar kept")
    min_terrain_ha: float = Field(default=0.5, ge=0, description="smallest terrain patch kept")
    min_settlement_ha: float = Field(default=1.0, ge=0, description="smallest settlement kept")

    @classmethod
    def over(cls, options: RuleOptions | None, told: dict[str, Any]) -> RuleOptions:
        """Options with what a plain function was told over them."""
        return cls.read({**(options or cls()).model_dump(), **told}, where="the rule")


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to find shapes of one kind; an annotator with a version."""

    name: str
    version: int
    kind: Kind
    find: Callable[[View, RuleOptions], gpd.GeoDataFrame]
    roles: Callable[[View], tuple[str, ...]] | None = None
    """The scenes of a view that it looks at; None for those that its kind is labeled on."""
    partial: bool = False
    """Whether it knows some classes of its kind only: its answers leave the rest of the ground open, as unsure."""

    def sees(self, view: View) -> tuple[str, ...]:
        """Roles of the scenes that it looks at; empty for those that its kind is labeled on."""
        return self.roles(view) if self.roles else ()

    @property
    def annotator(self) -> str:
        """`rule:burned@1`."""
        return f"rule:{self.name}@{self.version}"
