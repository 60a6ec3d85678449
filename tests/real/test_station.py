"""The main job on a real fire: Station, 2009. Mosaics in degrees, a fifth of them valid, DEM in chips of another CRS."""

import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from benchmarks.burns import OFFICIAL, SEVERE, basins, change_per_basin, footprints, spearman
from scipy import ndimage

from geolabel import demo
from geolabel.errors import FireError
from geolabel.grid import LonLat
from geolabel.nouns.risk import BURNABLE, NO_DATA
from geolabel.project import Project
from geolabel.shapes import rasterise
from geolabel.steps.landscape import ignition_cell
from geolabel.view.cog import load_risk
from support import data_folder

pytestmark = pytest.mark.real
ON_NODATA, START = "-118.20000,34.36000", "2009-08-26T22:00Z"


@pytest.fixture(scope="module")
def data():
    return data_folder("burn-landsat")


@pytest.fixture(scope="module")
def given(data):
    files = {role: data / "mosaics" / f"stn_{role}.tif" for role in ("before", "after")}
    return demo.Given.own(
        **files, dem=data / "chips" / "stn", sensor="landsat-c2-l2", ignition=ON_NODATA, wind="25 km/h from 225"
    )


@pytest.fixture(scope="module")
def job(given, tmp_path_factory):
    """(folder, the refusal of the ignition on nodata, where the job then ran from)."""
    folder, how = tmp_path_factory.mktemp("station") / "out", {"start": START, "quick": True, "members": 8}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "OWN_TILE", 256)
        patch.setitem(demo.QUICK["spread"], "fires", 16)
        with pytest.raises(FireError) as refused:
            demo.run(given, folder, **how)
        near = re.search(r"-?\d+\.\d+,-?\d+\.\d+", refused.value.hint).group()
        demo.run(replace(given, ignition=LonLat.parse(near)), folder, **how)
    return folder, refused.value, near


@pytest.fixture(scope="module")
def made(job):
    (folder,) = {path.parent for path in job[0].glob("maps/risk.json")}
    return load_risk(folder)


@pytest.fixture(scope="module")
def project(job):
    with Project.open(job[0]) as opened:
        yield opened


def test_an_ignition_on_unknown_ground_is_refused_and_the_named_cell_burns(job, made):
    assert "lies" in job[1].message
    assert str(made.ignition) == job[2]
    assert made.ground[made.grid.index(made.ignition)] == BURNABLE


def test_unknown_ground_within_the_frame_names_the_nearest_burnable_cell(made, project):
    ground = project.landscape(made.start, hindcast=True)
    row, col = np.argwhere(~ground.known)[0]
    with pytest.raises(FireError, match="unknown ground") as refused:
        ignition_cell(ground, ground.grid.lonlat(row, col))
    near = re.search(r"-?\d+\.\d+,-?\d+\.\d+", refused.value.hint).group()
    here = ignition_cell(ground, LonLat.parse(near))
    cells = np.argwhere(ground.has_burnable_neighbour())
    assert np.hypot(*(np.array(here) - (row, col))) == np.hypot(*(cells - (row, col)).T).min()


def test_change_per_basin_follows_the_usgs_figures(data, project):
    table = basins(data, "stn")
    ours = change_per_basin(data, table, project.view)
    assert len(table) == 130
    assert ours.corr(table[OFFICIAL]) >= 0.71 - 0.03
    assert spearman(ours, table[OFFICIAL]) >= 0.66 - 0.03


def test_severe_share_of_the_exported_labels_rises_with_the_official_one(data, job, project):
    table, grid = basins(data, "stn"), project.view.grid
    exported = gpd.read_file(job[0] / "labels.gpkg", layer="labels")
    burned = exported[exported.severity.notna()]
    scar = rasterise(burned, grid) > 0
    severe = rasterise(burned[burned.severity.isin(["moderate", "high"])], grid) > 0
    shares = [severe[basin].sum() / max(scar[basin].sum(), 1) for basin in footprints(data, table, grid)]
    assert pd.Series(shares).corr(table[SEVERE]) > 0.2


def test_risk_is_told_only_on_the_largest_known_area(made, project):
    known = made.ground != NO_DATA
    assert ndimage.label(known)[1] == 1
    assert 0 < known.sum() < 0.2 * project.view.grid.height * project.view.grid.width
    assert np.isnan(made.probability[:, ~known]).all()
    told = project.landscape(made.start, hindcast=True)
    np.testing.assert_array_equal(told.known, known)
    valid = np.asarray(project.view["before"].valid)
    corner = project.view.grid.cell(made.grid.lonlat(0, 0))
    assert valid[corner[0] :, corner[1] :][: known.shape[0], : known.shape[1]][known].all()


def test_the_chance_of_having_burned_never_falls(made):
    known = made.ground != NO_DATA
    assert (np.diff(made.probability[:, known], axis=0) >= 0).all()
    assert made.final[known].max() > 0.5


def test_products_say_what_they_are_made_of(job, made):
    assert made.weather.startswith("scenario")
    page = (job[0] / "maps" / "field.html").read_text(encoding="utf-8")
    for words in ("Scenario weather", "no person has checked", "Hindcast", "scenario: wind", "time not given"):
        assert words in page, words
    assert not re.search(r"(?<![\d.])(2100|1972)\b", page)  # a span of which nobody knows more is no date
