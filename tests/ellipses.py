"""Fires that need no simulator: ellipses with the ignition at the rear focus (Alexander 1985), held up by barriers.

In wind of speed s (m/s) toward `to_deg` the length-to-breadth ratio is 1 + s / 4 and the head runs `s` cells an hour.
"""

import numpy as np
from affine import Affine
from scipy.ndimage import distance_transform_edt, gaussian_filter

from geolabel.dataset.spread import Moment, spread_samples
from geolabel.grid import Grid, Tile

CHANNELS = ("burning", "distance", "toward_east", "toward_north", "wind_east", "wind_north", "fuel")
HOURS = (1.0, 3.0)
HELD_OUT = Tile(0, 0, 56, 56)


def grid(height=96, width=96, res=30.0):
    return Grid.of("EPSG:32725", Affine(res, 0, 300_000, 0, -res, 9_100_000), (height, width))


def ground(shape, seed):
    """Share of fuel 0-1, smooth, with water (0) where it is lowest."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 6)
    fuel = (noise - noise.min()) / np.ptp(noise)
    return np.where(fuel < np.quantile(fuel, 0.12), 0, fuel).astype(np.float32)


def arrival(shape, start, speed, to_deg):
    """(arrival in minutes, bearing of spread TO) of an ellipse from `start` = (row, col)."""
    rows, cols = np.indices(shape)
    north, east = start[0] - rows, cols - start[1]
    bearing = np.degrees(np.arctan2(east, north)) % 360
    ratio = 1 + speed / 4
    eccentricity = np.sqrt(1 - ratio**-2)
    rate = speed * (1 - eccentricity) / (1 - eccentricity * np.cos(np.radians(bearing - to_deg)))
    return 60 * np.hypot(north, east) / rate, bearing


def inputs(burning, speed, to_deg, fuel):
    """What is known at the start, in the order of CHANNELS."""
    distance, (row, col) = distance_transform_edt(~burning, return_indices=True)
    rows, cols = np.indices(burning.shape)
    far = np.maximum(distance, 1)
    wind = [np.full(burning.shape, speed * f(np.radians(to_deg))) for f in (np.sin, np.cos)]
    return np.stack([burning, np.log1p(distance), (cols - col) / far, (row - rows) / far, *wind, fuel]).astype(
        np.float32
    )


def moments(n, shape=(160, 160), seed=0, starts=(0.0, 60.0)):
    """Moments of `n` fires, two a fire, each with its own wind."""
    rng, fuel = np.random.default_rng(seed), ground(shape, seed)
    for fire in range(n):
        start = rng.choice(np.argwhere(fuel > 0))
        speed, to_deg = rng.uniform(3, 12), rng.uniform(0, 360)
        came, bearing = arrival(shape, start, speed, to_deg)
        came = np.where(fuel > 0, came, np.inf)
        for t0 in starts:
            burning = came <= t0
            yield Moment(fire, t0, t0 + 60 * HOURS[-1], inputs(burning, speed, to_deg, fuel), came, bearing, fuel > 0)


def samples(n=60, shape=(160, 160), held_out=HELD_OUT, *, size=32, seed=0, **how):
    """Samples of such fires."""
    return spread_samples(
        moments(n, shape, seed), grid(*shape), channels=CHANNELS, hours=HOURS, held_out=held_out,
        made_of={"fires": f"ellipses {n}, seed {seed}"}, size=size, buffer=4, seed=seed, **{"windows": 1, **how},
    )  # fmt: skip
