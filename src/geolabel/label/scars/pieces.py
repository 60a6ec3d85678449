"""What one strip of an image holds of burn scars: a piece, small enough to keep, and where pieces are kept."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geolabel.errors import SourceError
from geolabel.files import atomic, named_errors
from geolabel.label.scars.quanta import Quanta
from geolabel.label.scars.runs import I32, I64, Codes, Runs, codes_of, patches_of, runs_of, split, totals_of


class Piece(NamedTuple):
    """Runs and patches of one strip. Patches that cannot grow beyond it and are no scar are left out."""

    start: I64
    """(rows + 1,) number of each row's first run."""
    first: I32
    last: I32
    """(runs,) columns of a run: `first <= col < last`."""
    patch: I32
    """(runs,) its patch in this piece."""
    level: Codes
    """(patches,)"""
    size: I64
    """(patches,) pixels."""
    total: I64
    """(patches,) sum of steps, the offset taken off."""
    corner: I64
    """(patches,) first pixel, `row * width + col` of the whole image."""
    end: I64
    """(patches,) last row, of the whole image."""
    seeded: NDArray[np.bool_]
    """(patches,) whether any pixel reaches the seed."""
    touching: I32
    """(m, 2) patches of different level that share an edge."""
    unseen_start: I64
    unseen_first: I32
    unseen_last: I32
    """Runs of ground that no clear pixel saw."""

    @property
    def runs(self) -> Runs:
        """The runs, with the level of their patch."""
        return Runs(self.start, self.first, self.last, self.level[self.patch])


Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Cut:
    """How steps become scar and level."""

    limit: int
    """Step from which ground is burned."""
    seed: int
    """Step that one pixel of a scar must reach."""
    table: Codes
    """Level of each step; see `quanta.level_table`."""
    shift: int = 0
    """Steps that unburned ground shows; taken off the sums (limit, seed and table know of it)."""
    min_pixels: int = 1
    majority: bool = True
    """Whether the 3 x 3 majority decides, or each pixel for itself."""

    def same(self, other: Cut) -> bool:
        """Whether both cut alike."""
        plain = [replace(cut, table=self.table) for cut in (self, other)]
        return plain[0] == plain[1] and np.array_equal(self.table, other.table)


def piece_of(quanta: Quanta, row: int, height: int, cut: Cut) -> Piece:
    """Piece of a strip that starts at `row` of an image of `height` rows; `quanta` with one row on either side."""
    scar, unseen = split(runs_of(codes_of(quanta, cut.limit, cut.table, majority=cut.majority)))
    patch, touching = patches_of(scar)
    n = int(patch.max()) + 1 if len(patch) else 0
    size, total, largest = totals_of(scar, quanta[1:-1], patch, n)
    lead = _first_runs(patch, n)
    rows = np.searchsorted(scar.start, lead, side="right") - 1 + row
    piece = Piece(
        *scar[:3],
        patch=patch,
        level=scar.code[lead],
        size=size,
        total=total - cut.shift * size,
        corner=rows * np.int64(quanta.shape[1]) + scar.first[lead],
        end=_last_rows(scar, patch, n) + row,
        seeded=largest >= cut.seed,
        touching=touching,
        unseen_start=unseen.start,
        unseen_first=unseen.first,
        unseen_last=unseen.last,
    )
    rows_here = quanta.shape[0] - 2
    return _without_hopeless(piece, cut.min_pixels, above=row > 0, below=row + rows_here < height)


def _first_runs(patch: I32, n: int) -> I64:
    lead = np.empty(n, np.int64)
    lead[patch[::-1]] = np.arange(len(patch))[::-1]
    return lead


def _last_rows(runs: Runs, patch: I32, n: int) -> I64:
    last = np.zeros(n, np.int64)
    last[patch] = np.repeat(np.arange(len(runs.start) - 1), np.diff(runs.start))  # rows rise: the last one stays
    return last


def components(touching: NDArray[Any], n: int) -> I32:
    """(n,) number of the connected group that each patch belongs to."""
    if not n:
        return np.zeros(0, np.int32)
    ones = np.ones(len(touching), bool)
    numbers: I32 = connected_components(coo_array((ones, (touching[:, 0], touching[:, 1])), (n, n)), directed=False)[1]
    return numbers


def is_scar(scar: I32, size: I64, seeded: NDArray[np.bool_], min_pixels: int) -> NDArray[np.bool_]:
    """(patches,) whether the scar each belongs to is large enough and has a seed."""
    if not len(scar):
        return np.zeros(0, bool)
    pixels = np.bincount(scar, size)
    return ((pixels >= min_pixels) & (np.bincount(scar, seeded) > 0))[scar]


def _without_hopeless(piece: Piece, min_pixels: int, *, above: bool, below: bool) -> Piece:
    n = len(piece.size)
    scar = components(piece.touching, n)
    kept = is_scar(scar, piece.size, piece.seeded, min_pixels)
    at_seam = np.zeros(n, bool)
    if above:
        at_seam[piece.patch[: piece.start[1]]] = True
    if below:
        at_seam[piece.patch[piece.start[-2] :]] = True
    if n:
        kept |= (np.bincount(scar, at_seam) > 0)[scar]
    return piece if kept.all() else _only(piece, kept)


def _only(piece: Piece, kept: NDArray[np.bool_]) -> Piece:
    number = (np.cumsum(kept) - 1).astype(np.int32)
    runs = kept[piece.patch]
    pairs = kept[piece.touching[:, 0]]
    return piece._replace(
        start=np.concatenate([[0], np.cumsum(runs)])[piece.start],
        first=piece.first[runs],
        last=piece.last[runs],
        patch=number[piece.patch[runs]],
        level=piece.level[kept],
        size=piece.size[kept],
        total=piece.total[kept],
        corner=piece.corner[kept],
        end=piece.end[kept],
        seeded=piece.seeded[kept],
        touching=number[piece.touching[pairs]],
    )


@dataclass(frozen=True)
class Shelf:
    """Pieces and other arrays by name: in a folder, for other processes to find, or in memory."""

    folder: Path | None = None
    keep: bool = False
    """Whether a later run will look for its pieces."""
    _held: dict[str, Arrays] = field(default_factory=dict)

    def put(self, name: str, arrays: Arrays, *, keep: bool = False) -> None:
        """Hold arrays under a name; whole on disk or absent, for a later run, where `keep`."""
        if self.folder is None:
            self._held[name] = arrays
            return
        path = self._path(name)
        with atomic(path) if keep else nullcontext(path) as there, named_errors(path), there.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    def take(self, name: str) -> Arrays:
        """The arrays of that name.

        Raises
        ------
        SourceError
            Where their file is gone or broken.
        """
        if self.folder is None:
            return self._held[name]
        try:
            with self._path(name).open("rb") as raw, np.load(raw) as file:
                return dict(file)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise SourceError(
                f"cannot read {self._path(name)}: {error}", hint="remove the work folder and run again"
            ) from error

    def piece(self, name: str) -> Piece:
        """The piece of that name."""
        return Piece(**self.take(name))

    def _path(self, name: str) -> Path:
        assert self.folder is not None  # only called where there is one
        return self.folder / f"{name}.npz"
