"""Figures of terrain learned from polygons, water and object proposals, on real scenes with known truth."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cover import best_iou, buildings, halves, learned, spain, squares, told, trees
from benchmarks.evidence import Row, row
from benchmarks.evidence.__main__ import data_root
from geolabel.steps.cover import segments

MADE_FROM = ("src/geolabel/label", "src/geolabel/steps/cover.py", "benchmarks/cover.py")
KNOWN_NEAREST_MEAN, KNOWN_NDWI = 0.962, 0.717
"""Of `data/README.md`."""


@row(*MADE_FROM, needs="terrain-amazon-s2")
def terrain() -> Iterator[Row]:
    """Amazon polygons named by classifiers that have not seen them; without and with the DEM."""
    for words, dem in (("", False), (" and DEM", True)):
        report = learned(data_root() / "terrain-amazon-s2", dem=dem).report
        beside = f"nearest mean of bands {report.baseline:.3f} here, {KNOWN_NEAREST_MEAN} known; {report.model}"
        good = report.accuracy >= KNOWN_NEAREST_MEAN
        yield Row(f"terrain from bands{words}: left-out pixels", report.accuracy, "", beside, ">= 0.962", good)
        alone = report.candidates.set_index("name").loc[report.model]
        beside = f"over classes {report.by_class:.3f}; mean stated probability {report.stated:.3f}"
        yield Row(f"terrain from bands{words}: mean over 25 polygons", report.by_polygon, "", beside)
        beside = "the largest of all candidates, chosen on the polygons it is scored on: optimistic"
        yield Row(f"terrain from bands{words}: the chosen model alone", float(alone["accuracy"]), "", beside)


@row(*MADE_FROM, "src/geolabel/scene/indices.py", needs="radar-spain-s1s2")
def water() -> Iterator[Row]:
    """Open water of a Sentinel-2 L1C scene against a hand-made label."""
    view = spain(data_root() / "radar-spain-s1s2")
    whole, each = halves(view, ("awei_sh", "mndwi", "ndwi"))
    beside = f"NDWI, threshold fitted on the scene itself: {KNOWN_NDWI}; west {each[1]:.3f}, east {each[0]:.3f}"
    good = whole > KNOWN_NDWI
    yield Row("water: IoU, index and threshold fitted on the other half", whole, "", beside, f"> {KNOWN_NDWI}", good)
    ndwi, _ = halves(view, ("ndwi",))
    yield Row("water: IoU, NDWI threshold fitted on the other half", ndwi, "", "the same protocol, one index")
    yield Row("water: IoU, AWEIsh >= 0, nothing fitted", told(view, None, 0.0), "", f"best NDWI {KNOWN_NDWI}")
    yield Row("water: IoU, MNDWI at Otsu's threshold", told(view, "mndwi", "otsu"), "", f"best NDWI {KNOWN_NDWI}")


@row(*MADE_FROM, needs="objects-osbs-trees")
def crowns() -> Iterator[Row]:
    """Boxes of 61 tree crowns in an aerial image."""
    scene, truth = trees(data_root() / "objects-osbs-trees")
    ways = {
        "crowns": segments(scene, size_m=3.6, way="crowns", class_name="tree_crown"),
        "edges": segments(scene, size_m=3.6, class_name="tree_crown"),
    }
    yield from _recall("tree crowns", ways, truth, {"squares side by side": squares(scene, 3.6)}, boxes=True)


@row(*MADE_FROM, needs="objects-atlanta-buildings")
def houses() -> Iterator[Row]:
    """43 buildings, most under trees, in one panchromatic band."""
    scene, truth = buildings(data_root() / "objects-atlanta-buildings")
    grids = {f"squares {step:g} apart": squares(scene, 15, step) for step in (1.0, 0.75, 0.5)}
    yield from _recall("buildings", {"edges": segments(scene, size_m=15)}, truth, grids)


def _recall(what: str, ways: dict, truth, grids: dict, *, boxes: bool = False) -> Iterator[Row]:  # type: ignore[no-untyped-def, type-arg]
    for way, found in ways.items():
        best = best_iou(found, truth, boxes=boxes)
        for least in (0.3, 0.5):
            beside = "; ".join(
                f"{name} {(best_iou(one, truth, boxes=boxes) >= least).mean():.3f} with {len(one) / len(truth):.1f}"
                for name, one in grids.items()
            )
            words = f"{what}: recall at IoU {least} of {way}, {len(found) / len(truth):.1f} proposals an object"
            yield Row(words, float((best >= least).mean()), "", beside)
