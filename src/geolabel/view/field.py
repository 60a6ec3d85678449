"""One offline HTML file for the field: everything inside, checked before it takes its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geolabel.errors import InputError
from geolabel.files import atomic
from geolabel.nouns.risk import RiskMap
from geolabel.view.draw import Extras, build
from geolabel.view.lint import MAX_BYTES, lint
from geolabel.view.warp import MAX_PIXELS

PICTURE_SIZES = (MAX_PIXELS, 1000, 700)
"""Longest edges of its pictures, pixels: a speckled map is drawn coarser until its file is small enough."""


def field_map(risk: RiskMap, path: Path | str, **extras: Any) -> Path:
    """Path of one HTML file of at most 5 MB that asks nothing of the network; takes what `draw` takes beside the risk.

    It opens from disk, prints (landscape, sheet beside the map), and its browser is forbidden every request.

    Raises
    ------
    InputError
        Where the page would fail `lint`: too large, a request, a part of the sheet missing. No file is written then.
    """
    found: list[str] = []
    with atomic(path) as tmp:
        for max_pixels in PICTURE_SIZES:
            page = build(risk, Extras(**extras), sealed=True, max_pixels=max_pixels).get_root().render()
            tmp.write_text(page, encoding="utf-8")
            found = lint(tmp)
            if tmp.stat().st_size <= MAX_BYTES:
                break
        if found:
            raise InputError(
                f"the offline map would break {len(found)} of its rules: {'; '.join(found[:3])}",
                hint="fewer or simpler shapes make a smaller page",
            )
    return Path(path)
