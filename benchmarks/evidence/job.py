"""Figures of the main job: the table of `geolabel demo`, on the shipped scene with its simulated fire."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.evidence import Row, row
from geolabel import demo

START = "2026-01-15T15:00Z"
"""Fixed, so that a rerun measures the same."""


@row("src/geolabel", "data_samples")
def shipped() -> Iterator[Row]:
    """Labels against the truth; the risk against held-out simulated fires; each beside its baseline."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = demo.run(demo.Given.shipped(), Path(folder) / "demo", start=START)
    minutes = (time.monotonic() - begun) / 60
    _, labels, chances, headings = (frame.set_index(frame.columns[0]) for frame in report.tables.values())
    people = labels[labels.index.str.startswith("sim:")]
    best = f"simulated annotators {people['iou'].min():.3f}-{people['iou'].max():.3f}"
    yield Row("burn scar: IoU of the consensus with the truth", labels.loc["consensus", "iou"], "", best)
    yield Row("burn scar: area bias of the consensus", labels.loc["consensus", "area_bias"])
    yield Row("burn scar: IoU of the rule with the truth", labels.loc["rule:burned@2", "iou"])
    risk, constant = chances.loc["risk map"], chances.loc["constant"]
    beside = "; ".join(f"{name} {value:.3f}" for name, value in chances["average precision"].drop("risk map").items())
    base = chances.loc[["distance to the ignition", "ellipse downwind", "constant"], "average precision"].max()
    precision = risk["average precision"]
    yield Row("risk map: average precision", precision, "", beside, "above every baseline", precision > base)
    scores = "; ".join(f"{name} {value:.3f}" for name, value in chances["Brier"].dropna().drop("risk map").items())
    yield Row(
        "risk map: Brier score", risk["Brier"], "", scores, "below the constant", risk["Brier"] < constant["Brier"]
    )
    median = headings["median error (deg)"]
    others = "; ".join(f"{name} {value:.1f}" for name, value in median.drop("risk map").items())
    least = median[["away from the ignition", "downwind"]].min()
    held = median["risk map"] < least
    yield Row("risk map: median direction error", median["risk map"], "deg", others, "below every baseline", held)
    yield Row("demo: wall time", minutes, "min", "two shared cores", "<= 3 min on two idle cores")
