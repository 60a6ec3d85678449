import numpy as np
import pytest

from geolabel.quality import scores


def squares(size=10):
    truth, found = np.zeros((size, size), bool), np.zeros((size, size), bool)
    truth[2:6, 2:6] = True
    found[2:6, 3:7] = True
    return found, truth


def test_a_square_shifted_by_one():
    """DOMAIN section 6: a 4 x 4 square shifted by one in a field of 10 x 10."""
    found, truth = squares()
    assert scores.iou(found, truth) == pytest.approx(0.6)
    assert scores.sorensen(found, truth) == pytest.approx(0.75)
    assert scores.shape_deviation(found, truth) == pytest.approx(0.5)
    assert scores.area_difference(found, truth) == pytest.approx(0.6667, abs=5e-5)
    assert scores.area_bias(found, truth) == 0
    assert scores.sensitivity(found, truth) == pytest.approx(0.75)


@pytest.mark.parametrize(("size", "kappa", "accuracy"), [(10, 0.7024, 0.92), (100, 0.7496, 0.9992)])
def test_kappa_and_accuracy_grow_with_the_field(size, kappa, accuracy):
    found, truth = squares(size)
    assert scores.kappa(found, truth) == pytest.approx(kappa, abs=5e-5)
    assert scores.overall_accuracy(found, truth) == pytest.approx(accuracy)
    assert scores.iou(found, truth) == pytest.approx(0.6)


def test_kappa_is_scikit_learns():
    from sklearn.metrics import cohen_kappa_score

    generator = np.random.default_rng(0)
    found, truth = generator.random((2, 30, 30)) < 0.3
    assert scores.kappa(found, truth) == pytest.approx(cohen_kappa_score(found.ravel(), truth.ravel()))


def test_nothing_against_nothing_has_no_score():
    nothing = np.zeros((3, 3), bool)
    for score in (
        scores.iou,
        scores.sorensen,
        scores.shape_deviation,
        scores.area_bias,
        scores.sensitivity,
        scores.kappa,
    ):
        assert np.isnan(score(nothing, nothing))
    assert scores.specificity(nothing, nothing) == 1
