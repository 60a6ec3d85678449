"""Routing: which task comes next for this annotator. Pure: what it is told of tasks in, an order of task ids out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from geolabel.digests import digest
from geolabel.nouns.task import Task
from geolabel.quality.flow.review import Standing

Key = tuple[float, float, float, float, str, str]


@dataclass(frozen=True, slots=True)
class Work:
    """What routing knows of one task."""

    task: Task
    seen: frozenset[str] = field(default_factory=frozenset)
    """Everybody who answered it, holds or held it, or reviewed it: none of them is given it again."""
    places: int | None = None
    """How many more people may have it now; None: any number, as for gold."""
    agreement: float = math.nan
    """Of the answers so far, 0-1; NaN where fewer than two were heard."""
    priority: float = 0.0
    """Of its batch: the greater the sooner."""

    @property
    def free(self) -> bool:
        """Whether somebody more may have it."""
        return self.places is None or self.places > 0


@dataclass(frozen=True, slots=True)
class Rules:
    """How work, gold and calibration are mixed."""

    gold_rate: float = 0.1
    """Share of an annotator's assignments that are gold while there is work to hide them among."""
    calibration: int = 3
    """Calibration tasks that a newcomer is given first."""
    seed: int = 0


def order(annotator: str, works: Sequence[Work], rules: Rules, *, last: Task | None = None) -> list[str]:
    """Task ids in the order in which this annotator should be offered them; [] where nothing is left for them.

    Newcomers get calibration tasks first. Then each assignment is gold with the chance `gold_rate`, drawn by
    annotator and number so that nobody can foresee it and everybody gets the same again; gold tasks come in the order
    in which work comes, and as often as gold a task of work that lies as far away, so that neither tells gold apart.
    Without work there is no gold: there is nothing to
    hide it among. Work: lowest agreement first, then the greater priority, then the nearer to `last`; ties by a draw
    of the annotator's own, so that not everybody begins in one corner, and then by name.
    """
    mine = [work.task for work in works if annotator in work.seen]
    left = sorted(_key(one, annotator, rules, last) for one in works if one.free and annotator not in one.seen)
    by = {purpose: [key[-1] for key in left if key[-2] == purpose] for purpose in ("gold", "calibration")}
    work = [key[-1] for key in left if key[-2] not in by]
    calibrated = sum(task.purpose == "calibration" for task in mine)
    if calibrated < rules.calibration and by["calibration"]:
        return by["calibration"]
    turn = draw(rules.seed, "gold", annotator, len(mine) - calibrated)
    if not work or not by["gold"] or turn >= 2 * rules.gold_rate:
        return work
    return by["gold"] + work if turn < rules.gold_rate else _decoyed(left, by["gold"], work)


def _decoyed(left: Sequence[Key], gold: Sequence[str], work: Sequence[str]) -> list[str]:
    """The work with one first that lies about as far away as gold would: whoever is sent far is not always sent to gold."""
    keys = {key[-1]: key for key in left}
    far, urgent = keys[gold[0]][2], keys[work[0]][:2]
    alike = [task for task in work if keys[task][:2] == urgent]
    decoy = min(alike, key=lambda task: (abs(keys[task][2] - far) if math.isfinite(far) else 0.0, keys[task]))
    return [decoy, *(task for task in work if task != decoy)]


def _key(one: Work, annotator: str, rules: Rules, last: Task | None) -> Key:
    """What is sorted by; the last two are the purpose and the id."""
    key = one.task.id
    near = away(one.task, last)
    return _doubt(one.agreement), -one.priority, near, draw(rules.seed, annotator, key), one.task.purpose, key


def away(task: Task, last: Task | None) -> float:
    """Pixels between the centres of two tiles on one grid; 0 without a last task, infinite on another grid."""
    if last is None:
        return 0.0
    if task.grid_digest != last.grid_digest:
        return math.inf
    (y, x), (v, u) = _centre(task), _centre(last)
    return math.hypot(y - v, x - u)


def _centre(task: Task) -> tuple[float, float]:
    tile = task.tile
    return tile.row + tile.height / 2, tile.col + tile.width / 2


def queue(standings: Mapping[str, Standing], priority: Mapping[str, float] | None = None) -> list[str]:
    """Ids of the tasks that await a review, in the order they should get it.

    Disputed before agreed, the lowest agreement first, then the greater priority; ties by name.
    """
    urgent = priority or {}
    keys = {
        task: (one.state != "disputed", _doubt(one.agreement), -urgent.get(task, 0.0), task)
        for task, one in standings.items()
        if one.state in ("disputed", "agreed")
    }
    return sorted(keys, key=keys.__getitem__)


def _doubt(agreement: float) -> float:
    """What is sorted by: unknown agreement comes last."""
    return math.inf if math.isnan(agreement) else agreement


def draw(*parts: object) -> float:
    """A number in 0-1 that follows from the parts alone, as if it were drawn."""
    return int(digest(*parts)[:13], 16) / 16**13
