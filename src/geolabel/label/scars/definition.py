"""What counts as a burn scar, in the index's units, and the same in steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from geolabel.errors import InputError
from geolabel.label.scars.pieces import Cut
from geolabel.label.scars.quanta import LEAST, PER_UNIT, level_table, otsu_steps, steps_of, value_of
from geolabel.label.scars.runs import I64, UNSEEN
from geolabel.label.severity import KEY_BENSON, LEVELS, SeverityScheme, Units, ranked

MIN_AREA_M2 = 10_000.0
"""One hectare, about eleven Landsat pixels."""
Threshold = Literal["scheme", "otsu"] | float
Offset = Literal["ring"] | float | None
_LOW = LEVELS.index("low") + 1
_WORDS: dict[str, tuple[str | None, ...]] = {"threshold": ("scheme", "otsu"), "seed": (None,), "offset": ("ring", None)}


@dataclass(frozen=True, slots=True)
class Definition:
    """What counts as a burn scar.

    Raises
    ------
    InputError
        For an unknown threshold, seed or offset.
    """

    scheme: SeverityScheme | Literal["relative"] = KEY_BENSON
    """Severity by its breaks; `relative` cuts four classes from the index itself (see `severity.relative`)."""
    threshold: Threshold = "scheme"
    """Value from which ground is burned: the scheme's own break, Otsu's of this index, or a number."""
    seed: float | None = None
    """Value that at least one pixel of a scar must reach: scars grow from sure ground down to the threshold."""
    min_area_m2: float = MIN_AREA_M2
    """Smaller scars go; inside a scar smaller patches join a neighbour."""
    offset: Offset = None
    """Change that unburned ground shows, taken off: a number, or `ring`, its median from 90 to 390 m around the scar."""
    severity: bool = True
    """Whether a scar is parted by severity; else it is one polygon without it."""

    def __post_init__(self) -> None:
        for name, known in _WORDS.items():
            value = getattr(self, name)
            if not (value in known or _is_number(value)):
                words = [repr(word) for word in known if word]
                raise InputError(
                    f"unknown {name} {value!r}", hint=" or ".join([*words, "a number in the index's units"])
                )

    @property
    def counts(self) -> bool:
        """Whether the values of the whole image must be counted first."""
        return self.scheme == "relative" or self.threshold == "otsu"

    def rule(self, units: Units, name: str, counts: I64 | None) -> Rule:
        """The definition with its numbers; `counts` (see `quanta.counts_of`) where it asks for them."""
        scheme = _scheme(self.scheme, units, name, counts)
        limit, seed = _limit(self.threshold, scheme, counts), LEAST
        if self.seed is not None:
            seed = max(steps_of(self.seed, units), limit)
        shift = 0 if self.offset in (None, "ring") else round(float(self.offset) * PER_UNIT[units])
        return Rule(scheme, limit, seed, shift, self.severity)


@dataclass(frozen=True, slots=True)
class Rule:
    """A definition in steps of the index; see `quanta`."""

    scheme: SeverityScheme
    limit: int
    seed: int
    shift: int
    severity: bool

    @property
    def threshold(self) -> float:
        """Value from which ground is burned."""
        return float(value_of(self.limit, self.scheme.units))

    @property
    def offset(self) -> float:
        """Change of unburned ground, taken off."""
        return float(value_of(self.shift, self.scheme.units))

    def cut(self, min_pixels: int) -> Cut:
        """How steps become scar and level, before the offset is taken off."""
        table = level_table(self.scheme, self.shift)
        known = table != UNSEEN
        if not self.severity:
            table[known] = 1
        elif self.threshold >= self.scheme.burned_from:
            table[known] = np.maximum(table[known], _LOW)  # what only its neighbours made burned is no unburned island
        return Cut(self.limit + self.shift, self.seed + self.shift, table, self.shift, min_pixels)


def _is_number(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False


def _scheme(
    scheme: SeverityScheme | Literal["relative"], units: Units, name: str, counts: I64 | None
) -> SeverityScheme:
    if scheme != "relative":
        return scheme
    assert counts is not None  # `Definition.counts` asked for them
    return ranked(name, units, tuple(float(value_of(step, units)) for step in otsu_steps(counts, 4)))


def _limit(threshold: Threshold, scheme: SeverityScheme, counts: I64 | None) -> int:
    if threshold == "otsu":
        assert counts is not None  # `Definition.counts` asked for them
        return otsu_steps(counts)[0]
    return steps_of(scheme.burned_from if threshold == "scheme" else float(threshold), scheme.units)
