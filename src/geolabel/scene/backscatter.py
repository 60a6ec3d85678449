"""The drop of backscatter between two dates, window by window: speckle filtered, differences in dB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geolabel.digests import digest
from geolabel.errors import BandError, InputError, UnitError, nearest
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.scene.align import align
from geolabel.scene.radar import scale_of, to_db
from geolabel.scene.speckle import lee, temporal_mean

BANDS = {"vh/vv": ("vh", "vv"), "vh": ("vh",), "vv": ("vv",)}
"""Index -> bands; of two, the first over the second."""


@dataclass(frozen=True, slots=True)
class DropReader:
    """Backscatter before less backscatter after, dB, by window; picklable, safe from several threads at once."""

    name: str
    """`vh/vv`, `vh`, `vv`."""
    before: Scene
    """In dB."""
    after: Scene
    shape: tuple[int, int]
    block: tuple[int, int]
    digest: str
    units: Literal["dB"] = "dB"
    offset: float = 0.0
    """Nothing was taken off before."""

    def read(self, rows: slice, cols: slice) -> NDArray[np.float32]:
        """(y, x) float32 dB of a window, positive where backscatter fell, NaN where either date saw no power."""
        bands = BANDS[self.name]
        before, after = (scene.read(bands, rows, cols).astype(np.float64) for scene in (self.before, self.after))
        fell = before - after
        drop: NDArray[np.float32] = (fell[0] if len(bands) == 1 else fell[0] - fell[1]).astype(np.float32)
        return drop


def drop_reader(view: View, name: str = "vh/vv", *, before: str = "before", after: str = "after") -> DropReader:
    """Reader of the drop of backscatter between two scenes of a view; no pixel is read.

    A burn that opens the canopy lowers VH more than VV; what wets the whole ground changes both, so their ratio tells
    the two apart.

    Raises
    ------
    BandError
        For an unknown index, or where a scene lacks a band.
    UnitError
        For scenes that are no radar or do not say whether they are dB, or one gamma0 and one sigma0.
    """
    if name not in BANDS:
        raise BandError(f"unknown radar index {name!r}", hint=nearest(name, BANDS))
    one, two = view[before], view[after]
    if scale_of(one) and scale_of(two) and one.quantity.partition("_")[0] != two.quantity.partition("_")[0]:
        raise UnitError(
            f"{before} holds {one.quantity}, {after} {two.quantity}", hint="compare products of one calibration"
        )
    for scene in (one, two):
        for band in BANDS[name]:
            scene.band(band)
    made_of = digest("drop", name, view.grid.digest, one.digest, two.digest)
    return DropReader(name, to_db(one), to_db(two), view.grid.shape, one.block, made_of)


def mean_level(scene: Scene) -> Any:
    """Lazy float32 DataArray (y, x): mean of VV and VH in dB, NaN where either is no power.

    Of two speckled channels the mean of their dB has half the variance of one.
    """
    both = to_db(scene)
    level = (both.band("vv") + both.band("vh")) / np.float32(2)
    return level.rename("level").assign_attrs(long_name="Mean backscatter of VV and VH", units="dB")


def smoothed(scenes: Scene | Sequence[Scene], *, looks: float) -> Scene:
    """One radar scene of one or several dates: their mean in linear power, speckle filtered (Lee, 7 x 7 pixels), lazy.

    n dates have n times the looks. Dates on other grids are put on a metric one first.

    Parameters
    ----------
    looks
        Equivalent number of looks of one date.

    Raises
    ------
    InputError
        Without scenes.
    UnitError
        For scenes that are no radar.
    """
    dates = [scenes] if isinstance(scenes, Scene) else list(scenes)
    if not dates:
        raise InputError("no radar scene", hint="give a scene, or several dates of one place")
    for scene in dates:
        scale_of(scene)
    if len({scene.grid.digest for scene in dates}) > 1:
        dates = list(align({str(i): scene for i, scene in enumerate(dates)}).scenes.values())
    mean = dates[0] if len(dates) == 1 else temporal_mean(dates)
    return lee(mean, looks=looks * len(dates))
