"""Run lengths and COCO files against pycocotools."""

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from exchange import TILES, UTM, labels, sample
from geolabel.dataset.formats import rle
from geolabel.dataset.formats.pixels import ring
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing, read, write
from geolabel.shapes import rasterise

theirs = pytest.importorskip("pycocotools.mask")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


@st.composite
def masks(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 80)), draw(st.integers(1, 80))
    noise = ndimage.gaussian_filter(rng.normal(size=shape), draw(st.sampled_from([0, 1, 6])))
    return noise > draw(st.sampled_from([-10, -0.1, 0, 0.2, 10]))


@settings(max_examples=200)
@given(masks())
def test_run_lengths_are_those_of_pycocotools_both_ways(mask):
    encoded = theirs.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert rle.to_text(rle.encode(mask)) == encoded["counts"].decode()
    np.testing.assert_array_equal(rle.decode(rle.from_text(encoded["counts"].decode()), mask.shape), mask)
    listed = theirs.frPyObjects({"size": list(mask.shape), "counts": rle.encode(mask).tolist()}, *mask.shape)
    np.testing.assert_array_equal(theirs.decode(listed) > 0, mask)


def test_runs_of_millions_of_pixels_are_those_of_pycocotools():
    mask = np.zeros((3000, 2000), bool)
    mask[:, 700:1900], mask[5, 1000] = True, False
    encoded = theirs.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert rle.to_text(rle.encode(mask)) == encoded["counts"].decode()
    np.testing.assert_array_equal(rle.from_text(encoded["counts"].decode()), rle.encode(mask))


def opened(path):
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


@settings(max_examples=15)
@given(labels=labels())
def test_masks_areas_and_boxes_of_our_file_are_theirs(labels, tmp_path_factory):
    path = write(labels, tmp_path_factory.mktemp("coco") / "a.json", "coco", writing=Writing(tiles=TILES))
    coco = opened(path)
    found = {key: np.zeros(UTM.shape, bool) for key in labels["label_id"]}
    by_image = dict(zip(sorted(coco.imgs), TILES, strict=True))
    for note in coco.anns.values():
        mask = coco.annToMask(note) > 0
        assert note["area"] == theirs.area(note["segmentation"]) == mask.sum()
        assert note["bbox"] == theirs.toBbox(note["segmentation"]).tolist()
        found[note["geolabel"]["label_id"]][by_image[note["image_id"]].slices] |= mask
    for key, row in zip(labels["label_id"], range(len(labels)), strict=True):
        np.testing.assert_array_equal(found[key], rasterise(labels.iloc[[row]], UTM) > 0)


def test_an_evaluation_counts_our_labels(tmp_path):
    """With iscrowd 1 it would ignore them all: average precision -1."""
    from pycocotools.cocoeval import COCOeval

    coco = opened(write(sample(), tmp_path / "a.json", "coco", writing=Writing(tiles=TILES)))
    same = [{k: n[k] for k in ("image_id", "category_id", "segmentation")} | {"score": 1.0} for n in coco.anns.values()]
    with contextlib.redirect_stdout(io.StringIO()):
        score = COCOeval(coco, coco.loadRes(same), "segm")
        score.evaluate()
        score.accumulate()
        score.summarize()
    assert score.stats[0] == pytest.approx(1)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_their_polygons_are_our_ground(seed):
    """They draw on a grid five times finer and round: pixels along the edge may differ."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    points = 32 + rng.uniform(10, 30, (9, 1)) * np.column_stack([np.cos(angles), np.sin(angles)])
    [run] = theirs.frPyObjects([points.ravel().tolist()], 64, 64)
    shape = ring(points)
    assert abs(float(theirs.area(run)) - shape.area) <= shape.length


def test_a_file_that_pycocotools_encoded_is_read(tmp_path):
    mask = np.zeros(UTM.shape, np.uint8)
    mask[3:30, 10:50], mask[10:20, 20:30] = 1, 0
    run = theirs.encode(np.asfortranarray(mask))
    note = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": {**run, "counts": run["counts"].decode()}}
    image = {"id": 1, "file_name": "a.png", "height": 64, "width": 64}
    held = {"images": [image], "annotations": [note], "categories": [{"id": 1, "name": "burned"}]}
    (tmp_path / "a.json").write_text(json.dumps(held))
    back = read(tmp_path / "a.json", "coco", told=Told(grids={"a.png": UTM}))
    np.testing.assert_array_equal(rasterise(back, UTM), mask)
