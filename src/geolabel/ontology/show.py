"""Ontologies on a page: a table with colours, in the order of the hierarchy."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from geolabel.ontology.classes import MASKS, Class
from geolabel.ontology.ontology import Ontology

BLACK, WHITE = "#000000", "#ffffff"


def table(ontology: Ontology) -> str:
    """HTML table of an ontology: a line a class, below its parent, its code on its colour."""
    head = "<tr><th>code</th><th>class</th><th>title</th><th>kind</th><th>drawn as</th><th>attributes</th></tr>"
    masks = ", ".join(f"{value} {name}" for name, value in MASKS.items())
    caption = f"{escape(ontology.title or ontology.name)} ({escape(ontology.id)}; {len(ontology)} classes; {masks})"
    rows = "".join(_row(ontology, one, depth) for one, depth in in_order(ontology))
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


def in_order(ontology: Ontology, name: str | None = None, depth: int = 0) -> Iterator[tuple[Class, int]]:
    """(class, how deep it lies) from the top, each below its parent."""
    for one in ontology.children(name):
        yield one, depth
        yield from in_order(ontology, one.name, depth + 1)


def _row(ontology: Ontology, one: Class, depth: int) -> str:
    names = ", ".join(f"{a.name}{'*' if a.required else ''}" for a in ontology.attributes(one.name).values())
    cells = (one.title, one.kind, ", ".join(one.geometry), names)
    rest = "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in cells)
    name = f"<td style='text-align:left;padding-left:{0.5 + 1.5 * depth}em'><code>{escape(one.name)}</code></td>"
    swatch = f"<td style='background:{one.colour};color:{ink_on(one.colour)}'>{one.code}</td>"
    return f"<tr title='{escape(one.description)}'>{swatch}{name}{rest}</tr>"


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on a colour; contrast at least 4.5.

    Source: WCAG 2.2, relative luminance and contrast ratio: (L + .05) / .05 and 1.05 / (L + .05) cross at 4.58.
    """
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    light = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) + 0.05
    return BLACK if light / 0.05 >= 1.05 / light else WHITE
