"""The fire room against other programs: the mosaic's true front, scikit-learn's scores."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss

from geolabel.fire.front.arrival import first_arrival
from geolabel.fire.score import average_precision, brier
from support import shared_folder


@pytest.fixture(scope="module")
def mosaic():
    with np.load(shared_folder("reference") / "front" / "mosaic500_12h.npz") as file:
        return dict(file)


@pytest.mark.parametrize(("setting", "iou", "area"), [("accurate", 0.99, 0.007), ("fast", 0.95, 0.05)])
def test_the_true_front_of_a_mosaic(mosaic, setting, iou, area):
    """First arrival by a solver with 32 intervals an edge; goals of TARGETS, section 4."""
    ours, _, _ = first_arrival(
        *(mosaic[name] for name in ("head_rate_m_min", "head_bearing_rad", "eccentricity")),
        (249, 250),
        720,
        res_m=30,
        slope=mosaic["slope"],
        aspect_rad=np.radians(mosaic["aspect"]),
        setting=setting,
    )
    burned, truth = np.isfinite(ours), np.isfinite(mosaic["arrival_min"])
    assert (burned & truth).sum() / (burned | truth).sum() >= iou
    assert burned.sum() == pytest.approx(mosaic["burned_fraction"].sum(), rel=area)
    assert not (burned & (mosaic["burned_fraction"] == 0)).any()
    if setting == "accurate":
        both = burned & truth
        assert abs((ours - mosaic["arrival_min"])[both].mean()) < 2


@pytest.mark.parametrize("levels", [2, 7, 1000])
def test_scores_of_scikit_learn(levels):
    rng = np.random.default_rng(levels)
    labels = rng.random(500) < 0.2
    scores = np.round(np.clip(labels * 0.2 + rng.random(500) * 0.8, 0, 1) * levels) / levels
    assert average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    assert brier(labels, scores) == pytest.approx(brier_score_loss(labels, scores))
