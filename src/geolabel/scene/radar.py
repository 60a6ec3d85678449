"""Radar backscatter: whether its numbers are dB or linear, conversion, and change.

Averages are taken in linear power, differences in dB. Which of the two a product holds is read from its metadata and
never guessed from values; values may only contradict what the metadata say.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

import dask.array as da
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import GeolabelWarning, UnitError
from geolabel.nouns.scene import Quantity, Scene
from geolabel.nouns.view import View
from geolabel.scene.readers import Mapped

Coefficient = Literal["gamma0", "sigma0"]
Scale = Literal["linear", "db", "amplitude"]
Values = NDArray[np.float32]

WORDS: Mapping[str, Scale] = {
    "db": "db", "decibel": "db", "decibels": "db", "linear": "linear", "power": "linear", "amplitude": "amplitude",
}  # fmt: skip
"""Word of metadata -> scale."""
SPEAKING = ("unit", "scale", "backscatter", "calibration", "radiometr", "description", "quantity")
"""Parts of the names of tags whose text says what the numbers are; others may speak of a linear interpolation."""
HYP3 = re.compile(r"RTC\d+_\w_(?P<coefficient>[gs])(?P<scale>[pda])[uw][nf][ec][dm]")
"""Names of ASF HyP3 products: g or s (gamma0, sigma0), then p, d or a (power, dB, amplitude)."""
HYP3_WORDS = {"g": "gamma0", "s": "sigma0", "p": "power", "d": "db", "a": "amplitude"}
NOISE_POWER = 0.1
"""Linear backscatter may lie this far below zero where thermal noise was subtracted (-22 dB or less): not farther."""
ENOUGH = 1024
"""Known pixels of a block from which it is believed that none of them would lie above 0 dB by chance."""


@dataclass(frozen=True, slots=True)
class Backscatter:
    """What a product says of its numbers."""

    coefficient: Coefficient
    scale: Scale
    why: str
    """Who says so, in words, for the audit."""

    @classmethod
    def given(cls, quantity: Quantity) -> Backscatter:
        """What a user says: `gamma0_db`, `gamma0_linear`, `sigma0_db`, `sigma0_linear`.

        Raises
        ------
        UnitError
            For a quantity that is no backscatter.
        """
        coefficient, _, scale = quantity.partition("_")
        if coefficient not in ("gamma0", "sigma0"):
            raise UnitError(
                f"{quantity!r} is no backscatter", hint="gamma0_db, gamma0_linear, sigma0_db, sigma0_linear"
            )
        return cls(cast(Coefficient, coefficient), cast(Scale, scale), "as given")

    @property
    def quantity(self) -> Quantity:
        """The scene's quantity once it is opened: amplitude is squared and so linear."""
        return cast(Quantity, f"{self.coefficient}_{'db' if self.scale == 'db' else 'linear'}")


# ---------------------------------------------------------------------- what the metadata say
def backscatter_of(
    tags: Mapping[str, str], *, units: Sequence[str | None] = (), names: Sequence[str] = (), product: str = ""
) -> Backscatter:
    """What the metadata of a radar product say its numbers are; values are not looked at.

    Read in this order: units of the bands, their names, tags that speak of units or calibration, the product's name
    (ASF HyP3). Where they disagree the first decides, with a warning.

    Raises
    ------
    UnitError
        Where nothing says whether the numbers are dB or linear.
    """
    said = list(_said(tags, units, names, product))
    scales = [(who, WORDS[word]) for who, text in said for word in re.findall(r"[a-z]+", text) if word in WORDS]
    if not scales:
        raise UnitError(
            f"{product or 'the radar product'} does not say whether its numbers are dB or linear",
            hint="say it: open_scene(..., quantity='gamma0_db') or 'gamma0_linear' (sigma0_db, sigma0_linear)",
        )
    (who, scale), *others = scales
    against = sorted({f"{name} says {other}" for name, other in others if other != scale})
    why = f"{scale} by {who}" + (f", although {' and '.join(against)}" if against else "")
    if against:
        warnings.warn(f"the metadata disagree: {why}", GeolabelWarning, stacklevel=3)
    coefficient, known = _coefficient(said)
    return Backscatter(coefficient, scale, f"{coefficient} {known}, {why}")


def _said(
    tags: Mapping[str, str], units: Sequence[str | None], names: Sequence[str], product: str
) -> Iterator[tuple[str, str]]:
    """(who speaks, what, in lower case with `_` as a space), in order of trust."""
    yield from (("the unit of a band", _plain(unit)) for unit in units if unit)
    yield from ((f"the band name {name}", _plain(name)) for name in names)
    for key, text in tags.items():
        if any(part in key.lower() for part in SPEAKING) and "equation" not in key.lower():  # how one would convert
            yield f"the tag {key}", _plain(str(text))
    if found := HYP3.search(product):
        yield "the product's name", " ".join(HYP3_WORDS[found[part]] for part in ("coefficient", "scale"))


def _plain(text: str) -> str:
    return text.lower().replace("_", " ").replace("γ", "gamma").replace("σ", "sigma")


def _coefficient(said: Sequence[tuple[str, str]]) -> tuple[Coefficient, str]:
    for who, text in said:
        if found := re.search(r"(gamma|sigma)[ -]*(0|o\b|nought|naught|zero)", text):
            return cast(Coefficient, f"{found[1]}0"), f"by {who}"
    warnings.warn(
        "the metadata do not say gamma0 or sigma0: called gamma0; give quantity='sigma0_db' or the like to decide",
        GeolabelWarning,
        stacklevel=4,
    )
    return "gamma0", "assumed"


