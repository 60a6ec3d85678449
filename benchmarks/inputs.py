"""Two scenes to measure with, from a seed: a Sentinel-2-like tile before a fire and after it, as COGs.

Bands mix soil and plants by smooth fields of many scales, under relief shading and sensor noise; the tile after the fire
has about 400 scars (one to each 549 x 549 pixels) with unburned islands. A block is made from the seed and its place
alone, so memory stays flat and any part can be made again. `python -m benchmarks.inputs [--small]` writes and names them.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from geolabel.files import atomic, require_space
from geolabel.grid import Tile
from geolabel.stream import walk

FULL, SMALL = 10980, 4096
BLOCK, RES_M, CRS = 512, 10.0, "EPSG:32611"
COG = {"compress": "deflate", "predictor": 2, "blocksize": BLOCK, "num_threads": 2, "bigtiff": "if_safer"}
TRANSFORM = Affine(RES_M, 0, 300_000.0, 0, -RES_M, 3_900_000.0)
NAMES = ("blue", "green", "red", "nir08", "swir16", "swir22")
SOIL = 0.09, 0.12, 0.16, 0.24, 0.30, 0.25
PLANT = 0.03, 0.06, 0.04, 0.32, 0.18, 0.09
CHAR = 0.032, 0.038, 0.045, 0.062, 0.110, 0.130
SCALE, OFFSET_DN = 10_000, 1_000
"""DN = reflectance * 10000 + 1000, as Sentinel-2 since processing baseline 04.00; 0 is no data."""
NOISE_DN = 24.0
"""Standard deviation of a pixel: what makes the file decode at the speed of a real tile, about 360 MB/s a thread."""
LATTICE = 549
"""One scar to each square of so many pixels: 400 on a whole tile."""
SOIL_OR_PLANT, RELIEF, SEVERITY, EDGE, SEASON = range(5)
"""Keys of the random fields."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Before and after of one size and seed."""

    size: int = FULL
    seed: int = 3

    @property
    def digest(self) -> str:
        """Names size, seed and recipe."""
        return recipe(self)

    @property
    def folder(self) -> Path:
        """Where the files of this pair lie: under GEOLABEL_BENCH, or the system's temporary folder."""
        root = Path(os.environ.get("GEOLABEL_BENCH") or Path(tempfile.gettempdir()) / "geolabel-bench")
        return root / f"pair-{self.size}-{self.digest}"

    @property
    def before(self) -> Path:
        return self.folder / "before.tif"

    @property
    def after(self) -> Path:
        return self.folder / "after.tif"

    @property
    def raw_mb(self) -> float:
        """Megabytes of one scene, decoded."""
        return self.size**2 * len(NAMES) * 2 / 1e6

    def blocks(self) -> tuple[Tile, ...]:
        rows = range(0, self.size, BLOCK)
        return tuple(Tile(r, c, min(BLOCK, self.size - r), min(BLOCK, self.size - c)) for r in rows for c in rows)


# ---------------------------------------------------------------------- random fields
def uniform(key: int, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> NDArray[np.float64]:
    """(row, col) numbers 0-1 that belong to their lattice point (SplitMix64 of key, row and col)."""
    with np.errstate(over="ignore"):
        mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15) + rows.astype(np.uint64)[:, None] * np.uint64(
            0xD1B54A32D192ED03
        )
        mixed = mixed + cols.astype(np.uint64)[None, :] * np.uint64(0x8CB92BA72F3D8DD7)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53


