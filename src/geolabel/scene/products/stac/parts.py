"""What a STAC item is made of: the bands of its raster assets, as the item describes them, and where they lie.

Items of all versions are migrated by pystac first. Bands are described in three ways (`eo:bands` with `raster:bands`
beside it, `bands` since STAC 1.1, indices into the item's own `eo:bands`): here they are one.

Source: STAC 1.1.0, Item and Common Metadata; extensions eo 1.1, raster 1.1, projection 2.0, file 2.1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from affine import Affine
from pyproj.exceptions import CRSError as UnknownCRS

from geolabel.grid import Grid
from geolabel.scene import remote
from geolabel.scene.reading import Header

RASTER = ("tiff", "jp2", "jpeg2000")
"""Parts of media types that hold pixels to measure with; PNG and JPEG are pictures."""
ENDINGS = (".tif", ".tiff", ".jp2", ".vrt")
NO_DATA_ROLES = frozenset(("thumbnail", "overview"))
BLOCK = (1024, 1024)
"""Blocks of a file whose header was not read: whole blocks of 256, 512 and 1024, as COGs have."""


@dataclass(frozen=True, slots=True)
class Part:
    """One band of one asset of an item."""

    key: str
    """Of the asset."""
    index: int
    """Band of the file, from 1."""
    count: int
    """Bands of the file that the item describes; 0 where it describes none."""
    name: str
    """Of the band; empty where the item gives none."""
    common_name: str
    """As the item gives it; it may be wrong."""
    href: str
    """Where it lies, absolute."""
    media: str
    roles: tuple[str, ...]
    said: Mapping[str, Any] = field(default_factory=dict)
    """What else is said of the band: scale, offset, nodata, data_type, unit, spatial_resolution, title, description."""
    place: Mapping[str, Any] = field(default_factory=dict)
    """`proj:` fields that hold for it."""

    @property
    def file(self) -> str:
        """Name of the file."""
        return remote.name_of(self.href)

    @property
    def res_m(self) -> float | None:
        """Edge of a pixel in the unit of its CRS, where the item says it."""
        transform = self.place.get("proj:transform")
        res = abs(transform[0]) if transform else self.said.get("spatial_resolution", self.said.get("gsd"))
        return None if res is None else float(res)

    def number(self, what: str) -> float | None:
        """A number said of the band (`scale`, `offset`, `nodata`), None where nothing is said or it is no number."""
        try:
            return float(self.said[what])
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def nodata(self) -> tuple[float, ...]:
        """DN that the item declares to mean "no data"; NaN always does."""
        value = self.number("nodata")
        return () if value is None or math.isnan(value) else (value,)


def parts_of(item: Any) -> tuple[Part, ...]:
    """Bands of all raster assets of a pystac.Item, in the order of the item."""
    return tuple(part for key, asset in item.assets.items() if is_raster(asset) for part in _bands(item, key, asset))


def is_raster(asset: Any) -> bool:
    """Whether an asset holds pixels to measure with: by its media type, else by the ending of its name."""
    media = (asset.media_type or "").lower()
    if NO_DATA_ROLES & set(asset.roles or ()):
        return False
    return any(kind in media for kind in RASTER) or (not media and asset.href.lower().endswith(ENDINGS))


def _bands(item: Any, key: str, asset: Any) -> Iterator[Part]:
    described = _described(item, asset)
    href, place = where(item, asset.href), _place(item, asset)
    for index, band in enumerate(described or ({},), start=1):
        said = {k.removeprefix("raster:").removeprefix("eo:"): v for k, v in {**asset.to_dict(), **band}.items()}
        yield Part(
            key=key,
            index=index,
            count=len(described),
            name=str(band.get("name") or ""),
            common_name=str(band.get("common_name") or band.get("eo:common_name") or ""),
            href=href,
            media=(asset.media_type or "").lower(),
            roles=tuple(asset.roles or ()),
            said=said,
            place=place,
        )


def _described(item: Any, asset: Any) -> tuple[Mapping[str, Any], ...]:
    """What is said of each band of an asset, the fields of all extensions together."""
    fields = asset.extra_fields
    lists = [fields.get(name) or [] for name in ("raster:bands", "eo:bands", "bands")]
    all_of_item = item.properties.get("eo:bands") or []
    rows: list[dict[str, Any]] = [{} for _ in range(max(map(len, lists)))]
    for bands in lists:
        for row, band in zip(rows, bands, strict=False):
            known = all_of_item[band] if isinstance(band, int) and band < len(all_of_item) else band
            row.update(known if isinstance(known, Mapping) else {})
    return tuple(rows)


def where(item: Any, href: str) -> str:
    """Absolute address of an item's href: against the file of the item where it lies there, else against its address."""
    if "://" in href or href.startswith("/"):
        return href
    own = item.get_self_href() or ""
    if remote.is_web(own) or "://" in own:
        return urljoin(own, href)
    return str(Path(own).parent / href)


