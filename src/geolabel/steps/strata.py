"""Strata of a view's ground, by which agreement is split: severity of the burn, slope, cloud near by."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.errors import QualityError, nearest
from geolabel.nouns.view import View
from geolabel.ontology import NODATA
from geolabel.steps.burns import change_index

if TYPE_CHECKING:
    from geolabel.quality.people.agreement import Strata

By = Literal["severity", "slope", "cloud"]
SLOPE_DEG = (5.0, 15.0, 30.0)
"""Slopes that part flat, gentle, steep and very steep ground."""
CLOUD_SHARE = (0.01, 0.2)
"""Shares of masked ground near by that part clear, some and much cloud."""
NEAR_M = 1000.0
"""Edge of the square around a pixel in which masked ground is counted."""


def strata(view: View, by: str) -> Strata:
    """Strata of a view: `severity` (of its change index), `slope` (of its DEM), `cloud` (masked ground near by).

    Raises
    ------
    QualityError
        For another word, or where the view lacks the scene.
    """
    from geolabel.quality.people.agreement import Strata

    ways = {"severity": _severity, "slope": _slope, "cloud": _cloud}
    if by not in ways:
        raise QualityError(f"agreement by {by!r}", hint=nearest(by, get_args(By)))
    needs = {"severity": ("before", "after"), "slope": ("dem",), "cloud": ()}[by]
    missing = [role for role in needs if role not in view]
    if missing:
        raise QualityError(f"agreement by {by} needs the {missing[0]} scene", hint=f"project.add({missing[0]}=...)")
    codes, names = ways[by](view)
    return Strata(codes, names)


def _severity(view: View) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    from geolabel.label.severity import LEVELS, levels

    values, scheme = change_index(view, "dnbr")
    level = np.asarray(levels(np.asarray(values), scheme))
    return np.where(level == NODATA, 0, level).astype(np.uint8), tuple(LEVELS)


def _slope(view: View) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    from geolabel.scene.terrain import slope_aspect

    slope = np.asarray(slope_aspect(view["dem"])["slope_deg"])
    return _parted(slope, SLOPE_DEG), _named(SLOPE_DEG, "{:g}", " deg")


def _cloud(view: View) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """By the share of ground near by that some optical scene did not see; a pixel that none saw is in it."""
    seen = [np.asarray(view[role].valid) for role in ("before", "after") if role in view]
    masked = ~np.logical_and.reduce(seen or [np.ones(view.grid.shape, bool)])
    size = 2 * max(round(NEAR_M / view.grid.res_m / 2), 1) + 1
    near = ndimage.uniform_filter(masked.astype(float), size, mode="nearest")
    return _parted(near, CLOUD_SHARE), ("clear", "some cloud near", "much cloud near")


def _parted(values: NDArray[Any], at: tuple[float, ...]) -> NDArray[np.uint8]:
    """(y, x) number of the class from 1; 0 where nothing is known."""
    return np.where(np.isfinite(values), np.digitize(values, at) + 1, 0).astype(np.uint8)


def _named(at: tuple[float, ...], form: str, unit: str) -> tuple[str, ...]:
    ends = [form.format(one) for one in at]
    between = [f"{low} to {high}{unit}" for low, high in pairwise(ends)]
    return (f"below {ends[0]}{unit}", *between, f"{ends[-1]}{unit} and more")
