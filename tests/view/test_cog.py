"""GeoTIFFs that any GIS reads, and risk maps that come back to the bit."""

import json
from dataclasses import fields

import numpy as np
import pytest
import rasterio

from geolabel.errors import InputError, SourceError
from geolabel.view.cog import load_risk, save_risk, write_cog, write_probability
from view import make


@pytest.fixture(scope="module")
def risk():
    return make.risk((300, 310), status="operational", approver="A. Souza")


def test_a_risk_map_comes_back_to_the_bit(tmp_path, risk):
    save_risk(risk, tmp_path / "risk")
    back = load_risk(tmp_path / "risk")
    assert back.digest == risk.digest
    for field in fields(risk):
        one, other = getattr(risk, field.name), getattr(back, field.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
        else:
            assert (one.digest, one) == (other.digest, other) if field.name == "grid" else one == other


def test_saving_again_gives_the_same_bytes(tmp_path, risk):
    save_risk(risk, tmp_path / "a")
    save_risk(load_risk(tmp_path / "a"), tmp_path / "b")
    for name in ("risk.json", "risk.tif", "probability.tif"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_rasterio_reads_the_probability_with_scale_nodata_names_and_times(tmp_path, risk):
    path = write_probability(risk, tmp_path / "p.tif")
    with rasterio.open(path) as file:
        values = file.read(masked=True) * np.array(file.scales)[:, None, None]
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.descriptions == tuple(f"burned_by_{h}h" for h in (1, 3, 6, 12, 24))
        assert (file.crs.to_epsg(), file.transform) == (31985, risk.grid.transform)
        assert file.dtypes[0] == "uint8"
        assert file.overviews(1)
        tags = file.tags()
    np.testing.assert_array_equal(np.isnan(risk.probability), np.ma.getmaskarray(values))
    assert np.nanmax(np.abs(values.filled(np.nan) - risk.probability)) <= 0.0021
    assert (np.diff(values.filled(0), axis=0) >= 0).all()  # rounding keeps the order of the hours
    assert (tags["VALID_FROM"], tags["VALID_TO"]) == ("2024-11-20T15:00:00Z", "2024-11-21T15:00:00Z")
    assert (tags["STATUS"], tags["APPROVER"]) == ("operational", "A. Souza")
    assert tags["NOTES"] == "Simulated fire on a real scene."


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_any_bands_are_read_back_equal(tmp_path, dtype):
    rng = np.random.default_rng(5)
    arrays = rng.integers(0, 200, (3, 70, 45)).astype(dtype)
    grid = make.grid((70, 45))
    path = write_cog(
        tmp_path / "x.tif", arrays, grid, names=("a", "b", "c"), units=("m", "1", ""), tags={"WHY": "test"}
    )
    with rasterio.open(path) as file:
        np.testing.assert_array_equal(file.read(), arrays)
        assert file.descriptions == ("a", "b", "c")
        assert file.units[0] == "m"
        assert file.tags()["WHY"] == "test"


@pytest.mark.parametrize(
    ("arrays", "names"),
    [
        (np.zeros((2, 5, 5), np.uint8), ("a",)),
        (np.zeros((2, 5, 5), np.uint8), ("a", "a")),
        (np.zeros((1, 4, 5), np.uint8), ("a",)),
        ([np.zeros((5, 5), np.uint8), np.zeros((5, 5), np.float32)], ("a", "b")),
        ([], ()),
    ],
)
def test_bands_that_do_not_agree_are_refused(tmp_path, arrays, names):
    with pytest.raises(InputError):
        write_cog(tmp_path / "x.tif", arrays, make.grid((5, 5)), names=names)
    assert list(tmp_path.iterdir()) == []


def test_pixels_that_were_changed_are_noticed(tmp_path, risk):
    save_risk(risk, tmp_path)
    with rasterio.open(tmp_path / "risk.tif") as file:
        bands = file.read()
    names = [f"b{n}" for n in range(len(bands))]
    bands[5] += 1
    write_cog(tmp_path / "risk.tif", bands, risk.grid, names=names, nodata=float("nan"))
    with pytest.raises(InputError, match="not those"):
        load_risk(tmp_path)


def test_another_schema_or_a_missing_file(tmp_path, risk):
    with pytest.raises(SourceError):
        load_risk(tmp_path)
    head = json.loads(save_risk(risk, tmp_path).read_text())
    (tmp_path / "risk.tif").unlink()
    with pytest.raises(SourceError, match=r"risk\.tif"):
        load_risk(tmp_path)
    (tmp_path / "risk.json").write_text(json.dumps({**head, "schema": "other/2"}))
    with pytest.raises(InputError, match="other/2"):
        load_risk(tmp_path)


def test_a_folder_that_is_a_file_gives_a_clear_error(tmp_path, risk):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(SourceError):
        save_risk(risk, tmp_path / "taken")
