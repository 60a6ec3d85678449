"""What a measurement means: cold and warm, quiet and loaded, ratios of rounds, and failures that are told."""

import json
import math
import os
import subprocess
import sys

import pytest
from benchmarks.peers import child
from benchmarks.quiet import Candidate, Repeat, Run, joined, measured, ratios

from benchmarks import quiet, scenes


def run(*walls, others=0.0, **more):
    loads = others if isinstance(others, tuple) else (others,) * len(walls)
    repeats = tuple(Repeat(wall, wall, load) for wall, load in zip(walls, loads, strict=True))
    return Run("one", repeats, {"count": 10}, **more)


def test_cold_is_the_first_repeat_and_warm_the_best_later_one():
    one = run(0.5, 2.0, 1.0)
    assert (one.cold_s, one.warm_s, one.per_s(one.warm_s)) == (0.5, 1.0, 10)


def test_a_quiet_repeat_counts_before_a_faster_loaded_one():
    one = run(3.0, 1.0, 2.0, others=(0.0, 0.5, 0.01))
    assert (one.warm_s, one.loaded) == (2.0, False)
    assert run(3.0, 1.0, others=(0.0, 0.5)).loaded


def test_ratios_are_those_of_the_quiet_rounds():
    limits = [run(1, 1), run(1, 1), run(1, 2)]
    ours = [run(1, 1.1), run(1, 9.0, others=0.9), run(1, 3)]
    assert ratios(ours, limits) == ([1.1, 1.5], True)
    assert ratios(ours[1:2], limits[1:2]) == ([9.0], False)
    assert ratios([Run("x", not_run="no")], limits[:1]) == ([], False)


def test_joined_rounds_keep_the_first_cold_and_the_highest_memory():
    one = joined([run(5, 2, peak_rss_mb=10), run(1, 3, peak_rss_mb=30)])
    assert (one.cold_s, one.warm_s, one.peak_rss_mb, len(one.repeats)) == (5, 2, 30, 3)
    assert joined([Run("x", not_run="why"), run(1, 2)]).not_run == ""
    assert joined([Run("x", not_run="why")]).not_run == "why"


def test_a_goal_is_judged_on_quiet_rounds_only():
    limit = [run(1, 1, versions={"a": "1"})]
    quiet_row = scenes.over_limit("w", [run(1, 1.05)], limit, 1.1)
    assert (quiet_row.value, quiet_row.holds) == (1.05, True)
    assert scenes.over_limit("w", [run(1, 1.2)], limit, 1.1).holds is False
    loaded = scenes.over_limit("w", [run(1, 1.2, others=0.5)], limit, 1.1)
    assert loaded.holds is None
    assert "LOADED" in loaded.baseline


def test_rates_are_compared_by_the_piece():
    """Twice as many chips in the same time are twice as fast."""
    ours = Run("ours", run(1, 1).repeats, {"count": 20})
    row = scenes.faster("w", [ours], [run(1, 1)], 15, "10")
    assert (row.value, row.holds) == (20, True)
    assert "each round 2.00" in row.baseline
    assert scenes.faster("w", [ours], [run(1, 1)], 25, "10").holds is False


@pytest.mark.parametrize(("found", "holds"), [("a", True), ("b", False)])
def test_polygons_are_the_same_or_the_row_fails(found, holds):
    def answer(polygons):
        return Run("x", run(1, 1).repeats, {"count": 2, "holes": 1, "area_ha": 3.0, "polygons": polygons})

    assert scenes.same(answer(found), answer("a"), "w").holds is holds


def test_a_peer_that_cannot_run_is_a_row_that_says_why(tmp_path):
    absent = measured(Candidate("peer", "with_torchgeo", {}), None)
    assert "GEOLABEL_PEERS" in scenes.speed(absent, "tiles", "tiles/s").baseline
    empty = tmp_path / "python"
    empty.write_text("#!/bin/sh\necho 'ModuleNotFoundError: torchgeo' >&2\nexit 1\n")
    empty.chmod(0o755)
    row = scenes.speed(measured(Candidate("peer", "with_torchgeo", {}), empty), "tiles", "tiles/s")
    assert row.value is None
    assert row.baseline == "not run: ModuleNotFoundError: torchgeo"


