"""Walk many pieces of work once: a bounded pool of threads, progress, and a journal from which a rerun resumes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

from geolabel.files import named_errors

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[str, int, int], None]
"""Called with (what, done, total)."""


def silent(what: str, done: int, total: int) -> None:
    """Show nothing."""


def walk(
    items: Sequence[T], work: Callable[[T], R], *, what: str, threads: int = 2, progress: Progress = silent
) -> Iterator[R]:
    """Results of `work(item)`, in the order of the items, at most `2 * threads` of them in memory at a time.

    An error in one piece stops the walk and is raised; pieces not yet started are dropped.
    """
    waiting: deque[Future[R]] = deque()
    todo = iter(items)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        try:
            waiting.extend(pool.submit(work, item) for item in islice(todo, 2 * max(1, threads)))
            for done in range(1, len(items) + 1):
                result = waiting.popleft().result()
                waiting.extend(pool.submit(work, item) for item in islice(todo, 1))
                progress(what, done, len(items))
                yield result
        finally:
            for future in waiting:
                future.cancel()


class Journal:
    """Keys of finished pieces, one a line, flushed as they finish; what a killed process finished stays finished.

    A journal belongs to one job: another `job` (a digest of its inputs) starts it afresh.
    """

    def __init__(self, path: Path, job: str) -> None:
        self.path = path
        head, keys = self._read()
        self.done: set[str] = set(keys) if head == job else set()
        with named_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps({"job": job}), *map(json.dumps, sorted(self.done))]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _read(self) -> tuple[str | None, list[str]]:
        if not self.path.is_file():
            return None, []
        lines = self.path.read_text(encoding="utf-8").split("\n")[:-1]  # a torn last line has no newline: not done
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
