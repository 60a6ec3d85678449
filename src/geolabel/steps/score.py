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
from geolabel.steps.consensus import GOLD, codes, mosaic

if TYPE_CHECKING:
    from geolabel.fire.front import Fire

Mask = NDArray[np.bool_]


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
    agreed = codes(mosaic(consensuses, tasks, grid, "burn"), "burn") == WILDFIRE["burned"].code
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
