"""dask over rioxarray in chunks of 2048 pixels: the index and the clean-up lazily, the polygons of the whole mask."""

import child
import dask
import dask.array as da
import rioxarray
import scars

CHUNK = 2048


def burned(task):
    def index(path):
        scene = rioxarray.open_rasterio(path, chunks={"band": -1, "x": CHUNK, "y": CHUNK}, lock=False)
        nir, swir = (scene.sel(band=band).data for band in (scars.NIR, scars.SWIR))
        return scars.nbr(scars.reflectance(nir), scars.reflectance(swir)), (nir > 0) & (swir > 0), scene

    def work():
        (before, known, scene), (after, also, _) = (index(path) for path in task["paths"])
        known &= also
        cleaned = da.map_overlap(
            scars.majority, before - after >= scars.BURNED_FROM, known, depth=1, boundary=False, dtype=bool
        )
        with dask.config.set(scheduler="threads", num_workers=task["threads"]):
            mask = scars.without_small(cleaned.compute())
        return scars.answer(scars.polygons(mask, scene.rio.transform()))

    return work


if __name__ == "__main__":
    child.main({"burned": burned}, "dask", "rioxarray", "xarray", "scipy", "rasterio")
