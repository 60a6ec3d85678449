"""An accuracy on a page: areas with their limits, accuracies, and the error matrix they come from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from geolabel.quality.survey.area import Accuracy

HEAD = ("class", "mapped ha", "area ha", "limits ha", "user's accuracy", "limits", "producer's accuracy", "limits")


def page(found: Accuracy) -> str:
    """HTML: the table of classes and the error matrix."""
    one = found.overall
    caption = f"overall accuracy {one.value:.3f} ({one.low:.3f} to {one.high:.3f}); {found.about_words}"
    head = "".join(f"<th>{escape(word)}</th>" for word in HEAD)
    rows = "".join(_line(row) for row in found.table.to_dict("records"))
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"<p>samples by map class (rows) and reference class</p>{found.matrix.to_html(float_format='{:g}'.format)}"
    )


def _line(row: dict[Any, Any]) -> str:
    ha = {name: row[f"{name}_m2"] / 1e4 for name in ("mapped", "area", "area_low", "area_high")}
    cells = [row["class"], f"{ha['mapped']:,.0f}", f"{ha['area']:,.0f}"]
    cells.append(f"{ha['area_low']:,.0f} to {ha['area_high']:,.0f}")
    for name in ("users", "producers"):
        cells += _shares(row[name], row[f"{name}_low"], row[f"{name}_high"])
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _shares(value: float, low: float, high: float) -> list[str]:
    return ["unknown", ""] if pd.isna(value) else [f"{value:.3f}", f"{low:.3f} to {high:.3f}"]
