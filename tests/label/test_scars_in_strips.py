"""Scars of images that are walked in strips: no seams, each block read once, killed jobs go on, the disk may fill up."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from geolabel.errors import InputError, SourceError, UnitError
from geolabel.label.burned import burned, burned_parts
from geolabel.label.scars import spool
from geolabel.label.scars.walk import How
from geolabel.label.severity import SCHEMES
from geolabel.scene.indices import ring_offset
from rasters import metric_grid
from sources import ArraySource, CountedSource, same, scene

GRID = metric_grid(40, 50, res_m=10.0)
UNSEEN = np.full(GRID.shape, np.nan, np.float32)
"""Where nothing else was seen the clean-up has nobody to ask, and every pixel stays as it is."""


def squares(*places, size=6, value=0.5, field=UNSEEN):
    index = field.copy()
    for row, col in places:
        index[row : row + size, col : col + size] = value
    return index


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 6, 7, 40])
def test_a_block_across_strips_is_one_polygon_without_seams(rows):
    scar = burned(squares((3, 5)), GRID, how=How(strip_rows=rows), min_area_m2=0)
    assert len(scar) == 1
    assert scar.geometry.area[0] == 3600
    assert len(scar.geometry[0].exterior.coords) == 5
    assert scar.geometry[0].exterior.is_ccw


@pytest.mark.parametrize("rows", [1, 4, 9, 40])
def test_blocks_that_touch_at_a_corner_are_two_valid_polygons(rows):
    for places in (((3, 5), (9, 11)), ((3, 11), (9, 5))):
        scar = burned(squares(*places), GRID, how=How(strip_rows=rows), min_area_m2=0)
        assert scar.geometry.area.tolist() == [3600, 3600]
        assert scar.geometry.is_valid.all()
        assert scar.geometry[0].touches(scar.geometry[1])


@pytest.mark.parametrize("rows", [1, 4, 7, 40])
def test_islands_in_islands_across_strips_keep_their_holes(rows):
    index = squares((2, 2), size=30)
    index[6:28, 6:28] = np.nan
    index[10:24, 10:24] = 0.8
    index[14:20, 14:20] = np.nan
    index[16:18, 16:18] = 0.2
    scar = burned(index, GRID, how=How(strip_rows=rows), min_area_m2=0)
    assert scar.severity.tolist() == ["moderate", "high", "low"]
    assert [len(g.interiors) for g in scar.geometry] == [1, 1, 0]
    assert scar.geometry.area.tolist() == [(900 - 484) * 100, (196 - 36) * 100, 400]
    # inside each filled outline everything that is not scar was unseen: the ring around the next, and its island
    assert scar.masked_share.tolist() == [(484 - 196 + 36 - 4) / 900, (36 - 4) / 196, 0]


@pytest.mark.parametrize("rows", [1, 4, 8, 40])
def test_an_island_that_touches_the_outline_at_a_point_leaves_a_valid_polygon(rows):
    index = squares((4, 4), size=12)
    index[4:7, 4:7] = np.nan
    index[7:10, 7:10] = np.nan  # its corner is the inner corner of the notch
    scar = burned(index, GRID, how=How(strip_rows=rows), min_area_m2=0)
    assert len(scar) == 1
    assert scar.geometry.is_valid.all()
    assert scar.geometry.area[0] == (144 - 18) * 100
    assert len(scar.geometry[0].interiors) == 1


@pytest.mark.parametrize("rows", [1, 5, 16, 40])
def test_a_scar_grows_from_its_seed_through_all_strips_and_without_one_it_goes(rows):
    index = squares((2, 2), (2, 20), value=0.2)
    index[8:35, 4] = 0.15  # a thin tail of the first ...
    index[34, 4] = 0.5  # ... whose last pixel is the only sure one
    scar = burned(index, GRID, how=How(strip_rows=rows), min_area_m2=0, seed=0.44, severity=False)
    assert scar.geometry.area.tolist() == [6300]
    both = burned(index, GRID, how=How(strip_rows=rows), min_area_m2=0, severity=False)
    assert both.geometry.area.tolist() == [6300, 3600]
    assert len(burned(index, GRID, min_area_m2=0, seed=0.51)) == 0


@pytest.mark.parametrize("rows", [1, 3, 40])
def test_the_smallest_unit_counts_the_whole_scar_not_its_strips(rows):
    how = How(strip_rows=rows)
    assert len(burned(squares((3, 5)), GRID, how=how, min_area_m2=3600)) == 1
    assert len(burned(squares((3, 5)), GRID, how=how, min_area_m2=3601)) == 0


def test_without_severity_a_scar_is_one_polygon():
    index = squares((3, 5), size=12)
    index[5:9, 7:15] = 0.9
    whole, parts = (burned(index, GRID, min_area_m2=0, severity=yes) for yes in (False, True))
    assert whole.severity.tolist() == [None]
    assert whole.severity_scheme.tolist() == [None]
    assert len(parts) == 2
    assert whole.area_m2[0] == pytest.approx(parts.area_m2.sum())
    assert whole.dnbr_mean[0] == pytest.approx(float(np.nanmean(index)), abs=1e-4)


def test_every_source_block_is_read_once_whatever_the_strips_and_the_offset():
    index = scene()
    for block in ((16, 16), (300, 260), (1, 260), (64, 48)):
        source = CountedSource(index, block)
        burned(source, metric_grid(*index.shape), how=How(strip_rows=37, threads=3), threshold="otsu", offset="ring")
        blocks = {(i, j) for i in range(-(-300 // block[0])) for j in range(-(-260 // block[1]))}
        assert source.touched == dict.fromkeys(blocks, 1)


@pytest.mark.parametrize(
    "definition",
    [{}, {"threshold": "otsu", "scheme": "relative"}, {"offset": "ring", "seed": 0.3}, {"severity": False}],
    ids=["plain", "relative", "ring", "whole"],
)
def test_a_source_gives_what_the_array_gives(definition):
    index = scene(1)
    grid = metric_grid(*index.shape)
    whole = burned(ArrayLike(index), grid, how=How(strip_rows=300, threads=1), **definition)
    assert len(whole) > 5
    for rows, threads, block in ((7, 3, (32, 64)), (64, 2, (50, 50)), (299, 1, (300, 260))):
        strips = burned(ArraySource(index, block), grid, how=How(strip_rows=rows, threads=threads), **definition)
        assert same(whole, strips)


class ArrayLike:
    """An array that says its name and units, as a DataArray does."""

    name = "dnbr"

    def __init__(self, values):
        self.values, self.attrs = values, {"units": "x1"}

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


@pytest.mark.parametrize("rows", [5, 33, 300])
def test_the_ring_offset_is_the_median_around_the_scar_as_a_distance_transform_finds_it(rows):
    index = scene(2)
    index[80:140, 90:170] += 0.6
    grid = metric_grid(*index.shape)
    mask = np.zeros(index.shape, bool)
    first = burned(index, grid, threshold=0.4, severity=False)
    from geolabel.shapes import rasterise

    mask = rasterise(first, grid) > 0
    expected = ring_offset(index, mask, grid)
    scar = burned(ArraySource(index), grid, threshold=0.4, severity=False, offset="ring", how=How(strip_rows=rows))
    assert scar.attrs["offset"] == pytest.approx(expected, abs=1.1e-4)
    assert abs(expected) > 1e-3  # else it would prove nothing
    taken_off = burned(index - np.float32(scar.attrs["offset"]), grid, threshold=0.4, severity=False)
    assert len(scar) == len(taken_off)
    assert scar.area_m2.sum() == pytest.approx(taken_off.area_m2.sum(), rel=2e-3)  # a step at the threshold may turn
    assert scar.dnbr_mean.to_numpy() == pytest.approx(taken_off.dnbr_mean.to_numpy(), abs=1e-3)


def test_a_scar_without_unburned_ground_around_has_no_ring_offset():
    with pytest.raises(InputError, match="no valid unburned pixel between 90 and 390 m"):
        burned(squares((3, 5)), GRID, min_area_m2=0, offset="ring")
    assert len(burned(np.zeros(GRID.shape), GRID, offset="ring")) == 0


def test_parts_hold_the_whole_table_in_an_order_that_strips_do_not_change():
    index, grid = scene(4), metric_grid(300, 260)
    table = burned(index, grid)
    for rows in (3, 50, 299):
        none, *parts = burned_parts(ArraySource(index), grid, how=How(strip_rows=rows))
        assert len(none) == 0
        assert list(none.columns) == list(table.columns)
        order = [i for part in parts for i in part.index]
        assert [i for part in parts for i in part.label_id] == table.label_id[order].tolist()
        assert rows != 3 or len(parts) > 20
        ends = table.geometry.bounds.miny
        assert order == sorted(range(len(table)), key=lambda i: (-ends[i], i))


def test_progress_counts_every_strip():
    seen = []
    how = How(strip_rows=100, progress=lambda *what: seen.append(what))
    burned(ArraySource(scene()), metric_grid(300, 260), how=how)
    for what, n in (("reading", 1), ("finding scars", 3), ("tracing outlines", 3)):
        assert [done for name, done, total in seen if name == what and total == n] == list(range(1, n + 1))


# ---------------------------------------------------------------------- what may go wrong
def test_nothing_is_left_behind_without_a_folder_of_work(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    burned(ArraySource(scene()), metric_grid(300, 260))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named_before_and_while_it_fills(tmp_path, monkeypatch):
    source, grid = ArraySource(scene()), metric_grid(300, 260)
    monkeypatch.setattr("shutil.disk_usage", lambda _: os.statvfs_result and type("", (), {"free": 1000})())
    with pytest.raises(SourceError, match="0 MB free; this needs about"):
        burned(source, grid, how=How(work=tmp_path / "job"))
    monkeypatch.undo()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spool.os, "pwrite", full)
    with pytest.raises(SourceError) as error:
        burned(source, grid, how=How(work=tmp_path / "job"))
    assert "is full" in error.value.hint
    monkeypatch.undo()
    assert same(burned(source, grid, how=How(work=tmp_path / "job")), burned(source, grid))


def test_a_write_that_took_only_a_part_goes_on(tmp_path, monkeypatch):
    write = os.pwrite
    monkeypatch.setattr(spool.os, "pwrite", lambda handle, data, at: write(handle, data[:1000], at))
    source, grid = ArraySource(scene()), metric_grid(300, 260)
    assert same(burned(source, grid), burned(source, grid, how=How(threads=1)))
    np.testing.assert_array_equal(written(tmp_path, source).read(0, 300), spool.quantised(source.values, "x1"))


def written(folder, source):
    made = spool.Spool(folder / "index.i2", source.shape)
    made.make()
    for rows in spool.reading_strips(source):
        made.pour(source, rows, keep=False)
    return made


def test_a_finished_job_is_taken_from_its_folder_and_another_scene_or_definition_is_not(tmp_path):
    grid = metric_grid(300, 260)
    how = How(work=tmp_path / "job", strip_rows=50)
    first, again = CountedSource(scene(0)), CountedSource(scene(0))
    assert same(burned(first, grid, how=how), burned(again, grid, how=how))
    assert first.touched
    assert not again.touched
    assert same(burned(again, grid, how=how, threshold=0.3), burned(scene(0), grid, threshold=0.3))
    assert not again.touched
    other = CountedSource(scene(1), digest="another")
    assert same(burned(other, grid, how=how), burned(scene(1), grid))
    assert other.touched


def test_a_spool_that_was_removed_is_read_again(tmp_path):
    grid, how, source = metric_grid(300, 260), How(work=tmp_path / "job"), CountedSource(scene())
    burned(ArraySource(scene()), grid, how=how)
    (tmp_path / "job" / "index.i2").unlink()
    assert same(burned(source, grid, how=how, threshold=0.3), burned(scene(), grid, threshold=0.3))
    assert source.touched


def test_a_broken_piece_is_named(tmp_path):
    grid, source, how = metric_grid(300, 260), ArraySource(scene()), How(work=tmp_path / "job", strip_rows=50)
    burned(source, grid, how=how)
    piece = sorted((tmp_path / "job").glob("scars-*.npz"))[1]
    piece.write_bytes(piece.read_bytes()[:100])
    with pytest.raises(SourceError, match=piece.name):
        burned(source, grid, how=how)


def test_an_index_in_other_units_or_of_another_grid_is_refused_before_it_is_read():
    source = CountedSource(scene(), units="x1000")
    with pytest.raises(UnitError, match="x1000"):
        burned(source, metric_grid(300, 260))
    with pytest.raises(InputError, match="on a grid"):
        burned(source, GRID, scheme=SCHEMES["miller-thode-rdnbr"])
    assert not source.touched


KILLED = """
import sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from geolabel.label.scars import spool
from geolabel.label.burned import burned, burned_parts
from geolabel.label.scars.walk import How
from rasters import metric_grid
from sources import ArraySource, scene

