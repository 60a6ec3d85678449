"""Print the evidence: `python -m benchmarks.evidence [--room fire] [--json] [--long]`."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import evidence
from benchmarks.evidence import ROOT, SOURCES, Source
from geolabel.files import write_json

KEPT = Path(__file__).parent / "results.json"


def data_root() -> Path:
    return Path(os.environ.get("GEOLABEL_DATA", ROOT.parent / "shared" / "data"))


def commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()


def load_rooms() -> None:
    for module in pkgutil.iter_modules(evidence.__path__):
        if not module.name.startswith("_"):
            importlib.import_module(f"benchmarks.evidence.{module.name}")


def measured(source: Source, *, long: bool, kept: dict) -> tuple[str, list[dict]]:
    """(state, rows) of one source: fresh, kept, stale, or why it has none."""
    if source.needs and not (data_root() / source.needs).is_dir():
        return f"missing: {source.needs} beside ../shared/data", []
    if source.long and not long:
        old = kept.get(source.name)
        if old is None:
            return "not measured yet: LONG=1", []
        state = "kept" if old["digest"] == source.digest() else "stale"
        return f"{state} ({old['commit']}, {old['date']})", old["rows"]
    rows = [asdict(row) for row in source.measure()]
    if source.long:
        kept[source.name] = {
            "digest": source.digest(),
            "commit": commit(),
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "rows": rows,
        }
        write_json(KEPT, kept)
    return "fresh", rows


def command(source: Source) -> str:
    return f"make evidence ROOM={source.room}{' LONG=1' if source.long else ''}"


def table(results: list[dict]) -> Table:
    out = Table(title="Evidence")
    for column in ("figure", "value", "beside it", "goal", "holds", "state", "command"):
        out.add_column(column, overflow="fold")
    for one in results:
        for line in one["rows"] or [
            {"name": one["name"], "value": None, "unit": "", "baseline": "", "goal": "", "holds": None}
        ]:
            value = "-" if line["value"] is None else f"{line['value']:.4g} {line['unit']}".strip()
            holds = {True: "yes", False: "NO", None: ""}[line["holds"]]
            out.add_row(line["name"], value, line["baseline"], line["goal"], holds, one["state"], one["command"])
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", help="only this room's rows")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--long", action="store_true", help="run the long rows too and keep their values")
    args = parser.parse_args()
    load_rooms()
    rooms = {source.room for source in SOURCES}
    if args.room and args.room not in rooms:
        parser.error(f"no room {args.room!r}; there is {', '.join(sorted(rooms))}")
    kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    results = []
    for source in (s for s in SOURCES if args.room in (None, s.room)):
        state, rows = measured(source, long=args.long, kept=kept)
        results.append({"name": source.name, "state": state, "rows": rows, "command": command(source)})
    if args.json:
        print(json.dumps(results, indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(table(results))
    return 1 if any(row["holds"] is False for one in results for row in one["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
