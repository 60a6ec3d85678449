"""Styles for QGIS (QML): colours by class, fill patterns by severity, so that a map in black and white can be read.

Source: the XML that QGIS 3 itself writes (`categorizedSymbol` renderer, `SimpleFill` layers with an `Option` map).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import geopandas as gpd

from geolabel.ontology import Class, Ontology

VERSION = "3.28.0"
DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
BY_SEVERITY = 'CASE WHEN "severity" IS NULL OR "severity" = \'\' THEN "class" ELSE "class" || \' / \' || "severity" END'
"""What a label is shown by: its class, and its severity where it has one."""
PATTERNS = {"unburned": "no", "low": "dense6", "moderate": "b_diagonal", "high": "dense2"}
"""Severity -> Qt's brush: denser as it grows."""
OTHER_PATTERN = "diagonal_x"
OUTCOMES = {"labeled": "#2f6b3a", "empty": "#8d8d99", "unsure": "#b7791f", "skipped": "#7a1f1f"}
"""Outcome of a tile -> colour of its edge."""
FILL_ALPHA = 90


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a legend."""

    value: str
    title: str
    colour: str
    pattern: str = "solid"
    alpha: int = FILL_ALPHA
    """Of the fill, 0-255."""


def labels_qml(labels: gpd.GeoDataFrame, ontology: Ontology) -> str:
    """QML of a layer of labels: every class of the ontology, and every severity that these labels have."""
    pairs = labels[["class", "severity"]].dropna().drop_duplicates()
    levels = {(str(what), str(severity)) for what, severity in pairs.itertuples(index=False)}
    return _qml(BY_SEVERITY, [entry for one in ontology for entry in _entries(one, levels)])


def tiles_qml() -> str:
    """QML of a layer of tiles: no fill, the edge by outcome."""
    return _qml("outcome", [Entry(name, name, colour, pattern="no") for name, colour in OUTCOMES.items()])


def _entries(one: Class, levels: Iterable[tuple[str, str]]) -> list[Entry]:
    own = sorted((severity for what, severity in levels if what == one.name), key=_order)
    plain = Entry(one.name, one.title, one.colour)
    return [
        plain,
        *(
            Entry(f"{one.name} / {level}", f"{one.title}, {level}", one.colour, PATTERNS.get(level, OTHER_PATTERN), 255)
            for level in own
        ),
    ]


def _order(level: str) -> tuple[int, str]:
    known = list(PATTERNS)
    return (known.index(level) if level in known else len(known)), level


# ---------------------------------------------------------------------- the XML
def _qml(attribute: str, entries: list[Entry]) -> str:
    root = ET.Element("qgis", version=VERSION, styleCategories="Symbology")
    renderer = ET.SubElement(
        root,
        "renderer-v2",
        type="categorizedSymbol",
        attr=attribute,
        symbollevels="0",
        enableorderby="0",
        forceraster="0",
    )
    categories, symbols = ET.SubElement(renderer, "categories"), ET.SubElement(renderer, "symbols")
    for n, entry in enumerate(entries):
        ET.SubElement(
            categories, "category", render="true", type="string", symbol=str(n), value=entry.value, label=entry.title
        )
        _symbol(symbols, str(n), entry)
    ET.SubElement(root, "layerGeometryType").text = "2"
    ET.indent(root)
    return DOCTYPE + ET.tostring(root, encoding="unicode") + "\n"


def _symbol(symbols: ET.Element, name: str, entry: Entry) -> None:
    symbol = ET.SubElement(symbols, "symbol", type="fill", name=name, alpha="1", clip_to_extent="1", force_rhr="0")
    layer = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "locked": "0", "pass": "0"})
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in _fill(entry).items():
        ET.SubElement(options, "Option", type="QString", name=key, value=value)


def _fill(entry: Entry) -> dict[str, str]:
    red, green, blue = (int(entry.colour[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "color": f"{red},{green},{blue},{entry.alpha}",
        "style": entry.pattern,
        "joinstyle": "bevel",
        "outline_color": f"{red},{green},{blue},255",
        "outline_style": "solid",
        "outline_width": "0.4",
        "outline_width_unit": "MM",
    }
