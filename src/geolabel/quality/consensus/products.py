"""Consensus on disk: JSON, GeoParquet and a uint8 COG in a folder named by its digest; what is saved comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

from geolabel.errors import SourceError
from geolabel.files import atomic, write_cog, write_json
from geolabel.grid import Grid
from geolabel.nouns.consensus import Consensus
from geolabel.tables import AGREED, IGNORE, Columns, empty

FORMAT, FIRST = "geolabel-consensus/2", "geolabel-consensus/1"
"""The second holds evidence by class; in the first it was one score a method, for the only class there was gold of."""
STEPS, NODATA = 250, 255
"""A probability p is stored as round(p * 250); 255 is ground that nobody judged."""


def save_consensus(consensus: Consensus, folder: Path | str) -> Path:
    """Path of `folder/<digest>/`, whole once its `consensus.json` is there; a consensus saved before is left alone."""
    home = Path(folder) / consensus.digest
    if (home / "consensus.json").is_file():
        return home
    for name in ("shapes", "ignore"):
        with atomic(home / f"{name}.parquet") as tmp:
            getattr(consensus, name).to_parquet(tmp, index=False)
    write_cog(home / "probability.tif", quantised(consensus.probability), consensus.grid, nodata=NODATA)
    write_json(home / "consensus.json", _head(consensus))
    return home


def load_consensus(home: Path | str) -> Consensus:
    """The consensus saved in this folder; probabilities are known to 1/250.

    Raises
    ------
    SourceError
        Where the folder holds no consensus, or one of another format.
    """
    home = Path(home)
    head = _read_head(home)
    shapes = _read(home / "shapes.parquet", AGREED, head["crs"])
    ignore = _read(home / "ignore.parquet", IGNORE, head["ignore_crs"])
    with rasterio.open(home / "probability.tif") as file:
        stored = file.read()
    return Consensus(
        task_id=head["task_id"],
        grid=Grid.of(head["grid"]["crs"], Affine(*head["grid"]["transform"]), tuple(head["grid"]["shape"])),
        shapes=shapes,
        ignore=ignore,
        classes=tuple(head["classes"]),
        probability=np.where(stored == NODATA, np.nan, stored / np.float32(STEPS)).astype(np.float32),
        agreement=float("nan") if head["agreement"] is None else head["agreement"],
        weights=head["weights"],
        method=head["method"],
        evidence=_evidence(head),
        answers=tuple(head["answers"]),
        status=head["status"],
    )


def quantised(probability: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Probabilities as uint8: round(p * 250), 255 for NaN."""
    known = np.isfinite(probability)
    return np.where(known, np.round(np.where(known, probability, 0) * STEPS), NODATA).astype(np.uint8)


def _head(consensus: Consensus) -> dict[str, Any]:
    grid = consensus.grid
    return {
        "format": FORMAT,
        "digest": consensus.digest,
        "task_id": consensus.task_id,
        "status": consensus.status,
        "classes": list(consensus.classes),
        "agreement": consensus.agreement if np.isfinite(consensus.agreement) else None,
        "method": consensus.method,
        "weights": dict(consensus.weights),
        "evidence": {name: dict(found) for name, found in consensus.evidence.items()},
        "answers": list(consensus.answers),
        "grid": {"crs": grid.crs.to_wkt(), "transform": list(grid.transform[:6]), "shape": list(grid.shape)},
        "crs": str(consensus.shapes.crs),
        "ignore_crs": str(consensus.ignore.crs),
    }


def _read_head(home: Path) -> dict[str, Any]:
    try:
        head = json.loads((home / "consensus.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"no consensus in {home}: {error}", hint="make it again: project.agree()") from None
    if head.get("format") not in (FORMAT, FIRST):
        raise SourceError(f"{home} holds {head.get('format')!r}, not {FORMAT!r}", hint="another geolabel wrote it")
    return head


def _evidence(head: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    if head["format"] == FORMAT or not head["evidence"]:
        return dict(head["evidence"])
    scores = {name: {"score": value} for name, value in head["evidence"].items()}
    return dict.fromkeys(head["classes"], scores)


def _read(path: Path, columns: Columns, crs: str) -> gpd.GeoDataFrame:
    frame = gpd.read_parquet(path)
    if not len(frame):
        return empty(columns, crs)
    return frame.set_crs(crs, allow_override=True)  # the same CRS, in the words it was digested in
