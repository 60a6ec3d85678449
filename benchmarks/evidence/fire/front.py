"""The front: first arrival against the reference mosaic and closed forms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import crowns, front, front_refinement
from benchmarks.evidence import Row, row
from geolabel.fire.front.solver import Solver

GOALS = {"accurate": (0.99, 0.7, 2.0), "fast": (0.95, 5.0, None)}
"""Setting -> least IoU, most area error in percent, most mean arrival error in minutes (TARGETS, section 4)."""


@row("src/geolabel/fire/front", needs="../reference/front")
def mosaic() -> Iterator[Row]:
    """First arrival on the reference mosaic, 500 x 500 cells of 30 m, 12 h."""
    with np.load(front.REFERENCE) as file:
        reference = dict(file)
    reached, area = np.isfinite(reference["arrival_min"]), float(reference["burned_fraction"].sum())
    peers = "pyretechnics .496, ELMFIRE .544 at 30 m (TARGETS)"
    for setting, (least, most, late) in GOALS.items():
        ours = front.given(reference, setting, Solver(reached.shape, front.RES, setting))
        burned = np.isfinite(ours)
        both = burned & reached
        iou, error = both.sum() / (burned | reached).sum(), 100 * (burned.sum() / area - 1)
        minutes = float((ours - reference["arrival_min"])[both].mean())
        yield Row(f"front {setting}: IoU with the reference", float(iou), "", peers, f">= {least}", iou >= least)
        yield Row(f"front {setting}: area error", float(error), "%", "", f"within {most} %", abs(error) <= most)
        goal = f"within {late:g} min" if late else ""
        yield Row(
            f"front {setting}: mean arrival error", minutes, "min", "", goal, abs(minutes) <= late if late else None
        )


@row("src/geolabel/fire/front")
def ellipse() -> Iterator[Row]:
    """Area of a fire on uniform ground against the closed form, accurate setting."""
    for eccentricity, most in ((0.5, 0.3), (0.7, 0.3), (0.9, 1.0)):
        error = 100 * float(front.ellipse_area("accurate", eccentricity))
        name = f"front accurate: ellipse area error, eccentricity {eccentricity}"
        yield Row(
            name, error, "%", "pyretechnics +2.3 %, ELMFIRE +5.3 % (TARGETS)", f"within {most} %", abs(error) <= most
        )


@row("src/geolabel/fire/front", "benchmarks/front_refinement.py", long=True)
def refinement() -> Iterator[Row]:
    """Fires on three landscapes against their own refinement, each cell as 8 x 8."""
    figures = front_refinement.study(
        [front_refinement.patches(), front_refinement.mosaic(), front_refinement.corridors()]
    )
    finest = {
        one.ground: one.area_ha
        for one in figures
        if (one.setting, one.split) == ("accurate", front_refinement.SPLITS[-1])
    }
    before = {
        one.ground: one.area_ha
        for one in figures
        if (one.setting, one.split) == ("accurate", front_refinement.SPLITS[-2])
    }
    for one in figures:
        if one.split != 1:
            continue
        least, most = GOALS[one.setting][:2]
        error = 100 * (one.area_ha / finest[one.ground] - 1)
        moved = 100 * (finest[one.ground] / before[one.ground] - 1)
        name = f"front {one.setting}, {one.ground}: "
        yield Row(name + "IoU with its refinement", one.iou, "", "", f">= {least}", one.iou >= least)
        beside = f"the last doubling moved it by {moved:+.2f} %"
        yield Row(name + "area error", error, "%", beside, f"within {most} %", abs(error) <= most)


@row("src/geolabel/fire/front", "src/geolabel/fire/behave", "benchmarks/crowns.py", needs="landscape-napa-landfire")
def heads() -> Iterator[Row]:
    """The front's compiled head against the point model, over all burnable cells of Napa and Sonoma, with crown fire."""
    place = crowns.napa()
    assert place is not None
    for model in crowns.CROWN_MODELS:
        found = crowns.heads_on_napa(*place, model)
        kinds = ", ".join(
            f"{key.removeprefix('share_')} {share:.2f}" for key, share in found.items() if "share_" in key
        )
        name, other, error = f"head on Napa, {model}: ", found["other_kind"], found["rate_error"]
        yield Row(name + "cells of another kind than the point model's", other, "", kinds, "0", other == 0)
        yield Row(
            name + "largest relative error of the rate",
            error,
            "",
            f"{found['cells']:,.0f} cells",
            "<= .001",
            error <= 1e-3,
        )
    areas = crowns.areas_on_napa(*place)
    for name, hectares in areas.items():
        yield Row(f"one fire of 3 h on Napa, {name}", hectares, "ha", "12 m/s, 1-h fuel at 4 %")
