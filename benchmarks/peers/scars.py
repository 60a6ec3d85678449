"""What every burn-scar program shares: the definition of a scar, and an answer that can be compared.

Burned is where dNBR of reflectance (DN - 1000) / 10000 is at least 0.1 (Key & Benson 2006); then the majority of the
known pixels of 3 x 3, then 4-connected patches of at least 50 pixels (half a hectare).
"""

import hashlib

import numpy as np
import shapely
from scipy import ndimage
from shapely.geometry import shape

NIR, SWIR = 4, 6
"""Bands of the file, from 1."""
BURNED_FROM, MIN_PIXELS = 0.1, 50


def reflectance(dn):
    return (dn.astype(np.float32) - np.float32(1000)) / np.float32(10000)


def nbr(nir, swir):
    return (nir - swir) / (nir + swir)


def majority(mask, known):
    """True where more than half of the known pixels of 3 x 3 are."""
    window = np.ones((3, 3), np.uint8)
    votes = ndimage.convolve((mask & known).astype(np.uint8), window, mode="constant")
    heard = ndimage.convolve(known.astype(np.uint8), window, mode="constant")
    return known & (2 * votes > heard)


def without_small(mask):
    patch, n = ndimage.label(mask)
    large = np.bincount(patch.ravel(), minlength=n + 1) >= MIN_PIXELS
    large[0] = False
    return large[patch]


def polygons(mask, transform):
    from rasterio.features import shapes

    traced = shapes(mask.astype(np.uint8), mask=mask, connectivity=4, transform=transform)
    return [shape(geometry) for geometry, _ in traced]


def answer(found):
    """Count, holes, area and a digest of polygons that depends on neither their order nor where their rings start."""
    whole = shapely.normalize(np.asarray(found, object))
    total = hashlib.sha256(b"".join(sorted(shapely.to_wkb(whole)))).hexdigest()[:16]
    holes = int(shapely.get_num_interior_rings(whole).sum())
    return {"count": len(found), "holes": holes, "area_ha": float(shapely.area(whole).sum() / 1e4), "polygons": total}
