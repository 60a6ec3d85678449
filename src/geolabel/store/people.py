"""People: who is behind a pseudonym. A mutable table outside the chain, so that a person can be forgotten.

Answers name `person:<pseudonym>`, which is drawn at random and says nothing of the person. When a person is forgotten,
the row goes and the answers stay: every stream still holds, and nobody can say any more whose they are.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from geolabel.errors import InputError, StoreError
from geolabel.store.backend import Backend
from geolabel.store.schema import people

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are easily taken for one another."""
LENGTH = 8
"""Letters of a pseudonym: 8.5e11 of them."""


@dataclass(frozen=True, slots=True)
class Person:
    """One row of the table."""

    pseudonym: str
    name: str
    contact: str | None
    added: str
    """UTC, ISO 8601."""

    @property
    def annotator(self) -> str:
        """`person:<pseudonym>`, as answers name it."""
        return f"person:{self.pseudonym}"


@dataclass(frozen=True, slots=True)
class People:
    """The people of one ledger."""

    backend: Backend

    def add(self, name: str, contact: str | None = None) -> Person:
        """The person of this name and contact, who gets a pseudonym where there is none yet.

        Raises
        ------
        InputError
            Without a name.
        """
        if not name.strip():
            raise InputError("a person without a name", hint="people.add('Anna Rossi', 'anna@example.org')")
        with self.backend.writing() as connection:
            there = _found(connection, name, contact)
            if there:
                return there[0]
            person = Person(_pseudonym(connection), name, contact, datetime.now(UTC).isoformat(timespec="seconds"))
            values = {key: getattr(person, key) for key in ("pseudonym", "name", "contact", "added")}
            connection.execute(insert(people).values(**values))
        return person

    def find(self, name: str | None = None, *, pseudonym: str | None = None) -> list[Person]:
        """People of this name or pseudonym, all of them without either, by when they were added."""
        query = select(people).order_by(people.c.added, people.c.pseudonym)
        if name is not None:
            query = query.where(people.c.name == name)
        if pseudonym is not None:
            query = query.where(people.c.pseudonym == pseudonym.removeprefix("person:"))
        with self.backend.reading() as connection:
            return [Person(*row) for row in connection.execute(query)]

    def forget(self, pseudonym: str) -> None:
        """Delete the row that says who `pseudonym` is; it cannot be brought back, other than from a copy of the ledger.

        Raises
        ------
        StoreError
            Where nobody has this pseudonym.
        """
        own = pseudonym.removeprefix("person:")
        with self.backend.writing() as connection:
            gone = connection.execute(delete(people).where(people.c.pseudonym == own)).rowcount
        if not gone:
            raise StoreError(f"nobody is known as {own!r}", hint="people.find() lists who is; a name is no pseudonym")
        self.backend.forgotten()


def _found(connection: Connection, name: str, contact: str | None) -> list[Person]:
    """Of that name; of that contact too where one is given."""
    query: Any = select(people).where(people.c.name == name).order_by(people.c.added, people.c.pseudonym)
    if contact is not None:
        query = query.where(people.c.contact == contact)
    return [Person(*row) for row in connection.execute(query)]


def _pseudonym(connection: Connection) -> str:
    taken = set(connection.execute(select(people.c.pseudonym)).scalars())
    while (word := "".join(secrets.choice(LETTERS) for _ in range(LENGTH))) in taken:
        continue
    return word
