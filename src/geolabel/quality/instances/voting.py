"""Votes on objects: everybody who judged a place says `there` or `nothing` of what was drawn on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geolabel.quality.instances.matching import IOU, Shapes, assigned
from geolabel.quality.instances.things import Thing
from geolabel.quality.items.agree import Decision, decide, skill_of
from geolabel.quality.items.choose import check_choice
from geolabel.quality.items.table import Names, Said, said_in

THERE, NOTHING = "there", "nothing"
EVEN = 0.5 - 1e-9
"""Probability from which an object is there: half of the votes are enough."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the votes on the objects of one class come to."""

    method: str = "majority"
    evidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Method -> accuracy (also as score), log_loss, brier and ece on gold objects left out, gain over the majority, n_gold."""
    probability: Mapping[str, float] = field(default_factory=dict)
    """Key of an object -> probability that it is there."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Annotator -> informedness of their votes; empty for the majority, to which all are equal."""

    def there(self, key: str) -> bool:
        """Whether an object is there."""
        return self.probability[key] >= EVEN


def verdicts(
    things: Sequence[Thing], truth: Mapping[tuple[str, str], Shapes], classes: Sequence[str], method: str | None
) -> dict[str, Verdict]:
    """Class -> verdict on its objects; `truth` has the true objects of gold tasks by (task, class).

    Raises
    ------
    QualityError
        For an unknown method.
    """
    check_choice(method, "accuracy")
    return {name: _verdict([one for one in things if one.class_name == name], truth, method) for name in classes}


def _verdict(things: Sequence[Thing], truth: Mapping[tuple[str, str], Shapes], method: str | None) -> Verdict:
    if not things:
        return Verdict(method or "majority")
    rows = [
        (thing.key, name, THERE if name in thing.members else NOTHING, weight)
        for thing in things
        for name, weight in thing.weights.items()
    ]
    frame = pd.DataFrame(rows, columns=["task", "annotator", "label", "weight"])
    said = said_in(frame, Names(weight="weight"), (NOTHING, THERE))
    known = said.known(_known(things, truth))
    made = decide(said, known, method=method, by="accuracy")
    probability = _probability(said, made)
    told = skill_of(said, made.posterior, known)["informedness"].to_dict() if made.method != "majority" else {}
    return Verdict(
        made.method, _evidence(made.evidence), probability, {str(who): float(one) for who, one in told.items()}
    )


def _probability(said: Said, made: Decision) -> dict[str, float]:
    """Key -> probability; of the majority without gold the plain share of the votes."""
    chance = made.posterior
    if made.method == "majority" and not len(made.evidence):
        chance = said.counts / said.counts.sum(1, keepdims=True)
    place = said.labels.index(THERE)
    return {str(key): float(one) for key, one in zip(said.tasks, chance[:, place], strict=True)}


def _known(things: Sequence[Thing], truth: Mapping[tuple[str, str], Shapes]) -> dict[Hashable, str]:
    """Key of an object on a gold task -> whether it is a true one."""
    known: dict[Hashable, str] = {}
    for of in sorted({(one.task_id, one.class_name) for one in things} & set(truth)):
        own = [one for one in things if (one.task_id, one.class_name) == of]
        hits, _, _ = assigned(np.array([one.shape for one in own], object), truth[of], IOU)
        known |= {one.key: THERE if number in hits else NOTHING for number, one in enumerate(own)}
    return known


def _evidence(found: pd.DataFrame) -> dict[str, dict[str, float]]:
    if not len(found):
        return {}
    least = found["accuracy"].get("majority", np.nan)
    return {
        str(name): {
            "score": float(row["accuracy"]),
            "accuracy": float(row["accuracy"]),
            "log_loss": float(row["log_loss"]),
            "brier": float(row["brier"]),
            "ece": float(row["ece"]),
            "gain": float(row["accuracy"] - least),
            "n_gold": float(row["n"]),
        }
        for name, row in found.iterrows()
    }
