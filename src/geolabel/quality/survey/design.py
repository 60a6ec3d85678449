"""Design of an accuracy sample: how many points, in which strata, and what they will tell, before anybody labels one.

Source: Olofsson et al. 2014, Remote Sensing of Environment 148, 42-57, section 5.1; Cochran 1977, Sampling Techniques,
sections 5.5 (allocation) and 5.8 (5.25, sample size).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from geolabel.errors import QualityError, nearest
from geolabel.quality.survey.area import Accuracy, accuracy

Allocation = Literal["compromise", "proportional", "equal", "optimal"]
ALLOCATIONS: tuple[Allocation, ...] = get_args(Allocation)
LEAST = 2
"""Points without which a stratum has no variance."""


def sample_size(areas: ArrayLike, users: ArrayLike, se_overall: float, *, pixels: Sequence[float] | None = None) -> int:
    """Points for this standard error of overall accuracy, were they allocated best.

    Parameters
    ----------
    areas
        (stratum,) areas in any unit.
    users
        (stratum,) conjectured user's accuracy, shares.
    pixels
        (stratum,) pixels that can be drawn; without them there is no end of them.

    Raises
    ------
    QualityError
        For shares or a standard error that are none.

    Source: Olofsson et al. 2014, eq. 13; Cochran 1977, eq. 5.25.
    """
    weights, spread = _weights(areas), _spread(users)
    if not 0 < se_overall < 1:
        raise QualityError(f"a standard error of {se_overall}", hint="a share, e.g. 0.01")
    finite = 0.0 if pixels is None else float(weights @ spread**2) / float(np.sum(pixels))
    return int(np.ceil((weights @ spread) ** 2 / (se_overall**2 + finite) - 1e-9))


def allocate(
    areas: ArrayLike,
    n: int,
    how: Allocation = "compromise",
    *,
    spread: ArrayLike | None = None,
    least: int = 75,
    pixels: Sequence[float] | None = None,
) -> tuple[int, ...]:
    """(stratum,) points, `n` in all, at least 2 in each and never more than it has pixels; ties go to the first.

    Parameters
    ----------
    how
        `compromise` (strata whose share would be below `least` get `least`, the others the rest in proportion to their
        areas), `proportional` to area, `equal`, or `optimal` (proportional to area times `spread`; Neyman).
    spread
        (stratum,) standard deviation of what is to be estimated: sqrt(p (1 - p)) for a share p.

    Raises
    ------
    QualityError
        For an unknown allocation, or fewer points than strata need.

    Source: Olofsson et al. 2014, section 5.1.2; Cochran 1977, eq. 5.26.
    """
    weights = _weights(areas)
    if how not in ALLOCATIONS:
        raise QualityError(f"unknown allocation {how!r}", hint=nearest(how, ALLOCATIONS))
    most = np.full(len(weights), np.inf) if pixels is None else np.asarray(pixels, float)
    low = np.minimum(LEAST, most)
    if n < low.sum() or n > most.sum():
        raise QualityError(f"{n} points for {len(weights)} strata", hint=f"{low.sum():.0f} to {most.sum():.0f}")
    if how == "compromise":
        low = _rare(weights, n, min(least, n // len(weights)), low, most)
    wanted = {"equal": np.ones(len(weights)), "optimal": weights * (1.0 if spread is None else np.asarray(spread))}
    return _whole(_within(wanted.get(how, weights), n, low, most), n, low, most)


def _rare(weights: NDArray[Any], n: int, least: int, low: NDArray[Any], most: NDArray[Any]) -> NDArray[Any]:
    """(stratum,) fewest points: `least` for strata whose proportional share is below it."""
    return np.where(n * weights < least, np.minimum(np.maximum(least, low), most), low)


def _within(wanted: NDArray[Any], n: int, low: NDArray[Any], most: NDArray[Any]) -> NDArray[Any]:
    """(stratum,) shares of n in proportion to what is wanted, within bounds: the factor is found by bisection."""
    most_wanted = float(wanted.max())
    if not most_wanted > 1e-200:  # nothing is wanted more than anything else, to the last digit
        wanted, most_wanted = np.ones_like(wanted), 1.0
    wanted = np.maximum(wanted, most_wanted * 1e-12)
    below, above = 0.0, float((np.where(np.isfinite(most), most, n) / wanted).max()) + n / float(wanted.min())
    for _ in range(200):
        factor = (below + above) / 2
        below, above = (factor, above) if np.clip(factor * wanted, low, most).sum() < n else (below, factor)
    return np.clip(above * wanted, low, most)


def _whole(shares: NDArray[Any], n: int, low: NDArray[Any], most: NDArray[Any]) -> tuple[int, ...]:
    """Whole numbers that sum to n: largest remainders first, the first stratum where they are equal."""
    shares = np.round(shares, 6)
    floor = np.clip(np.floor(shares), low, most)
    for _ in range(int(n - floor.sum())):
        rest = np.where(floor < most, shares - floor, -np.inf)
        floor[int(rest.argmax())] += 1
    return tuple(int(value) for value in floor)


def _weights(areas: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(areas, float)
    if values.ndim != 1 or not len(values) or not (np.isfinite(values) & (values > 0)).all():
        raise QualityError(f"areas of strata {values.tolist()}", hint="one above 0 for each stratum")
    return values / values.sum()


def _spread(shares: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(shares, float)
    if not ((values >= 0) & (values <= 1)).all():
        raise QualityError(f"user's accuracies {values.tolist()}", hint="shares from 0 to 1")
    return np.sqrt(values * (1 - values))


# ---------------------------------------------------------------------- the whole plan
@dataclass(frozen=True, slots=True, repr=False)
class Design:
    """Points by stratum, and the standard errors that are to be expected from them."""

    classes: tuple[str, ...]
    n: tuple[int, ...]
    areas_m2: tuple[float, ...]
    allocation: Allocation
    expected: Accuracy
    """What an assessment would say if the map were as good as was conjectured."""

    @property
    def total(self) -> int:
        """Points in all."""
        return sum(self.n)

    @property
    def table(self) -> pd.DataFrame:
        """A line a class: `class`, `n`, `share` of the area, expected `users_se`, `producers_se` and `area_se_m2`."""
        errors = self.expected.table.set_index("class")[["users", "users_se", "producers_se", "area_se_m2"]]
        shares = np.asarray(self.areas_m2) / sum(self.areas_m2)
        own = pd.DataFrame({"class": self.classes, "n": self.n, "share": shares})
        return own.join(errors, on="class")

    def __str__(self) -> str:
        each = ", ".join(f"{name} {n}" for name, n in zip(self.classes, self.n, strict=True))
        return f"{self.total} points, {self.allocation}: {each}; standard error of overall accuracy {self.expected.overall.se:.4f}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(str(self))}</p>{self.table.to_html(index=False, float_format='{:.4g}'.format)}"


def design(
    areas_m2: Mapping[str, float],
    expected: float | Mapping[str, float] | pd.DataFrame = 0.85,
    *,
    se_overall: float = 0.01,
    n: int | None = None,
    allocation: Allocation = "compromise",
    least: int = 75,
    target: str | None = None,
    pixels: Mapping[str, float] | None = None,
) -> Design:
    """Plan of a sample whose strata are a map's classes.

    Parameters
    ----------
    areas_m2
        Mapped area of each class, m2.
    expected
        Conjectured user's accuracy, one for all or by class (errors are spread over the other classes by area), or
        a frame: of what is mapped as the row, the share that is each column.
    se_overall
        Wanted standard error of overall accuracy, from which the number of points follows.
    n
        Points, instead of a wanted standard error.
    target
        With `optimal`: the class whose area is to be known best, instead of overall accuracy.

    Raises
    ------
    QualityError
        For conjectures or classes that do not fit, as `sample_size` and `allocate`.
    """
    names, areas = tuple(areas_m2), list(areas_m2.values())
    shares = _conjecture(names, areas, expected)
    sizes = None if pixels is None else [float(pixels[name]) for name in names]
    users = np.array([shares[i, names.index(name)] for i, name in enumerate(names)])
    wanted = sample_size(areas, users, se_overall, pixels=sizes) if n is None else n
    if n is None:  # what is asked for is met as far as there are pixels, and no stratum is left without variance
        wanted = int(np.clip(wanted, LEAST * len(names), np.inf if sizes is None else sum(sizes)))
    if target is not None and target not in names:
        raise QualityError(f"the map does not show the class {target!r}", hint=nearest(target, names))
    spread = _spread(users if target is None else shares[:, names.index(target)])
    counts = allocate(areas, wanted, allocation, spread=spread, least=least, pixels=sizes)
    frame = pd.DataFrame(shares * np.array(counts)[:, None], list(names), list(names))
    return Design(names, counts, tuple(areas), allocation, accuracy(frame, areas, pixels=sizes))


def _conjecture(
    names: Sequence[str], areas: Sequence[float], expected: float | Mapping[str, float] | pd.DataFrame
) -> NDArray[np.float64]:
    """(map class, reference class) share of what is mapped as the first that is the second."""
    if isinstance(expected, pd.DataFrame):
        shares = expected.reindex(index=list(names), columns=list(names), fill_value=0).to_numpy(float)
    else:
        users = dict.fromkeys(names, float(expected)) if isinstance(expected, (int, float)) else expected
        lost = [name for name in names if name not in users]
        if lost:
            raise QualityError(f"no conjecture for {', '.join(lost)}", hint="expected={class: user's accuracy}")
        shares = np.array([_spread_errors(i, float(users[name]), areas) for i, name in enumerate(names)])
    if not ((shares >= 0).all() and np.allclose(shares.sum(1), 1, atol=1e-6)):
        raise QualityError(f"conjectured shares {shares.tolist()}", hint="each row from 0 to 1, summing to 1")
    return shares


def _spread_errors(i: int, users: float, areas: Sequence[float]) -> NDArray[np.float64]:
    rest = np.where(np.arange(len(areas)) == i, 0.0, areas)
    if not rest.sum():
        return np.ones(1)
    share = (1 - users) * rest / rest.sum()
    share[i] = users
    return share
