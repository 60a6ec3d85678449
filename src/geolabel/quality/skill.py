"""What gold tasks say of each annotator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.task import Task
from geolabel.quality import scores
from geolabel.quality.distance import offset_px
from geolabel.quality.votes import COMPLETE, Codes, collect, gold_codes, standing
from geolabel.tables import SKILL

Pair = tuple[Codes, Codes]


def skill(
    tasks: Sequence[Task],
    grid: Grid,
    answers: Sequence[Answer],
    gold: Mapping[str, NDArray[np.generic]],
    *,
    classes: Sequence[str],
) -> pd.DataFrame:
    """SKILL: one row for each annotator who answered gold tasks, by name; pixels pooled over the tasks.

    `iou` counts a pixel as shared where both say the same class; `sensitivity` and `specificity` tell labeled from not
    labeled; `bias_m` is the median distance of the drawn outlines outside (+) of the true ones, metres. NaN where the
    gold tasks cannot tell. Ground an annotator left out as `ignore` does not count.
    """
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for task in sorted(tasks, key=lambda t: t.tile):
        if task.id in gold:
            own = [answer for answer in answers if answer.task_id == task.id and answer.outcome in COMPLETE]
            for answer in standing(own):
                votes = collect(task, grid, [answer], classes)
                pairs[answer.annotator].append((votes.codes[0], gold_codes(gold, [votes], classes)[task.id]))
    rows = [_row(name, pairs[name], grid.res_m) for name in sorted(pairs)]
    return pd.DataFrame(rows, columns=list(SKILL))


def _row(annotator: str, pairs: Sequence[Pair], res_m: float) -> dict[str, object]:
    said = np.concatenate([drawn[drawn >= 0] for drawn, _ in pairs])
    truth = np.concatenate([true[drawn >= 0] for drawn, true in pairs])
    offsets = np.concatenate([offset_px(drawn > 0, true > 0) for drawn, true in pairs])
    union = ((said > 0) | (truth > 0)).sum()
    return {
        "annotator": annotator,
        "n_gold": len(pairs),
        "iou": float(((said == truth) & (truth > 0)).sum() / union) if union else float("nan"),
        "sensitivity": scores.sensitivity(said > 0, truth > 0),
        "specificity": scores.specificity(said > 0, truth > 0),
        "bias_m": float(np.median(offsets)) * res_m if len(offsets) else float("nan"),
    }