# ---------------------------------------------------------------------- scenes
def calibrated(scene: Scene, said: Backscatter) -> Scene:
    """Scene of stored numbers as backscatter, lazy: amplitude squared, values checked against what was said.

    Raises
    ------
    UnitError
        When computed, where values contradict the metadata: negative power, or dB without one below 0.
    """
    change = _squared if said.scale == "amplitude" else partial(checked, quantity=said.quantity)
    words = f"backscatter {said.quantity}: {said.why}" + ("; squared" if said.scale == "amplitude" else "")
    return _changed(scene, change, said.quantity, words)


def to_linear(scene: Scene) -> Scene:
    """Scene in linear power, lazy; itself where it is.

    Raises
    ------
    UnitError
        For a scene that is no radar; when computed, where its values are no dB.
    """
    if scale_of(scene) == "linear":
        return scene
    return _changed(scene, power_of_db, _as(scene.quantity, "linear"), "dB to linear power")


def to_db(scene: Scene) -> Scene:
    """Scene in dB, lazy; itself where it is. Power at or below zero has no dB and is no data.

    Raises
    ------
    UnitError
        For a scene that is no radar; when computed, where its values are dB already.
    """
    if scale_of(scene) == "db":
        return scene
    return _changed(scene, db_of_power, _as(scene.quantity, "db"), "linear power to dB")


def scale_of(scene: Scene) -> Literal["linear", "db"]:
    """Whether a radar scene is linear or in dB.

    Raises
    ------
    UnitError
        For a scene that is no radar.
    """
    coefficient, _, scale = scene.quantity.partition("_")
    if coefficient not in ("gamma0", "sigma0"):
        raise UnitError(
            f"scene {scene.id!r} holds {scene.quantity}, not backscatter",
            hint="open it with open_scene(..., quantity='gamma0_db') if it is radar",
        )
    return cast(Literal["linear", "db"], scale)


def _as(quantity: Quantity, scale: str) -> Quantity:
    return cast(Quantity, f"{quantity.partition('_')[0]}_{scale}")


def _changed(scene: Scene, change: Callable[[Any], Any], quantity: Quantity, words: str) -> Scene:
    bands = {str(name): _mapped(band, change) for name, band in scene.data.items()}
    return dataclasses.replace(
        scene,
        data=scene.data.assign(bands),
        quantity=quantity,
        digest=digest(scene.digest, quantity, words),
        audit=(*scene.audit, words),
        reader=None if scene.reader is None else Mapped(scene.reader, change),
    )


def _mapped(band: Any, change: Callable[[Any], Any]) -> Any:
    units = {key: text for key, text in band.attrs.items() if key != "units"}
    return (
        band.copy(data=da.map_blocks(change, da.asarray(band.data), dtype=np.float32)).drop_attrs().assign_attrs(units)
    )


# ---------------------------------------------------------------------- change
def log_ratio(view: View, band: str, *, before: str = "before", after: str = "after") -> Any:
    """Lazy float32 DataArray (y, x): backscatter of a band after over before, dB; NaN where either is no power.

    A burn that opens the canopy lowers VH; scenes in dB and linear give the same.

    Raises
    ------
    UnitError
        For scenes that are no radar, or one gamma0 and one sigma0; when computed, where values contradict their unit.

    Source: Rignot & van Zyl 1993, IEEE TGRS 31:896 (ratio of intensities as change).
    """
    one, two = view[before], view[after]
    if scale_of(one) and scale_of(two) and one.quantity.partition("_")[0] != two.quantity.partition("_")[0]:
        raise UnitError(
            f"{before} holds {one.quantity}, {after} {two.quantity}", hint="compare products of one calibration"
        )
    powers = [to_db(scene).band(band) for scene in (one, two)]
    change = xr.apply_ufunc(_less, *powers, dask="parallelized", output_dtypes=[np.float32], join="exact")
    return change.rename("log_ratio").assign_attrs(long_name=f"Change of {band}, after over before", units="dB")


def _less(before: Values, after: Values) -> Values:
    return (after.astype(np.float64) - before).astype(np.float32)


# ---------------------------------------------------------------------- numbers
def db_of_power(power: Values) -> Values:
    """float32 `10 log10(power)`; NaN at or below zero.

    Raises
    ------
    UnitError
        Where power is farther below zero than noise explains.
    """
    exact = checked(power, quantity="gamma0_linear").astype(np.float64)
    return (10 * np.log10(np.where(exact > 0, exact, np.nan))).astype(np.float32)


def power_of_db(db: Values) -> Values:
    """float32 `10 ** (db / 10)`.

    Raises
    ------
    UnitError
        Where a block of many pixels holds no value below 0 dB, and most below 1.
    """
    return (10 ** (checked(db, quantity="gamma0_db").astype(np.float64) / 10)).astype(np.float32)


def _squared(amplitude: Values) -> Values:
    return checked(amplitude, quantity="gamma0_linear") ** 2


def checked(values: Values, *, quantity: Quantity) -> Values:
    """The values themselves, unless they contradict what they are said to be.

    Raises
    ------
    UnitError
        For power below `-NOISE_POWER`; for dB of which none of `ENOUGH` or more is below 0 and most are below 1.
    """
    known = values[np.isfinite(values)]
    if quantity.endswith("_linear") and known.size and known.min() < -NOISE_POWER:
        raise UnitError(
            f"backscatter said to be linear goes down to {known.min():.4g}: it is dB given as linear",
            hint="open it with quantity='gamma0_db' (or sigma0_db)",
        )
    if quantity.endswith("_db") and known.size >= ENOUGH and known.min() >= 0 and (known < 1).mean() > 0.5:
        raise UnitError(
            f"backscatter said to be dB lies within {known.min():.4g} .. {known.max():.4g}: it is linear given as dB",
            hint="open it with quantity='gamma0_linear' (or sigma0_linear)",
        )
    return values
