"""Walk many pieces of work once: bounded, on threads or a cluster, with progress and a journal from which a rerun resumes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from geolabel.errors import MissingExtra, SourceError
from geolabel.files import named_errors

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total)."""


CONNECT_S = 10
"""Seconds within which a scheduler must answer."""


def silent(what: str, done: int, total: int) -> None:
    """Show nothing."""


def walk(
    items: Sequence[T],
    work: Callable[[T], R],
    *,
    what: str,
    threads: int = 2,
    progress: Progress = silent,
    scheduler: Any = None,
) -> Iterator[R]:
    """Results of `work(item)`, in the order of the items, at most two for each thread in memory at a time.

    An error in one piece stops the walk and is raised; pieces not yet started are dropped.

    Parameters
    ----------
    scheduler
        None: threads of this process. Else a `dask.distributed` client or the address of a scheduler: the pieces run
        on its workers, so `work`, items and results are pickled and the files they name lie where all can reach them.

    Raises
    ------
    SourceError
        Where no scheduler answers at the address or it has no workers.
    MissingExtra
        Without dask.distributed.
    """
    with _threads(threads) if scheduler is None else _cluster(scheduler) as (submit, room):
        waiting: deque[Any] = deque()
        todo = iter(items)
        try:
            waiting.extend(submit(work, item) for item in islice(todo, room))
            for done in range(1, len(items) + 1):
                result = waiting.popleft().result()
                waiting.extend(submit(work, item) for item in islice(todo, 1))
                progress(what, done, len(items))
                yield result
        finally:
            for future in waiting:
                future.cancel()


Hands = tuple[Callable[..., Any], int]
"""(how work is handed in, how many pieces may wait)."""


@contextmanager
def _threads(threads: int) -> Iterator[Hands]:
    with ThreadPoolExecutor(max(1, threads)) as pool:
        yield pool.submit, 2 * max(1, threads)


@contextmanager
def _cluster(scheduler: Any) -> Iterator[Hands]:
    """A client's hands; one that was made here is closed here."""
    given = hasattr(scheduler, "submit")
    client = scheduler if given else _client(str(scheduler))
    try:
        room = 2 * sum(client.nthreads().values())
        if not room:
            raise SourceError(f"the cluster at {client.scheduler.address} has no workers", hint="start some first")
        yield partial(client.submit, pure=False), room
    finally:
        if not given:
            client.close()


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtra("a cluster needs dask.distributed", hint="pip install 'geolabel[cluster]'") from None
    try:
        return Client(address, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise SourceError(
            f"no dask scheduler answers at {address}: {error}", hint="e.g. tcp://10.0.0.5:8786"
        ) from error


class Journal:
    """Keys of finished pieces, one a line, flushed as they finish; what a killed process finished stays finished.

    A journal belongs to one job: another `job` (a digest of its inputs) starts it afresh.
    """

    def __init__(self, path: Path, job: str) -> None:
        self.path = path
        head, keys = self._read(path)
        self.done: set[str] = set(keys) if head == job else set()
        with named_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps({"job": job}), *map(json.dumps, sorted(self.done))]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @classmethod
    def job_of(cls, path: Path) -> str | None:
        """The job whose journal lies there; None where there is none."""
        return cls._read(path)[0]

    @staticmethod
    def _read(path: Path) -> tuple[str | None, list[str]]:
        if not path.is_file():
            return None, []
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]  # a torn last line has no newline: not done
        try:
            return json.loads(lines[0])["job"], [json.loads(line) for line in lines[1:]]
        except (ValueError, IndexError, KeyError, TypeError):
            return None, []

    def left(self, keys: Iterable[str]) -> list[str]:
        """The keys not yet finished, in order."""
        return [key for key in keys if key not in self.done]

    def finish(self, key: str) -> None:
        """Record that `key` is finished and its result is on disk."""
        with named_errors(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(key) + "\n")
        self.done.add(key)