def octave(key: int, place: Tile, cell: int) -> NDArray[np.float32]:
    """(y, x) smooth field of one scale, -1 to 1: lattice values every `cell` pixels, eased between them."""

    def steps(start: int, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        whole, part = np.divmod(np.arange(start, start + length), cell)
        t = part / cell
        return np.arange(whole[0], whole[-1] + 2), whole - whole[0], (t * t * (3 - 2 * t)).astype(np.float32)

    (lattice_rows, i, v), (lattice_cols, j, u) = steps(place.row, place.height), steps(place.col, place.width)
    points = (2 * uniform(key, lattice_rows, lattice_cols) - 1).astype(np.float32)
    lines = points[i] + (points[i + 1] - points[i]) * v[:, None]
    return lines[:, j] + (lines[:, j + 1] - lines[:, j]) * u


def field(seed: int, key: int, place: Tile, *, coarsest: int = 1024, finest: int = 4) -> NDArray[np.float32]:
    """(y, x) field of all scales from `coarsest` to `finest` pixels, about -1 to 1; twice the scale, 1.5 times the swing."""
    total, weight, cell, swing = np.zeros((place.height, place.width), np.float32), 0.0, coarsest, 1.0
    while cell >= finest:
        total += np.float32(swing) * octave(seed * 1_000_003 + key * 8191 + cell, place, cell)
        weight, cell, swing = weight + swing**2, cell // 2, swing / 1.5
    return total / np.float32(np.sqrt(weight / 3) * 2)


# ---------------------------------------------------------------------- scars
@dataclass(frozen=True, slots=True)
class Scar:
    """A burned blob with round unburned islands; lengths in pixels."""

    row: float
    col: float
    radius: float
    lobes: tuple[tuple[int, float, float], ...]
    """(waves around the scar, share of the radius, phase)."""
    islands: tuple[tuple[float, float, float], ...]
    """(row, col, radius)."""

    @property
    def reach(self) -> float:
        return self.radius * (1 + sum(share for _, share, _ in self.lobes)) + 12

    def depth(self, place: Tile) -> NDArray[np.float32]:
        """(y, x) pixels inside the scar's edge; negative outside and on islands."""
        rows = np.arange(place.row, place.row + place.height, dtype=np.float32)[:, None]
        cols = np.arange(place.col, place.col + place.width, dtype=np.float32)[None, :]
        away = np.hypot(rows - np.float32(self.row), cols - np.float32(self.col))
        angle = np.arctan2(rows - np.float32(self.row), cols - np.float32(self.col))
        wave = sum(np.float32(share) * np.cos(n * angle + np.float32(phase)) for n, share, phase in self.lobes)
        inside = np.float32(self.radius) * (1 + wave) - away
        for row, col, radius in self.islands:
            inside = np.minimum(inside, np.hypot(rows - np.float32(row), cols - np.float32(col)) - np.float32(radius))
        return inside


@lru_cache
def scars(size: int, seed: int) -> tuple[Scar, ...]:
    """All scars of a tile: one near the middle of each square of the lattice, none touching another."""
    cells = range(size // LATTICE)
    return tuple(_scar(np.random.default_rng([seed, i, j]), i, j) for i in cells for j in cells)


def _scar(rng: np.random.Generator, i: int, j: int) -> Scar:
    radius = float(np.clip(rng.lognormal(4.2, 0.5), 20, 150))
    free = LATTICE / 2 - 1.5 * radius - 12
    row, col = ((n + 0.5) * LATTICE + rng.uniform(-free, free) for n in (i, j))
    lobes = tuple((n, float(rng.uniform(0, 0.3 / n)), float(rng.uniform(0, 2 * np.pi))) for n in (1, 2, 3, 5))
    islands = tuple(_island(rng, row, col, radius) for _ in range(rng.integers(0, 6)))
    return Scar(row, col, radius, lobes, islands)


def _island(rng: np.random.Generator, row: float, col: float, radius: float) -> tuple[float, float, float]:
    angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.6) * radius
    return row + away * np.sin(angle), col + away * np.cos(angle), float(rng.uniform(0.06, 0.18) * radius)


def burned_share(pair: Pair, place: Tile) -> NDArray[np.float32]:
    """(y, x) part of each pixel that is char, 0-1; edges run over about three pixels and are ragged."""
    near = [s for s in scars(pair.size, pair.seed) if _near(s, place)]
    if not near:
        return np.zeros((place.height, place.width), np.float32)
    depth = np.maximum.reduce([scar.depth(place) for scar in near])
    depth += 8 * field(pair.seed, EDGE, place, coarsest=32, finest=8)
    severity = 0.8 + 0.2 * field(pair.seed, SEVERITY, place, coarsest=128, finest=16)
    return np.clip(depth / 3 + 0.5, 0, 1) * np.clip(severity, 0.5, 1)


def _near(scar: Scar, place: Tile) -> bool:
    rows = place.row - scar.reach <= scar.row <= place.row + place.height + scar.reach
    return rows and place.col - scar.reach <= scar.col <= place.col + place.width + scar.reach


# ---------------------------------------------------------------------- pixels
def block(pair: Pair, place: Tile, role: str) -> NDArray[np.uint16]:
    """(band, y, x) DN of one block of `before` or `after`."""
    plants = np.clip(0.6 + 0.5 * field(pair.seed, SOIL_OR_PLANT, place), 0, 1)
    light = 1 + 0.25 * field(pair.seed, RELIEF, place, coarsest=256)
    if role == "after":
        plants = plants * (0.97 + 0.02 * field(pair.seed, SEASON, place, coarsest=512, finest=64))
    char = burned_share(pair, place) if role == "after" else None
    rng = np.random.default_rng([pair.seed, place.row, place.col, role == "after"])
    out = np.empty((len(NAMES), place.height, place.width), np.uint16)
    for i, (soil, plant, burned) in enumerate(zip(SOIL, PLANT, CHAR, strict=True)):
        value = (soil + (plant - soil) * plants) * light
        value = value if char is None else value + (burned - value) * char
        noise = NOISE_DN * rng.standard_normal(value.shape, np.float32)
        out[i] = np.clip(np.rint(value * SCALE + noise), 1 - OFFSET_DN, 50_000) + OFFSET_DN
    return out


@lru_cache
def recipe(pair: Pair) -> str:
    """Digest over size, seed, form of the file and the pixels of one block: a changed recipe makes new files."""
    total = hashlib.sha256(f"{pair.size} {pair.seed} {NAMES} {TRANSFORM} {COG}".encode())
    for role in ("before", "after"):
        total.update(block(pair, pair.blocks()[len(pair.blocks()) // 2], role).tobytes())
    return total.hexdigest()[:10]


def make(pair: Pair) -> Pair:
    """The pair, with both files whole on disk; files of an earlier call are kept."""
    require_space(pair.folder, int(pair.raw_mb * 1e6 * 4.5))
    for role in ("before", "after"):
        path = pair.folder / f"{role}.tif"
        if not path.is_file():
            with atomic(path) as whole:
                _write(pair, role, whole)
    return pair


def _write(pair: Pair, role: str, path: Path) -> None:
    """A COG through a plain tiled file beside it, so that no scene is ever in memory."""
    profile = {"driver": "GTiff", "count": len(NAMES), "height": pair.size, "width": pair.size, "dtype": "uint16"}
    tiled = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "interleave": "pixel", "bigtiff": "if_safer"}
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        plain = Path(folder) / "plain.tif"
        with rasterio.open(plain, "w", crs=CRS, transform=TRANSFORM, nodata=0, **profile, **tiled) as file:
            file.descriptions = NAMES
            for place, pixels in _made(pair, role):
                file.write(pixels, window=Window(place.col, place.row, place.width, place.height))
        rasterio.shutil.copy(plain, path, driver="COG", overview_resampling="average", **COG)


def _made(pair: Pair, role: str) -> Iterator[tuple[Tile, NDArray[np.uint16]]]:
    places = pair.blocks()
    yield from zip(places, walk(places, lambda place: block(pair, place, role), what=role), strict=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help=f"{SMALL} pixels instead of {FULL}")
    pair = make(Pair(SMALL if parser.parse_args().small else FULL))
    for path in (pair.before, pair.after):
        print(f"{path}  {path.stat().st_size / 1e6:.0f} MB, {pair.raw_mb:.0f} MB decoded")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
