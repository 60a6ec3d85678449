"""Inspection of batches: a sample of their tiles is drawn, held against the inspector's truth, and the lot is judged by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import QualityError
from geolabel.grid import Grid
from geolabel.nouns.answer import Answer
from geolabel.nouns.batch import Batch
from geolabel.nouns.consensus import Consensus
from geolabel.nouns.task import Task
from geolabel.ontology import NODATA, Ontology
from geolabel.shapes import rasterise
from geolabel.steps.batches import Payload, Sample, Standing, named, say, standings
from geolabel.steps.consensus import codes

if TYPE_CHECKING:
    from geolabel.quality.flow.sampling import Verdict
    from geolabel.store.ledger import Ledger

Codes = NDArray[np.uint8]
ISLAND = "unburned"
"""A class of burn tasks that says what is not burned: the hole in a scar, as the labels show it."""


def draw(ledger: Ledger, name: str, missing: Sequence[str], labels: str, seed: int, actor: str) -> Sample:
    """The sample to be inspected: the one already drawn while the labels are the same, so that nobody draws for luck.

    Parameters
    ----------
    missing
        Tasks that lack answers.
    labels
        Digest of the batch's labels.

    Raises
    ------
    QualityError
        Where tasks lack answers, or the batch is delivered.
    """
    say(ledger, lambda found: _drawn(named(found, name), missing, labels, seed), actor)
    sample = named(standings(ledger), name).sample
    if sample is None or sample.labels != labels:
        raise QualityError(f"another sample of batch {name!r} was drawn meanwhile", hint="draw again")
    return sample


def _drawn(was: Standing, missing: Sequence[str], labels: str, seed: int) -> Payload | None:
    from geolabel.quality.flow.sampling import draw as drawn
    from geolabel.quality.flow.sampling import single_plan

    batch = was.batch
    if was.delivered:
        raise QualityError(f"batch {batch.name!r} is delivered", hint="project.reopen(batch, why) for rework")
    if was.sample is not None and was.sample.labels == labels:
        return None
    if missing:
        raise QualityError(lacks(batch, missing), hint="a sample is drawn of labels that are finished")
    own = single_plan(len(batch.task_ids), batch.acceptance)
    chosen = drawn(batch.task_ids, own.n, seed, salt=labels)
    plan = {"lot": own.lot, "n": own.n, "c": own.c}
    return {"batch": batch.name, "step": "draw", "plan": plan, "tasks": list(chosen), "seed": seed, "labels": labels}


def inspect(
    ledger: Ledger, name: str, found: Mapping[str, tuple[str, ...]], labels: str, minutes: float, actor: str
) -> Verdict:
    """The verdict on a batch by what was found on the tiles of its sample (task id -> defects in words).

    Raises
    ------
    QualityError
        Where no sample was drawn, its labels changed since, it was inspected before, or other tiles were inspected.
    """
    from geolabel.quality.flow.sampling import Verdict

    if not 0 <= minutes < float("inf"):
        raise QualityError(f"an inspection of {minutes} minutes", hint="0 or more")
    say(ledger, lambda all_: _inspected(named(all_, name), found, labels, float(minutes)), actor)
    inspection = named(standings(ledger), name).inspection or {}
    return Verdict.of(inspection["verdict"])


def _inspected(was: Standing, found: Mapping[str, tuple[str, ...]], labels: str, minutes: float) -> Payload:
    from geolabel.quality.flow.sampling import verdict

    sample, name = was.sample, was.batch.name
    if sample is None or sample.labels != labels:
        lost = "no sample was drawn" if sample is None else "its labels changed since the sample was drawn"
        raise QualityError(f"batch {name!r}: {lost}", hint="project.draw_sample(batch)")
    if was.inspection is not None:
        raise QualityError(
            f"this sample of batch {name!r} was inspected: {was.decision}",
            hint="labels are reworked and drawn again, not inspected again until they pass",
        )
    strange = sorted(set(found) ^ set(sample.task_ids))
    if strange:
        raise QualityError(
            f"{len(strange)} tiles are not those that were drawn, e.g. {strange[0]!r}", hint="sample.task_ids"
        )
    said = verdict({key: bool(words) for key, words in found.items()}, sample.plan)
    tasks = {key: list(found[key]) for key in sorted(found)}
    row = {"batch": name, "step": "inspect", "tasks": tasks, "verdict": said.to_row(), "labels": labels}
    return {**row, "minutes": minutes}


# ---------------------------------------------------------------------- what labels and answers say
def lacking(batch: Batch, answers: Iterable[Answer]) -> list[str]:
    """The batch's tasks with fewer different annotators than its overlap; who skipped a task did not answer it."""
    heard = Counter(key for key, _ in {(a.task_id, a.annotator) for a in answers if a.outcome != "skipped"})
    return [key for key in batch.task_ids if heard[key] < batch.overlap]


