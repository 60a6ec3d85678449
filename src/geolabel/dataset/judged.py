"""What consensuses and answers say of each tile of a view: outcome, status, counts, ground to ignore."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geolabel.nouns.answer import Answer
from geolabel.nouns.consensus import Consensus
from geolabel.tables import IGNORE, empty


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Consensuses and answers of a view by the id of their tile."""

    consensuses: Mapping[str, list[Consensus]]
    answers: Mapping[str, list[Answer]]

    @classmethod
    def of(cls, consensuses: Sequence[Consensus], answers: Sequence[Answer]) -> Judged:
        """By tile id, which is the task's id without its kind; within a tile by task, annotator and uuid."""
        agreed: dict[str, list[Consensus]] = defaultdict(list)
        given: dict[str, list[Answer]] = defaultdict(list)
        for consensus in sorted(consensuses, key=lambda c: c.task_id):
            agreed[tile_of(consensus.task_id)].append(consensus)
        for answer in sorted(answers, key=lambda a: (a.task_id, a.annotator, a.uuid)):
            given[tile_of(answer.task_id)].append(answer)
        return cls(agreed, given)

    def facts(self, tile_id: str, *, labeled: bool) -> dict[str, Any]:
        """Outcome, status, n_answers, n_annotators and agreement (the lowest of its tasks) of one tile."""
        agreed, answers = self.consensuses.get(tile_id, []), self.answers.get(tile_id, [])
        known = [one.agreement for one in agreed if np.isfinite(one.agreement)]
        return {
            "outcome": "labeled" if labeled else self._outcome(agreed),
            "status": _status(agreed),
            "n_answers": len(answers) or sum(len(one.answers) for one in agreed),
            "n_annotators": len({name for one in agreed for name in one.weights} | {one.annotator for one in answers}),
            "agreement": min(known) if known else None,
        }

    def _outcome(self, agreed: Sequence[Consensus]) -> str:
        if self.consensuses and not agreed:
            return "skipped"  # others have a consensus, this tile does not: nobody looked
        blind = agreed and not any(np.isfinite(one.probability).any() for one in agreed)
        return "unsure" if blind else "empty"

    def methods(self, tile_id: str) -> dict[str, str]:
        """Kind -> method by which the tile's consensus of that kind was made."""
        return {one.task_id.rpartition("#")[2]: one.method for one in self.consensuses.get(tile_id, [])}

    def last_at(self, tile_id: str) -> Any:
        """When the tile's last answer was given; None without answers."""
        return max((one.at for one in self.answers.get(tile_id, [])), default=None)

    def ignored(self, tile_id: str, crs: Any) -> gpd.GeoDataFrame:
        """IGNORE: ground that the tile's consensuses leave out."""
        found = [one.ignore for one in self.consensuses.get(tile_id, []) if len(one.ignore)]
        return pd.concat(found, ignore_index=True) if found else empty(IGNORE, crs)


def tile_of(task_id: str) -> str:
    """Id of a task's tile."""
    return task_id.rpartition("#")[0] or task_id


def _status(agreed: Sequence[Consensus]) -> str | None:
    if not agreed:
        return None
    return "disputed" if any(one.status == "disputed" for one in agreed) else "agreed"
