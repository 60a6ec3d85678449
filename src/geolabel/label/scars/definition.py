"""What counts as a burn scar, in the index's units, and the same in steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from geolabel.errors import InputError
from geolabel.label.scars.pieces import Cut
from geolabel.label.scars.quanta import LEAST, PER_UNIT, UNKNOWN, level_table, moved, otsu_steps, steps_of, value_of
from geolabel.label.scars.runs import I64, UNSEEN
from geolabel.label.severity import KEY_BENSON, LEVELS, SeverityScheme, Units, per_fire, ranked

MIN_AREA_M2 = 10_000.0
"""One hectare, about eleven Landsat pixels."""
Threshold = Literal["scheme", "otsu"] | float
Offset = Literal["ring", "auto"] | float | None
Cleanup = Literal["majority"] | None
_LOW = LEVELS.index("low") + 1
_WORDS: dict[str, tuple[str | None, ...]] = {
    "threshold": ("scheme", "otsu"),
    "seed": (None,),
    "offset": ("ring", "auto", None),
}


@dataclass(frozen=True, slots=True)
class Definition:
    """What counts as a burn scar.

    Raises
    ------
    InputError
        For an unknown threshold, seed, offset or clean-up.
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
    """Change that unburned ground shows, taken off: a number, `ring`, its median from 90 to 390 m around the scar, or
    `auto`, that where enough of the ring was seen and none elsewhere."""
    severity: bool = True
    """Whether a scar is parted by severity; else it is one polygon without it."""
    cleanup: Cleanup = "majority"
    """`majority`: a pixel is scar where most of its 3 x 3 neighbourhood is above the threshold; None: where it is itself."""
    per_fire: bool = False
    """Whether moderate and high begin where Otsu's method parts the scars' own values in three; low stays the scheme's."""
    least: float | None = None
    """Value that Otsu's threshold does not fall below: where nothing burned it would part noise."""
    most_sure: float = 1.0
    """Confidence that no shape passes: what a source can be trusted with at best."""

    def __post_init__(self) -> None:
        for name, known in _WORDS.items():
            value = getattr(self, name)
            if not (value in known or _is_number(value)):
                words = [repr(word) for word in known if word]
                raise InputError(
                    f"unknown {name} {value!r}", hint=" or ".join([*words, "a number in the index's units"])
                )
        if self.cleanup not in ("majority", None):
            raise InputError(f"unknown cleanup {self.cleanup!r}", hint="'majority' or None")

    @property
    def counts(self) -> bool:
        """Whether the values of the whole image must be counted first."""
        return self.scheme == "relative" or self.threshold == "otsu"

    @property
    def fits_breaks(self) -> bool:
        """Whether the breaks are cut from the scars themselves, once they are found."""
        return self.per_fire and self.severity and self.scheme != "relative"

    def rule(self, units: Units, name: str, counts: I64 | None, *, shift: int | None = None) -> Rule:
        """The definition with its numbers; `counts` (see `quanta.counts_of`) where it asks for them.

        Parameters
        ----------
        shift
            Steps that unburned ground shows. Default: the definition's number, none where it is to be measured.
        """
        if shift is None:
            shift = 0 if self.offset in (None, "ring", "auto") else round(float(self.offset) * PER_UNIT[units])
        counts = None if counts is None else moved(counts, -shift)  # what the data suggest holds once it is taken off
        scheme = _scheme(self.scheme, units, name, counts)
        limit, seed = _limit(self.threshold, scheme, counts), LEAST
        if self.threshold == "otsu" and self.least is not None:
            limit = max(limit, steps_of(self.least, units))
        if self.seed is not None:
            seed = max(steps_of(self.seed, units), limit)
        return Rule(scheme, limit, seed, shift, self.severity, self.cleanup is not None, self.most_sure)


@dataclass(frozen=True, slots=True)
class Rule:
    """A definition in steps of the index; see `quanta`."""

    scheme: SeverityScheme
    limit: int
    seed: int
    shift: int
    severity: bool
    majority: bool
    most_sure: float

    @property
    def threshold(self) -> float:
        """Value from which ground is burned, the offset taken off."""
        return float(value_of(self.limit, self.scheme.units))

    @property
    def offset(self) -> float:
        """Change of unburned ground, taken off."""
        return float(value_of(self.shift, self.scheme.units))

    def fitted(self, counts: I64) -> Rule:
        """The rule with breaks cut from the scars' own values (`counts`, see `quanta.counts_of`).

        Itself where fewer than three values reach the threshold: there is nothing to be parted. What lies in a scar but
        below the threshold is there by its neighbours' majority, and has no say.
        """
        own = moved(counts, -self.shift)
        own = np.where(np.arange(len(own)) + UNKNOWN >= self.limit, own, 0)
        if np.count_nonzero(own) < len(LEVELS) - 1:
            return self
        high = otsu_steps(own, 3)
        breaks = (self.threshold, *(float(value_of(step, self.scheme.units)) for step in high))
        words = "three classes of largest variance between them of this fire's own scars (Liao, Chen & Chung 2001)"
        scheme = per_fire(self.scheme.index, self.scheme.units, breaks, words, by="per-fire")
        return replace(self, scheme=scheme)

    def cut(self, min_pixels: int) -> Cut:
        """How steps become scar and level, before the offset is taken off."""
        table = level_table(self.scheme, self.shift)
        known = table != UNSEEN
        if not self.severity:
            table[known] = 1
        elif self.threshold >= self.scheme.burned_from:
            table[known] = np.maximum(table[known], _LOW)  # what only its neighbours made burned is no unburned island
        return Cut(self.limit + self.shift, self.seed + self.shift, table, self.shift, min_pixels, self.majority)


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