class Slow(ArraySource):
    def read(self, rows, cols):
        time.sleep({read_s})
        return super().read(rows, cols)

def slowly(what, done, total):
    if what != "reading":
        time.sleep({find_s})

spool.READ_ROWS = 24
how = How(work=Path({work!r}), strip_rows=20, threads=1, progress=slowly)
burned(Slow(scene(), (8, 260)), metric_grid(300, 260), how=how)
"""


@pytest.mark.parametrize(("read_s", "find_s", "journal"), [(0.3, 0, "index"), (0, 0.3, "scars")])
def test_a_killed_job_goes_on_and_gives_the_same_table(tmp_path, monkeypatch, read_s, find_s, journal):
    monkeypatch.setattr(spool, "READ_ROWS", 24)
    work = tmp_path / "job"
    tests = str(Path(__file__).parent.parent)
    code = KILLED.format(tests=tests, work=str(work), read_s=read_s, find_s=find_s)
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as job:
        while finished(work / f"{journal}.journal") < 3 and job.poll() is None:
            time.sleep(0.02)
        assert job.poll() is None, job.stderr.read().decode()
        job.send_signal(signal.SIGKILL)
    source = CountedSource(scene(), (8, 260))
    resumed = burned(source, metric_grid(300, 260), how=How(work=work, strip_rows=20))
    assert same(resumed, burned(scene(), metric_grid(300, 260)))
    assert len(source.touched) <= 38 - 3 * 3  # what was read is not read again


def finished(journal):
    """Pieces that a journal says are done."""
    return len(journal.read_text().splitlines()) - 1 if journal.is_file() else 0
