"""From a file, an address, a dict or an object of pystac to items: read with patience, migrated, or refused with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from geolabel.errors import InputError, MissingExtra, SourceError
from geolabel.scene import remote
from geolabel.scene.products.stac.parts import ENDINGS, path_of

PEEK = 1 << 22
"""Bytes of a JSON file in which its `stac_version` must stand to be taken for STAC without parsing it."""


def need(module: str) -> ModuleType:
    """The module `pystac` or `pystac_client`.

    Raises
    ------
    MissingExtra
        Where it is not installed.
    """
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"STAC needs {module}, which is not installed", hint="pip install 'geolabel[stac]'"
        ) from error


def is_stac(source: Any) -> bool:
    """Whether a source is STAC: by its type, its address or the first bytes of its file; no server is asked."""
    if isinstance(source, Mapping):
        return "stac_version" in source or source.get("type") in ("Feature", "FeatureCollection")
    if isinstance(source, str | Path):
        return _is_stac_file(source)
    if isinstance(source, Sequence):
        return all(is_stac(one) for one in source)
    return type(source).__module__.split(".")[0] in ("pystac", "pystac_client")


def _is_stac_file(source: str | Path) -> bool:
    path = path_of(str(source))
    if remote.is_web(source):
        return path.endswith((".json", ".geojson")) or ("/items/" in path and not path.endswith(ENDINGS))
    if not path.endswith((".json", ".geojson")) or "://" in str(source) or not Path(source).is_file():
        return path.endswith(".json") and "://" in str(source)
    with Path(source).open("rb") as file:
        return b'"stac_version"' in file.read(PEEK)


def document(source: str | Path) -> tuple[dict[str, Any], str]:
    """(the JSON of a file or address, where it lies, absolute).

    Raises
    ------
    SourceError
        Where it is not there, cannot be read, or is no JSON.
    """
    text = str(source)
    if remote.is_web(text):
        data, place = remote.fetch(text), text
    elif "://" in text:
        raise SourceError(
            f"{remote.plain(text)} is not read: items are read from files and https://",
            hint="download the item; its assets may stay where they are",
        )
    else:
        place = str(Path(text).resolve())
        try:
            data = Path(text).read_bytes()
        except OSError as error:
            raise SourceError(f"cannot read {text}: {error.strerror or error}", hint="check the path") from error
    try:
        found = json.loads(data)
    except ValueError as error:
        raise SourceError(f"{remote.plain(text)} is no JSON: {error}", hint="download it again") from error
    if not isinstance(found, dict):
        raise InputError(f"{remote.plain(text)} is a JSON {type(found).__name__}, no STAC", hint="give an item")
    return found, place


def item_of(source: Any) -> Any:
    """The pystac.Item of a file, address, dict or object.

    Raises
    ------
    InputError
        For a catalog, a collection or several items, which says how many there are and how to choose; for what is no
        STAC.
    """
    return one_of(read(source), remote.plain(str(source)) if isinstance(source, str | Path) else "what was given")


def read(source: Any) -> Any:
    """pystac.Item, Catalog or Collection, or a list of items, of any version of STAC, migrated."""
    if isinstance(source, str | Path):
        data, place = document(source)
        return _parsed(data, place)
    if isinstance(source, Mapping):
        return _parsed(dict(source), None)
    if isinstance(source, Iterable):  # a list, gl.items(...), a pystac.ItemCollection
        return [item_of(one) for one in source]
    return source


def _parsed(data: dict[str, Any], place: str | None) -> Any:
    pystac = need("pystac")
    try:
        if data.get("type") == "FeatureCollection":
            return [_item(pystac, one, None) for one in data.get("features", ())]
        if data.get("type") == "Feature":
            return _item(pystac, data, place)
        return pystac.read_dict(data, href=place)
    except (pystac.STACError, pystac.STACTypeError, KeyError, TypeError, ValueError, AttributeError) as error:
        name = data.get("id") or remote.plain(place or "the document")
        raise InputError(
            f"{name} is no STAC that can be read: {error}", hint="stac-validator says what is wrong"
        ) from error


def _item(pystac: ModuleType, data: dict[str, Any], place: str | None) -> Any:
    own = next((link.get("href") for link in data.get("links", ()) if link.get("rel") == "self"), None)
    downloaded = place is not None and not remote.is_web(place) and remote.is_web(own)
    if place is None or (downloaded and not _lies_beside(data, Path(place).parent)):
        place = own  # a downloaded item: its files are where it came from
    return pystac.Item.from_dict(data, href=place, migrate=True)


def _lies_beside(data: Mapping[str, Any], folder: Path) -> bool:
    hrefs = [str(asset.get("href")) for asset in data.get("assets", {}).values()]
    return any((folder / href).exists() for href in hrefs if "://" not in href and not href.startswith("/"))


def one_of(found: Any, name: str) -> Any:
    """The one item of what was read.

    Raises
    ------
    InputError
        Where there are none or several.
    """
    if isinstance(found, list):
        if len(found) == 1:
            return found[0]
        raise InputError(
            f"{name} holds {len(found)} items",
            hint="choose one: gl.items(...)[0]; items of one day open together as a list",
        )
    if not hasattr(found, "assets") or hasattr(found, "extent"):
        raise _many(found)
    return found


def _many(found: Any) -> InputError:
    kind = "collection" if hasattr(found, "extent") else "catalog"
    count = len([link for link in found.links if link.rel == "item"])
    below = len([link for link in found.links if link.rel == "child"])
    if not count and not below:
        return InputError(
            f"the {kind} {found.id!r} holds no items itself",
            hint=f"search its API: gl.search(api_url, collections=[{found.id!r}], bbox=..., datetime=...)",
        )
    return InputError(
        f"the {kind} {found.id!r} holds {count} items and {below} catalogs below it; a scene is one item",
        hint="choose one: gl.items('catalog.json') lists them, then gl.open_scene(items[0])",
    )
