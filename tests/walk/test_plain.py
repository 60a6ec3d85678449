"""The first hour: plain functions on the shipped sample, without a project."""

import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from dask.base import is_dask_collection

import geolabel as gl
from geolabel import shapes
from geolabel.quality.scores import iou

FLOOR = 0.7
"""Least IoU of the rule's scar with the simulated fire that was painted into the pixels."""


@pytest.fixture(scope="module")
def scenes():
    sample = gl.sample()
    return [
        gl.open_scene(sample.path(role), sensor="generic", at=tuple(sample.facts[f"{role}_at"]))
        for role in ("before", "after")
    ]


@pytest.fixture(scope="module")
def scar(scenes):
    return gl.burned(*scenes)


@pytest.fixture(scope="module")
def truth():
    with rasterio.open(gl.sample().path("truth")) as file:
        return file.read(1) > 0


def dissolved(frames):
    whole = gpd.GeoDataFrame(
        [part for frame in frames for part in frame.to_dict("records")], geometry="geometry", crs="EPSG:4326"
    )
    return whole[whole["feature_type"] == "label"].dissolve("label_id")


def test_a_scene_is_lazy_and_speaks_xarray(scenes):
    for scene in scenes:
        assert all(is_dask_collection(band.data) for band in scene.data.values())
        assert scene.data.rio.crs.to_epsg() == 31985
        assert scene.data.odc.geobox.shape == scene.grid.shape == scene.data["red"].shape
        assert any("uncalibrated" in line for line in scene.audit)


def test_opening_and_aligning_compute_nothing(monkeypatch):
    from geolabel.scene import reading

    def refuse(*_, **__):
        raise AssertionError("a pixel was read")

    monkeypatch.setattr(reading, "read_window", refuse)
    sample = gl.sample()
    pair = {role: gl.open_scene(sample.path(role), at="2003-05-31") for role in ("before", "after")}
    assert gl.align(pair).grid == pair["before"].grid
    with pytest.raises(AssertionError, match="a pixel was read"):
        pair["before"].data["red"].compute()


def test_the_rule_finds_the_known_fire(scar, scenes, truth):
    found = shapes.rasterise(scar, scenes[0].grid) > 0
    assert iou(found, truth) > FLOOR
    assert scar.crs.to_epsg() == 31985
    assert scar.is_valid.all()
    assert set(scar["severity"]) == {"low", "moderate", "high"}
    assert scar["area_m2"].sum() == pytest.approx(found.sum() * scenes[0].grid.cell_area_m2(), rel=0.01)


def test_terrain_and_settlements_are_polygons_of_known_classes(scenes):
    from geolabel.ontology import WILDFIRE

    before = scenes[0]
    ground, groups = gl.terrain(before), gl.settlements(before)
    assert set(ground["class"]) <= {c.name for c in WILDFIRE.of_kind("terrain")}
    assert {"water"} <= set(ground["class"])  # the scene shows the Atlantic coast
    assert set(groups["class"]) <= {c.name for c in WILDFIRE.of_kind("object")}
    covered = shapes.area_m2(ground).sum()
    assert covered == pytest.approx(before.grid.height * before.grid.width * before.grid.cell_area_m2(), rel=0.01)


def test_exported_tiles_dissolve_to_the_scar(scar, scenes, tmp_path):
    tiles = gl.tiles(scenes[1], size=128)
    folder = gl.export(scar, tmp_path / "tiles", format="geojson", tiles=tiles)
    files = [folder / f"{tile.key}.geojson" for tile in tiles]
    assert all(path.is_file() for path in files)
    back = dissolved([gpd.read_file(path) for path in files]).to_crs(scar.crs)
    whole = scar.set_index("label_id")
    assert set(back.index) == set(whole.index)
    apart = back.geometry.symmetric_difference(whole.geometry.loc[back.index], align=False).area.sum()
    assert apart < 1e-3 * whole.area.sum()
    assert len(json.loads((folder / "index.geojson").read_text())["features"]) == len(tiles)


@pytest.mark.parametrize("kind", ["gpkg", "geoparquet"])
def test_other_formats_come_back_equal(scar, tmp_path, kind):
    path = gl.export(scar, tmp_path, format=kind)
    back = gpd.read_parquet(path) if kind == "geoparquet" else gpd.read_file(path, layer="labels")
    assert back.crs == scar.crs
    back, given = back.set_index("label_id"), scar.set_index("label_id")
    assert set(back.index) == set(given.index)
    assert np.allclose(back.area[given.index], given.area)


def test_geojson_is_in_degrees(scar, tmp_path):
    back = gpd.read_file(gl.export(scar, tmp_path / "scar.geojson", format="geojson"))
    assert back.crs.to_epsg() == 4326
    assert back.total_bounds == pytest.approx([-34.89, -7.99, -34.86, -7.96], abs=0.02)
