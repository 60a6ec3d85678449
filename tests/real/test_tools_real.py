"""Real files of annotation tools: tree crowns of one image in two formats, and what two teams answered of one place."""

import json

import numpy as np
import pytest
import rasterio

from geolabel.dataset.formats.ceo import first_answers
from geolabel.dataset.formats.reading import Told
from geolabel.dataset.formats.registry import read
from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.ontology import Class, Ontology
from geolabel.shapes import area_m2
from support import data_folder

pytestmark = pytest.mark.real
CROPS = Ontology(
    "crops", 1, (Class("crop", "Crop", 1, "terrain", "#1b9e77"), Class("other", "Other", 2, "terrain", "#d95f02"))
)


def trees():
    folder = data_folder("objects-osbs-trees")
    with rasterio.open(folder / "OSBS_029.tif") as file:
        grid = Grid.of(file.crs.to_wkt(), file.transform, file.shape)
    told = Told(classes={"Tree": "tree_crown"}, grids={"OSBS_029.tif": grid})
    return read(folder / "OSBS_029.csv", "csv-boxes", told=told), read(folder / "OSBS_029.xml", "voc", told=told), grid


def test_the_same_61_crowns_come_from_csv_and_voc():
    boxes, voc, grid = trees()
    assert len(boxes) == len(voc) == 61
    assert boxes.geometry.geom_equals(voc.geometry).all()
    assert boxes.crs == "EPSG:32617"
    west, south, east, north = grid.bounds
    assert boxes.total_bounds == pytest.approx([west + 0.1, south, east, north - 0.1], abs=1e-6)


def test_crowns_without_the_place_of_their_image_are_refused():
    folder = data_folder("objects-osbs-trees")
    with pytest.raises(InputError, match=r"nobody says where the image 'OSBS_029\.tif' lies"):
        read(folder / "OSBS_029.xml", "voc", told=Told(classes={"Tree": "tree_crown"}))


def sets():
    told = Told(ontology=CROPS, classes={"Crop": "crop", "Non-crop": "other"}, values={"size_m": 30})
    return [read(path, "ceo", told=told) for path in sorted(data_folder("crowd").glob("ceo-Sudan*.csv"))]


def kappa(one, other):
    """Cohen 1960."""
    seen, by_chance = (one == other).mean(), sum((one == c).mean() * (other == c).mean() for c in ("crop", "other"))
    return (seen - by_chance) / (1 - by_chance)


def test_two_teams_of_collect_earth_online_agree_as_published():
    """1,195 plots answered in both, agreement .8661, kappa .7160, first answers only."""
    one, other = (first_answers(labels).set_index("label_id")["class"] for labels in sets())
    both = one.index.intersection(other.index)
    assert len(both) == 1195
    assert (one[both] == other[both]).mean() == pytest.approx(0.8661, abs=5e-5)
    assert kappa(one[both], other[both]) == pytest.approx(0.7160, abs=5e-5)


def test_no_answer_is_lost_the_second_ones_and_the_empty_one():
    found = sets()
    assert [len(labels) - len(first_answers(labels)) for labels in found] == [1, 11]
    assert [len(labels.attrs["looked"]) for labels in found] == [1197, 1207]
    unanswered = [look for labels in found for look in labels.attrs["looked"] if look.outcome != "labeled"]
    assert [(look.outcome, look.annotator) for look in unanswered] == [("skipped", "person:annotator_10")]
    assert found[0]["annotator"].nunique() == 4
    assert all(labels["labeled_at"].notna().all() for labels in found)


def test_samples_are_boxes_of_30_metres_on_the_ground():
    labels = sets()[0]
    np.testing.assert_allclose(area_m2(labels), 900, rtol=1e-4)
    assert json.loads(labels["attributes"].iloc[0]) == {"imagery_title": "Google Satellite Layer"}
