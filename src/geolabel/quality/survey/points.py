"""Points drawn at random within the strata of a map, in memory that does not grow with the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import QualityError
from geolabel.grid import Grid, Tile
from geolabel.tables import POINTS, check

Read = Callable[[Tile], NDArray[np.uint8]]
"""Codes of one tile of a map."""
AT_ONCE = 4_000_000
"""Pixels that are read at once."""


def whole(codes: NDArray[np.uint8]) -> Read:
    """How a map that is in memory is read."""
    return lambda tile: codes[tile.slices]


def count(read: Read, grid: Grid, *, rows: int | None = None) -> dict[int, int]:
    """Code -> its pixels on the map, in the order of the codes.

    Parameters
    ----------
    read
        Gives (y, x) uint8 codes of a tile.
    rows
        Rows that are read at once; what comes out does not depend on it.

    Raises
    ------
    QualityError
        For codes that are no bytes.
    """
    total = np.zeros(256, np.int64)
    for strip in _strips(grid, rows):
        total += np.bincount(_codes(read, strip), minlength=256)
    return {int(code): int(total[code]) for code in np.flatnonzero(total)}


def draw(
    read: Read, grid: Grid, n: Mapping[str, int], codes: Mapping[str, int], *, seed: int = 0, rows: int | None = None
) -> pd.DataFrame:
    """`tables.POINTS`: so many pixels of each stratum, each set of them as likely as any other, without replacement.

    The map is read twice, in strips of whole rows: once to count, once to find the pixels whose ranks were drawn. The
    points do not depend on the strips. Their ids are given in random order, so that they say nothing of the map.

    Parameters
    ----------
    n
        Stratum -> points.
    codes
        Stratum -> its code on the map; pixels of other codes (nodata) are never drawn.

    Raises
    ------
    QualityError
        For a stratum with fewer pixels than points.
    """
    rng, pixels = np.random.default_rng(seed), count(read, grid, rows=rows)
    ranks = {name: _ranks(name, pixels.get(codes[name], 0), n[name], rng) for name in sorted(n) if n[name]}
    places = _find(read, grid, {codes[name]: found for name, found in ranks.items()}, rows)
    parts = [(name, places[codes[name]], n[name] / pixels[codes[name]]) for name in ranks]
    at = np.concatenate([place for _, place, _ in parts]) if parts else np.zeros((0, 2), np.int64)
    stratum = [name for name, place, _ in parts for _ in place]
    inclusion = np.concatenate([np.full(len(place), share) for _, place, share in parts] or [np.zeros(0)])
    return _table(at, stratum, inclusion, grid, rng)


def _ranks(name: str, there: int, wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if wanted > there:
        raise QualityError(f"{wanted} points in {name}, which has {there} pixels", hint="ask for fewer")
    return np.sort(rng.choice(there, wanted, replace=False))


def _find(
    read: Read, grid: Grid, ranks: Mapping[int, NDArray[np.int64]], rows: int | None
) -> dict[int, NDArray[np.int64]]:
    """Code -> (n, 2) row and column of its pixels of these ranks, counted row by row."""
    seen, found = dict.fromkeys(ranks, 0), {code: [np.zeros((0, 2), np.int64)] for code in ranks}
    for strip in _strips(grid, rows):
        values = _codes(read, strip)
        for code, wanted in ranks.items():
            here = np.flatnonzero(values == code)
            first, last = np.searchsorted(wanted, (seen[code], seen[code] + len(here)))
            flat = here[wanted[first:last] - seen[code]]
            found[code].append(np.column_stack([strip.row + flat // grid.width, flat % grid.width]))
            seen[code] += len(here)
    return {code: np.concatenate(parts) for code, parts in found.items()}


def _codes(read: Read, strip: Tile) -> NDArray[np.uint8]:
    values = np.asarray(read(strip))
    if values.dtype != np.uint8:
        raise QualityError(f"class codes of dtype {values.dtype}", hint="uint8, as masks are")
    return values.ravel()


def _strips(grid: Grid, rows: int | None) -> list[Tile]:
    step = max(1, AT_ONCE // grid.width) if rows is None else rows
    return [Tile(row, 0, min(step, grid.height - row), grid.width) for row in range(0, grid.height, step)]


def _table(
    at: NDArray[np.int64], stratum: list[str], inclusion: NDArray[np.float64], grid: Grid, rng: np.random.Generator
) -> pd.DataFrame:
    order = rng.permutation(len(at))
    rows, cols = at[order].T
    places = [(int(row), int(col)) for row, col in at[order]]
    centres, lonlat = [grid.xy(*place) for place in places], [grid.lonlat(*place) for place in places]
    width = len(str(len(at)))
    frame = pd.DataFrame(
        {
            "point_id": [f"{number:0{width}d}" for number in range(1, len(at) + 1)],
            "row": rows,
            "col": cols,
            "x": [x for x, _ in centres],
            "y": [y for _, y in centres],
            "lon": [point.lon for point in lonlat],
            "lat": [point.lat for point in lonlat],
            "stratum": [stratum[i] for i in order],
            "inclusion": inclusion[order],
        }
    )
    return check(frame, POINTS)
