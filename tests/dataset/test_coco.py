"""COCO, ours and other programs'."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from benchmarks.roundtrip import CRS

from exchange import TILES, UTM, frame, on, sample
from geolabel.dataset.about import About
from geolabel.dataset.formats import rle
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import Writing, read, write
from geolabel.errors import GeolabelWarning, InputError
from geolabel.ontology import WILDFIRE
from geolabel.shapes import rasterise

WRITING = Writing(tiles=TILES, about=About(project="p", licence="CC-BY-4.0"))


def document(notes, **image):
    """A COCO file as another program writes it: one image of 64 x 64."""
    image = {"id": 7, "file_name": "scene.png", "width": 64, "height": 64, **image}
    notes = [{"id": n, "image_id": 7, "category_id": 3, "iscrowd": 0, **note} for n, note in enumerate(notes, start=1)]
    return {"images": [image], "categories": [{"id": 3, "name": "fire"}], "annotations": notes}


def given(tmp_path, held, **told):
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps(held), encoding="utf-8")
    told = {"classes": {"fire": "burned"}, "grids": {"scene.png": UTM}, **told}
    return read(path, "coco", told=Told(**told))


def ground(back, n=0):
    return on(UTM, shapely.Polygon()) if not len(back) else back.geometry.iloc[n]


# ---------------------------------------------------------------------- ours
@pytest.fixture
def ours(tmp_path):
    path = write(sample(), tmp_path / "ours.coco.json", "coco", writing=WRITING)
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_label_over_several_images_is_several_annotations_of_one_id(ours, tmp_path):
    ids = [note["geolabel"]["label_id"] for note in ours["annotations"]]
    assert {name: ids.count(name) for name in set(ids)} == {"scar/1": 1, "Hügel № 2": 2, "s:3": 2, "4": 1}
    back = read(tmp_path / "ours.coco.json", "coco")
    assert sorted(back["label_id"]) == sorted(sample()["label_id"])


def test_annotations_are_instances_that_an_evaluation_counts(ours):
    assert {note["iscrowd"] for note in ours["annotations"]} == {0}


def test_categories_are_the_ontology_with_mask_values_as_ids(ours):
    named = {one["id"]: (one["name"], one["supercategory"]) for one in ours["categories"]}
    assert named == {one.code: (one.name, one.parent or one.kind) for one in WILDFIRE}
    assert {note["category_id"] for note in ours["annotations"]} <= set(named)


def test_the_licence_stands_where_coco_has_it(ours):
    assert ours["licenses"] == [{"id": 1, "name": "CC-BY-4.0", "url": ""}]
    assert {image["license"] for image in ours["images"]} == {1}


def test_equal_labels_give_equal_bytes(tmp_path):
    first, again = (write(sample(), tmp_path / name, "coco", writing=WRITING) for name in ("a.json", "b.json"))
    assert first.read_bytes() == again.read_bytes()


def test_an_image_without_annotations_was_looked_at(tmp_path):
    one = frame([{"label_id": "a", "class": "forest", "geometry": on(UTM, shapely.box(1, 1, 9, 9))}])
    path = write(one, tmp_path / "a.json", "coco", writing=WRITING)
    assert [(look.image, look.outcome) for look in read(path, "coco").attrs["looked"]] == [
        ("0_0.tif", "labeled"),
        ("0_32.tif", "empty"),
        ("32_0.tif", "empty"),
        ("32_32.tif", "empty"),
    ]


def test_no_labels_at_all_are_a_file_of_images(tmp_path):
    path = write(sample().iloc[:0], tmp_path / "none.json", "coco", writing=WRITING)
    back = read(path, "coco")
    assert len(back) == 0
    assert [look.outcome for look in back.attrs["looked"]] == ["empty"] * 4


def test_a_label_that_holds_no_pixel_is_named(tmp_path):
    tiny = on(UTM, shapely.box(3.1, 3.1, 3.3, 3.3))
    labels = frame([{"label_id": "speck", "class": "tank", "geometry": tiny}])
    with pytest.warns(GeolabelWarning, match=r"1 labels left out \(speck\): they hold no pixel's centre"):
        write(labels, tmp_path / "a.json", "coco", writing=WRITING)


def test_labels_in_degrees_come_to_the_pixels_of_the_images(tmp_path):
    path = write(sample().to_crs("EPSG:4326"), tmp_path / "a.json", "coco", writing=WRITING)
    back = read(path, "coco")
    assert back.crs == CRS
    np.testing.assert_array_equal(rasterise(back, UTM), rasterise(sample(), UTM))


# ---------------------------------------------------------------------- other programs'
def test_polygons_are_parts_of_one_label(tmp_path):
    square, triangle = [2, 2, 10, 2, 10, 10, 2, 10], [20, 20, 30, 20, 20, 30]
    back = given(tmp_path, document([{"segmentation": [square, triangle], "attributes": {"sure": True}}]))
    assert back["class"].tolist() == ["burned"]
    assert back["label_id"].tolist() == ["scene/1"]
    assert json.loads(back["attributes"].iloc[0]) == {"sure": True}
    assert ground(back).equals(
        on(UTM, shapely.MultiPolygon([shapely.box(2, 2, 10, 10), shapely.Polygon([(20, 20), (30, 20), (20, 30)])]))
    )


def test_run_lengths_as_numbers_or_text_are_one_mask(tmp_path):
    mask = np.zeros((64, 64), bool)
    mask[5:20, 8:30], mask[9:12, 12:20] = True, False
    counts = rle.encode(mask)
    held = [{"segmentation": {"size": [64, 64], "counts": c}} for c in (counts.tolist(), rle.to_text(counts))]
    back = given(tmp_path, document(held))
    want = on(UTM, shapely.box(8, 5, 30, 20) - shapely.box(12, 9, 20, 12))
    assert [shape.equals(want) for shape in back.geometry] == [True, True]


def test_a_box_alone_and_a_score_are_read(tmp_path):
    back = given(
        tmp_path, document([{"bbox": [4, 6, 10, 3], "score": 0.75}, {"bbox": [1, 1, 2, 2], "segmentation": []}])
    )
    assert ground(back).equals(on(UTM, shapely.box(4, 6, 14, 9)))
    assert back["confidence"].tolist()[0] == 0.75
    assert ground(back, 1).equals(on(UTM, shapely.box(1, 1, 3, 3)))


def test_keypoints_and_lines_are_left_out_and_counted(tmp_path):
    held = [{"bbox": [1, 1, 5, 5], "keypoints": [1, 2, 2]}, {"segmentation": [[1, 1, 9, 9]]}]
    with pytest.warns(GeolabelWarning, match="theirs.json: left out 2 annotations without area"):
        back = given(tmp_path, document(held))
    assert len(back) == 0
    assert [look.outcome for look in back.attrs["looked"]] == ["unsure"]  # something was said there


def test_a_ring_that_crosses_itself_is_mended(tmp_path):
    back = given(tmp_path, document([{"segmentation": [[0, 0, 8, 8, 8, 0, 0, 8]]}]))
    assert ground(back).is_valid
    assert ground(back).area == pytest.approx(32 * 900)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"images": []}, "is no COCO file"),
        ([1, 2], "is no COCO file"),
        (document([{"segmentation": {"size": [64, 64], "counts": [5, 6]}}]), "run lengths of 11 pixels"),
        (document([{"segmentation": {"size": [64, 64], "counts": "äö"}}]), "no compressed run lengths"),
        (document([{"bbox": [1, 1, 2, 2]}], width=32), r"has 64 x 32 pixels"),
    ],
)
def test_what_is_no_coco_is_refused(held, words, tmp_path):
    with pytest.raises(InputError, match=words):
        given(tmp_path, held)


def test_an_image_of_which_nobody_says_where_it_lies_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"nobody says where the image 'scene\.png' lies"):
        given(tmp_path, document([{"bbox": [1, 1, 2, 2]}]), grids=None)


def test_labels_of_a_class_that_is_left_out_are_not_read(tmp_path):
    back = given(tmp_path, document([{"bbox": [1, 1, 2, 2]}]), classes={"fire": None})
    assert isinstance(back, gpd.GeoDataFrame)
    assert len(back) == 0
