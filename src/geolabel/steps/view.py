"""Scenes to a view: open what a project names, align it on one metric grid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from geolabel.errors import InputError, UndatedError
from geolabel.grid import Grid
from geolabel.nouns.scene import Quantity, Scene
from geolabel.nouns.times import iso, span
from geolabel.nouns.view import View
from geolabel.steps.options import Options

Access = Literal["open", "internal", "restricted"]
ACCESS: tuple[Access, ...] = get_args(Access)
"""Access tiers, rising: anyone; the team; named people only."""


class SceneSource(Options):
    """What is needed to open a scene again."""

    path: str = Field(description="file, product folder, STAC item or URL; folder of chips for a DEM")
    sensor: str | None = Field(default=None, description="what made it (default: as the product says, else generic)")
    at: tuple[str, str] | None = Field(default=None, description="first and last day or moment of acquisition")
    bands: tuple[str, ...] | None = Field(default=None, description="a file's bands in order, or a product's to open")
    offset: float | None = Field(default=None, description="DN to add before scaling (default: as the metadata say)")
    res_m: float | None = Field(default=None, description="edge of the pixels all bands are put on")
    quantity: Quantity | None = Field(default=None, description="what the numbers are, where no metadata say it")
    licence: str | None = Field(default=None, description="licence of the pixels (default: as the product says)")
    access: Access = Field(default="open", description="who may have what is made from it: open, internal, restricted")


UNKNOWN_SPAN = ("1972-07-23", "2100-01-01")
"""Acquisition of a scene of unknown date: since the first Landsat."""


def is_dated(scene: Scene) -> bool:
    """Whether somebody said when the scene was acquired."""
    return (scene.start, scene.end) != span(UNKNOWN_SPAN)


def open_source(source: SceneSource, role: str) -> Scene:
    """Lazy scene of a source that is not a DEM."""
    from geolabel.scene.open import open_scene

    said = source.model_dump(include={"sensor", "bands", "offset", "res_m", "quantity", "licence"})
    name = f"{role}-{Path(source.path).stem}"
    try:
        return open_scene(source.path, at=source.at, id=name, **said)
    except UndatedError:
        return open_scene(source.path, at=UNKNOWN_SPAN, id=name, **said)


def open_view(
    sources: Mapping[str, SceneSource],
    *,
    id: str,  # noqa: A002 - the noun's own word
    grid: Grid | None = None,
) -> View:
    """View of the named scenes on one metric grid; role `dem` is put on the grid of the others.

    Raises
    ------
    InputError
        Without a scene beside the DEM, or where scenes do not overlap.
    """
    from geolabel.scene.align import align
    from geolabel.scene.open import open_dem

    images = {role: source for role, source in sources.items() if role != "dem"}
    if not images:
        raise InputError("a view needs a scene beside the DEM", hint="project.add(before=..., after=..., dem=...)")
    view = align({role: open_source(source, role) for role, source in images.items()}, id=id, grid=grid)
    if "dem" not in sources:
        return view
    dem = open_dem(sources["dem"].path, view.grid, id="dem", licence=sources["dem"].licence or "unknown")
    return View(view.id, view.grid, {**view.scenes, "dem": dem})


def source_of(scene: Scene, role: str, access: Access = "open") -> SceneSource:
    """What is needed to open this scene again.

    Raises
    ------
    InputError
        For a scene that was not opened from a file.
    """
    if "path" not in scene.recipe:
        raise InputError(f"the {role} scene {scene.id!r} was not opened from a file", hint="gl.open_scene(path, ...)")
    recipe = {**scene.recipe, "path": located(scene.recipe["path"])}
    return SceneSource(**recipe, at=(iso(scene.start), iso(scene.end)), licence=scene.licence, access=access)


def access_of(sources: Mapping[str, SceneSource]) -> Access:
    """The strictest tier of the scenes: that of everything made from them."""
    return max((source.access for source in sources.values()), key=ACCESS.index, default="open")


def located(where: str | Path) -> str:
    """Absolute path of a file or folder, wherever the command is run; a URL stays as it is."""
    return str(where) if "://" in str(where) else str(Path(where).resolve())


def described(scene: Scene, role: str, access: Access = "open") -> dict[str, Any]:
    """A scene as plain JSON values, for the ledger: who, when, what was applied; no path of this machine."""
    return {
        "id": scene.id,
        "role": role,
        "digest": scene.digest,
        "sensor": scene.sensor,
        "quantity": scene.quantity,
        "start": iso(scene.start),
        "end": iso(scene.end),
        "source": list(scene.source),
        "licence": scene.licence,
        "access": access,
        "audit": list(scene.audit),
    }


def read_mask(path: Path | str) -> NDArray[np.bool_]:
    """(y, x) bool of a small raster's first band: what is not 0."""
    from geolabel.scene.open import open_scene

    scene = open_scene(path, at=UNKNOWN_SPAN)
    return np.asarray(scene.band(scene.bands[0])) > 0
