"""The naive way: whole scenes in numpy, SciPy's filters, rasterio's polygons."""

import child
import rasterio
import scars


def burned(task):
    def index(path):
        with rasterio.open(path) as file:
            nir, swir = file.read([scars.NIR, scars.SWIR])
            return scars.nbr(scars.reflectance(nir), scars.reflectance(swir)), (nir > 0) & (swir > 0), file.transform

    def work():
        (before, known, transform), (after, also, _) = (index(path) for path in task["paths"])
        known &= also
        mask = scars.without_small(scars.majority(before - after >= scars.BURNED_FROM, known))
        return scars.answer(scars.polygons(mask, transform))

    return work


if __name__ == "__main__":
    child.main({"burned": burned}, "numpy", "scipy", "rasterio", "shapely")
