import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import geopandas as gpd
import jsonschema
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.features import rasterize

from geolabel.dataset.about import About, pseudonym
from geolabel.dataset.features import tile_grid
from geolabel.dataset.tiles import export_tiles, href, mask_href, schema
from geolabel.errors import InputError, OntologyError
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.quality.consensus.agree import agree
from geolabel.tables import IGNORE, empty
from labels import NOW, answer, box_shapes, scar, shapes_of, tasks_of, team, utm_grid

GRID = utm_grid(128, 128)
TILES = GRID.tiles(64)
TRUTH = scar()
TRUTH[60:67, 60:67] = False  # an island across all four tiles
TRUTH[3:9, 60:70] = TRUTH[110:113, 5:9] = True  # and patches beside the scar
TRUTH[120, 120] = TRUTH[121, 121] = True  # two pixels that touch at a corner
ABOUT = About(
    project="station",
    scene_before="b",
    scene_after="a",
    start=datetime(2009, 3, 17, tzinfo=UTC),
    end=datetime(2009, 10, 15, tzinfo=UTC),
    licence="CC0",
    split={"0_0": "train"},
    valid_share={"0_0": 0.98765},
)


def read(folder, name):
    return json.loads((folder / name).read_text())["features"]


def of_type(features, kind):
    return [one for one in features if one["properties"]["feature_type"] == kind]


def plain(folder, frame, grid=GRID, tiles=TILES, **more):
    return export_tiles(folder, view_id="v", grid=grid, tiles=tiles, shapes=frame, **more)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".journal"}


