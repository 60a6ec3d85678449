"""Nothing acknowledged is ever lost: writers killed, servers killed, disks full, files locked, read-only, gone or cut."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event

from faults import killed_servers, killed_writers
from geolabel.errors import StoreError
from geolabel.store.ledger import Ledger
from labels import answer, tasks_of, utm_grid

GRID = utm_grid()
TASK = tasks_of(GRID)[0]
MASK = [[col < 8 for col in range(64)]] * 64


def drawn(by="person:ann"):
    return answer(TASK, GRID, MASK, by=by)


@pytest.fixture
def path(tmp_path):
    Ledger.open(tmp_path / "ledger.sqlite", create=True)
    return tmp_path / "ledger.sqlite"


def assert_sound(where, links):
    ledger = Ledger.open(where)
    assert {one.digest for one in ledger.events()} >= set(links)
    assert [one.seq for one in ledger.events()] == list(range(1, len(ledger.events()) + 1))
    assert ledger.check() == []


# ---------------------------------------------------------------------- killed
@pytest.mark.slow
@pytest.mark.parametrize(("team", "kills"), [(1, 120), (3, 80)])
def test_writers_killed_at_random_lose_nothing_they_were_told(tmp_path, team, kills):
    """SQLite: 200 kills in all."""
    tally = killed_writers(tmp_path / "ledger.sqlite", tmp_path / "log", kills=kills, team=team)
    assert tally.sound, tally
    assert tally.acknowledged >= kills / 2
    assert tally.answers >= kills / 10
    assert tally.untold <= kills + team  # at most the one that each killed writer was writing


@pytest.mark.slow
def test_writers_of_postgresql_killed_at_random_lose_nothing(postgres_url, tmp_path):
    tally = killed_writers(postgres_url, tmp_path / "log", kills=60, team=2)
    assert tally.sound, tally
    assert tally.acknowledged >= 30
    assert tally.untold <= 60 + 2


@pytest.mark.slow
def test_a_postgresql_that_is_killed_under_its_writers_loses_nothing(postgres, postgres_url, tmp_path):
    tally = killed_servers(postgres, postgres_url, tmp_path / "log", kills=10)
    assert tally.sound, tally
    assert tally.errors >= 10  # they were told, each time
    assert tally.acknowledged >= 30
    assert tally.untold <= 2 * tally.errors + 2


def statements(ledger, act):
    """Calls `act(n)` before the nth statement of every transaction of this ledger, and before its commit."""
    count = iter(range(10**6))

    def step(*_):
        act(next(count))

    for name in ("before_cursor_execute", "commit"):
        event.listen(ledger.engine, name, step)


def test_every_step_of_a_write_is_a_place_to_die(path):
    """Killed before statement 0, 1, 2 ... of a write until one lives through: all of the event is there, or nothing."""
    links = [Ledger.open(path).append("view", actor="a", payload={})]
    for at in range(100):
        if not _dies(path, at):
            break
        assert_sound(path, links)
        assert len(Ledger.open(path).events()) == 1
        assert Ledger.open(path).answers(current=False) == []
    assert at > 4
    assert [len(one.shapes) for one in Ledger.open(path).answers()] == [1]


def _dies(path, at):
    """Whether a writer that kills itself before statement `at` of an append got so far."""
    child = os.fork()
    if not child:
        with suppress(BaseException):
            ledger = Ledger.open(path)
            statements(ledger, lambda n: n == at and os.kill(os.getpid(), signal.SIGKILL))
            ledger.append_answers([drawn()], actor="a")
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the append failed for another reason"
    return os.WIFSIGNALED(status)


def test_a_lock_goes_with_who_held_it(path):
    """A writer killed inside a transaction leaves no lock: the next one does not wait."""
    ready, told = os.pipe()
    child = os.fork()
    if not child:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        os.write(told, b"x")
        signal.pause()
    os.read(ready, 1)
    with pytest.raises(StoreError, match="locked") as raised:
        Ledger.open(path, timeout_s=0.05).append("view", actor="a", payload={})
    assert "wait" in raised.value.hint
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert_sound(path, [Ledger.open(path, timeout_s=0.05).append("view", actor="a", payload={})])


# ---------------------------------------------------------------------- power
def test_what_was_acknowledged_is_synced_first(path):
    """The promise that kills cannot prove: SQLite is told to sync its log before a commit returns."""
    with Ledger.open(path).engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_a_log_cut_anywhere_gives_the_events_before_the_cut(path, tmp_path):
    """After a power cut the log may end anywhere after its last sync: the ledger is then its events up to there."""
    keeper = sqlite3.connect(path)  # or the last one out would empty the log
    keeper.execute("SELECT count(*) FROM events").fetchall()
    wal = path.with_name(path.name + "-wal")
    ledger, links, sizes = Ledger.open(path), [], [wal.stat().st_size]
    for n in range(6):
        for _ in range(1 + n % 2):
            append = ledger.append("product", actor="a", payload={"n": n}) if n % 3 else None
            links.append(append or ledger.append_answers([drawn()], actor="a"))
            sizes.append(wal.stat().st_size)
    whole = wal.read_bytes()
    page = 4096 + 24
    for cut in sorted({s + d for s in sizes for d in (-1, 0, 1, page)} | set(range(sizes[0], sizes[-1], 7 * page))):
        for torn in (b"", b"\0" * page, whole[-page:]):  # nothing, zeros, or an old block after the cut
            _power_cut(path, whole[: max(cut, 0)] + torn, tmp_path / "cut.sqlite")
            synced = sum(size <= cut for size in sizes[1:])
            there = [one.digest for one in Ledger.open(tmp_path / "cut.sqlite").events()]
            assert there[:synced] == links[:synced]
            assert there == links[: len(there)]
            assert Ledger.open(tmp_path / "cut.sqlite").check() == []
    keeper.close()


def _power_cut(path, log, copy):
    for suffix in ("-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
    shutil.copy(path, copy)
    copy.with_name(copy.name + "-wal").write_bytes(log)


# ---------------------------------------------------------------------- disks
@contextmanager
def small_disk(size_kb):
    """A folder that is a disk of its own, or a skip where none may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="geolabel-disk-"))
    try:
        _mount(f"size={size_kb}k", "tmpfs", folder)
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=False, capture_output=True)
        folder.rmdir()


