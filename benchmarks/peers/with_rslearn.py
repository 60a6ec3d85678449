"""rslearn: its GeotiffRasterFormat decodes one window a call, as its data sets do."""

import pathlib
import tempfile

import child
import places
import rasterio
from rasterio.enums import Resampling
from rslearn.utils.geometry import Projection
from rslearn.utils.raster_format import GeotiffRasterFormat
from upath import UPath


def reader(path):
    """(row, col, height, width) -> (band, y, x) through rslearn, from a folder that holds the file under its name."""
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / GeotiffRasterFormat.fname).symlink_to(path)
    with rasterio.open(path) as file:
        projection = Projection(file.crs, file.transform.a, file.transform.e)
        left, top = round(file.transform.c / file.transform.a), round(file.transform.f / file.transform.e)
    form = GeotiffRasterFormat()

    def read(row, col, height, width):
        bounds = (left + col, top + row, left + col + width, top + row + height)
        return form.decode_raster(UPath(folder), projection, bounds, Resampling.nearest).get_chw_array()

    return read


def tiles(task):
    read = reader(task["paths"][0])
    return lambda: places.walked(read(*place) for place in places.tiles(task))


def chips(task):
    read, where = reader(task["paths"][0]), places.random(task)
    return lambda: places.batches(where, lambda row, col: read(row, col, places.SIZE, places.SIZE))


if __name__ == "__main__":
    child.main({"tiles": tiles, "chips": chips}, "rslearn", "rasterio")
