"""A real scar whose duration nobody wrote down: what calibration gains on it, and what it says it cannot know."""

import numpy as np
import pytest

from benchmarks import houffalize
from geolabel.errors import FireError
from geolabel.fire.calibrate.prior import Prior
from support import data_folder

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def mapped():
    data_folder("fire-houffalize")
    return houffalize.case(roads=True)


@pytest.fixture(scope="module")
def found(mapped):
    return houffalize.fitted(mapped, runs=120)


def test_the_ignition_counts_from_one_and_is_enclosed_by_roads():
    data_folder("fire-houffalize")
    assert houffalize.IGNITION == (300, 300)
    whole = houffalize.landscape(roads=True)
    with pytest.raises(FireError, match="has no burnable neighbour") as refused:
        whole.check_ignition(*houffalize.IGNITION)
    assert "row 299, col 299" in refused.value.hint
    houffalize.landscape(roads=False).check_ignition(*houffalize.IGNITION)


def test_the_scar_on_the_grid(mapped):
    assert mapped.scar.sum() * 100 == pytest.approx(52_021, rel=0.01)  # the agency's area, m2
    assert mapped.moved_m == pytest.approx(np.hypot(10, 10))


def test_wind_and_its_error_come_from_the_samples():
    data_folder("fire-houffalize")
    samples, usual = houffalize.wind(), Prior()
    prior = houffalize.prior_of(samples)
    assert samples.weather.speed_m_s[0] * 3.6 == pytest.approx(14.7, abs=0.3)
    assert 150 < samples.weather.from_deg[0] < 190
    assert prior.turn_sd_deg == samples.direction_deg > usual.turn_sd_deg
    assert prior.log_wind_sd > usual.log_wind_sd
    assert prior.hours == (0.5, 6.0)


def test_calibration_gains_on_the_scar_and_says_what_it_does_not_know(found, mapped):
    before, after = found.interval("sorensen", before=True), found.interval("sorensen")
    assert after[0] > before[0] + 0.15
    assert after[0] > before[2] - 0.15
    assert found.unreachable == 96  # roads inside the scar, and what lies beyond them
    scored = mapped.scar.sum() - 1 - 96
    assert after[2] <= 2 * scored / (2 * scored + 96)
    assert found.correlation < 0
    said = str(found)
    for words in ("Suppression bias", "never rate", "96 burned cells cannot be reached", "a fit, not a validation"):
        assert words in said
    assert found.burned_probability[mapped.scar].mean() > 2.5 * found.burned_probability[~mapped.scar].mean()
