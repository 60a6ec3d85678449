"""STAC items against odc-stac: where assets lie, and the pixels of items that both read."""

import warnings

import numpy as np
import pytest

from geolabel.scene.items import items
from geolabel.scene.open import open_scene
from geolabel.scene.products.stac.items import item_of
from geolabel.scene.products.stac.parts import grid_of, parts_of
from servers import serving
from stac import X, cog, sentinel2
from support import data_folder

odc_stac = pytest.importorskip("odc.stac", reason="odc-stac is an oracle of the tests")


@pytest.mark.real
def test_assets_lie_where_odc_stac_says():
    compared = 0
    for path in sorted((data_folder("stac-items") / "odc-stac").rglob("*json")):
        if "collection" in path.name or "081119" in path.name:  # no item; bands as indices, which odc-stac cannot read
            continue
        for item in items(path):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                known = {
                    key: band.geobox for (key, index), band in odc_stac.parse_item(item).bands.items() if index == 1
                }
            for part in parts_of(item):
                grid, box = grid_of(part.place), known.get(part.key)
                if grid is None or box is None:
                    continue
                assert (grid.geobox.affine, grid.shape, grid.crs) == (box.affine, tuple(box.shape), box.crs), (
                    item.id,
                    part.key,
                )
                compared += 1
    assert compared > 200


def test_the_pixels_of_two_items_are_those_odc_stac_loads(monkeypatch):
    rng = np.random.default_rng(3)
    with serving() as web:
        for name, x in (("a", X), ("b", X + 300 * 20)):
            values = rng.integers(0, 3, (400, 500)) * rng.integers(1, 9000, (400, 500))
            web.files[f"/{name}/B04.tif"] = cog(values.astype(np.uint16), x=x, nodata=0)
        found = [
            sentinel2(f"S2A_{n}_L2A", f"{web.url}/{n}/", bands=("B04",), baseline="05.09", shape=None, scl=False)
            for n in "ab"
        ]
        scene = open_scene(found)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = odc_stac.load(
                [item_of(one) for one in found], geobox=scene.grid.geobox, bands=["B04"], groupby="solar_day"
            )
        dn = theirs["B04"].values[0].astype(np.float64)
        expected = np.where(dn == 0, np.nan, dn * 1e-4 - 0.1)
        np.testing.assert_allclose(scene.read(["red"], slice(0, 400), slice(0, 800))[0], expected, atol=1e-6)
