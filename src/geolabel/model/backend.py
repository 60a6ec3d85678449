"""torch itself, or the error that says how to get it; every module of this room takes torch from here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from geolabel.errors import MissingExtra, ModelError


@contextlib.contextmanager
def _short_spin() -> Iterator[None]:
    """Let OpenMP's threads wait for each other asleep: spinning costs up to eight times the CPU on busy cores.

    Read by libgomp once, while torch is loaded; what the user has set stays.
    """
    given = os.environ.get("GOMP_SPINCOUNT")
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    try:
        yield
    finally:
        if given is None:
            del os.environ["GOMP_SPINCOUNT"]


try:
    with _short_spin():
        import torch
except ImportError as error:
    raise MissingExtra("models need torch, which is not installed", hint="pip install 'geolabel[ml]'") from error

__all__ = ["device", "seeded", "torch"]


def device(name: str = "auto") -> Any:
    """torch.device; `auto` is the first CUDA device where there is one, else the CPU.

    Raises
    ------
    ModelError
        For a device that is unknown or not there.
    """
    name = ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
    try:
        chosen = torch.device(name)
    except RuntimeError:
        raise ModelError(f"unknown device {name!r}", hint="auto, cpu, cuda or cuda:1") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"device {name!r} asked for, but torch sees no CUDA here", hint="device='cpu'")
    return chosen


@contextlib.contextmanager
def seeded(seed: int, threads: int) -> Iterator[None]:
    """Run with torch's own generator seeded and `threads` threads; both are as they were afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads))
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
