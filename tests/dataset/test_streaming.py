"""Labels written as they come: the same labels as written whole, one part in memory, whole files or none."""

import json
import tracemalloc

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from benchmarks.roundtrip import sample

import geolabel as gl
from geolabel.dataset.export import export
from geolabel.dataset.formats import geoparquet
from geolabel.dataset.formats.edits import edits
from geolabel.dataset.formats.registry import read
from geolabel.errors import CRSError, InputError, TableError
from rasters import scene_of

GIVEN = sample()
NAMES = {"geojson": "x.geojson", "geoparquet": "x.parquet"}


def squares(count, *, start=0, crs="EPSG:32610"):
    """SHAPES of `count` squares of 20 m on a lattice of 30 m."""
    n = np.arange(start, start + count)
    x, y = 500_000 + 30.0 * (n % 1000), 4_200_000 + 30.0 * (n // 1000)
    table = pd.DataFrame({"label_id": [f"s/{i:07d}" for i in n], "class": "burned"})
    table = table.assign(severity=None, severity_scheme=None, confidence=0.5, masked_share=np.nan)
    return gpd.GeoDataFrame(table, geometry=shapely.box(x, y, x + 20, y + 20), crs=crs)


def parts(count, size, log=None):
    for start in range(0, count, size):
        if log is not None:
            log.append(start)
        yield squares(min(size, count - start), start=start)


@pytest.mark.parametrize("name", NAMES)
def test_parts_are_the_whole(tmp_path, name):
    cut = [GIVEN.iloc[:0], GIVEN.iloc[:1], GIVEN.iloc[1:3], GIVEN.iloc[:0], GIVEN.iloc[3:]]
    path = export(iter(cut), tmp_path / NAMES[name], format=name)
    assert set(edits(GIVEN, read(path))["change"]) == {"unchanged"}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_found_is_a_file_too(tmp_path, name):
    path = export(iter([GIVEN.iloc[:0]]), tmp_path / NAMES[name], format=name)
    assert len(read(path)) == 0
    if name == "geojson":
        assert "bbox" not in json.loads(path.read_text())  # RFC 7946 knows no empty box
    else:
        assert len(gpd.read_parquet(path)) == 0


def test_the_box_of_a_streamed_geojson_holds_all(tmp_path):
    path = export(parts(5000, 700), tmp_path / "x.geojson", format="geojson")
    document = json.loads(path.read_text())
    bounds = gpd.read_file(path).total_bounds
    assert document["bbox"] == pytest.approx(bounds.tolist(), abs=1e-9)
    assert [one["id"] for one in document["features"]] == [f"s/{i:07d}" for i in range(5000)]


@pytest.mark.parametrize("name", NAMES)
def test_a_part_is_written_before_the_next_is_asked_for(tmp_path, name, monkeypatch):
    monkeypatch.setattr(geoparquet, "GROUP", 500)
    seen = []

    def watched():
        for part in parts(4000, 500):
            seen.append(sum(p.stat().st_size for p in tmp_path.iterdir()))
            yield part

    export(watched(), tmp_path / NAMES[name], format=name)
    assert seen[-1] > seen[2] > 0


@pytest.mark.parametrize(("name", "size"), [("geojson", 250), ("geoparquet", 1000)])
def test_memory_does_not_grow_with_the_labels(tmp_path, name, size, monkeypatch):
    monkeypatch.setattr(geoparquet, "GROUP", size)

    def peak(count):
        tracemalloc.start()
        export(parts(count, size), tmp_path / NAMES[name], format=name)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(size)  # imports and caches
    few, many = peak(2 * size), peak(8 * size)
    assert many < 1.5 * few


def test_row_groups_hold_neighbours(tmp_path, monkeypatch):
    monkeypatch.setattr(geoparquet, "GROUP", 512)
    frame = squares(4096)
    shuffled = frame.sample(frac=1, random_state=1)
    path = export(shuffled, tmp_path / "x.parquet", format="geoparquet")
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 8
    boxes = [
        gpd.GeoSeries.from_wkb(file.read_row_group(n).column("geometry").to_pylist()).total_bounds for n in range(8)
    ]
    area = sum((east - west) * (north - south) for west, south, east, north in boxes)
    west, south, east, north = frame.total_bounds
    assert area < 2.5 * (east - west) * (north - south)  # at random each would span nearly all of it: 8


def test_a_failure_on_the_way_leaves_no_file(tmp_path):
    def torn():
        yield GIVEN
        raise RuntimeError("cut")

    for name, file in NAMES.items():
        with pytest.raises(RuntimeError, match="cut"):
            export(torn(), tmp_path / file, format=name)
        assert list(tmp_path.iterdir()) == []


def test_parts_that_do_not_fit_are_refused(tmp_path):
    path = tmp_path / "x.parquet"
    with pytest.raises(CRSError, match="after one in"):
        export(iter([GIVEN, GIVEN.to_crs("EPSG:4326")]), path, format="geoparquet")
    with pytest.raises(InputError, match=r"the columns \['more'\]"):
        export(iter([GIVEN.assign(more=1), *[GIVEN] * 2]), path, format="geoparquet")
    with pytest.raises(InputError, match="no parts"):
        export(iter([]), path, format="geoparquet")
    with pytest.raises(InputError, match="cannot be written as gpkg") as raised:
        export(iter([GIVEN]), tmp_path / "x.gpkg", format="gpkg")
    assert "geoparquet" in raised.value.hint
    with pytest.raises(TableError):
        export(iter([GIVEN.drop(columns="class")]), path, format="geoparquet")


def test_burn_scars_go_straight_into_a_file(tmp_path):
    nir = np.full((60, 60), 0.4, np.float32)
    burnt = nir.copy()
    burnt[10:30, 10:40], burnt[18:22, 20:30] = 0.1, 0.4
    swir = np.full_like(nir, 0.1)
    before, after = scene_of({"nir08": nir, "swir22": swir}), scene_of({"nir08": burnt, "swir22": swir}, name="after")
    whole = gl.burned(before, after)
    assert len(whole)
    for name, file in NAMES.items():
        path = gl.export(gl.burned_parts(before, after), tmp_path / file, format=name)
        back = read(path).set_index("label_id").to_crs(whole.crs)
        assert sorted(back.index) == sorted(whole["label_id"])
        for key, shape in whole.set_index("label_id").geometry.items():
            assert back.geometry[key].symmetric_difference(shape).area < 1e-4 * shape.area
