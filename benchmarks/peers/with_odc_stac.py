"""odc-stac: the scene as a STAC item, one `load` a strip of blocks by two threads, cut into tiles.

One `load` a tile would decode every block 24 times: it opens the file for each band.
"""

from datetime import UTC, datetime

import child
import numpy as np
import odc.stac
import places
import pystac
import rasterio
from odc.geo.geobox import GeoBox

BLOCK = 512
NAMES = ("blue", "green", "red", "nir08", "swir16", "swir22")


def item_of(path):
    """A STAC item of one file with several bands."""
    with rasterio.open(path) as file:
        box = GeoBox(file.shape, file.transform, file.crs.to_wkt())
        epsg, shape, transform = file.crs.to_epsg(), file.shape, list(file.transform)[:6]
    ground = box.geographic_extent
    item = pystac.Item("scene", ground.json, list(ground.boundingbox.bbox), datetime(2024, 8, 1, tzinfo=UTC), {})
    about = {"proj:epsg": epsg, "proj:code": f"EPSG:{epsg}", "proj:shape": shape, "proj:transform": transform}
    bands = [{"name": name} for name in NAMES]
    raster = [{"data_type": "uint16", "nodata": 0} for _ in NAMES]
    kind = pystac.MediaType.COG
    fields = {**about, "eo:bands": bands, "raster:bands": raster}
    item.add_asset("scene", pystac.Asset(path, media_type=kind, roles=["data"], extra_fields=fields))
    item.stac_extensions = [
        "https://stac-extensions.github.io/projection/v1.1.0/schema.json",
        "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
        "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
    ]
    return item, box


def tiles(task):
    item, box = item_of(task["paths"][0])

    def strips():
        for top in range(0, task["rows"], BLOCK):
            strip = box[top : min(top + BLOCK, task["rows"]), :]
            loaded = odc.stac.load([item], bands=list(NAMES), geobox=strip, pool=task["threads"])
            yield np.stack([loaded[name].values[0] for name in NAMES])

    def cut(strip):
        size = places.SIZE
        _, height, width = strip.shape
        return (strip[:, r : r + size, c : c + size] for r in range(0, height, size) for c in range(0, width, size))

    def work():
        return places.walked(tile for strip in strips() for tile in cut(strip))

    return work


if __name__ == "__main__":
    child.main({"tiles": tiles}, "odc-stac", "odc-geo", "pystac", "xarray", "rasterio")
