"""xarray-spatial: its burn ratio, its convolution for the clean-up, its polygonize (4-connected); SciPy labels patches."""

import child
import numpy as np
import rioxarray
import scars
import shapely
import xarray as xr
from xrspatial.convolution import convolve_2d
from xrspatial.experimental.polygonize import polygonize
from xrspatial.multispectral import nbr


def burned(task):
    def index(path):
        scene = rioxarray.open_rasterio(path).sel(band=[scars.NIR, scars.SWIR])
        nir, swir = scene.sel(band=scars.NIR), scene.sel(band=scars.SWIR)
        known = ((nir > 0) & (swir > 0)).values
        return nbr(scars.reflectance(nir), scars.reflectance(swir)).values, known, scene.rio.transform()

    def majority(mask, known):
        window = np.ones((3, 3), np.float32)
        votes, heard = (convolve_2d(np.pad(a, 1).astype(np.float32), window)[1:-1, 1:-1] for a in (mask & known, known))
        return known & (2 * votes > heard)

    def work():
        (before, known, transform), (after, also, _) = (index(path) for path in task["paths"])
        known &= also
        mask = scars.without_small(majority(before - after >= scars.BURNED_FROM, known))
        raster = xr.DataArray(mask.astype(np.int32), dims=("y", "x"))
        place = np.array(transform[:6])
        _, rings = polygonize(raster, mask=xr.DataArray(mask, dims=("y", "x")), connectivity=4, transform=place)
        return scars.answer([shapely.Polygon(one[0], one[1:]) for one in rings])

    return work


if __name__ == "__main__":
    child.main({"burned": burned}, "xarray-spatial", "numba", "rioxarray", "scipy")
