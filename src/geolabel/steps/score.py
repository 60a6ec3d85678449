"""What is known to be true against what was labeled and forecast; every figure beside its baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel import shapes
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.risk import RiskMap
from geolabel.nouns.task import Task
from geolabel.ontology import WILDFIRE
from geolabel.steps.consensus import GOLD, codes

if TYPE_CHECKING:
    from geolabel.fire.front.arrival import Fire
    from geolabel.steps.risk import Case

Mask = NDArray[np.bool_]
MIDFLAME_SHARE = 0.4
"""Wind at flame height as a share of the wind at 20 ft, for the ellipse baseline: open fuel beds (Albini & Baughman 1979)."""


def label_scores(
    truth: Mask, tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer], consensuses: Mapping[str, Consensus]
) -> pd.DataFrame:
    """Who, IoU with the truth and area bias, on the tasks that are not gold; the consensus last."""
    from geolabel.quality.scores import area_bias, iou

    scored = [task for task in tasks if task.kind == "burn" and task.purpose != "gold"]
    judged = np.zeros(grid.shape, bool)
    for task in scored:
        judged[task.tile.slices] = True
    drawn = {name: _drawn(name, scored, grid, answers) for name in sorted({a.annotator for a in answers} - {GOLD})}
    agreed = codes(consensuses, tasks, grid, "burn")[0] == WILDFIRE["burned"].code
    rows = [
        {"who": who, "iou": iou(mask & judged, truth & judged), "area_bias": area_bias(mask & judged, truth & judged)}
        for who, mask in [*drawn.items(), ("consensus", agreed)]
        if mask.any()
    ]
    return pd.DataFrame(rows)


def _drawn(annotator: str, tasks: Sequence[Task], grid: Grid, answers: Sequence[Answer]) -> Mask:
    """(y, x) what an annotator labeled burned on these tasks."""
    given = {a.task_id: a for a in answers if a.annotator == annotator}
    mask = np.zeros(grid.shape, bool)
    for task in tasks:
        if task.id in given and len(given[task.id].shapes):
            mask[task.tile.slices] = shapes.rasterise(given[task.id].shapes, grid.crop(task.tile)) > 0
    return mask


def risk_scores(
    risk: RiskMap, parts: Mapping[str, NDArray[np.floating]], fires: Sequence[Fire], case: Case
) -> pd.DataFrame:
    """Mean average precision and Brier score over held-out fires by the last hour, beside the baselines.

    Only new growth on burnable ground counts. Who gives no probability has no Brier score; the constant is the mean
    burned share of the fires themselves, the best any constant could be.
    """
    from geolabel.fire.score import average_precision, brier, distance_score

    burning = case.burning
    scored = case.landscape.burnable & ~burning
    truths = [fire.burned_by(risk.hours[-1])[scored] for fire in fires]
    share = float(np.mean(truths))
    chances = {"risk map": risk.final, **parts, "constant": np.full(risk.grid.shape, share)}
    ranks = {"distance to the ignition": distance_score(burning), "ellipse downwind": _ellipse(case)}
    rows = [
        {
            "forecast": name,
            "average precision": float(np.mean([average_precision(y, values[scored]) for y in truths])),
            "Brier": float(np.mean([brier(y, values[scored]) for y in truths])) if name in chances else float("nan"),
        }
        for name, values in {**chances, **ranks}.items()
    ]
    return pd.DataFrame(rows)


def _ellipse(case: Case) -> NDArray[np.float64]:
    """(y, x) baseline: one ellipse downwind over uniform fuel, minus its time to each cell."""
    from geolabel.bearings import convert_speed, opposite, wind_20ft_from_10m
    from geolabel.fire.score import ellipse_score

    speed = float(convert_speed(wind_20ft_from_10m(case.weather.speed_m_s[0]), "m/s", "mph")) * MIDFLAME_SHARE
    ratio = min(8.0, 0.936 * np.exp(0.1147 * speed) + 0.461 * np.exp(-0.0692 * speed) - 0.397)  # Anderson 1983
    to = float(opposite(case.weather.from_deg[0])) - case.landscape.grid.convergence_deg()
    return ellipse_score(case.burning, to, float(np.sqrt(1 - ratio**-2)))


def direction_scores(forecasts: Mapping[str, NDArray[np.floating]], fires: Sequence[Fire], case: Case) -> pd.DataFrame:
    """Error of the direction of spread where held-out fires burned, beside "away from the ignition" and downwind.

    All forecasts of a row are scored on the same cells: those where each of them says something.
    """
    from geolabel.bearings import opposite
    from geolabel.fire.score import bearing_from, direction_error

    away = (bearing_from(case.burning) + case.landscape.grid.convergence_deg()) % 360
    downwind = np.full(away.shape, float(opposite(case.weather.from_deg[0])))
    every = {**forecasts, "away from the ignition": away, "downwind": downwind}
    common = np.logical_and.reduce([np.isfinite(values) for values in every.values()])
    truth = np.stack([np.where(common, fire.bearing_deg, np.nan) for fire in fires])
    errors = {name: direction_error(np.broadcast_to(values, truth.shape), truth) for name, values in every.items()}
    return pd.DataFrame(
        [
            {"forecast": name, "median error (deg)": e.median_deg, "within 45 deg": e.within_45}
            for name, e in errors.items()
        ]
    )
