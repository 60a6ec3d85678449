"""Figures of map accuracy and error-adjusted area: published examples, coverage of limits, what a design is worth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks import area as job
from benchmarks.evidence import Row, row
from geolabel.quality.survey.area import accuracy
from geolabel.quality.survey.design import sample_size

MADE_FROM = (
    "src/geolabel/quality/survey/area.py",
    "src/geolabel/quality/survey/limits.py",
    "src/geolabel/quality/survey/stratified.py",
    "src/geolabel/quality/survey/design.py",
    "src/geolabel/quality/survey/points.py",
    "benchmarks/area.py",
)
RARE = job.NAMES.index("burned")
COMMON = [n for n in range(len(job.NAMES)) if n != RARE]
PUBLISHED = {
    "user's accuracy": ("users", 1.0, 4, (0.8800, 0.7333, 0.9273, 0.9631)),
    "producer's accuracy": ("producers", 1.0, 4, (0.7487, 0.8472, 0.9345, 0.9616)),
    "areas, ha": ("area_m2", 1e-4, 0, (21158, 11686, 285770, 581386)),
    "+- of areas, ha": ("area_se_m2", 1.96e-4, 0, (6158, 3756, 15510, 16282)),
}
"""DOMAIN.md, section 6: column, factor, decimals, figures."""


@row(*MADE_FROM)
def area_examples() -> Iterator[Row]:
    """The worked example of Olofsson et al. 2014 and its sample size."""
    found = accuracy(job.MATRIX, np.array(job.MAPPED) * 900.0)
    for name, (column, factor, decimals, told) in PUBLISHED.items():
        off = float(np.abs((found.table[column] * factor).round(decimals) - told).max())
        yield Row(f"worked example: {name}, largest difference", off, "", ", ".join(map(str, told)), "0", off == 0)
    off = max(abs(round(found.overall.value, 4) - 0.9465), abs(round(1.96 * found.overall.se, 4) - 0.0185))
    yield Row(
        "worked example: overall accuracy and its +-, largest difference", off, "", "0.9465, 0.0185", "0", off == 0
    )
    n = sample_size(job.WEIGHTS, job.USERS, 0.01)
    yield Row(
        "sample size for a standard error of 0.01", n, "", "Olofsson et al. 2014, section 5.1.1: 641", "641", n == 641
    )


@row(*MADE_FROM, long=True)
def area_coverage() -> Iterator[Row]:
    """Shares of samples whose 95 % limits hold what is known of every pixel of 20 maps."""
    found, counted = job.everywhere()
    share = {method: one.share for method, one in found.items()}
    many = f"{job.WORLDS} maps x {job.REPEATS} samples of 640-1,400 points, none of which the method was chosen on; they tell 0.3 %"
    for name, words in (
        ("overall", "overall accuracy"),
        ("users", "user's accuracy"),
        ("producers", "producer's accuracy"),
        ("area", "area"),
    ):
        classes = [0] if name == "overall" else COMMON
        of = "" if name == "overall" else ", the common class farthest from 95 %"
        worst = {method: _farthest(one[name][classes]) for method, one in share.items()}
        beside = f"normal (as published) {worst['normal']:.3f}, wilson {worst['wilson']:.3f}; {many}"
        yield _covers(f"coverage of 95 % limits: {words}{of}", worst["jeffreys"], beside)
    for name, words in (("users", "user's accuracy"), ("producers", "producer's accuracy"), ("area", "area")):
        one = {method: float(share[method][name][RARE]) for method in job.METHODS}
        beside = f"normal (as published) {one['normal']:.3f}, wilson {one['wilson']:.3f}"
        if one["normal"] < 0.92:
            beside += ": most samples miss the scar that the map missed, and then vary too little; jeffreys is too wide rather"
        yield _covers(f"coverage of 95 % limits: {words} of the scar (2 % of the ground)", one["jeffreys"], beside)
    widths = [float(found[method].width[RARE] / found["normal"].width[RARE]) for method in ("jeffreys", "wilson")]
    beside = f"wilson {widths[1]:.2f}; what it costs to cover"
    yield Row("width of the scar's area limits over that of the published", widths[0], "x", beside)
    off, pixels = float(found["normal"].area[RARE] - 1), float(counted[RARE] - 1)
    beside = f"counting pixels of the map: {pixels:+.1%}"
    yield Row("area of the scar, mean error after adjustment", 100 * off, "%", beside, "within 1 %", abs(off) < 0.01)


def _farthest(shares: np.ndarray) -> float:
    return float(shares[np.abs(shares - 0.95).argmax()])


def _covers(name: str, share: float, beside: str) -> Row:
    return Row(name, share, "", beside, "0.94 to 0.96", 0.94 <= share <= 0.96)


@row(*MADE_FROM)
def area_design() -> Iterator[Row]:
    """What an allocation is worth, and what drawing costs."""
    error = {how: job.area_error(how) for how in ("optimal", "compromise", "equal", "proportional")}
    beside = ", ".join(f"{how} {value:.1%}" for how, value in error.items() if how != "optimal")
    good = error["optimal"] <= min(error.values())
    words = "standard error of a scar's area (3 % of the ground), 600 points allocated best for it"
    yield Row(words, 100 * error["optimal"], "%", beside, "smallest", good)
    (small, _), (seconds, peak) = job.drawn(2_000), job.drawn(20_000)
    beside = f"4 Mpx: {small:.2f} s"
    yield Row("drawing 640 points from 400 Mpx in strips", seconds, "s", beside)
    yield Row("drawing 640 points from 400 Mpx, peak memory", peak, "MB", "the map itself: 400 MB", "< 150", peak < 150)
