"""Canonical JSON and digests: equal values give equal bytes, on every machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

AT_ONCE = 10_000
"""Rows of a table that are turned into bytes at once."""


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(*parts: Any) -> str:
    """Sha-256, 64 hexadecimal digits, over bytes, arrays and JSON values, in order; each part is framed by its length."""
    return _digest(parts)


def _digest(parts: Iterable[Any]) -> str:
    total = hashlib.sha256()
    for part in parts:
        data = part if type(part) is bytes else _bytes(part)  # most are: a geometry each
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def _bytes(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, np.ndarray):
        return canonical([str(part.dtype), list(part.shape)]) + np.ascontiguousarray(part).tobytes()
    return canonical(part)


def digest_shapes(frame: Any, columns: Sequence[str] | None = None) -> str:
    """Digest of a GeoDataFrame: CRS, column names, values and geometries; row order counts, the index does not.

    Parameters
    ----------
    columns
        Only these, in this order; default all. Aware times count as the moments they are, whatever their zone.
    """
    names = list(frame.columns if columns is None else columns)
    geometry = frame.geometry
    values = [_values(frame[name]) for name in names if name != geometry.name]
    return _digest(chain([str(geometry.crs), names, _rows(values)], _wkb(geometry.to_numpy())))


def _rows(values: Sequence[list[Any]]) -> bytes:
    """Canonical JSON of the rows, made in pieces."""
    rows = zip(*values, strict=True)
    pieces = iter(lambda: list(islice(rows, AT_ONCE)), [])
    return b"[" + b",".join(canonical(piece)[1:-1] for piece in pieces) + b"]"


def _wkb(geometry: Any) -> Iterator[bytes]:
    import shapely

    for start in range(0, len(geometry), AT_ONCE):
        yield from shapely.to_wkb(geometry[start : start + AT_ONCE])


def _values(column: Any) -> list[Any]:
    """JSON values of a column; floats and texts, the most frequent, without a call for each."""
    kind = getattr(column.dtype, "kind", "O")
    if kind == "f" and isinstance(column.dtype, np.dtype):
        return [None if v != v else int(v) if v.is_integer() else v for v in column.to_numpy().tolist()]  # noqa: PLR0124 - NaN
    if kind == "M" and getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert("UTC")
    return [v if type(v) is str or v is None else _plain(v) for v in column.tolist()]


def _plain(value: Any) -> Any:
    """A JSON value; missing values (NaN, NaT, None) are null, 1.0 is 1, times and the rest their text."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or bool(value != value):  # noqa: PLR0124 - only NaN and NaT differ from themselves
        return None
    if (
        isinstance(value, float) and value.is_integer()
    ):  # a column of whole floats may come back from a file as integers
        return int(value)
    return value if isinstance(value, str | int | float | bool) else str(value)
