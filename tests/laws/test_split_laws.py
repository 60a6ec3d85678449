"""Splits share no ground: checked cell by cell, by dilating masks, not by the arithmetic of rectangles."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from ellipses import grid
from geolabel.dataset.split import split_ground
from geolabel.errors import InputError
from geolabel.grid import Tile

SIDE = 90
corners = st.tuples(st.integers(0, SIDE - 12), st.integers(0, SIDE - 12))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(corners, min_size=4, max_size=40),
    st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(12, 40), st.integers(12, 40)),
    st.integers(0, 9),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
def test_no_cell_of_one_split_is_within_the_buffer_of_another(places, held, buffer, seed, random):
    tiles = [Tile(r, c, 12, 12) for r, c in places]
    fire = [random.randrange(len(tiles)) for _ in tiles]
    try:
        split = split_ground(
            tiles, grid(SIDE, SIDE), held_out=Tile(*held), buffer=buffer, seed=seed, val_share=0.2, fire=fire
        )
    except InputError:
        assume(False)
    masks = {}
    for name in ("train", "val", "test"):
        masks[name] = np.zeros((SIDE, SIDE), bool)
        for tile, own in zip(tiles, split, strict=True):
            masks[name][tile.slices] |= own == name
    near = np.ones((2 * buffer + 1, 2 * buffer + 1), bool)
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        grown = binary_dilation(masks[a], near) if masks[a].any() else masks[a]
        assert not (grown & masks[b]).any()
    for number in set(fire):
        used = {s for s, f in zip(split.tolist(), fire, strict=True) if f == number} - {"buffer"}
        assert len(used) <= 1
