"""Burn severity: named schemes that part an index into classes, with their units, breaks and source.

A class edge belongs to the upper class. Codes run from 1; 255 is no data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geolabel.errors import InputError, UnitError, nearest
from geolabel.label.otsu import thresholds
from geolabel.ontology import NODATA

Units = Literal["x1", "x1000", "dB"]
UNITS: tuple[Units, ...] = ("x1", "x1000", "dB")
SMALLEST_X1000 = 2.0
"""An index x1000 whose values all lie within this is no index x1000."""
Assessment = Literal["initial", "extended", "either"]
Level = Literal["unburned", "low", "moderate", "high"]
LEVELS: tuple[Level, ...] = ("unburned", "low", "moderate", "high")
"""What `tables.SHAPES` calls severity, rising."""


@dataclass(frozen=True, slots=True)
class SeverityScheme:
    """Breaks of one index, and what the classes between them are called.

    Raises
    ------
    InputError
        Where breaks do not rise or the number of classes or levels does not fit them.
    """

    name: str
    index: str
    """`dnbr`, `rdnbr`, `rbr`, `cbi` or a change of backscatter."""
    units: Units
    """Whether breaks are of the index itself, of 1000 times it, or of a change of backscatter in dB."""
    breaks: tuple[float, ...]
    classes: tuple[str, ...]
    """Names, one more than breaks."""
    levels: tuple[Level, ...]
    """Level of each class."""
    citation: str
    assessment: Assessment
    """Right after the fire (initial) or in the next growing season (extended)."""
    largest: float = float("inf")
    """No value of the index lies beyond it."""

    def __post_init__(self) -> None:
        if any(b <= a for a, b in zip(self.breaks, self.breaks[1:], strict=False)):
            raise InputError(f"the breaks {self.breaks} of {self.name!r} do not rise")
        if not len(self.classes) == len(self.levels) == len(self.breaks) + 1:
            raise InputError(f"{len(self.classes)} classes and {len(self.levels)} levels for {len(self.breaks)} breaks")
        if "low" not in self.levels:
            raise InputError(f"the scheme {self.name!r} has no class of level 'low'", hint="it is where burned begins")

    @property
    def burned_from(self) -> float:
        """Break from which ground counts as burned: the lower edge of the first class of level `low`."""
        return self.breaks[self.levels.index("low") - 1]

    @property
    def moderate_from(self) -> float:
        """Upper edge of the lowest burned class; infinite where it is the highest one."""
        upper = max(i for i, level in enumerate(self.levels) if level == "low")
        return self.breaks[upper] if upper < len(self.breaks) else float("inf")

    def in_units(self, units: Units) -> SeverityScheme:
        """The same scheme for an index that is x1 or x1000.

        Raises
        ------
        UnitError
            Where one of the two is dB.
        """
        if units == self.units:
            return self
        if "dB" in (units, self.units):
            raise UnitError(f"the scheme {self.name!r} is {self.units}: no factor makes it {units}")
        factor = 1000 if units == "x1000" else 0.001
        breaks = tuple(round(one * factor, 9) for one in self.breaks)
        return replace(self, units=units, breaks=breaks, largest=self.largest * factor)


_FOUR = ("unburned", "low", "moderate", "high")

SCHEMES: Mapping[str, SeverityScheme] = {
    scheme.name: scheme
    for scheme in (
        SeverityScheme(
            "key-benson-dnbr",
            "dnbr",
            "x1",
            (-0.25, -0.1, 0.1, 0.27, 0.44, 0.66),
            ("high regrowth", "low regrowth", "unburned", "low", "moderate-low", "moderate-high", "high"),
            ("unburned", "unburned", "unburned", "low", "moderate", "moderate", "high"),
            "Key & Benson 2006, RMRS-GTR-164, table LA-2",
            "extended",
            largest=2.0,
        ),
        SeverityScheme(
            "miller-thode-rdnbr",
            "rdnbr",
            "x1000",
            (69.0, 315.0, 640.0),
            _FOUR,
            LEVELS,
            "Miller & Thode 2007, Remote Sensing of Environment 109:66",
            "extended",
        ),
        SeverityScheme(
            "parks-rbr",
            "rbr",
            "x1000",
            (35.0, 130.0, 298.0),
            _FOUR,
            LEVELS,
            "Parks, Dillon & Miller 2014, Remote Sensing 6:1827",
            "extended",
        ),
        SeverityScheme(
            "cbi",
            "cbi",
            "x1",
            (0.1, 1.25, 2.25),
            _FOUR,
            LEVELS,
            "Composite burn index: Key & Benson 2006; breaks of Miller & Thode 2007",
            "either",
            largest=3.0,
        ),
    )
}
KEY_BENSON = SCHEMES["key-benson-dnbr"]


def scheme_of(name: str) -> SeverityScheme:
    """The scheme of that name.

    Raises
    ------
    InputError
        Where there is none; the hint names the nearest.
    """
    if name not in SCHEMES:
        raise InputError(f"unknown severity scheme {name!r}", hint=nearest(name, SCHEMES))
    return SCHEMES[name]


def per_fire(
    index: str, units: Units, breaks: tuple[float, ...], citation: str, *, by: str = "analyst"
) -> SeverityScheme:
    """Scheme of one fire: where low, moderate and high begin, as an analyst sets them or the fire's own ground shows.

    Its name holds the breaks, so that labels carry them: `analyst-dnbr(0.1, 0.31, 0.58)`.

    Raises
    ------
    InputError
        Where the breaks are not three rising numbers, or nobody is named for them.

    Source: USDA BARC practice: thresholds are adjusted to each fire (Parsons et al. 2010, RMRS-GTR-243).
    """
    if len(breaks) != len(_FOUR) - 1:
        raise InputError(f"{len(breaks)} breaks {breaks}", hint="three: where low, moderate and high begin")
    if not citation.strip():
        raise InputError(f"nobody is named for the breaks {breaks}", hint="citation='who set them, from what'")
    name = f"{by}-{index}({', '.join(f'{one:g}' for one in breaks)})"
    return SeverityScheme(name, index, units, breaks, _FOUR, LEVELS, citation, "either")


def shown_units(values: NDArray[Any], index: str) -> Units:
    """Units that the values of an index themselves show: x1 where none lies beyond 2, x1000 where half of them do.

    Raises
    ------
    UnitError
        Where they show neither: no value, or some beyond 2 and most within.
    """
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if sizes.size and float(sizes.max()) <= SMALLEST_X1000:
        return "x1"
    if sizes.size and float(np.median(sizes)) > SMALLEST_X1000:
        return "x1000"
    found = (
        f"reach {float(sizes.max()):.4g}, half lie within {float(np.median(sizes)):.4g}" if sizes.size else "are none"
    )
    raise UnitError(f"the values of this {index} do not show its units: they {found}", hint="units='x1' or 'x1000'")


def relative(index: Any, *, name: str = "dnbr") -> SeverityScheme:
    """Scheme of four classes whose breaks are Otsu's thresholds of this index itself; computes.

    For uncalibrated DN, where no published break holds. Its classes rank the pixels of this scene and say nothing of
    another; where little has burned the breaks part noise. Units are those the index's attribute `units` says (x1).
    """
    units = getattr(index, "attrs", {}).get("units", "x1")
    return ranked(name, units, thresholds(np.asarray(index, np.float64), 4))


def ranked(name: str, units: Units, breaks: tuple[float, ...]) -> SeverityScheme:
    """Scheme of four classes from three breaks that an index `name` itself suggests."""
    words = "relative to this scene: three Otsu thresholds of its own values (Liao, Chen & Chung 2001); not comparable"
    return SeverityScheme(f"relative-{name}", name, units, breaks, _FOUR, LEVELS, words, "either")


def classify(index: Any, scheme: SeverityScheme, *, units: Units | None = None) -> Any:
    """uint8 class codes (1 = lowest) of an index, 255 where it is NaN; lazy for lazy DataArrays, else an array.

    Parameters
    ----------
    units
        Units of the values. Default: the DataArray's attribute `units`, else what the values themselves show.

    Raises
    ------
    UnitError
        For values x1000 with a scheme x1, or the reverse (at once where the units are said, else on computing).
    """
    said = units or getattr(index, "attrs", {}).get("units")
    if said in UNITS:
        check_units(said, np.empty(0), scheme)
    kernel = partial(_classify, scheme=scheme, checks=said not in UNITS)
    if not isinstance(index, xr.DataArray):
        return kernel(np.asarray(index))
    codes = xr.apply_ufunc(kernel, index, dask="parallelized", output_dtypes=[np.uint8], keep_attrs=False)
    return codes.rename("severity").assign_attrs(scheme=scheme.name, nodata=NODATA)


def _classify(values: NDArray[Any], *, scheme: SeverityScheme, checks: bool) -> NDArray[np.uint8]:
    if checks:
        check_units(None, values, scheme)
    floats = values if np.issubdtype(values.dtype, np.floating) else values.astype(np.float64)
    breaks = np.asarray(scheme.breaks, floats.dtype)  # .44 in float32 lies below .44
    codes = (np.digitize(floats, breaks) + 1).astype(np.uint8)
    return np.where(np.isnan(floats), np.uint8(NODATA), codes)


def check_units(said: str | None, values: NDArray[Any], scheme: SeverityScheme) -> None:
    """Raise UnitError where units are said and are not the scheme's; unsaid, where the values cannot be in them.

    That is: half of them beyond what the index can be, or none as large as an index x1000 of any ground would be.
    """
    if said in UNITS and said != scheme.units:
        raise _wrong_units(scheme, f"the index is {said}")
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if said in UNITS or not sizes.size:
        return
    if float(np.median(sizes)) > scheme.largest:
        raise _wrong_units(scheme, f"half of the values lie beyond {scheme.largest:g}")
    if scheme.units == "x1000" and float(sizes.max()) <= SMALLEST_X1000:
        raise _wrong_units(scheme, f"no value lies beyond {float(sizes.max()):.3g}")


def check_numbers(numbers: Iterable[Any], units: Units) -> None:
    """Raise UnitError where a threshold, seed or break can be no number of an index in these units.

    An index x1 of any ground lies within 2; one x1000 that began to burn within 2 would be noise.
    """
    for number in numbers:
        if not isinstance(number, int | float) or number == 0 or units == "dB":
            continue
        if (abs(number) <= SMALLEST_X1000) == (units == "x1000"):
            other = "x1" if units == "x1000" else "x1000"
            raise UnitError(f"{number:g} is a number of an index {other}, and this one is {units}", hint="say it so")


def _wrong_units(scheme: SeverityScheme, found: str) -> UnitError:
    change = {"x1000": "multiply the index by 1000, units='x1000'", "x1": "divide the index by 1000, units='x1'"}
    hint = change.get(scheme.units, f"give an index in {scheme.units}")
    return UnitError(f"{found}, and the scheme {scheme.name!r} is {scheme.units}", hint=hint)


def levels(index: Any, scheme: SeverityScheme, *, units: Units | None = None) -> Any:
    """uint8 codes of the four levels: 1 unburned, 2 low, 3 moderate, 4 high, 255 no data; lazy for lazy DataArrays."""
    codes = classify(index, scheme, units=units)
    table = np.full(NODATA + 1, NODATA, np.uint8)
    table[1 : len(scheme.levels) + 1] = [LEVELS.index(level) + 1 for level in scheme.levels]
    if not isinstance(codes, xr.DataArray):
        return table[codes]
    return xr.apply_ufunc(
        partial(_looked_up, table=table), codes, dask="parallelized", output_dtypes=[np.uint8], keep_attrs=True
    )


def _looked_up(codes: NDArray[np.uint8], *, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return table[codes]
