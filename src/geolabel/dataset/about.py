"""What an export says of itself beside the shapes: where they come from, under which terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from geolabel.digests import digest
from geolabel.nouns.times import iso
from geolabel.ontology import WILDFIRE, Ontology


@dataclass(frozen=True, slots=True)
class About:
    """Facts that every tile of one export repeats; mappings go by `Tile.key`."""

    project: str | None = None
    scene_before: str | None = None
    scene_after: str | None = None
    before_href: str | None = None
    after_href: str | None = None
    start: datetime | None = None
    """First moment that the labels speak of."""
    end: datetime | None = None
    ontology: Ontology = WILDFIRE
    instructions: int = 1
    batch: str | None = None
    notes: str | None = None
    """Sentences that must stand on every product, e.g. that a fire was simulated."""
    licence: str = "unknown"
    access: str = "open"
    """Access tier of the scenes: open, internal or restricted."""
    export_version: int = 1
    source: str = "rule"
    """Of shapes that come without a consensus: consensus, answer, rule or model."""
    method: str | None = None
    """How those shapes were made, e.g. `burned@1`."""
    calibrated: bool = False
    """Whether probabilities were calibrated; others are not exported."""
    split: Mapping[str, str] = field(default_factory=dict)
    block: Mapping[str, str] = field(default_factory=dict)
    valid_share: Mapping[str, float] = field(default_factory=dict)
    """Share of the tile's pixels that have data."""

    @property
    def digest(self) -> str:
        """Sha-256 over all of it."""
        names = [name for name in self.__slots__ if name not in ("start", "end", "ontology")]
        plain = {name: getattr(self, name) for name in names}
        mappings = {name: dict(value) for name, value in plain.items() if isinstance(value, Mapping)}
        times = [iso(moment) if moment else None for moment in (self.start, self.end)]
        return digest({**plain, **mappings}, times, self.ontology.digest)


def pseudonym(annotator: str, project: str | None) -> str:
    """Name to publish: `person:<8 digits>`, the same throughout a project; rules, models and simulations keep theirs.

    It hides a name from a reader, not from one who guesses names and tries them: nobody is anonymous by it.
    """
    kind, _, name = annotator.partition(":")
    return f"{kind}:{digest(project, annotator)[:8]}" if kind == "person" and name else annotator