def _mount(options, *what):
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, *what], check=False, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no mount on this machine")
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.decode().strip()}")


def test_a_full_disk_is_told_and_loses_nothing():
    with small_disk(400) as folder:
        ledger = Ledger.open(folder / "ledger.sqlite", create=True)
        links = [ledger.append_answers([drawn(), drawn("person:bo")], actor="a")]
        with pytest.raises(StoreError) as raised:
            _fill(ledger, links)
        assert "free some space" in raised.value.hint
        assert len(links) > 2
        assert [one.digest for one in Ledger.open(folder / "ledger.sqlite").events()] == links
        assert_sound(folder / "ledger.sqlite", links)  # it can be read and checked on the full disk
        _mount("remount,size=4000k", folder)
        links.append(ledger.append_answers([drawn()], actor="a"))
        assert_sound(folder / "ledger.sqlite", links)
        assert len(ledger.answers()) == 3


def _fill(ledger, links):
    for n in range(400):
        links += [ledger.append("product", actor="a", payload={"n": n, "text": "x" * 9000})]


LIMITED = """
import resource, signal, sys
from geolabel.errors import StoreError
from geolabel.store.ledger import Ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ledger = Ledger.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
try:
    for n in range(1000):
        print(ledger.append("product", actor="a", payload={"n": n, "text": "x" * 3000}), flush=True)
except StoreError as error:
    print("told", error.hint)
"""


def test_a_file_that_may_not_grow_is_told_and_loses_nothing(path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=True, timeout=100
    )
    *links, last = done.stdout.splitlines()
    assert last.startswith("told ")
    assert last != "told "
    assert len(links) > 2
    assert [one.digest for one in Ledger.open(path).events()] == links
    assert_sound(path, links)


def test_a_read_only_disk_is_told():
    with small_disk(2000) as folder:
        links = [Ledger.open(folder / "ledger.sqlite", create=True).append("view", actor="a", payload={})]
        _mount("remount,ro,size=2000k", folder)
        with pytest.raises(StoreError) as raised:
            Ledger.open(folder / "ledger.sqlite").append("view", actor="a", payload={})
        assert raised.value.hint
        _mount("remount,rw,size=2000k", folder)
        assert_sound(folder / "ledger.sqlite", links)


def test_a_file_that_others_own_is_told():
    """Run as somebody who may read the file and not write it."""
    folder = Path(tempfile.mkdtemp(prefix="geolabel-other-"))
    try:
        path = folder / "ledger.sqlite"
        link = Ledger.open(path, create=True).append("view", actor="a", payload={})
        path.chmod(0o444)
        folder.chmod(0o555)
        assert "no right to write" in _hint_to_another(path)
        folder.chmod(0o755)
        path.chmod(0o644)
        assert_sound(path, [link])
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def _hint_to_another(path):
    """The hint that a process without rights is given when it appends; another user where this one may do all."""
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        if not os.geteuid():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            Ledger.open(path).append("view", actor="a", payload={})
        except StoreError as error:
            os.write(tell, error.hint.encode())
        except BaseException as error:
            os.write(tell, repr(error).encode())
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(told, "rb") as said:
        return said.read().decode()


# ---------------------------------------------------------------------- gone, or of another time
def test_a_file_that_was_removed_is_told_and_not_made_anew(path):
    ledger = Ledger.open(path)
    ledger.append("view", actor="a", payload={})
    path.unlink()
    for use in (lambda: ledger.append("view", actor="a", payload={}), ledger.events, ledger.check):
        with pytest.raises(StoreError) as raised:
            use()
        assert raised.value.hint
        assert not path.exists()


def test_a_folder_that_was_removed_is_told(tmp_path):
    (tmp_path / "project").mkdir()
    ledger = Ledger.open(tmp_path / "project" / "ledger.sqlite", create=True)
    shutil.rmtree(tmp_path / "project")
    with pytest.raises(StoreError) as raised:
        ledger.append("view", actor="a", payload={})
    assert raised.value.hint


def test_a_damaged_file_is_told(path):
    ledger = Ledger.open(path)
    for n in range(200):
        ledger.append("product", actor="a", payload={"n": n})
    content = bytearray(path.read_bytes())
    content[4096 * 2 :] = b"\x5a" * (len(content) - 4096 * 2)
    path.write_bytes(content)
    with pytest.raises(StoreError) as raised:
        Ledger.open(path).events()
    assert raised.value.hint


def test_a_newer_ledger_is_refused_and_left_as_it_was(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=999")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="999"):
        Ledger.open(path)
    assert path.read_bytes() == before
