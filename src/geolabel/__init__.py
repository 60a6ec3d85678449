"""geolabel turns satellite scenes into labels that can be trusted, and labels into wildfire risk maps.

Two ways in: plain functions on plain objects (`gl.open_scene`, `gl.burned`, `gl.tiles`, `gl.export`), and a
`gl.Project` as soon as there is a second annotator, a model or a product that must be explained later.

Names are imported when they are first used (PEP 562), so `import geolabel` takes no heavy library with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Grid": "grid",
    "Tile": "grid",
    "LonLat": "grid",
    "Scene": "nouns.scene",
    "View": "nouns.view",
    "RiskMap": "nouns.risk",
    "Answer": "nouns.answer",
    "Consensus": "nouns.consensus",
    "GeolabelError": "errors",
}

__all__ = ["__version__", *_HOME]  # noqa: PLE0604

if TYPE_CHECKING:
    from geolabel.errors import GeolabelError
    from geolabel.grid import Grid, LonLat, Tile
    from geolabel.nouns.answer import Answer
    from geolabel.nouns.consensus import Consensus
    from geolabel.nouns.risk import RiskMap
    from geolabel.nouns.scene import Scene
    from geolabel.nouns.view import View


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'geolabel' has no attribute {name!r}")
    value = getattr(import_module(f"geolabel.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
