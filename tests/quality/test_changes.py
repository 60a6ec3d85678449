"""What changed from one delivery to the next: every label is in one place, and areas add up."""

import numpy as np
import pytest
import shapely

from geolabel.shapes import area_m2
from geolabel.steps.changes import MASKS, changes
from labels import box_shapes


def labels(boxes, names, *, severity=None, label="burned"):
    frame = box_shapes(boxes, label=label).assign(label_id=names, severity=severity)
    return frame.assign(area_m2=area_m2(frame))


def version(folder, frame, masks):
    (folder / MASKS).mkdir(parents=True)
    for key, content in masks.items():
        (folder / MASKS / f"{key}.tif").write_bytes(content)
    frame.to_parquet(folder / "labels.parquet")
    return folder


@pytest.fixture
def first(tmp_path):
    boxes = [(500_000, 4_000_000, 500_300, 4_000_300), (501_000, 4_000_000, 501_300, 4_000_300)]
    return labels(boxes, ["a", "b"]), tmp_path


def test_a_first_version_is_all_new(first):
    frame, folder = first
    found = changes(None, frame, version(folder / "v1", frame, {"0_0": b"x"}))
    assert (found.first, found.added, found.changed, found.removed) == (True, ["a", "b"], [], [])
    assert found.tiles == {"added": ["0_0"], "changed": [], "removed": []}
    assert str(found).startswith(
        "First version.\n- Tiles added: 1 (0_0)\n- Labels added: 2 (a, b)\n- Area of burned: 0.18"
    )


def test_every_label_is_in_one_place_and_areas_add_up(first):
    frame, folder = first
    old = version(folder / "v1", frame, {"0_0": b"x", "0_1": b"y", "0_2": b"z"})
    boxes = [(500_030, 4_000_000, 500_300, 4_000_300), (505_000, 4_000_000, 505_300, 4_000_300)]
    now = labels(boxes, ["c", "d"])  # a redrawn as c, b gone, d new
    found = changes(old, now, version(folder / "v2", now, {"0_0": b"x", "0_1": b"other", "0_3": b"w"}))
    assert (found.added, found.removed, found.changed) == (["d"], ["b"], [("a", "c")])
    assert found.tiles == {"added": ["0_3"], "changed": ["0_1"], "removed": ["0_2"]}
    was, is_ = found.area_m2["burned"]
    assert (was, is_) == pytest.approx((frame["area_m2"].sum(), now["area_m2"].sum()), abs=0.1)
    assert "a -> c" in str(found)
    assert found.to_row()["labels"] == {"added": ["d"], "changed": [["a", "c"]], "removed": ["b"]}


def test_a_label_of_another_severity_is_changed_and_one_of_another_class_is_another(first):
    frame, folder = first
    old = version(folder / "v1", frame, {})
    worse = frame.assign(severity=["high", None])
    assert changes(old, worse, version(folder / "v2", worse, {})).changed == [("a", "a")]
    water = labels([tuple(shape.bounds) for shape in frame.geometry], ["w1", "w2"], label="water")
    found = changes(old, water, version(folder / "v3", water, {}))
    assert (found.added, found.removed, found.changed) == (["w1", "w2"], ["a", "b"], [])
    assert str(changes(old, frame, old)).startswith("- Area of burned")


def test_nothing_is_paired_twice(tmp_path):
    rng = np.random.default_rng(0)
    corners = [(x, y) for x in range(0, 3000, 300) for y in range(0, 3000, 300)]
    old = labels(
        [(500_000 + x, 4e6 + y, 500_240 + x, 4e6 + y + 240) for x, y in corners], [f"o{n}" for n in range(100)]
    )
    moved = [shapely.affinity.translate(one, *rng.uniform(-90, 90, 2)) for one in old.geometry]
    now = old.set_geometry(moved).assign(label_id=[f"n{n}" for n in range(100)])
    found = changes(version(tmp_path / "v1", old, {}), now, version(tmp_path / "v2", now, {}))
    befores, afters = [a for a, _ in found.changed], [b for _, b in found.changed]
    assert len(set(befores)) == len(befores)
    assert sorted([*befores, *found.removed]) == sorted(old["label_id"])
    assert sorted([*afters, *found.added]) == sorted(now["label_id"])
