"""Figures of STAC: what each real document at hand gives, and what remote reading asks of a server.

`python -m benchmarks.evidence.stac` prints the table of all documents with what was decided of each.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.evidence import ROOT, Row, row
from benchmarks.evidence.__main__ import data_root
from geolabel.errors import GeolabelError
from geolabel.scene.items import items
from geolabel.scene.open import open_scene
from geolabel.scene.products.stac import product_of

sys.path.append(str(ROOT / "tests"))  # servers.py, stac.py: the same servers and files as in the tests


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document."""

    path: str
    kind: str
    """item, items, catalog or collection."""
    opened: bool
    decided: str
    """Sensor, quantity, bands and audit; or the reason of the refusal."""


def outcomes(folder: Path) -> Iterator[Outcome]:
    """What becomes of every JSON document under a folder, in order of path."""
    for path in sorted(folder.rglob("*json")):
        kinds = {"Feature": "item", "FeatureCollection": "items"}
        said = json.loads(path.read_text())
        kind = kinds.get(said.get("type"), "collection" if "extent" in said else "catalog")
        name = path.relative_to(folder).as_posix().replace("tests/data-files/", "").replace("tests/data/", "")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = product_of(path)
        except GeolabelError as error:
            yield Outcome(name, kind, False, f"{type(error).__name__}: {error.message}")
            continue
        bands = ", ".join(one.name for one in made.assets)
        masks = "".join(f"; masked by {one.name}" for one in made.masks)
        yield Outcome(name, kind, True, f"{made.sensor}, {made.quantity}: {bands}{masks}. {'. '.join(made.audit)}")


@row("src/geolabel/scene", needs="stac-items")
def documents() -> Iterator[Row]:
    """Every document opens with the right harmonisation or is refused with the reason (pinned by tests/real)."""
    folder = data_root() / "stac-items"
    found = list(outcomes(folder))
    opened = [one for one in found if one.opened]
    refused = [one for one in found if not one.opened]
    whys = {"labels, no pixels": "labels", "which bands": "bands nobody names", "twice": "a band twice",
            "catalog '": "catalogs", "collection '": "collections", " items": "several items"}  # fmt: skip
    counts: dict[str, int] = {}
    for one in refused:
        why = next((words for text, words in whys.items() if text in one.decided), "other")
        counts[why] = counts.get(why, 0) + 1
    beside = ", ".join(f"{n} {why}" for why, n in sorted(counts.items()))
    yield Row("STAC documents: items that open", len(opened), "", f"of {len(found)} documents of versions 0.8 to 1.1")
    yield Row(
        "STAC documents: refused with the reason",
        len(refused),
        "",
        beside,
        "opened or refused: all",
        counts.get("other", 0) == 0,
    )
    several = [item for one in found if one.kind == "items" for item in items(_path(folder, one))]
    good = sum(1 for item in several if product_of(item).assets)
    yield Row(
        "STAC items inside item collections that open", good, "", f"of {len(several)}", "all", good == len(several)
    )


def _path(folder: Path, one: Outcome) -> Path:
    return next(path for path in folder.rglob("*json") if path.as_posix().endswith(one.path.split("/", 1)[1]))


@row("src/geolabel/scene")
def requests() -> Iterator[Row]:
    """What reading a remote COG asks of its server, 2048 x 2048 pixels in blocks of 512."""
    from servers import serving
    from stac import asset, cog, item

    values = np.random.default_rng(0).integers(1, 60_000, (2048, 2048), dtype=np.uint16)
    data = cog(values)
    with serving(B04_tif=data) as web:
        said = {"s2:processing_baseline": "05.09", "constellation": "sentinel-2"}
        told = item(
            "S2A_L2A", {"B04": asset(f"{web.url}/B04.tif", shape=values.shape)}, collection="sentinel-2-l2a", **said
        )
        scene = open_scene(told)
        yield Row(
            "STAC item opened: requests", len(web.asked), "", "the item says where its pixels lie", "0", not web.asked
        )
        scene.read(["red"], slice(512, 1024), slice(512, 1024))
        sent = sum(one.size for one in web.asked if one.method == "GET")
        goal = 512 * 512 * 2 * 1.2
        yield Row(
            "first block of a remote COG: bytes",
            sent,
            "bytes",
            f"{len(web.asked)} requests; the block has 524,288",
            f"<= {goal:.0f}",
            sent <= goal,
        )
        web.forget()
        whole = scene.read(["red"], slice(0, 2048), slice(0, 2048))
        share = web.bytes_sent / len(data)
        right = bool(np.allclose(whole[0], values * 1e-4 - 0.1, atol=1e-6))
        yield Row(
            "whole remote COG: bytes fetched of its size",
            share,
            "",
            f"{len(web.asked)} requests",
            "<= 1.02, pixels equal",
            share <= 1.02 and right,
        )


if __name__ == "__main__":
    for one in outcomes(data_root() / "stac-items"):
        print(f"{'opened ' if one.opened else 'refused'}  {one.kind:10}  {one.path}\n         {one.decided}")
