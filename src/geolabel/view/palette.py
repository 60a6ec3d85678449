"""The colours, patterns, line styles and words of a risk map: one table each, and the class of a probability.

Lightness falls from class to class, so a map survives a black-and-white printer; neighbours differ by at least 10 in
CAM02-UCS under three kinds of colour blindness (tests/view/test_palette.py measures both).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pattern = Literal["plain", "hatch", "dots", "cross"]


@dataclass(frozen=True, slots=True)
class Fill:
    """How one kind of ground is filled: a colour, or a pattern drawn in `ink` over it."""

    code: int
    """Value in a class raster, 1-254; 0 is left clear."""
    label: str
    """The number or the name a legend gives."""
    words: str
    colour: str
    """#rrggbb, or an empty text for a clear ground."""
    pattern: Pattern = "plain"
    ink: str = ""


CLEAR = 0
"""Code of burnable ground that no simulated outcome reached."""

PROBABILITY: tuple[Fill, ...] = (
    Fill(1, "under 1 (modelled)", "very unlikely", "", "hatch", "#8c6d1f"),
    Fill(2, "1 to 5", "very unlikely", "#fff7bc"),
    Fill(3, "5 to 20", "unlikely", "#fed161"),
    Fill(4, "20 to 40", "possible", "#fb9a29"),
    Fill(5, "40 to 60", "about even", "#de4f12"),
    Fill(6, "60 to 80", "likely", "#a50f15"),
    Fill(7, "80 to 100", "very likely", "#4a0d3a"),
)
"""Classes of the probability of burning, lowest first; labels count outcomes in 100."""

EDGES = (0.01, 0.05, 0.20, 0.40, 0.60, 0.80)
"""Where one class ends; the edge itself belongs to the upper class."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """Classes of a probability, lowest first, and the number of outcomes that their labels count in."""

    fills: tuple[Fill, ...]
    edges: tuple[float, ...]
    outcomes: int


ONE_FIRE = Scheme(PROBABILITY, EDGES, 100)
"""For a fire whose start is known."""
ANY_FIRE = Scheme(
    tuple(
        replace(fill, label=label, words=words)
        for fill, label, words in zip(
            PROBABILITY,
            ("under 2 (modelled)", "2 to 5", "5 to 10", "10 to 20", "20 to 50", "50 to 100", "100 or more"),
            ("seldom reached", "", "", "", "", "", "most often reached"),
            strict=True,
        )
    ),
    (0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
    1000,
)
"""For fires that start anywhere: one of them reaches a given place seldom, so all would be "very unlikely" above, and the
words of chance are left out: how many fires start, this map does not know."""

NON_BURNABLE_FILL = Fill(20, "Does not burn", "water, bare or built-up ground", "", "dots", "#5f7480")
NO_DATA_FILL = Fill(21, "Not known", "no data: nothing is said of this ground", "#ececec", "cross", "#8a8a8a")
GROUND = (NON_BURNABLE_FILL, NO_DATA_FILL)


@dataclass(frozen=True, slots=True)
class Line:
    """How a line is drawn: over a white halo, so that it shows on dark and light fills."""

    colour: str
    width: float
    dash: str
    """SVG dash pattern; empty for a solid line. What is predicted is dashed, what was observed is solid."""
    halo: float = 2.0
    """How much wider the halo is than the line."""


ARRIVAL: dict[float, Line] = {
    1: Line("#020409", 3.0, "14 4"),
    3: Line("#19232f", 2.8, "12 4"),
    6: Line("#313f54", 2.6, "10 4"),
    12: Line("#485b7b", 2.4, "8 4"),
    24: Line("#6077a5", 2.2, "6 4"),
    48: Line("#8194c6", 2.0, "4 4"),
}
"""Hours after the start: soonest darkest, widest and longest dashes."""

OBSERVED = Line("#111111", 2.6, "", halo=4.0)
OBJECT = Line("#512d75", 1.6, "", halo=2.0)
ARROW = Line("#1c2733", 1.3, "", halo=1.8)
HALO = "#ffffff"
INK, PAPER, MUTED, ALERT = "#17202a", "#ffffff", "#4d5a66", "#8a1c12"
"""Text, its ground, quiet text, and the ground of a warning (its text is PAPER)."""


def classes_of(probability: ArrayLike, scheme: Scheme = ONE_FIRE) -> NDArray[np.uint8]:
    """uint8 class codes of a scheme; 0 where the probability is 0 or not known (NaN)."""
    values = np.asarray(probability, np.float64)
    # float32 rasters: 0.2 stored as float32 lies a hair above 0.2, 0.6 a hair above 0.6, 0.05 and 0.8 too; 0.4 as well,
    # 0.01 below: rounding to seven digits puts an edge where the author of the number meant it
    codes = np.digitize(np.round(np.nan_to_num(values), 7), scheme.edges) + 1
    return np.where(np.nan_to_num(values) > 0, codes, CLEAR).astype(np.uint8)


def word(probability: float) -> str:
    """The words of a probability's class (`possible`); `not reached` for 0."""
    code = int(classes_of(probability))
    return "not reached" if code == CLEAR else PROBABILITY[code - 1].words


def rgb(colour: str) -> tuple[int, int, int]:
    """(red, green, blue), 0-255, of #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Relative luminance 0-1 of an sRGB colour (WCAG 2.2, definition of relative luminance)."""
    channels: Any = np.array(rgb(colour)) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: str, other: str) -> float:
    """Contrast ratio 1-21 of two colours (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
