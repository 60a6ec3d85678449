"""What is wrong with a saved map page: requests it would make, parts of the sheet it lacks, its size."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from geolabel.files import named_errors
from geolabel.view import inline

MAX_BYTES = 5_000_000
SHEET_PARTS = (
    "title",
    "status",
    "outside",
    "issued",
    "valid-from",
    "valid-to",
    "legend",
    "weather",
    "model",
    "calibration",
    "outcomes",
    "coordinates",
    "prepared",
    "start-of-the-fire",
    "areas",
    "north",
    "expired",
)
"""Values of `data-sheet` that a page must have; scale bar and graticule are drawn by its script."""
DRAWN = {"a scale bar": "L.control.scale(", "a graticule": "graticule"}

LOADING = ("src", "srcset", "poster", "data", "background", "action", "formaction", "xlink:href", "manifest")
HREF_LOADS = ("link", "base", "image", "use")
REQUESTS = re.compile(
    r"\bfetch\s*\(|XMLHttpRequest|\bWebSocket\b|\bEventSource\b|sendBeacon|importScripts|\bimport\s*\("
    r"|\$\.(?:ajax|get|getJSON|post|getScript)\b|L\.tileLayer\b|L\.TileLayer\b"
)
CSS_LOADS = re.compile(r"@import[^;]*|url\(\s*(?!['\"]?\s*(?:data:|#))[^)]*", re.IGNORECASE)
ADDRESS = re.compile(r"""['"`](?:https?:)?//[\w.-]+""", re.IGNORECASE)
NAMESPACES = ("http://www.w3.org",)
INSIDE = ("data:", "blob:", "#", "about:blank")


class _Reader(HTMLParser):
    """Collects what a page loads and what it says."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.parts: set[str] = set()
        self.title = ""
        self.lang = ""
        self.code = ""
        self._open: tuple[str, str] = ("", "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes that load something."""
        values = {name: value or "" for name, value in attrs}
        self.parts |= set(values.get("data-sheet", "").split())
        self.lang = values.get("lang", "") if tag == "html" else self.lang
        if tag in ("script", "style", "title"):
            self._open = (tag, values.get("data-asset", ""))
        for name, value in values.items():
            self._attribute(tag, name, value.strip())

    def _attribute(self, tag: str, name: str, value: str) -> None:
        loads = name in LOADING or (name == "href" and tag in HREF_LOADS)
        if loads and value and not value.startswith(INSIDE):
            self.found.append(f"<{tag} {name}> loads {value[:80]}")
        if name == "style":
            self._styles(value)
        if name.startswith("on") or value.lower().startswith("javascript:"):
            self._script(value)

    def handle_endtag(self, tag: str) -> None:
        """Leave a script, a style or the title."""
        if tag == self._open[0]:
            self._open = ("", "")

    def handle_data(self, data: str) -> None:
        """Read scripts and styles; those that are byte for byte our assets are known to be quiet."""
        kind, asset = self._open
        if kind == "title":
            self.title += data
        elif kind == "style":
            self._styles(data)
        elif kind == "script" and not _is_asset(asset, data):
            self.code += data
            self._script(data)

    def _styles(self, text: str) -> None:
        self.found += [f"a style loads {hit[0][:80]}" for hit in CSS_LOADS.finditer(text)]

    def _script(self, text: str) -> None:
        self.found += [f"a script calls {hit[0]}" for hit in REQUESTS.finditer(text)]
        addresses = (hit[0][1:] for hit in ADDRESS.finditer(text))
        self.found += [f"a script names {a}" for a in addresses if not a.startswith(NAMESPACES)]


def _is_asset(name: str, text: str) -> bool:
    return name in inline.SCRIPTS and text == inline.script(name)


def lint(path: Path | str) -> list[str]:
    """Sentences on what is wrong with a saved page, in order of the page; none for a good one.

    Raises
    ------
    SourceError
        Where the file cannot be read.
    """
    path = Path(path)
    with named_errors(path):
        text = path.read_text(encoding="utf-8")
    reader = _Reader()
    reader.feed(text)
    reader.close()
    found = list(reader.found)
    found += [] if reader.title.strip() else ["no <title>"]
    found += [] if reader.lang.strip() else ["no lang on <html>"]
    found += [f"the sheet lacks {part!r}" for part in SHEET_PARTS if part not in reader.parts]
    found += [f"no {what.removeprefix('a ')}" for what, sign in DRAWN.items() if sign not in reader.code]
    size = path.stat().st_size
    return found + ([f"{size / 1e6:.1f} MB is more than 5 MB"] if size > MAX_BYTES else [])
