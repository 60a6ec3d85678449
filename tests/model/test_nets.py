import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geolabel.model.nets import Shape, SpreadNet, burned_by


def net(fold=2, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = SpreadNet(Shape(channels=3, hours=4, width=8, levels=3, fold=fold))
        torch.nn.init.normal_(made.head.weight, std=0.5)
        return made.eval()


def out(made, x):
    with torch.inference_mode():
        hazard, vector = made(torch.from_numpy(x))
        return burned_by(hazard).numpy(), vector.numpy()


@settings(deadline=None, max_examples=100)
@given(arrays(np.float32, (2, 5, 3, 3), elements=st.floats(-90, 90, width=32)))
def test_probability_does_not_fall_with_the_hour(logits):
    p = burned_by(torch.from_numpy(logits)).numpy()
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p, axis=1) >= 0).all()


def test_probability_is_one_minus_the_product_of_what_does_not_burn():
    hazard = np.array([0.1, 0.5, 0.2])
    logits = np.log(hazard / (1 - hazard)).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(burned_by(torch.from_numpy(logits)).numpy().ravel(), [0.1, 0.55, 0.64])


@pytest.mark.parametrize("fold", [1, 2])
@pytest.mark.parametrize("shape", [(1, 1), (5, 64), (37, 53), (64, 64)])
def test_any_rows_and_columns(shape, fold):
    p, vector = out(net(fold), np.random.default_rng(0).normal(size=(1, 3, *shape)).astype(np.float32))
    assert p.shape == (1, 4, *shape)
    assert vector.shape == (1, 2, *shape)


def test_a_crop_gives_what_the_whole_gives_beyond_the_reach_of_its_border():
    made = net()
    whole = np.random.default_rng(1).normal(size=(1, 3, 176, 168)).astype(np.float32)
    step = made.shape.multiple
    crop = whole[..., 2 * step : 2 * step + 136, step : step + 136]
    reach = 56  # two convolutions at 2, 4, 8 cells and back: 2*2 + 2*4 + 2*8 + 2*4 + 2*2 = 40, and up-sampling
    a, b = out(made, whole), out(made, crop)
    inner = np.s_[..., reach:-reach, reach:-reach]
    for one, other in zip(a, b, strict=True):
        part = one[..., 2 * step : 2 * step + 136, step : step + 136]
        np.testing.assert_allclose(part[inner], other[inner], atol=1e-5)
        assert np.abs(part - other).max() > 1e-3  # at the border the surroundings do matter
