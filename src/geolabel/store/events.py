"""Event: one link of a stream, whose digest covers all it says and the digest of the link before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from geolabel.digests import digest

Kind = Literal[
    "scene",
    "view",
    "task",
    "answer",
    "supersede",
    "review",
    "consensus",
    "product",
    "ontology",
    "instruction",
    "gold",
    "annotator",
    "batch",
    "delivery",
    "decision",
]
KINDS: tuple[str, ...] = get_args(Kind)
ANSWERED = ("answer", "supersede")
"""Kinds of events that hold answers."""
PROJECT = "project"
"""The stream of everything that belongs to no single task."""
ANYWHERE = "anywhere"
"""For who appends wherever a stream has come to."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is yet to be appended."""

    kind: str
    payload: Mapping[str, Any]
    actor: str
    stream: str = PROJECT
    after: str | None = ANYWHERE
    """Digest of the event that the writer knows as the stream's last, None for a stream that has none; where others
    were faster, nothing is appended."""


@dataclass(frozen=True, slots=True)
class Event:
    """One transaction of the ledger."""

    seq: int
    """1, 2, 3 ... without gaps over the whole ledger."""
    uuid: str
    kind: str
    at: str
    """UTC, ISO 8601 with microseconds."""
    actor: str
    stream: str
    """A task's id, or `project`."""
    text: str
    """The payload as canonical JSON."""
    prev: str | None
    """Digest of the previous event of the stream; None for its first."""
    digest: str

    @property
    def payload(self) -> dict[str, Any]:
        """What the event says."""
        return json.loads(self.text)

    @property
    def computed(self) -> str:
        """Digest that follows from the other fields; differs from `digest` where someone changed a row."""
        return event_digest(self.prev, [self.seq, self.uuid, self.kind, self.at, self.actor, self.stream], self.text)


def event_digest(prev: str | None, head: list[Any], text: str) -> str:
    """Sha-256 over the previous link, the event's head and its payload."""
    return digest(prev, head, text.encode())


def broken_links(events: Iterable[Event]) -> Iterator[str]:
    """One sentence for the first broken link of each stream, and for every gap in the numbering; events by `seq`."""
    last: dict[str, str] = {}
    reported: set[str] = set()
    expected = 1
    for event in events:
        if event.seq != expected:
            yield f"events {expected} to {event.seq - 1} are missing"
        expected = event.seq + 1
        fault = _fault(event, last.get(event.stream))
        if fault and event.stream not in reported:
            reported.add(event.stream)
            yield f"stream {event.stream!r}: event {event.seq} ({event.kind}, {event.at}) {fault}"
        last[event.stream] = event.digest


def _fault(event: Event, prev: str | None) -> str | None:
    if event.computed != event.digest:
        return "was changed: its digest does not fit what it says"
    if event.prev != prev:
        return "does not follow the event before it: something between was changed, removed or put in"
    return None
