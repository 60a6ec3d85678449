"""A real PostgreSQL with PostGIS for tests: on 127.0.0.1 and a free port, in a temporary folder, gone with who started it.

A test asks for `postgres_url` (an empty database with PostGIS) or for `postgres` (the server, which can be crashed).
Every process of pytest-xdist starts its own. Where there is no server, tests are skipped with the reason, or fail where
GEOLABEL_REQUIRE names `postgis`.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

START_S = 60
"""Seconds within which a server must answer: recovery after a crash included."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "timezone": "UTC",
}
GUARD = """
import os, shutil, signal, sys, time
from pathlib import Path
sys.stdin.read()  # ends with the process that started us, however it ends
folder = Path(sys.argv[1])
try:
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGQUIT)
    for _ in range(500):
        os.kill(pid, 0)
        time.sleep(0.02)
except (OSError, ValueError, IndexError):
    pass
shutil.rmtree(folder, ignore_errors=True)
"""


class NoServerError(Exception):
    """Why no PostgreSQL with PostGIS can be had here."""


@dataclass
class Server:
    """A PostgreSQL of its own; ended, and its folder removed, by `close()` or with this process."""

    programs: Path
    folder: Path
    port: int = 0
    process: subprocess.Popen | None = None
    guard: subprocess.Popen | None = None
    names: itertools.count = field(default_factory=itertools.count)

    @property
    def log(self) -> str:
        """What the server wrote last."""
        path = self.folder / "log"
        return path.read_text(errors="replace")[-2000:] if path.is_file() else ""

    def url(self, name: str) -> str:
        """Address of one of its databases."""
        return f"postgresql://geolabel@127.0.0.1:{self.port}/{name}"

    def fresh(self) -> str:
        """Address of a new database that holds PostGIS and nothing else."""
        name = f"ledger_{next(self.names)}"
        with self._connected("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE with_postgis")
        return self.url(name)

    def _connected(self, name: str):
        import psycopg

        return psycopg.connect(self.url(name), autocommit=True, connect_timeout=10)

    # ------------------------------------------------------------------ life
    def make(self) -> "Server":
        """The server, running, with a template database that holds PostGIS."""
        import psycopg

        data = self.folder / "data"
        order = [self.programs / "initdb", "-D", data, "-U", "geolabel", "-A", "trust", "-E", "UTF8", "--locale=C"]
        self._run([*order, "--no-sync", "--no-instructions"])
        self.guard = subprocess.Popen([sys.executable, "-c", GUARD, self.folder], stdin=subprocess.PIPE)
        self.start()
        try:
            with self._connected("postgres") as connection:
                connection.execute("CREATE DATABASE with_postgis")
            with self._connected("with_postgis") as connection:
                connection.execute("CREATE EXTENSION postgis")
        except psycopg.errors.FeatureNotSupported as error:
            raise NoServerError(f"PostgreSQL without PostGIS: {error}") from None
        return self

    def _run(self, order) -> None:
        done = subprocess.run(order, capture_output=True, text=True, check=False, cwd=self.folder, **_account())
        if done.returncode:
            raise NoServerError(f"initdb failed: {done.stderr.strip()[-500:]}")

    def start(self) -> None:
        """Begin, or begin again after a crash on the same port, and wait until it answers."""
        for _ in range(5):
            port = self.port or _free_port()
            settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
            order = [self.programs / "postgres", "-D", self.folder / "data", "-p", str(port), *settings]
            with (self.folder / "log").open("a") as log:
                self.process = subprocess.Popen(order, stdout=log, stderr=log, cwd=self.folder, **_account())
            if self._answers(port):
                self.port = port
                return
        raise NoServerError(f"PostgreSQL does not start: {self.log}")

    def _answers(self, port: int) -> bool:
        import psycopg

        last = time.monotonic() + START_S
        where = f"postgresql://geolabel@127.0.0.1:{port}/postgres"
        while time.monotonic() < last and self.process.poll() is None:
            try:
                psycopg.connect(where, connect_timeout=5).close()
                return True
            except psycopg.OperationalError:
                time.sleep(0.02)
        return False

    def crash(self) -> None:
        """Kill the postmaster and all its children at once (SIGKILL), as the kernel does when memory runs out."""
        self.process.send_signal(signal.SIGSTOP)  # it must not mend what is killed first
        children = _children(self.process.pid)
        for pid in (self.process.pid, *children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)
        while any(_alive(pid) for pid in children):  # a new server waits for shared memory that they hold
            time.sleep(0.005)

    def abort(self) -> None:
        """End it without a checkpoint (`pg_ctl stop -m immediate`): what is not in the log is gone."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(30)

    def close(self) -> None:
        """End it and remove its folder."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:  # its last checkpoint waits for a busy disk
                self.abort()
        if self.guard is not None:
            self.guard.communicate(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


def _account() -> dict:
    """Who the server runs as: PostgreSQL refuses root."""
    if os.geteuid():
        return {}
    entry = _unprivileged()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServerError("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]


def _alive(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _programs() -> Path:
    """The folder that holds `postgres` and `initdb`: on PATH, or the newest of Debian's."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda f: float(f.parent.name), reverse=True)
    for folder in folders:
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    raise NoServerError("no PostgreSQL on this machine: apt-get install postgresql postgresql-15-postgis-3")


@contextlib.contextmanager
def running():
    """A server with PostGIS, ended afterwards.

    Raises
    ------
    NoServerError
        Says why there is none.
    """
    try:
        import psycopg  # noqa: F401
    except ImportError:
        raise NoServerError("psycopg is not installed: pip install 'geolabel[postgis]'") from None
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="geolabel-postgres-"))
    if not os.geteuid():
        os.chown(folder, _unprivileged().pw_uid, _unprivileged().pw_gid)
    server = Server(programs, folder)
    try:
        yield server.make()
    finally:
        server.close()


@pytest.fixture(scope="session")
def postgres():
    """A running server of this session, or a skip with the reason."""
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except NoServerError as error:
            if "postgis" in os.environ.get("GEOLABEL_REQUIRE", ""):
                pytest.fail(f"GEOLABEL_REQUIRE asks for PostGIS: {error}")
            pytest.skip(str(error))
        yield server


@pytest.fixture
def postgres_url(postgres):
    """Address of a new database with PostGIS on the session's server."""
    return postgres.fresh()
