"""The short form of every benchmark: `make bench`."""

from __future__ import annotations

import importlib
import sys

SHORT = ("front", "scenes")
"""Modules of this folder with a `main() -> int`."""


def main() -> int:
    return max(importlib.import_module(f"benchmarks.{name}").main() for name in SHORT)


if __name__ == "__main__":
    sys.exit(main())
