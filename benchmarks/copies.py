"""Copies of a scene in the layouts that peers read random chips from: a raw memory map and a Zarr; what they cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.windows import Window

from benchmarks.inputs import BLOCK, NAMES, Pair
from geolabel.files import atomic, write_json

CHIP = 256


def raw(pair: Pair) -> tuple[Path, float]:
    """(path of the scene before as (band, y, x) uint16 .npy, seconds the copy took when it was made)."""
    path = pair.folder / "raw.npy"

    def write() -> None:
        with atomic(path) as whole:
            shape = len(NAMES), pair.size, pair.size
            _fill(pair, np.lib.format.open_memmap(whole, "w+", np.uint16, shape))

    return path, _made(path, write)


def zarr(pair: Pair) -> tuple[Path, float]:
    """(folder of the scene before as Zarr v3 in chunks of (6, 256, 256), seconds the copy took when it was made)."""
    import zarr as library

    path = pair.folder / "chips.zarr"

    def write() -> None:
        shape = len(NAMES), pair.size, pair.size
        _fill(
            pair,
            library.create_array(path, shape=shape, chunks=(len(NAMES), CHIP, CHIP), dtype="uint16", overwrite=True),
        )

    return path, _made(path, write)


def _made(path: Path, write: Callable[[], None]) -> float:
    """Seconds a copy took; it is made where its note of that, written last, is missing."""
    note = path.with_name(f"{path.name}.json")
    if not note.is_file():
        begun = time.perf_counter()
        write()
        write_json(note, {"seconds": time.perf_counter() - begun})
    return float(json.loads(note.read_text())["seconds"])


def _fill(pair: Pair, target: Any) -> None:
    with rasterio.open(pair.before, num_threads=2) as file:
        for top in range(0, pair.size, BLOCK):
            strip = Window(0, top, pair.size, min(BLOCK, pair.size - top))
            target[:, top : top + BLOCK] = file.read(window=strip)
