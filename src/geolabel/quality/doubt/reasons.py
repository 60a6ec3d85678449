"""Why a label is suspected, in words a person can act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def reason_of(row: Mapping[str, Any]) -> str:
    """One sentence for a row of `tables.SUSPECTS` (without its reason)."""
    likely, sure = row["likely"], f"p {row['probability']:.2f}"
    if row["error"] == "missed":
        return f"missed: {row['area_m2'] / 1e4:.1f} ha of {likely} outside any label ({sure})"
    if row["error"] == "class":
        return f"the model names {row['share']:.0%} of it otherwise, mostly {likely} ({sure})"
    if row["error"] == "boundary":
        return f"the class is right ({sure}), its outline is off: {_off(row)}"
    return f"the model names {1 - row['share']:.0%} of it {likely}, too ({sure})"


def _off(row: Mapping[str, Any]) -> str:
    over, under = row["over_px"], row["under_px"]
    said = [f"{over:.1f} px too wide"] * (over >= under / 2) + [f"{under:.1f} px too narrow"] * (under >= over / 2)
    return " in places, ".join(said) + (" in others" if len(said) > 1 else "")
