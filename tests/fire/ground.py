"""Small grounds for fires to run over."""

import numpy as np
from affine import Affine

from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid

START = "2025-07-01T12:00Z"
MIDDLE_EASTING = 500_000  # of a UTM zone: grid north is true north there


def grid(height, width=None, *, res_m=30.0, easting=MIDDLE_EASTING):
    """UTM 11N, centred on an easting."""
    width = height if width is None else width
    return Grid.of("EPSG:32611", Affine(res_m, 0, easting - width * res_m / 2, 0, -res_m, 4_000_000), (height, width))


def flat(height, width=None, *, fuel=102, **more):
    """Level ground of one fuel."""
    return Landscape.flat(grid(height, width, **more), fuel)


def sloping(shape, *, slope_deg, aspect_deg, fuel=102):
    """One even slope of one fuel."""
    even = np.full(shape, 1.0, np.float32)
    return Landscape(
        grid(*shape),
        np.full(shape, fuel, np.int16),
        0 * even,
        slope_deg * even,
        aspect_deg * even,
        np.ones(shape, bool),
    )


def wind(speed_m_s=6.0, from_deg=180.0, *, hours=24.0, **moisture):
    """Constant weather."""
    return Weather.constant(START, speed_m_s=speed_m_s, from_deg=from_deg, hours=hours, moisture=moisture)


def patchy(size, *, seed, share_bare=0.15, fuels=(102, 104, 122, 145, 165, 188)):
    """Random fuel in patches on random relief."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    level = gaussian_filter(rng.standard_normal((size, size)), 2.0)
    rank = level.ravel().argsort().argsort().reshape(size, size) / size**2
    fuel = np.asarray(fuels, np.int16)[(rank * len(fuels)).astype(int)]
    fuel[rng.random((size, size)) < share_bare] = 99
    height = gaussian_filter(rng.standard_normal((size, size)), 6.0) * 900
    down_rows, down_cols = np.gradient(height, 30.0)
    slope = np.degrees(np.arctan(np.hypot(down_rows, down_cols)))
    aspect = np.degrees(np.arctan2(-down_cols, down_rows)) % 360
    known = np.ones((size, size), bool)
    return Landscape(
        grid(size), fuel, height.astype(np.float32), slope.astype(np.float32), aspect.astype(np.float32), known
    )