def lacks(batch: Batch, missing: Sequence[str]) -> str:
    """What a batch with unfinished tasks lacks, in words."""
    return (
        f"{len(missing)} of {len(batch.task_ids)} tasks of batch {batch.name!r} have fewer than {batch.overlap} answers"
    )


def codes_of(fused: Mapping[str, Consensus], tasks: Sequence[Task], grid: Grid, ontology: Ontology) -> dict[str, Codes]:
    """Task id -> (y, x) class codes that the annotators agree on, of tasks of one kind."""
    values, _ = codes(fused, tasks, grid, tasks[0].kind, ontology)
    return {task.id: values[task.tile.slices] for task in tasks}


def digest_of(agreed: Mapping[str, Codes], ontology: Ontology) -> str:
    """Digest of the labels themselves; probabilities and weights may move without it."""
    return digest(ontology.digest, *(part for key in sorted(agreed) for part in (key, agreed[key])))


def found_on(
    batch: Batch, agreed: Mapping[str, Codes], told: Mapping[str, Answer | str | None], tasks: Sequence[Task], grid: Grid,
    ontology: Ontology,
) -> dict[str, tuple[str, ...]]:  # fmt: skip
    """Task id -> defects, where the inspector tells the truth as an answer, or a defect in words (None: there is none)."""
    from geolabel.quality.flow.defects import defects

    by_id, terms = {task.id: task for task in tasks}, batch.acceptance
    names = {one.code: one.name for one in ontology}
    found: dict[str, tuple[str, ...]] = {}
    for key, truth in told.items():
        if isinstance(truth, Answer):
            if key not in by_id or truth.task_id != key:
                raise QualityError(
                    f"a truth for task {truth.task_id!r} is told of {key!r}", hint="{answer.task_id: answer}"
                )
            drawn = _codes(truth, grid.crop(by_id[key].tile), ontology)
            how = {"least_iou": terms.least_iou, "least_px": terms.least_px}
            found[key] = defects(_shown(agreed[key], ontology), drawn, names, **how)  # type: ignore[arg-type]
        else:
            found[key] = (truth.strip(),) if truth and truth.strip() else ()
    return found


def _codes(truth: Answer, tile: Grid, ontology: Ontology) -> Codes:
    """(y, x) class codes of an answer, 255 where it left ground out or could not tell."""
    if truth.outcome not in ("labeled", "empty"):
        return np.full(tile.shape, NODATA, np.uint8)
    numbers = np.array([0 if name == ISLAND else ontology[name].code for name in truth.shapes["class"]], np.uint8)
    values = rasterise(truth.shapes, tile, numbers)
    return np.where(rasterise(truth.ignore, tile) > 0, NODATA, values).astype(np.uint8)


def _shown(values: Codes, ontology: Ontology) -> Codes:
    """The codes without islands, which labels show as holes."""
    if ISLAND not in ontology:
        return values
    return np.where(values == ontology[ISLAND].code, 0, values).astype(np.uint8)
