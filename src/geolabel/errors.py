"""Every error and warning of geolabel.

A message holds what was found, with the value; the hint says what to do about it.

- GeolabelError
    - InputError (ValueError): a value, a file's content or an argument cannot be used
        - CRSError: no CRS, a wrong one, or degrees where metres are needed
        - BandError: a band is missing, unknown or of the wrong kind
        - UnitError: DN given for reflectance, x1000 for x1, dB for linear, m/s for km/h
        - OntologyError: a class that the ontology does not know or allow
        - TableError: a table lacks a column or holds a wrong value
        - ConfigError: an unknown key or a bad value in project.toml, a flag or an argument
        - UndatedError: a scene that does not say when it was taken
        - FireError: fuel, weather or ignition that no fire can be computed from
    - SourceError (OSError): something outside could not be read or written
    - StoreError: the ledger cannot be opened, read or appended to
        - OvertakenError: somebody else was faster; what was decided rests on an old state
    - QualityError: answers that no consensus or score can be made from
    - LeakageError: what should be held out is not
    - ModelError: a model that cannot be trained, loaded or applied
    - MissingExtra (ImportError): an optional dependency is not installed

- GeolabelWarning (UserWarning): a decision was taken that the user should know of
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class GeolabelError(Exception):
    """Root of all errors: what was found, and a hint that says what to do."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.message, self.hint)


def _rebuild(kind: type[GeolabelError], message: str, hint: str) -> GeolabelError:
    return kind(message, hint=hint)


class InputError(GeolabelError, ValueError):
    """A value, a file's content or an argument cannot be used."""


class CRSError(InputError):
    """No CRS, a wrong one, or degrees where metres are needed."""


class BandError(InputError):
    """A band is missing, unknown or of the wrong kind."""


class UnitError(InputError):
    """A number in another unit than the one it is used as."""


class OntologyError(InputError):
    """A class that the ontology does not know or allow."""


class TableError(InputError):
    """A table lacks a column or holds a wrong value."""


class ConfigError(InputError):
    """An unknown key or a bad value in project.toml, a flag or an argument."""


class UndatedError(InputError):
    """A scene that does not say when it was taken."""


class FireError(InputError):
    """Fuel, weather or ignition that no fire can be computed from."""


class SourceError(GeolabelError, OSError):
    """Something outside could not be read or written."""


class StoreError(GeolabelError):
    """The ledger cannot be opened, read or appended to."""


class OvertakenError(StoreError):
    """Somebody else was faster; what was decided rests on an old state."""


class QualityError(GeolabelError):
    """Answers that no consensus or score can be made from."""


class LeakageError(GeolabelError):
    """What should be held out is not."""


class ModelError(GeolabelError):
    """A model that cannot be trained, loaded or applied."""


class MissingExtra(GeolabelError, ImportError):  # noqa: N818 - the name says what is missing, as ImportError does
    """An optional dependency is not installed."""


class GeolabelWarning(UserWarning):
    """A decision was taken that the user should know of."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Hint naming the known word closest to `word`, or all known words."""
    known = sorted(known)
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}? known: {', '.join(known)}" if close else f"known: {', '.join(known)}"
