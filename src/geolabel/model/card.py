"""The model card: what a model was made from, how good it is on held-out ground, what it must not be used for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geolabel.model.calibrate import Calibration, reliability
from geolabel.nouns.samples import SpreadSamples

USE = (
    "Research and planning exercises: one opinion beside an ensemble of simulated fires. Not for evacuation decisions."
)
LIMITS = (
    "It repeats what its training fires did: simulated fires carry the simulator's assumptions into every prediction.",
    "Weather outside the range of the training, other vegetation and other cell sizes are extrapolation.",
    "No spotting, no suppression, no change of weather after the start unless the inputs say so.",
)


def make_card(
    samples: SpreadSamples,
    recipe: Any,
    history: Mapping[str, Any],
    calibration: Calibration,
    figures: Mapping[str, Any],
    *,
    seed: int,
) -> dict[str, Any]:
    """Plain JSON values; no times and no paths, so equal training gives an equal card."""
    return {
        "model": "spread",
        "use": USE,
        "limits": list(LIMITS),
        "made_of": dict(samples.made_of),
        "grid": repr(samples.grid),
        "windows": samples.counts(),
        "fires": {name: len(set(samples.of(name).fire.tolist())) for name in ("train", "val", "test")},
        "window_cells": int(samples.inputs.shape[-1]),
        "channels": list(samples.channels),
        "hours": list(samples.hours),
        "recipe": asdict(recipe),
        "seed": seed,
        "epochs_run": len(history["train"]),
        "best_epoch": history["best"],
        "stopped": history["stopped"],
        "loss": {"train": _round(history["train"]), "val": _round(history["val"])},
        "calibration": calibration.note,
        "test": dict(figures),
    }


def _round(values: list[float]) -> list[float]:
    return [round(v, 5) for v in values]


def scores(
    probability: NDArray[np.float64], vector: NDArray[Any], heading: NDArray[Any], test: SpreadSamples
) -> dict[str, Any]:
    """Figures on new growth of the test windows: per hour prevalence, pooled AP and reliability; error of direction."""
    hours = {}
    for k, hour in enumerate(test.hours):
        p, burned = probability[:, k][test.scored], test.burned[:, k][test.scored]
        hours[f"{hour:g} h"] = {
            "prevalence": float(burned.mean()),
            "average_precision": _average_precision(burned, p),
            **reliability(p, burned).to_dict(),
        }
    return {
        "ground": "windows on held-out ground, new growth only",
        "hours": hours,
        **_direction(vector, heading, test),
    }


def _average_precision(burned: NDArray[np.bool_], p: NDArray[np.float64]) -> float | None:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(burned, p)) if burned.any() else None


def _direction(vector: NDArray[Any], heading: NDArray[Any], test: SpreadSamples) -> dict[str, Any]:
    """Circular error over scored cells that burned and have a direction, degrees."""
    came = test.scored & test.burned[:, -1] & (np.abs(heading).sum(1) > 0)
    if not came.any():
        return {"direction": None}
    (ae, an), (be, bn) = (np.moveaxis(v, 1, 0)[:, came] for v in (vector, heading))
    error = np.abs(np.degrees(np.arctan2(ae * bn - an * be, ae * be + an * bn)))
    return {
        "direction": {
            "n_cells": int(came.sum()),
            "median_deg": float(np.median(error)),
            "mean_deg": float(error.mean()),
            "share_within_45_deg": float((error <= 45).mean()),
        }
    }


def card_html(title: str, card: Mapping[str, Any]) -> str:
    """An HTML table of the card, everything escaped."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(str(key))}</th><td>{escape(_text(value))}</td></tr>"
        for key, value in card.items()
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " · ".join(f"{key}: {_text(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