def test_a_peer_that_hangs_is_told(tmp_path):
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 30\n")
    slow.chmod(0o755)
    assert "TimeoutExpired" in measured(Candidate("peer", "with_zarr", {}), slow, timeout_s=0.2).not_run


def test_repeats_go_on_until_quiet_and_stop_at_the_bound(monkeypatch):
    loads = iter([0.0, 0.9, 0.9, 0.0, 0.0, 0.0])
    monkeypatch.setattr(child, "timed", lambda work: ({"wall_s": 1.0, "cpu_s": 1.0, "others": next(loads)}, work()))
    repeats, answer = child.repeated(lambda: 7, 3, 6, 1e9)
    assert (len(repeats), answer) == (5, 7)
    monkeypatch.setattr(child, "timed", lambda work: ({"wall_s": 1.0, "cpu_s": 1.0, "others": 0.9}, work()))
    assert len(child.repeated(lambda: 7, 3, 6, 1e9)[0]) == 6
    assert len(child.repeated(lambda: 7, 3, 6, 0.0)[0]) == 3


def spin(seconds):
    begun = sum(os.times()[:2])
    while sum(os.times()[:2]) - begun < seconds:
        pass


def test_cpu_of_others_is_not_our_own():
    """Our own work counts as ours: what others used is far less than all that was busy."""
    one, _ = child.timed(lambda: spin(0.3))
    assert one["cpu_s"] >= 0.3
    assert 0 <= one["others"] <= 1.05 - one["cpu_s"] / (one["wall_s"] * os.cpu_count())


def test_cpu_of_another_process_is_that_of_others():
    code = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"

    def work():
        other = subprocess.Popen([sys.executable, "-c", code])
        while not os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT):  # ended but not yet ours to count
            pass
        waiting.append(other)

    waiting = []
    one, _ = child.timed(work)
    waiting[0].wait()
    assert one["others"] * one["wall_s"] * os.cpu_count() >= 0.4


def test_a_program_measures_itself_in_a_process_of_its_own(tmp_path, monkeypatch):
    program = tmp_path / "hold.py"
    program.write_text(
        f"import sys; sys.path.insert(0, {str(quiet.PEERS)!r})\nimport child\n"
        "def hold(task):\n    return lambda: {'count': len(bytearray(task['mb'] << 20)) >> 20}\n"
        "child.main({'hold': hold}, 'numpy')\n"
    )
    monkeypatch.setattr(quiet, "PEERS", tmp_path)
    ballast = bytearray(300 << 20)  # ours; the peak of a child must not show it
    few, many = (
        measured(Candidate("hold", "hold", {"name": "hold", "mb": mb, "least": 2, "most": 2}, ours=True))
        for mb in (1, 100)
    )
    assert len(ballast) == 300 << 20
    assert (few.not_run, many.answer["count"]) == ("", 100)
    assert 95 < many.peak_rss_mb - few.peak_rss_mb < 110
    assert few.peak_rss_mb < 100
    assert many.imports_mb < many.peak_rss_mb
    assert many.versions["numpy"]


def test_rows_can_be_kept_as_json():
    row = scenes.seconds(Run("x", not_run="no"), "w")
    assert json.loads(json.dumps(row.value)) is None
    assert not math.isnan(scenes.seconds(run(1, 2), "w").value)


@pytest.mark.parametrize("given", [None, "python"])
def test_peers_are_found_by_argument_or_environment(monkeypatch, given):
    monkeypatch.setenv("GEOLABEL_PEERS", "somewhere/bin/python")
    found = quiet.peers_python(given)
    assert found.name == "python"
    assert found.is_absolute()
