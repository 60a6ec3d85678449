"""Burn scars in strips against the whole image by other means: scipy's labels, rasterio's polygons, plain loops."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import shapes
from scipy import ndimage

from geolabel.label.burned import burned
from geolabel.label.scars.walk import How
from geolabel.label.severity import KEY_BENSON, LEVELS, levels
from rasters import metric_grid
from sources import ArraySource

CROSS = ndimage.generate_binary_structure(2, 1)


def cleaned(above, known):
    """Where more than half of the known pixels of the 3 x 3 neighbourhood are above, by counting them one by one."""
    out = np.zeros(above.shape, bool)
    for row, col in np.argwhere(known):
        near = slice(max(row - 1, 0), row + 2), slice(max(col - 1, 0), col + 2)
        out[row, col] = 2 * (above & known)[near].sum() > known[near].sum()
    return out


def grown(mask, sure):
    """The patches of the mask in which something is sure."""
    patch, n = ndimage.label(mask, CROSS)
    has = np.zeros(n + 1, bool)
    has[np.unique(patch[sure & mask])] = True
    has[0] = False
    return has[patch]


def large(mask, least):
    patch, n = ndimage.label(mask, CROSS)
    keep = np.bincount(patch.ravel(), minlength=n + 1) >= least
    keep[0] = False
    return keep[patch]


def numbered(codes):
    """(number of each patch of equal code, how many)."""
    out, total = np.zeros(codes.shape, int), 0
    for code in np.unique(codes[codes > 0]):
        patch, n = ndimage.label(codes == code, CROSS)
        out[patch > 0] = patch[patch > 0] + total
        total += n
    return out, total


def joined(codes, least):
    """Patches below `least` pixels join a neighbour, one at a time, the whole image labelled afresh after each."""
    codes = codes.copy()
    while True:
        patch, n = numbered(codes)
        size = np.bincount(patch.ravel(), minlength=n + 1)
        first = np.array([np.flatnonzero(patch == i)[0] for i in range(n + 1)]) if n else []
        for small in sorted(range(1, n + 1), key=lambda i: (size[i], first[i])):
            rim = ndimage.binary_dilation(patch == small, CROSS) & (patch != small) & (patch > 0)
            beside = np.unique(patch[rim])
            if size[small] < least and len(beside):
                to = min(beside, key=lambda i: (-size[i], codes.ravel()[first[i]], first[i]))
                codes[patch == small] = codes.ravel()[first[to]]
                break
        else:
            return codes


def expected(index, *, threshold, seed, least):
    """(polygons, severities, means, shares not seen) in any order."""
    known = np.isfinite(index)
    filled = np.where(known, index, -9)
    mask = cleaned(filled >= np.float32(threshold), known)
    mask = large(grown(mask, filled >= np.float32(seed)) if seed is not None else mask, least)
    level = np.maximum(levels(index, KEY_BENSON), 2)
    codes = joined(np.where(mask, level, 0).astype(np.uint8), least)
    patch, n = numbered(codes)
    rows = []
    for geometry, i in shapes(patch.astype(np.int32), mask=patch > 0, connectivity=4):
        here = patch == int(i)
        whole = ndimage.binary_fill_holes(here)
        level = LEVELS[codes[here][0] - 1]
        rows.append((geometry, level, index[here].mean(dtype=float), (whole & ~known).sum() / whole.sum()))
    assert len(rows) == n
    return rows


@st.composite
def images(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(3, 28)), draw(st.integers(3, 28))
    index = ndimage.gaussian_filter(rng.normal(0, 1, shape), draw(st.sampled_from([0.6, 1.0, 2.0])))
    index = (index - index.mean()) / max(index.std(), 1e-9) * 0.4 + draw(st.sampled_from([0.0, 0.3]))
    gone = rng.random(shape) < draw(st.sampled_from([0.0, 0.05, 0.3]))
    gone[0, 0] = False  # an image that nobody saw is refused
    index[gone] = np.nan
    return index.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(
    images(),
    st.sampled_from([(0.1, None), (0.27, None), (0.1, 0.44), (0.1, 0.8)]),
    st.sampled_from([1, 4, 15]),
    st.integers(1, 30),
    st.integers(1, 20),
)
def test_strips_give_the_polygons_of_the_whole_image(index, limits, least, rows, block):
    threshold, seed = limits
    grid = metric_grid(*index.shape, res_m=1.0, x=0.0, y=0.0)
    source = ArraySource(index, (block, block + 1))
    found = burned(source, grid, threshold=threshold, seed=seed, min_area_m2=least, how=How(strip_rows=rows))
    truth = expected(index, threshold=threshold, seed=seed, least=least)
    assert len(found) == len(truth)
    upright = {"geometry": found.geometry.affine_transform([1, 0, 0, -1, 0, 0])}
    ours = {shapely.normalize(g).wkb: i for i, g in enumerate(upright["geometry"])}
    for geometry, severity, mean, share in truth:
        i = ours[shapely.normalize(shapely.geometry.shape(geometry)).wkb]
        assert found.severity[i] == severity
        assert found.dnbr_mean[i] == pytest.approx(mean, abs=0.51e-4)
        assert found.masked_share[i] == pytest.approx(share, abs=1e-12)
    assert found.geometry.is_valid.all()
    assert found.geometry.area.min() >= least if len(found) else True
