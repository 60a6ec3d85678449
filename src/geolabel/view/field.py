"""One offline HTML file for the field: everything inside, checked before it takes its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geolabel.errors import InputError
from geolabel.files import atomic
from geolabel.nouns.risk import RiskMap
from geolabel.view.draw import Extras, build
from geolabel.view.lint import lint


def field_map(risk: RiskMap, path: Path | str, **extras: Any) -> Path:
    """Path of one HTML file of at most 5 MB that asks nothing of the network; takes what `draw` takes beside the risk.

    It opens from disk, prints (landscape, sheet beside the map), and its browser is forbidden every request.

    Raises
    ------
    InputError
        Where the page would fail `lint`: too large, a request, a part of the sheet missing. No file is written then.
    """
    drawn = build(risk, Extras(**extras), sealed=True)
    with atomic(path) as tmp:
        tmp.write_text(drawn.get_root().render(), encoding="utf-8")
        found = lint(tmp)
        if found:
            raise InputError(
                f"the offline map would break {len(found)} of its rules: {'; '.join(found[:3])}",
                hint="fewer or simpler shapes, or a smaller backdrop, make a smaller page",
            )
    return Path(path)
