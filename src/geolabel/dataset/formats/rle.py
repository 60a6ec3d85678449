"""Run lengths of masks: COCO's (columns first, as numbers or as text), plain ones along rows, and Label Studio's brush.

The first run counts zeros and may be 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.errors import InputError

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]
ZERO = 48
"""Character of the value 0 in COCO's text."""
MORE, SIGN, LOW = 0x20, 0x10, 0x1F
"""Bits of a character of COCO's text: another follows, the number is negative; and five bits of its value."""


def encode(mask: Mask, order: Literal["F", "C"] = "F") -> Counts:
    """Run lengths of a (y, x) mask, along its columns (`F`, COCO) or its rows (`C`)."""
    flat = np.asarray(mask, bool).ravel(order)
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    return np.diff(edges, prepend=0, append=flat.size).astype(np.int64)


def decode(counts: Sequence[int] | Counts, shape: tuple[int, int], order: Literal["F", "C"] = "F") -> Mask:
    """(y, x) mask of run lengths.

    Raises
    ------
    InputError
        Where the runs do not add up to the mask's pixels.
    """
    runs = np.asarray(counts, np.int64)
    if (runs < 0).any() or int(runs.sum()) != shape[0] * shape[1]:
        raise InputError(
            f"run lengths of {int(runs.sum())} pixels for a mask of {shape[0]} x {shape[1]} (height x width)",
            hint="the file is damaged, or its image has another size",
        )
    return np.repeat(np.arange(runs.size) % 2 == 1, runs).reshape(shape, order=order)


def to_text(counts: Counts) -> str:
    """COCO's compressed counts: from the fourth on as the difference to the last but one, five bits a character.

    Source: the COCO API (Lin et al. 2014, Microsoft COCO), `rleToString`.
    """
    left = counts.astype(np.int64)
    left[3:] -= counts[1:-2]
    columns, unfinished = [], np.ones(left.size, bool)
    while unfinished.any():
        low = left & LOW
        left = left >> 5
        more = np.where(low & SIGN, left != -1, left != 0)
        columns.append(np.where(unfinished, low + ZERO + np.where(more, MORE, 0), 0))
        unfinished = unfinished & more
    signs = np.stack(columns, axis=1).ravel() if columns else np.empty(0, np.int64)
    return signs[signs > 0].astype(np.uint8).tobytes().decode("ascii")


def from_text(text: str) -> Counts:
    """Counts of COCO's compressed text.

    Raises
    ------
    InputError
        For text that is none.
    """
    signs = np.frombuffer(text.encode(), np.uint8).astype(np.int64) - ZERO
    last = np.flatnonzero((signs & MORE) == 0)
    if not signs.size or signs.min() < 0 or signs.max() > MORE + LOW or last.size == 0 or last[-1] != signs.size - 1:
        raise InputError(f"{text[:20]!r} is no compressed run lengths", hint="COCO writes characters '0' to 'o'")
    first = np.concatenate([[0], last[:-1] + 1])
    number = np.repeat(np.arange(last.size), last - first + 1)
    bits = 5 * (np.arange(signs.size) - first[number])
    counts = np.add.reduceat((signs & LOW) << bits, first)
    negative = (signs[last] & SIGN) > 0
    counts[negative] -= np.int64(1) << (bits[last][negative] + 5)
    counts[1::2] = np.cumsum(counts[1::2])
    counts[2::2] = np.cumsum(counts[2::2])
    return counts


class _Bits:
    """A stream of bits, most significant first."""

    def __init__(self, data: bytes) -> None:
        self.bits = np.unpackbits(np.frombuffer(data, np.uint8))
        self.at = 0

    def numbers(self, count: int, width: int) -> NDArray[np.int64]:
        """The next `count` numbers of `width` bits."""
        end = self.at + count * width
        if end > self.bits.size:
            raise InputError(
                f"a brush of {self.bits.size // 8} bytes ends in the middle of a run", hint="export the task again"
            )
        taken = self.bits[self.at : end].reshape(count, width).astype(np.int64)
        self.at = end
        return taken @ (1 << np.arange(width - 1, -1, -1, dtype=np.int64))

    def number(self, width: int) -> int:
        """The next number of `width` bits."""
        return int(self.numbers(1, width)[0])


def brush(values: Sequence[int], shape: tuple[int, int]) -> Mask:
    """(y, x) mask of a Label Studio brush: where its alpha is above 0.

    Its bytes hold the pixels' red, green, blue and alpha by rows, packed: 32 bits for how many values there are, 5 for
    the bits of a value less one, four times 4 for the bits of a run's length less one; then runs, each of 1 bit (one
    value repeated, or values one by one), 2 bits that choose one of the four lengths, the length less one, the values.

    Source: the format `rle-pack` of thi.ng/umbrella, which Label Studio names as its own.

    Raises
    ------
    InputError
        Where the bytes are no such pixels, or those of another size.
    """
    try:
        data = bytes(bytearray(values))
    except (TypeError, ValueError):
        raise InputError(f"{str(values)[:40]} are no bytes", hint="a brush is a list of numbers 0-255") from None
    bits = _Bits(data)
    total = bits.number(32)
    if total != 4 * shape[0] * shape[1]:
        raise InputError(
            f"a brush of {total} values for an image of {shape[0]} x {shape[1]} (height x width)",
            hint="the image was exchanged for one of another size",
        )
    return _unpack(bits, total).reshape(*shape, 4)[..., 3] > 0


def _unpack(bits: _Bits, total: int) -> NDArray[np.int64]:
    width = bits.number(5) + 1
    lengths = [int(n) + 1 for n in bits.numbers(4, 4)]
    parts: list[Any] = []
    done = 0
    while done < total:
        repeated = bits.number(1)
        count = min(bits.number(lengths[bits.number(2)]) + 1, total - done)
        parts.append(np.repeat(bits.numbers(1, width), count) if repeated else bits.numbers(count, width))
        done += count
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