def unnamed(one):
    return one.shapes.assign(label_id=[f"{one.uuid}/{n}" for n in range(len(one.shapes))])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Burn consensus of three people and one unsure tile, terrain by a rule, exported."""
    burn, terrain = tasks_of(GRID, 64), tasks_of(GRID, 64, kind="terrain")
    simulated = team(TRUTH, GRID, burn[:3], ["expert", "over", "under"])
    people = [replace(a, annotator=f"person:{a.annotator[4:]}", shapes=unnamed(a)) for a in simulated]
    cloud = np.zeros((64, 64), bool)
    cloud[50:] = True
    unsure = answer(burn[3], GRID, cloud & False, by="person:dora", outcome="unsure")
    half = np.indices((64, 64))[1] < 20
    cover = [answer(t, GRID, half & ~cloud, by="rule:terrain@1", label="forest", ignore=cloud) for t in terrain]
    agreed = {
        **agree(burn, GRID, [*people, unsure], gold={}, classes=("burned",)),
        **agree(terrain, GRID, cover, gold={}, classes=("forest", "grass")),
    }
    folder = tmp_path_factory.mktemp("project") / "tiles"
    answers = [*people, unsure, *cover]
    export_tiles(folder, view_id="v", grid=GRID, tiles=TILES, consensuses=agreed, answers=answers, about=ABOUT)
    return folder, agreed, answers


# ---------------------------------------------------------------------- the format
def test_every_file_keeps_to_the_schema(project, tmp_path):
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    other = plain(tmp_path / "plain", shapes_of(TRUTH, GRID))
    files = [*project[0].glob("*.geojson"), *other.glob("*.geojson")]
    assert len(files) == 12
    for path in files:
        assert not list(validator.iter_errors(json.loads(path.read_text()))), path.name
    assert json.loads((project[0] / "geolabel-tile-1.schema.json").read_text()) == schema()


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d.update(crs={"type": "name"}),
        lambda d: d["features"].pop(0),
        lambda d: d["features"][0]["properties"].pop("outcome"),
        lambda d: d["features"][0]["properties"].update(bands=["nir"]),
        lambda d: d["features"][1].pop("id"),
        lambda d: d["features"][1]["properties"].update(class_code=255),
        lambda d: d["features"][1]["geometry"].update(coordinates=[[[500_000, 4_200_000]] * 5]),
    ],
)
def test_the_schema_refuses(project, break_it):
    document = json.loads((project[0] / "0_0.geojson").read_text())
    break_it(document)
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(document))


def test_what_a_tile_says(project):
    folder, agreed, _ = project
    head, *rest = read(folder, "0_0.geojson")
    facts = head["properties"]
    assert head["id"] == facts["tile_id"] == f"v/{GRID.digest}/0_0"
    assert facts["schema"] == "geolabel-tile/1"
    assert (facts["outcome"], facts["status"], facts["n_answers"], facts["n_annotators"]) == ("labeled", "agreed", 4, 4)
    assert (facts["split"], facts["valid_share"], facts["start"]) == ("train", 0.9877, "2009-03-17T00:00:00Z")
    assert facts["agreement"] == pytest.approx(agreed[f"{head['id']}#burn"].agreement, abs=5e-5)
    assert tile_grid(facts) == GRID.crop(TILES[0])
    burned = [one for one in rest if one["properties"].get("class") == "burned"]
    assert {one["properties"]["source"] for one in burned} == {"consensus"}
    assert {one["properties"]["method"] for one in burned} == {"majority"}
    assert {one["properties"]["n_votes"] for one in burned} == {3}
    assert {one["properties"]["probability"] for one in burned} == {
        None
    }  # shares of votes are no calibrated probability
    assert [one["properties"]["reason"] for one in of_type(rest, "ignore")] == ["cloud"]
    assert list(dict.fromkeys(one["properties"].get("class") for one in of_type(rest, "label"))) == [
        "forest",
        "burned",
    ]


def test_looked_and_found_nothing_survives(project, tmp_path):
    folder = plain(tmp_path / "t", shapes_of(TRUTH & False, GRID))
    (head,) = read(folder, "0_0.geojson")
    assert head["properties"]["outcome"] == "empty"
    assert len(gpd.read_file(folder / "0_0.geojson")) == 1
    agreed = {k: c for k, c in project[1].items() if k.endswith("#burn")}
    some = {k: c for k, c in agreed.items() if "/0_0#" not in k}
    told = export_tiles(tmp_path / "u", view_id="v", grid=GRID, tiles=TILES, consensuses=some)
    assert {one["properties"]["tile_id"].rpartition("/")[2]: one["properties"]["outcome"] for one in read(told, "index.geojson")} == {
        "0_0": "skipped", "0_64": "labeled", "64_0": "labeled", "64_64": "unsure",
    }  # fmt: skip
    assert read(told, "64_64.geojson")[0]["properties"]["status"] == "disputed"


def test_the_index_leads_to_every_file(project):
    folder = project[0]
    heads = read(folder, "index.geojson")
    assert [one["id"].rpartition("/")[2] for one in heads] == ["0_0", "0_64", "64_0", "64_64"]
    for one in heads:
        for link in ("href", "mask_href"):
            assert (folder / one["properties"].pop(link)).is_file()
        assert one["properties"].pop("before_href") is one["properties"].pop("after_href") is None
        assert one == read(folder, f"{one['id'].rpartition('/')[2]}.geojson")[0]


def test_answers_are_kept_under_pseudonyms(project):
    folder, _, answers = project
    features = read(folder, "answers.geojson")
    heads = of_type(features, "tile")
    assert {one["properties"]["answer_digest"] for one in heads} == {a.digest for a in answers}
    assert len({one["id"] for one in features}) == len(features)
    names = {one["properties"]["annotator"] for one in heads}
    assert "rule:terrain@1" in names
    assert not any("dora" in line or "expert" in line for line in (folder / "answers.geojson").read_text().splitlines())
    assert pseudonym("person:dora", "station") in names
    assert pseudonym("person:dora", "station") != pseudonym("person:dora", "another")
    assert {"empty", "labeled", "unsure"} >= {one["properties"]["outcome"] for one in heads} >= {"labeled", "unsure"}


# ---------------------------------------------------------------------- laws
@pytest.mark.parametrize("clipped", [True, False])
def test_rasterising_a_file_on_its_grid_gives_the_mask(project, tmp_path, clipped):
    folder = export_tiles(tmp_path / "t", view_id="v", grid=GRID, tiles=TILES, consensuses=project[1], clipped=clipped)
    for tile in TILES:
        frame = gpd.read_file(folder / href(tile))
        head, rest = frame.iloc[0], frame.iloc[1:]
        a, b, c, d, e, f = (float(v) for v in head["grid_transform"].split(","))
        rest = rest.to_crs(head["grid_crs"])
        codes = rest["class_code"].fillna(255).astype(int) if len(rest) else []
        drawn = rasterize(
            list(zip(rest.geometry, codes, strict=True)),
            out_shape=(int(head["height"]), int(head["width"])),
            transform=rasterio.Affine(a, b, c, d, e, f),
            dtype="uint8",
        )
        with rasterio.open(folder / mask_href(tile)) as mask:
            assert (mask.read(1) == drawn).all()
            assert mask.nodata == 255
            assert mask.colormap(1)[20] == (0x7A, 0x1F, 0x1F, 255)
            assert mask.transform == rasterio.Affine(a, b, c, d, e, f)
        burned = project[1][f"v/{GRID.digest}/{tile.key}#burn"].probability[0] > 0.5
        judged = drawn != 255
        assert ((drawn == 20) == burned)[judged].all()


@pytest.mark.parametrize("size", [64, 50, 37])
def test_dissolving_on_label_id_gives_the_whole_polygons(tmp_path, size):
    whole = shapes_of(TRUTH, GRID)
    folder = plain(tmp_path / "t", whole, tiles=GRID.tiles(size))
    files = list(folder.glob("*_*.geojson"))
    parts = pd.concat([gpd.read_file(p).query("feature_type == 'label'") for p in files])
    joined = parts.dissolve("label_id").to_crs(GRID.crs.proj)
    expected = whole.set_index("label_id").geometry
    assert sorted(joined.index) == sorted(expected.index)
    for label, geometry in expected.items():
        got = joined.geometry[label]
        assert got.symmetric_difference(geometry).area < 0.001 * 30 * 30 * len(shapely.get_coordinates(geometry))
        assert shapely.get_num_interior_rings(got) == shapely.get_num_interior_rings(geometry)
        assert got.geom_type == "Polygon"


def test_a_block_across_tiles_is_one_polygon(tmp_path):
    """DOMAIN section 4: 6 x 6 pixels of 10 m across two tiles: 3600 m2, 5 coordinates, one id, no seam."""
    grid = utm_grid(20, 20, 10.0)
    block = np.zeros((20, 20), bool)
    block[7:13, 7:13] = True
    tasks = tasks_of(grid, 10)
    answers = [answer(t, grid, block[t.tile.slices], by=f"person:{n}") for t in tasks for n in range(3)]
    agreed = agree(tasks, grid, answers, gold={}, classes=("burned",))
    folder = export_tiles(
        tmp_path / "t", view_id="v", grid=grid, tiles=grid.tiles(10), consensuses=agreed, clipped=False
    )
    labels = [one for p in folder.glob("*_*.geojson") for one in of_type(read(folder, p.name), "label")]
    assert len(labels) == 4
    assert len({one["properties"]["label_id"] for one in labels}) == 1
    whole = gpd.GeoSeries([shapely.geometry.shape(one["geometry"]) for one in labels], crs=4326).to_crs(grid.crs.proj)
    simple = whole.simplify(0.02)
    assert all(len(g.exterior.coords) == 5 for g in simple)
    assert whole.area.to_list() == pytest.approx([3600] * 4, rel=1e-4)


def test_ids_survive_a_row_reorder_and_bytes_are_equal(tmp_path):
    frame = shapes_of(TRUTH, GRID)
    one = contents(plain(tmp_path / "a", frame))
    other = contents(plain(tmp_path / "b", frame.sample(frac=1, random_state=0)))
    assert len(frame) > 1
    assert one == other
    assert contents(plain(tmp_path / "a", frame)) == one


@pytest.mark.parametrize("driver", ["GeoJSON", "GPKG", "FlatGeobuf"])
def test_ids_survive_the_tools_people_use(project, tmp_path, driver):
    """Through GDAL, which QGIS reads and writes with."""
    ids = [one["id"] for one in read(project[0], "0_64.geojson")]
    frame = gpd.read_file(project[0] / "0_64.geojson", engine="pyogrio")
    assert frame["id"].tolist() == ids
    path = tmp_path / {"GPKG": "copy.gpkg", "FlatGeobuf": "copy.fgb"}.get(driver, "copy.geojson")
    frame.to_file(path, driver=driver, engine="pyogrio")
    back = gpd.read_file(path, engine="pyogrio")
    assert sorted(back["id"]) == sorted(ids)
    assert back.set_index("id").loc[ids[0], "outcome"] == "labeled"


def test_rfc_7946(project):
    for path in project[0].glob("*.geojson"):
        source = path.read_text()
        assert set(json.loads(source)) == {"type", "bbox", "features"}
        assert "NaN" not in source
        assert not re.search(r"\d\.\d{8}", source.split('"properties"')[0])
        for one in json.loads(source)["features"]:
            geometry = shapely.geometry.shape(one["geometry"])
            assert geometry.is_valid
            assert all(part.exterior.is_ccw for part in shapely.get_parts(geometry))
            assert isinstance(one["id"], str)


def test_a_tile_across_the_antimeridian(tmp_path):
    grid = Grid.of("EPSG:32760", rasterio.Affine(1000, 0, 780_000, 0, -1000, 8_180_000), (80, 80))
    frame = box_shapes([(800_000, 8_120_000, 850_000, 8_170_000)], crs="EPSG:32760")
    folder = plain(tmp_path / "t", frame, grid, grid.tiles(80))
    document = json.loads((folder / "0_0.geojson").read_text())
    assert document["bbox"][0] > document["bbox"][2]
    assert [one["geometry"]["type"] for one in document["features"]] == ["MultiPolygon"] * 2
    with rasterio.open(folder / "masks/0_0.tif") as mask:
        assert (mask.read(1) == 20).sum() == 50 * 50


def test_smaller_shapes_lie_on_larger_ones(tmp_path):
    big, small = (500_000, 4_198_000, 501_900, 4_199_900), (500_300, 4_199_000, 500_600, 4_199_300)
    frame = pd.concat([box_shapes([small], label="water"), box_shapes([big], label="forest").assign(label_id="z")])
    for n, rows in enumerate((frame, frame.iloc[::-1])):
        folder = plain(tmp_path / str(n), rows, tiles=TILES[:1])
        with rasterio.open(folder / "masks/0_0.tif") as mask:
            codes, counts = np.unique(mask.read(1), return_counts=True)
        assert dict(zip(codes.tolist(), counts.tolist(), strict=True))[1] == 100


# ---------------------------------------------------------------------- the folder
def test_another_folder_is_refused(tmp_path):
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(InputError, match=r"thesis\.doc") as raised:
        plain(tmp_path, shapes_of(TRUTH, GRID))
    assert "empty folder" in raised.value.hint
    with pytest.raises(InputError, match="is a file"):
        plain(tmp_path / "thesis.doc", shapes_of(TRUTH, GRID))
    with pytest.raises(InputError, match="no tiles"):
        plain(tmp_path / "new", shapes_of(TRUTH, GRID), tiles=())
    with pytest.raises(OntologyError, match="lava"):
        plain(tmp_path / "lava", box_shapes([(500_000, 4_198_000, 501_900, 4_199_900)], label="lava"))


def test_a_killed_export_is_taken_up(tmp_path):
    frame = shapes_of(TRUTH, GRID)
    whole = contents(plain(tmp_path / "whole", frame))

    class StoppedError(Exception):
        pass

    def stop(_, done, __):
        if done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        plain(tmp_path / "t", frame, progress=stop)
    assert not (tmp_path / "t" / "index.geojson").exists()
    first = (tmp_path / "t" / "0_0.geojson").stat().st_mtime_ns
    assert contents(plain(tmp_path / "t", frame)) == whole
    assert (tmp_path / "t" / "0_0.geojson").stat().st_mtime_ns == first


def test_tiles_of_an_earlier_export_go(tmp_path):
    frame = shapes_of(TRUTH, GRID)
    plain(tmp_path / "t", frame, tiles=GRID.tiles(32))
    again = plain(tmp_path / "t", frame)
    assert contents(again) == contents(plain(tmp_path / "fresh", frame))


def test_shapes_in_another_crs_land_on_the_same_pixels(tmp_path):
    frame = shapes_of(TRUTH, GRID)
    one, other = plain(tmp_path / "a", frame), plain(tmp_path / "b", frame.to_crs("EPSG:32611"))
    for tile in TILES:
        assert (one / mask_href(tile)).read_bytes() == (other / mask_href(tile)).read_bytes()


def test_a_bow_tie_is_mended(tmp_path):
    tie = shapely.Polygon([(500_000, 4_199_000), (501_000, 4_199_900), (501_000, 4_199_000), (500_000, 4_199_900)])
    frame = box_shapes([(0, 0, 1, 1)]).set_geometry(gpd.GeoSeries([tie], crs="EPSG:32610"))
    (label,) = of_type(read(plain(tmp_path / "t", frame), "0_0.geojson"), "label")
    assert shapely.geometry.shape(label["geometry"]).is_valid
    assert label["properties"]["area_m2"] == pytest.approx(450_000, rel=2e-3)


def test_an_answers_severity_and_correction_are_told(tmp_path):
    task = tasks_of(GRID)[0]
    shapes = shapes_of(TRUTH[:64, :64], GRID.crop(task.tile), severity="low").assign(severity_scheme="key-benson-dnbr")
    one = Answer(task.id, "person:a", "labeled", shapes, empty(IGNORE, shapes.crs), NOW, supersedes="older")
    folder = export_tiles(tmp_path / "t", view_id="v", grid=GRID, tiles=TILES, answers=[one])
    label = of_type(read(folder, "answers.geojson"), "label")[0]["properties"]
    assert (label["severity"], label["severity_scheme"]) == ("low", "key-benson-dnbr")
    assert (label["supersedes"], label["source"], label["labeled_at"]) == ("older", "answer", "2024-07-01T12:00:00Z")
    assert label["answer_digest"] == one.digest
