"""Files are whole or absent; walks resume."""

import errno
import json

import numpy as np
import pytest

from geolabel import digests, files, stream
from geolabel.errors import GeolabelError, MissingExtra, SourceError, nearest


def test_an_error_leaves_the_old_file(tmp_path):
    path = files.write_text(tmp_path / "a.txt", "old")

    def half_a_file():
        with files.atomic(path) as tmp:
            tmp.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_a_file()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_named(tmp_path):
    with pytest.raises(SourceError, match="full") as caught, files.atomic(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "run the same command again" in caught.value.hint
    assert not list(tmp_path.iterdir())
    with pytest.raises(SourceError, match="free"):
        files.require_space(tmp_path / "not" / "yet", 10**18)


def test_two_processes_cannot_hold_one_folder(tmp_path):
    with files.lock(tmp_path), pytest.raises(SourceError, match="in use"), files.lock(tmp_path):
        pass
    with files.lock(tmp_path):  # and it is free again
        pass


def test_digests_frame_their_parts():
    assert digests.digest("ab", "c") != digests.digest("a", "bc")
    assert digests.digest({"b": 1, "a": 2}) == digests.digest({"a": 2, "b": 1})
    assert digests.digest(np.arange(4)) != digests.digest(np.arange(4).reshape(2, 2))


def test_errors_say_what_to_do_and_survive_pickling():
    import pickle

    error = pickle.loads(pickle.dumps(MissingExtra("no torch", hint="pip install geolabel[ml]")))
    assert isinstance(error, ImportError | GeolabelError)
    assert error.hint in str(error)
    assert "did you mean 'generic'" in nearest("genric", ["generic", "landsat-c2-l2"])


def test_a_walk_keeps_order_and_bounds_what_waits():
    begun, seen = [], []

    def work(item):
        begun.append(item)
        return item * 2

    for result in stream.walk(range(50), work, what="x", threads=2, progress=lambda *a: seen.append(a)):
        assert len(begun) <= result // 2 + 6
    assert seen[-1] == ("x", 50, 50)
    assert sorted(begun) == list(range(50))


def test_a_walk_raises_the_first_error():
    def work(item):
        if item == 3:
            raise SourceError("piece 3")
        return item

    with pytest.raises(SourceError, match="piece 3"):
        list(stream.walk(range(10), work, what="x"))


def test_a_journal_resumes_and_a_torn_line_does_not_count(tmp_path):
    path = tmp_path / "journal"
    journal = stream.Journal(path, "job-1")
    journal.finish("a")
    journal.finish("b")
    with path.open("a") as file:
        file.write(json.dumps("c")[:2])  # killed in the middle of the line
    again = stream.Journal(path, "job-1")
    assert again.left(["a", "b", "c"]) == ["c"]
    again.finish("c")
    assert stream.Journal(path, "job-1").left(["a", "b", "c"]) == []
    assert stream.Journal(path, "job-2").left(["a", "b", "c"]) == ["a", "b", "c"]
