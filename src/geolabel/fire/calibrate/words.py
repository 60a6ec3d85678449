"""What a calibration does not say, in words that go with its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geolabel.fire.calibrate.posterior import Calibration

SUPPRESSION = (
    "Suppression bias: fires are simulated without suppression. Where people stopped this fire and nobody wrote it down,"
    " the rate looks lower than it was."
)
CONTROLLED = (
    "Suppression bias: only the control lines given are simulated. Where people stopped this fire elsewhere, the rate"
    " looks lower than it was."
)
FUELS = "One rate factor stands for all fuels: one fire does not tell them apart. It also takes up the error of fuel moisture."
WIND = (
    "The wind factor holds the error of the measured wind, of its reduction to flame height and of the model's response"
    " to it; on another fire the measured wind errs differently."
)
FIT = "Agreement before and after is with the scar that was fitted: a fit, not a validation. Validate on fires not used here."
SPREAD_SHARE = 0.1
"""Narrowing below which the prior is all there is."""


def words(found: Calibration) -> tuple[str, ...]:
    """One sentence for each thing the numbers are not."""
    return tuple(_sentences(found))


def _sentences(found: Calibration) -> Iterator[str]:
    yield CONTROLLED if found.controlled else SUPPRESSION
    yield _time(found)
    yield FUELS
    yield WIND
    for name, title in (("rate_factor", "rate factor"), ("wind_factor", "wind factor")):
        yield from _beside_prior(found, name, title)
    if found.unreachable:
        yield (
            f"{found.unreachable} burned cells cannot be reached from the ignition over fuel that burns on the map"
            " (a road, a wrong fuel, spotting): they count as missed in the Sorensen and are left out of the fit."
        )
    yield FIT
    yield from _sampling(found)


def _beside_prior(found: Calibration, name: str, title: str) -> Iterator[str]:
    middle, (prior, low, high) = found.interval(name)[0], found.interval(name, before=True)
    if not low <= middle <= high:
        yield (
            f"The {title} is at odds with its prior ({middle:.2f}; {low:.2f} to {high:.2f} before): something that is not"
            " modelled (fuel, roads, suppression, another ignition) may be taken for it."
        )
    elif found.narrowed(name) < SPREAD_SHARE:
        yield (
            f"The {title} is hardly narrower than its prior ({max(found.narrowed(name), 0.0):.0%} less; median {prior:.2f} before):"
            " the perimeters say little of it."
        )


def _time(found: Calibration) -> str:
    if found.timed:
        return (
            "The time of a perimeter is known, so the rate itself is constrained; the wrong time gives the wrong rate."
        )
    low, high = found.prior.hours
    reach = "{:.2f} ({:.2f} to {:.2f})".format(*found.interval("reach"))
    return (
        f"A final scar bounds extent, never rate: the duration is unknown ({low:g} to {high:g} h before), a fast short fire"
        f" and a slow long one leave the same scar (correlation of log rate and log duration {found.correlation:+.2f}), and"
        f" only rate factor x hours is identified: {reach}."
    )


def _sampling(found: Calibration) -> Iterator[str]:
    from geolabel.fire.calibrate.posterior import ENOUGH

    runs = found.draws["run"].nunique()
    text = f"{found.effective_runs:.0f} effective of {runs} simulated fires"
    yield f"{text}: more of them for steadier limits." if found.effective_runs < ENOUGH else f"{text}."
