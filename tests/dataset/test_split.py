import numpy as np
import pytest

from ellipses import grid
from ellipses import samples as make
from geolabel.dataset.split import Grounds, boxes, check_split, cut_grounds, gap, split_ground
from geolabel.errors import InputError, LeakageError
from geolabel.grid import Tile
from geolabel.nouns.samples import SpreadSamples

HELD = Tile(0, 0, 60, 60)


def some(tiles, split, fire=None):
    n = len(tiles)
    zero = np.zeros((n, 1, 8, 8))
    return SpreadSamples(
        grid(200, 200), ("fuel",), zero.astype(np.float32), (1.0,), zero > 0, zero[:, 0].astype(np.float32),
        zero[:, 0] == 0, np.arange(n) if fire is None else np.array(fire), tuple(tiles), np.array(split), {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "cells"),
    [
        (Tile(0, 0, 10, 10), Tile(0, 10, 10, 10), 0),  # neighbours touch
        (Tile(0, 0, 10, 10), Tile(0, 13, 10, 10), 3),
        (Tile(0, 0, 10, 10), Tile(12, 15, 4, 4), 5),  # diagonal: the axis that parts them most
        (Tile(0, 0, 10, 10), Tile(9, 9, 4, 4), -1),
        (Tile(0, 0, 10, 10), Tile(2, 2, 4, 4), -6),
    ],
)
def test_gap_counts_the_cells_between(a, b, cells):
    assert gap(boxes([a]), boxes([b]))[0] == gap(boxes([b]), boxes([a]))[0] == cells


def test_windows_belong_to_the_ground_that_holds_all_of_them():
    grounds = Grounds(HELD, Tile(140, 140, 60, 60), buffer=5)
    windows = {
        (0, 0): "test",
        (44, 44): "test",  # ends on the last row of the held-out ground
        (45, 44): "buffer",  # straddles
        (64, 0): "buffer",  # four cells off
        (65, 0): "train",
        (140, 140): "val",
        (120, 140): "buffer",
        (184, 184): "val",
    }
    split = grounds.of(boxes(Tile(r, c, 16, 16) for r, c in windows))
    assert split.tolist() == list(windows.values())


def test_a_fire_belongs_to_the_ground_it_began_on():
    grounds = Grounds(HELD, Tile(140, 140, 60, 60), buffer=5)
    assert [grounds.at(59, 59), grounds.at(60, 59), grounds.at(140, 199)] == ["test", "train", "val"]


def test_validation_ground_holds_its_share_and_keeps_its_distance():
    tiles = grid(200, 200).tiles(8)
    grounds = cut_grounds(tiles, grid(200, 200), held_out=HELD, buffer=8, val_share=0.2)
    split = grounds.of(boxes(tiles))
    outside = (Grounds(HELD, None, 8).of(boxes(tiles)) == "train").sum()
    assert 0.2 <= (split == "val").sum() / outside < 0.3
    assert gap(boxes([grounds.val]), boxes([HELD]))[0] >= 8
    assert (split == "train").sum() > 0.5 * len(tiles)


def test_split_depends_on_the_seed_only():
    square = grid(208, 208)
    how = {"held_out": Tile(80, 80, 48, 48), "buffer": 8}  # central: all four corners are equally good
    splits = [split_ground(square.tiles(16), square, seed=seed, **how).tolist() for seed in (0, 1, 2, 3, 4, 5, 3)]
    assert splits[3] == splits[6]
    assert len({tuple(s) for s in splits}) > 1


def test_no_share_gives_no_validation_ground():
    split = split_ground(grid(200, 200).tiles(16), grid(200, 200), held_out=HELD, buffer=8, val_share=0)
    assert set(split.tolist()) == {"train", "test", "buffer"}


def test_windows_of_a_fire_in_two_splits_are_used_by_none():
    tiles = [Tile(0, 0, 16, 16), Tile(100, 60, 16, 16), Tile(100, 100, 16, 16), Tile(60, 100, 16, 16)]
    split = split_ground(tiles, grid(200, 200), held_out=HELD, buffer=4, val_share=0, fire=[1, 1, 2, 3])
    assert split.tolist() == ["buffer", "buffer", "train", "train"]


@pytest.mark.parametrize(
    "how",
    [
        {"held_out": Tile(150, 0, 60, 60), "buffer": 4},  # beyond the grid
        {"held_out": HELD, "buffer": -1},
        {"held_out": HELD, "buffer": 150},  # nothing left
        {"held_out": Tile(0, 0, 200, 200), "buffer": 0},
    ],
)
def test_impossible_splits_are_refused(how):
    with pytest.raises(InputError):
        split_ground(grid(200, 200).tiles(16), grid(200, 200), **how)


def test_leaks_are_named():
    tiles = [Tile(0, 0, 8, 8), Tile(50, 50, 8, 8), Tile(0, 12, 8, 8)]
    check_split(some(tiles, ["train", "val", "train"]), 8)
    check_split(some(tiles, ["train", "val", "buffer"]), 8)
    check_split(some(tiles, ["train", "val", "test"]), 4)
    with pytest.raises(LeakageError, match=r"window 0_0 of fire 0 \(train\) and window 0_12 .* 4 cells apart"):
        check_split(some(tiles, ["train", "val", "test"]), 5)
    with pytest.raises(LeakageError, match="share ground"):
        check_split(some([tiles[0], Tile(4, 4, 8, 8)], ["train", "test"]), 0)
    with pytest.raises(LeakageError, match="one fire in two splits"):
        check_split(some(tiles, ["train", "val", "train"], fire=[1, 1, 2]), 0)


def test_samples_of_fires_hold_the_law():
    samples = make(60, (160, 160), Tile(0, 0, 56, 56), seed=4)
    check_split(samples, 4)
    counts = samples.counts()
    assert min(counts["train"], counts["val"], counts["test"]) > 0
