"""View: scenes by role on one grid; what a rule reads and a labeler looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geolabel.digests import digest
from geolabel.errors import BandError, InputError
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene


@dataclass(frozen=True, slots=True)
class View:
    """Scenes by role (`before`, `after`, `dem`, `radar`), all on the same grid."""

    id: str
    grid: Grid
    scenes: Mapping[str, Scene]

    def __post_init__(self) -> None:
        if not self.scenes:
            raise InputError(f"view {self.id!r} has no scene")
        for role, scene in self.scenes.items():
            if scene.grid.digest != self.grid.digest:
                raise InputError(
                    f"the {role} scene lies on {scene.grid!r}, the view on {self.grid!r}",
                    hint="geolabel.scene.align.align(...) puts scenes on one grid",
                )

    def __getitem__(self, role: str) -> Scene:
        if role not in self.scenes:
            raise BandError(f"the view {self.id!r} has no {role!r} scene", hint=f"it has {', '.join(self.scenes)}")
        return self.scenes[role]

    def __contains__(self, role: object) -> bool:
        return role in self.scenes

    @property
    def digest(self) -> str:
        """Over the grid and the scenes' digests."""
        return digest(self.id, self.grid.digest, {role: scene.digest for role, scene in self.scenes.items()})
