"""What is held of a fire before its scar is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from geolabel.errors import FireError
from geolabel.fire.arrays import F64

DURATIONS = 33
"""Durations looked at between the shortest and the longest."""
ERRORS = (0.12, 0.18, 0.27, 0.4, 0.6, 0.9)
"""Standard deviations of the local error of log arrival that are looked at."""
NORMAL = 401
"""Points at which a normal prior is read."""
LIKELY_ERROR, ERROR_SPREAD = 0.3, 0.6
"""Median and log standard deviation of that error before a fire is looked at."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is held of one fire before its scar is looked at; factors are log-normal about 1.

    There is one rate factor and one wind factor and none per fuel: an untimed scar is one outline, and the rates of two
    fuels that both burned are exchanged for each other, or for the duration, without a change of it.

    Raises
    ------
    FireError
        Negative standard deviations, durations that are not 0 < shortest <= longest.
    """

    log_rate_sd: float = 0.5
    """Of the logarithm of the rate factor. Cruz & Alexander (2013) find +-35 % a good standard for one run; the bias
    of a fuel map and of its moisture comes on top."""
    log_wind_sd: float = 0.3
    """Of the logarithm of the wind factor: error of the wind that was measured elsewhere, of its reduction to flame
    height and of the model's response to it, which a scar cannot tell apart."""
    turn_sd_deg: float = 15.0
    """Of the direction of the wind; a nuisance of this fire, no part of what is applied to others."""
    hours: tuple[float, float] = (0.5, 6.0)
    """Shortest and longest duration where it is unknown, equally likely in its logarithm."""

    def __post_init__(self) -> None:
        if not min(self.log_rate_sd, self.log_wind_sd, self.turn_sd_deg) > 0:
            raise FireError(f"impossible prior {self}", hint="standard deviations above 0; 1e-6 fixes a factor")
        if not 0 < self.hours[0] <= self.hours[1]:
            raise FireError(f"a duration between {self.hours[0]:g} and {self.hours[1]:g} h", hint="(shortest, longest)")

    @property
    def sd(self) -> F64:
        """(3,) standard deviations of log rate factor, log wind factor and turn of the wind in degrees."""
        return np.array([self.log_rate_sd, self.log_wind_sd, self.turn_sd_deg])

    def quantiles(self, name: str, durations_h: F64, levels: Sequence[float]) -> F64:
        """Quantiles of a factor, of "turn_deg", "hours" or "reach" (rate factor times hours), over given durations."""
        z = ndtri((np.arange(NORMAL) + 0.5) / NORMAL)
        values = {
            "rate_factor": np.exp(self.log_rate_sd * z),
            "wind_factor": np.exp(self.log_wind_sd * z),
            "turn_deg": self.turn_sd_deg * z,
            "hours": durations_h,
            "reach": np.exp(self.log_rate_sd * z)[:, None] * durations_h,
        }
        return np.asarray(np.quantile(values[name], levels))

    def durations_h(self, after: float = 0.0) -> F64:
        """(n,) equally likely durations, rising; none is shorter than `after`, when the fire was last seen.

        Raises
        ------
        FireError
            Where the fire was last seen after the longest duration.
        """
        low, high = max(self.hours[0], after * 1.001), self.hours[1]
        if low > high:
            raise FireError(
                f"the fire was seen {after:g} h after it began; its duration was to be {high:g} h at most",
                hint="a longer prior for the duration",
            )
        steps = (np.arange(DURATIONS) + 0.5) / DURATIONS
        return np.asarray(low * (high / low) ** steps)


def error_prior() -> F64:
    """(n,) probabilities of `ERRORS`, sum 1."""
    z = (np.log(ERRORS) - np.log(LIKELY_ERROR)) / ERROR_SPREAD
    share = np.exp(-0.5 * z**2)
    return np.asarray(share / share.sum())
