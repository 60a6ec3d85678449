"""Deliveries: the labels of a batch as immutable versions, each with a manifest of every file and a changelog."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from geolabel.digests import digest
from geolabel.errors import InputError, OvertakenError, QualityError
from geolabel.files import digest_file, write_json, write_text
from geolabel.nouns.times import exact
from geolabel.ontology import Kind
from geolabel.steps import batches, exports, inspection, products, rework
from geolabel.steps.batches import Standing
from geolabel.steps.changes import LABELS, Changes, changes
from geolabel.steps.delivered import CHANGELOG, DELIVERIES, MANIFEST, Delivery, delivered
from geolabel.steps.record import Record
from geolabel.stream import Progress, silent

if TYPE_CHECKING:
    from geolabel.dataset.about import About

TILES = "tiles"
FORM = "geolabel-delivery/1"
READ_ONLY = 0o444
Skill = Callable[[Kind], Any]


@dataclass(frozen=True)
class Lot(exports.Job):
    """An export of a batch's tasks alone, which says of which batch and version it is."""

    batch: str = ""
    version: int = 1

    @property
    def about(self) -> About:
        """What every file of the delivery repeats."""
        return replace(super().about, batch=self.batch, export_version=self.version)

    @classmethod
    def of(cls, job: exports.Job, own: Standing) -> Lot:
        """The part of a project's export that is the batch's next version."""
        ids = set(own.batch.task_ids)
        said = {name: getattr(job, name) for name in ("title", "view", "notes", "ontology", "instructions", "access")}
        return cls(
            **said,
            tasks=[task for task in job.tasks if task.id in ids],
            consensuses={key: one for key, one in job.consensuses.items() if key in ids},
            answers=[one for one in job.answers if one.task_id in ids],
            batch=own.batch.name,
            version=len(own.versions) + 1,
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """Who delivers, and what was agreed to beside the rules."""

    actor: str
    despite: str = ""
    """Why it is delivered although its quality was not shown; "" for no."""
    restricted: bool = False


# ---------------------------------------------------------------------- to deliver
def deliver(
    record: Record, own: Standing, job: exports.Job, agreed: Mapping[str, Any], terms: Terms, *, skill: Skill,
    progress: Progress = silent,
) -> Delivery:  # fmt: skip
    """The batch's version for the labels as they are: the last one where nothing changed, else the next.

    Parameters
    ----------
    agreed
        Task id -> (y, x) class codes of the batch's tasks.
    skill
        Gives what gold says of the annotators of a kind (`tables.SKILL`), for the manifest; people go by pseudonyms.

    Raises
    ------
    QualityError
        Where the labels are unfinished, not inspected, rejected or changed since, and no reason is told to deliver them
        despite it; and where they changed although the batch was not reopened.
    InputError
        Where a scene is restricted and nobody agreed that its labels leave the project.
    """
    lot, labels = Lot.of(job, own), inspection.digest_of(agreed, job.ontology)
    if lot.access == "restricted" and not terms.restricted:
        raise InputError(
            "a scene of this project is restricted, and so are its labels",
            hint="who may share them says so: restricted=True",
        )
    content = _content(lot, labels)
    if own.versions and own.versions[-1]["content"] == content:
        return _again(record, own, terms)
    if own.delivered:
        raise QualityError(
            f"the labels of batch {lot.batch!r} are no longer those of its version {len(own.versions)}",
            hint="project.reopen(batch, why), then deliver the next version",
        )
    doubts = _doubts(own, lot, labels)
    if doubts and not terms.despite.strip():
        raise QualityError("; ".join(doubts), hint="rework and inspect, or say why it goes out: despite='...'")
    return _written(record, own, lot, {"content": content, "labels": labels}, terms, doubts, skill, progress)


def _content(lot: Lot, labels: str) -> str:
    """Digest of what makes one version differ from another; figures that drift with other tiles' answers do not."""
    votes = sorted(one.uuid for one in lot.answers)
    return digest(
        labels, votes, lot.instructions, lot.notes, lot.title, [task.id for task in lot.tasks], lot.view.digest
    )


def _again(record: Record, own: Standing, terms: Terms) -> Delivery:
    """The last version; a batch that was reopened is closed again, since nothing changed."""
    if not own.delivered:
        payload = {"batch": own.batch.name, "step": "confirm"}
        batches.say(record.ledger, lambda found: _unless_moved(own, found, payload), terms.actor)
    rework.accepted(record.ledger, own.batch, own.versions[-1], terms.actor)
    return delivered(record.folder, own.versions[-1])


def _doubts(own: Standing, lot: Lot, labels: str) -> list[str]:
    """What speaks against a delivery, in words."""
    name, missing = own.batch.name, inspection.lacking(own.batch, lot.answers)
    told = [inspection.lacks(own.batch, missing)] if missing else []
    if own.inspection is None:
        return [*told, f"no sample of batch {name!r} was inspected"]
    if own.inspection["labels"] != labels:
        return [*told, f"the labels of batch {name!r} changed since they were inspected"]
    seen = own.inspection["verdict"]
    words = f"batch {name!r} was rejected: {seen['defects']} of {seen['n']} inspected tiles are defective, {seen['c']} may be"
    return [*told, words] if own.decision == "reject" else told


def _written(
    record: Record, own: Standing, lot: Lot, head: Mapping[str, str], terms: Terms, doubts: Sequence[str], skill: Skill,
    progress: Progress,
) -> Delivery:  # fmt: skip
    from geolabel.dataset.about import pseudonym

    drawn = record.labels(lot.labels, _inputs(lot, head["content"]))
    home = record.folder / DELIVERIES / lot.batch / f"v{lot.version}"
    before = delivered(record.folder, own.versions[-1]) if own.versions else None

    def make(folder: Path) -> None:
        exports.write(lot, drawn, folder / TILES, "geojson", progress=progress)
        (folder / TILES / ".journal").unlink()  # of an export that may be taken up again; this one is whole or absent
        exports.write(lot, drawn, folder / LABELS, "geoparquet")
        since = None if before is None else before.folder
        found = changes(since, drawn, folder)
        at = exact(datetime.now(UTC))
        _write_changelog(folder, lot, found, (at, own.reopened), before)
        quality = {"sampling": _sampling(own), "doubts": list(doubts), "despite": terms.despite.strip() or None}
        actor = pseudonym(terms.actor, lot.title)
        said = {
            **_made_of(lot, head),
            **quality,
            "skill": _skill(skill(own.batch.kind), lot.title),
            "at": at,
            "by": actor,
        }
        counts = _counts(lot, drawn)
        _write_manifest(folder, lot, {"terms": own.batch.to_row(), **said, "counts": counts, "changes": found.to_row()})

    products.whole(home, make)
    _seal(home)
    payload = {"batch": lot.batch, "version": lot.version, "manifest": digest_file(home / MANIFEST), **head}
    payload |= {"despite": terms.despite.strip() or None, "doubts": list(doubts)}
    batches.say(record.ledger, lambda found: _unless_moved(own, found, payload), terms.actor, kind="delivery")
    rework.accepted(record.ledger, own.batch, payload, terms.actor)
    return delivered(record.folder, payload)


def _unless_moved(own: Standing, found: Mapping[str, Standing], payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload, where the batch still stands as it did when the delivery was begun."""
    if replace(found[own.batch.name], answered=own.answered) != own:
        raise OvertakenError(f"batch {own.batch.name!r} changed while it was delivered", hint="deliver it again")
    return payload


def _inputs(lot: Lot, content: str) -> dict[str, Any]:
    """Of the labels as a product: what comes back edited is known by it."""
    return {"batch": lot.batch, "content": content, "ontology": lot.ontology.digest}


def _made_of(lot: Lot, head: Mapping[str, str]) -> dict[str, Any]:
    """Digests and versions of what the delivery comes from."""
    return {
        **head,
        "view": lot.view.digest,
        "ontology": {"id": lot.ontology.id, "digest": lot.ontology.digest},
        "instructions": lot.instructions,
        "answers": digest(sorted(one.digest for one in lot.answers)),
        "consensus": digest(sorted(one.digest for one in lot.consensuses.values())),
        "licence": lot.about.licence,
        "access": lot.access,
        "notes": lot.notes,
    }


def _sampling(own: Standing) -> dict[str, Any] | None:
    """Verdict, and the inspected tasks with what was found on them."""
    if own.inspection is None:
        return None
    return {**own.inspection["verdict"], "tasks": own.inspection["tasks"], "minutes": own.inspection["minutes"]}


def _skill(frame: Any, title: str) -> list[dict[str, Any]]:
    from geolabel.dataset.about import pseudonym

    if frame is None or not len(frame):
        return []
    hidden = frame.assign(annotator=[pseudonym(name, title) for name in frame["annotator"]])
    return json.loads(hidden.to_json(orient="records", double_precision=6))


def _counts(lot: Lot, drawn: gpd.GeoDataFrame) -> dict[str, Any]:
    area = drawn.groupby("class")["area_m2"].sum() if len(drawn) else pd.Series(dtype=float)
    return {
        "tiles": len({task.tile for task in lot.tasks}),
        "labels": len(drawn),
        "answers": len(lot.answers),
        "annotators": len({one.annotator for one in lot.answers}),
        "area_m2": {str(name): round(float(size), 1) for name, size in area.items()},
    }


def _write_manifest(folder: Path, lot: Lot, said: Mapping[str, Any]) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = [
        {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": digest_file(path)}
        for path in paths
    ]
    head = {"form": FORM, "project": lot.title, "batch": lot.batch, "version": lot.version}
    write_json(folder / MANIFEST, {**head, **said, "files": files})


def _write_changelog(
    folder: Path, lot: Lot, found: Changes, when: tuple[str, Sequence[str]], before: Delivery | None
) -> None:
    title = f"# {lot.title}, batch {lot.batch}\n"
    at, reasons = when
    why = "".join(f"Reopened: {one}\n" for one in reasons)
    older = "" if before is None else before.changelog.removeprefix(title)
    write_text(folder / CHANGELOG, f"{title}\n## Version {lot.version}, {at[:10]}\n\n{why}{found}{older}")


def _seal(home: Path) -> None:
    for path in home.rglob("*"):
        if path.is_file():
            path.chmod(READ_ONLY)
