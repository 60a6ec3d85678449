"""A Landsat MTL file, as text, JSON or XML: keys and values by group.

Source: USGS LSDS-1415 and LSDS-1822, appendix "MTL": ODL text of `GROUP = ...` and `KEY = VALUE` lines, and the same
groups as JSON objects and XML elements.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from geolabel.errors import InputError, SourceError


@dataclass(frozen=True, slots=True)
class Groups:
    """Group -> key -> value as text. The same key may stand in several groups with other values."""

    name: str
    """Of the file."""
    groups: Mapping[str, Mapping[str, str]]

    def first(self, *keys: str, group: str | None = None, default: str | None = None) -> str:
        """Value of the first key that some group holds, in the order of the file; of one group where it is named.

        Raises
        ------
        InputError
            Where there is none and no default.
        """
        among = self.groups.values() if group is None else (self.groups.get(group, {}),)
        for key in keys:
            for values in among:
                if key in values:
                    return values[key]
        if default is not None:
            return default
        where = f" in {group}" if group else ""
        raise InputError(f"{self.name} gives no {' or '.join(keys)}{where}", hint="is it a whole Landsat MTL?")

    def all(self) -> dict[str, str]:
        """Key -> value over all groups; the first group that holds a key has the word."""
        return {key: value for values in reversed(list(self.groups.values())) for key, value in values.items()}


def groups_of(text: str, name: str) -> Groups:
    """Groups of an MTL, whose name's ending says which form it has.

    Raises
    ------
    SourceError
        Where it cannot be read, or holds no group.
    """
    ending = name.rsplit(".", 1)[-1].lower()
    try:
        groups = {"json": _json, "xml": _xml}.get(ending, _odl)(text)
    except (ValueError, ET.ParseError, AttributeError) as error:
        raise SourceError(f"cannot read {name}: {error}", hint="copy or download it again") from error
    if not groups:
        raise SourceError(f"{name} holds no GROUP", hint="is it a Landsat MTL?")
    return Groups(name, groups)


def _odl(text: str) -> dict[str, dict[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    inside: list[str] = []
    for line in text.splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if key == "GROUP":
            inside.append(value)
        elif key == "END_GROUP" and inside:
            inside.pop()
        elif equals and inside:
            groups.setdefault(inside[-1], {})[key] = value.strip('"')
    return groups


def _json(text: str) -> dict[str, dict[str, str]]:
    (top,) = json.loads(text).values()
    return {group: {key: _plain(value) for key, value in values.items()} for group, values in top.items()}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _xml(text: str) -> dict[str, dict[str, str]]:
    root = ET.fromstring(text)  # noqa: S314 - expat refuses entity bombs since 2.4.1
    return {group.tag: {one.tag: (one.text or "").strip() for one in group} for group in root}
