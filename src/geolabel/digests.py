"""Canonical JSON and digests: equal values give equal bytes, on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(*parts: Any) -> str:
    """Sha-256, 64 hexadecimal digits, over bytes, arrays and JSON values, in order; each part is framed by its length."""
    total = hashlib.sha256()
    for part in parts:
        data = _bytes(part)
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()


def _bytes(part: Any) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part, np.ndarray):
        return canonical([str(part.dtype), list(part.shape)]) + np.ascontiguousarray(part).tobytes()
    return canonical(part)


def digest_shapes(frame: Any) -> str:
    """Digest of a GeoDataFrame: CRS, column names, values and geometries; row order counts, the index does not."""
    rows = [
        [_plain(v) for v in row] for row in frame.drop(columns=frame.geometry.name).itertuples(index=False, name=None)
    ]
    return digest(str(frame.crs), list(frame.columns), rows, *frame.geometry.to_wkb())


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
