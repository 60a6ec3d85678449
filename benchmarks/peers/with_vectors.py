"""Polygons on a scene: rasterised and measured by geolabel, rasterio, exactextract and rasterstats, in geolabel's environment."""

import sys

import child
import exactextract
import geopandas as gpd
import numpy as np
import rasterio
import rasterio.features
import rasterstats
from exactextract.raster import NumPyRasterSource

import geolabel as gl
from geolabel import shapes
from geolabel.scene.zonal import zonal

CACHE_MB = 64
"""GDAL's block cache: by default a twentieth of the memory, which says nothing about who decodes."""


def given(task):
    """(scene, polygons)."""
    scene = gl.open_scene(task["paths"][0], sensor="sentinel-2-l2a", at="2024-08-01", offset=-1000)
    return scene, gpd.read_parquet(task["polygons"])


def summed(mask):
    """A sum that does not depend on blocks."""
    return int(mask.sum(dtype=np.int64))


def rasterise_whole(task):
    """The mask of the whole scene at once."""
    scene, frame = given(task)
    shapes.rasterise(frame[:1], scene.grid)  # compiled before it is timed

    def work():
        return {"count": len(frame), "checksum": summed(shapes.rasterise(frame, scene.grid, frame["code"]))}

    return work


def rasterise_blocks(task):
    """The same mask block by block, nothing kept."""
    scene, frame = given(task)
    shapes.rasterise(frame[:1], scene.grid)

    def work():
        walked = shapes.rasterise_blocks(frame, scene.grid, frame["code"])
        return {"count": len(frame), "checksum": sum(summed(mask) for _, mask in walked)}

    return work


def rasterio_whole(task):
    """rasterio.features.rasterize."""
    scene, frame = given(task)
    place = {"out_shape": scene.grid.shape, "transform": scene.grid.transform, "dtype": "uint8"}

    def work():
        pairs = zip(frame.geometry, frame["code"], strict=True)
        return {"count": len(frame), "checksum": summed(rasterio.features.rasterize(pairs, **place))}

    return work


def zonal_means(task):
    """Means of all bands by geolabel, straight from the scene's files."""
    scene, frame = given(task)
    zonal(frame[:1], scene)

    def work():
        found = zonal(frame, scene, ("mean", "count"), threads=task["threads"])
        return {"count": len(frame), "checksum": round(float(found["nir08_mean"].mean()), 6)}

    return work


def exactextract_whole(task):
    """The same by exactextract on the scene read whole, which is several times faster than on the file; DN, calibrated here."""
    _, frame = given(task)

    def work():
        with rasterio.open(task["paths"][0], num_threads=task["threads"]) as file:
            pixels, place, wkt = file.read(), file.bounds, file.crs.wkt
        numbered = enumerate(pixels, start=1)
        sources = [NumPyRasterSource(band, *place, nodata=0, name=f"band_{n}", srs_wkt=wkt) for n, band in numbered]
        found = exactextract.exact_extract(sources, frame, ["mean", "count"], output="pandas")
        return {"count": len(frame), "checksum": round(float((found["band_4_mean"].mean() - 1000) / 10_000), 6)}

    return work


def rasterstats_some(task):
    """Means of all bands by rasterstats, of the first polygons."""
    _, frame = given(task)
    some = frame[: task["some"]]

    def work():
        with rasterio.Env(GDAL_CACHEMAX=CACHE_MB):
            for band in range(1, 7):
                rasterstats.zonal_stats(some, task["paths"][0], stats=["mean", "count"], band=band, nodata=0)
        return {"count": len(some)}

    return work


TASKS = {
    "rasterise": rasterise_whole,
    "rasterise blocks": rasterise_blocks,
    "rasterio": rasterio_whole,
    "zonal": zonal_means,
    "exactextract": exactextract_whole,
    "rasterstats": rasterstats_some,
}

if __name__ == "__main__":
    sys.exit(child.main(TASKS, "numpy", "shapely", "rasterio", "exactextract", "rasterstats"))
