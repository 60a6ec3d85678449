from dataclasses import replace

import numpy as np
import pytest

from ellipses import CHANNELS, HOURS, grid, moments
from geolabel.dataset.spread import Moment, spread_samples
from geolabel.errors import InputError
from geolabel.grid import Tile

SHAPE = (160, 160)
HOW = {
    "channels": CHANNELS,
    "hours": HOURS,
    "held_out": Tile(0, 0, 56, 56),
    "made_of": {"fires": "ellipses"},
    "size": 32,
    "buffer": 4,
    "windows": 1,
}


@pytest.fixture(scope="module")
def fires():
    return list(moments(30, SHAPE, seed=1))


@pytest.fixture(scope="module")
def samples(fires):
    return spread_samples(fires, grid(*SHAPE), **HOW)


def test_each_window_shows_its_fire(fires, samples):
    assert len(samples) == len(fires)
    for i, moment in enumerate(fires):
        rows, cols = samples.tiles[i].slices
        came = moment.arrival_min[rows, cols]
        assert samples.fire[i] == moment.fire
        np.testing.assert_array_equal(samples.inputs[i], moment.inputs[:, rows, cols])
        for k, hour in enumerate(HOURS):
            np.testing.assert_array_equal(samples.burned[i, k], came <= moment.t0_min + 60 * hour)
        assert not (samples.scored[i] & (came <= moment.t0_min)).any()
        assert not samples.scored[i][~moment.burnable[rows, cols]].any()
        late = samples.burned[i, -1]
        np.testing.assert_allclose(samples.bearing_deg[i][late], moment.bearing_deg[rows, cols][late], rtol=1e-5)
        assert np.isnan(samples.bearing_deg[i][~late]).all()


def test_later_starts_are_among_the_samples(samples):
    burning = samples.inputs[:, CHANNELS.index("burning")].sum((1, 2))
    assert (burning <= 1).any()
    assert (burning > 4).any()


def test_windows_show_growth_at_other_places_than_their_centre(samples):
    used = samples.of("train")
    grown = used.scored & used.burned[:, -1]
    centres = np.array([np.argwhere(g).mean(0) for g in grown if g.any()])
    assert grown.any((1, 2)).mean() > 0.95
    assert (np.abs(centres - 15.5).max(1) > 4).mean() > 0.2


def test_windows_do_not_depend_on_the_order_of_the_fires(fires, samples):
    back = spread_samples([fires[0], *reversed(fires[1:])], grid(*SHAPE), **HOW)
    assert {(f, t) for f, t in zip(back.fire.tolist(), back.tiles, strict=True)} == {
        (f, t) for f, t in zip(samples.fire.tolist(), samples.tiles, strict=True)
    }


def test_arrays_on_a_tile_give_the_same_as_on_the_whole_grid(fires):
    tile, late = Tile(60, 50, 96, 100), None
    for moment in fires:
        row, col = np.unravel_index(moment.arrival_min.argmin(), SHAPE)
        if 60 <= row < 156 and 50 <= col < 150:
            late = moment
    assert late is not None
    rows, cols = tile.slices
    names = ("arrival_min", "bearing_deg", "burnable")
    cut = replace(
        late, tile=tile, inputs=late.inputs[:, rows, cols], **{n: getattr(late, n)[rows, cols] for n in names}
    )
    part = spread_samples([fires[0], cut], grid(*SHAPE), **HOW)
    window = part.tiles[1]
    assert tile.row <= window.row <= tile.row + tile.height - 32
    np.testing.assert_array_equal(part.inputs[1], late.inputs[:, window.slices[0], window.slices[1]])


def test_a_fire_keeps_its_split_where_a_later_moment_does_not_show_its_beginning(fires):
    came = np.hypot(*(np.indices(SHAPE) - 30.0))  # a ring that grows a cell a minute from inside the held-out ground
    first = replace(fires[0], arrival_min=came)
    rows, cols = (tile := Tile(60, 60, 96, 96)).slices
    small = {n: getattr(first, n)[rows, cols] for n in ("arrival_min", "bearing_deg", "burnable")}
    late = replace(first, t0_min=60.0, until_min=240.0, tile=tile, inputs=first.inputs[:, rows, cols], **small)
    how = {**HOW, "val_share": 0}
    both = spread_samples([first, late], grid(*SHAPE), **how)
    assert both.split.tolist() == ["test", "buffer"]
    alone = spread_samples([replace(late, fire=7)], grid(*SHAPE), **how)
    assert alone.split.tolist() == ["train"]


def test_more_windows_of_a_moment(fires):
    three = spread_samples(fires[:8], grid(*SHAPE), **{**HOW, "windows": 3})
    assert len(fires[:8]) < len(three) <= 24
    assert len(set(three.tiles)) > 8


def test_targets_beyond_the_time_followed_are_refused(fires):
    with pytest.raises(InputError, match=r"followed to minute 179; its targets go to minute 180"):
        spread_samples([replace(fires[0], until_min=179.0)], grid(*SHAPE), **HOW)


def test_unusable_fires_are_refused(fires):
    holes = fires[0].inputs.copy()
    holes[-1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        spread_samples([replace(fires[0], inputs=holes)], grid(*SHAPE), **HOW)
    with pytest.raises(InputError, match="no fire"):
        spread_samples([], grid(*SHAPE), **HOW)
    with pytest.raises(InputError, match="burns nothing"):
        replace(fires[0], arrival_min=np.full(SHAPE, np.inf))
    with pytest.raises(InputError, match="say which tile"):
        spread_samples(fires, grid(170, 170), **HOW)
    with pytest.raises(InputError, match="windows of 64"):
        spread_samples(fires, grid(*SHAPE), **{**HOW, "size": 64})
    with pytest.raises(InputError, match="other arrays"):
        Moment(0, 0, 180, fires[0].inputs[:, :5], *[np.zeros(SHAPE)] * 2, np.ones(SHAPE, bool))
    with pytest.raises(InputError, match="for the channels"):
        spread_samples(fires, grid(*SHAPE), **{**HOW, "channels": CHANNELS[:-1]})