def _place(item: Any, asset: Any) -> dict[str, Any]:
    """`proj:` fields of an asset: its own, else the item's; shape and transform go together."""
    own = {key: value for key, value in asset.extra_fields.items() if key.startswith("proj:") and value is not None}
    general = {key: value for key, value in item.properties.items() if key.startswith("proj:") and value is not None}
    if "proj:shape" in own or "proj:transform" in own:
        general = {k: v for k, v in general.items() if k not in ("proj:shape", "proj:transform")}
    if "proj:code" in own or "proj:wkt2" in own:
        general = {k: v for k, v in general.items() if k not in ("proj:code", "proj:wkt2", "proj:projjson")}
    return {**general, **own}


# ---------------------------------------------------------------------- without opening the file
def claimed(part: Part, nodata: float | None) -> Header | None:
    """Header of a remote COG by what the item says of it, so that opening asks no server; None where it must be read.

    It is held against the file when pixels are first read.
    """
    path, grid = remote.gdal_path(part.href), grid_of(part.place)
    if grid is None or nodata is None or "cloud-optimized" not in part.media or not remote.is_remote(path):
        return None
    return Header(
        path=path,
        name=part.file,
        size_bytes=int(part.said.get("file:size") or 0),
        dtype=str(part.said.get("data_type") or ""),
        count=max(part.count, 1),
        grid=grid,
        nodata=nodata,
        names=(),
        units=(None,) * max(part.count, 1),
        tags={},
        block=BLOCK,
        pixel_interleaved=False,
        etag=str(part.said.get("file:checksum") or ""),
        claimed=True,
    )


def grid_of(place: Mapping[str, Any]) -> Grid | None:
    """Grid of an asset by its `proj:` fields; None where they do not say it, or it is turned."""
    epsg = place.get("proj:epsg")  # of items that pystac has not migrated
    crs = place.get("proj:code") or place.get("proj:wkt2") or place.get("proj:projjson") or (epsg and f"EPSG:{epsg}")
    shape, transform = place.get("proj:shape"), place.get("proj:transform")
    if not crs or not _numbers(shape, (2,)) or not _numbers(transform, (6, 9)):
        return None
    affine = Affine(*(float(value) for value in transform[:6]))  # type: ignore[index]
    if affine.b or affine.d:
        return None
    try:
        return Grid.of(crs, affine, (int(shape[0]), int(shape[1])))  # type: ignore[index]
    except (UnknownCRS, ValueError):
        return None


def _numbers(values: Any, lengths: Sequence[int]) -> bool:
    return (
        isinstance(values, Sequence) and len(values) in lengths and all(isinstance(one, int | float) for one in values)
    )


def path_of(href: str) -> str:
    """The path of an address, without host and key, in lower case: what its ending is read from."""
    return urlsplit(href).path.lower() if "://" in href else href.lower()
