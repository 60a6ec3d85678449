"""STAC items to choose from: those of a static catalog or a file, and those that a search over an API finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from itertools import islice
from typing import Any, overload

from geolabel.errors import InputError, SourceError
from geolabel.grid import Bounds
from geolabel.nouns.times import iso
from geolabel.scene import remote
from geolabel.scene.products.stac.items import need, read

Days = str | date | datetime | tuple[str | date | datetime | None, str | date | datetime | None]
SHOWN = 20
"""Rows of items a notebook shows."""
PAGE = 100
"""Items asked for at a time."""
LOOKED_THROUGH = 20
"""Times `limit` of items that are looked through where clouds are filtered here."""


@dataclass(frozen=True, slots=True)
class Items(Sequence[Any]):
    """pystac.Items in order; `gl.open_scene` opens one, or several of one day."""

    items: tuple[Any, ...]

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> Items: ...
    def __getitem__(self, at: int | slice) -> Any:
        return Items(self.items[at]) if isinstance(at, slice) else self.items[at]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    @property
    def frame(self) -> Any:
        """GeoDataFrame in EPSG:4326: `id, collection, start, cloud_percent, assets` and the footprint of each item."""
        import geopandas as gpd
        from shapely.geometry import shape

        columns = ("id", "collection", "start", "cloud_percent", "assets")
        shapes = [shape(item.geometry) if item.geometry else None for item in self.items]
        return gpd.GeoDataFrame([_row(item) for item in self.items], columns=columns, geometry=shapes, crs="EPSG:4326")

    def __repr__(self) -> str:
        return f"Items({len(self.items)}: {', '.join(item.id for item in self.items[:3])}{', …' * (len(self) > 3)})"

    def _repr_html_(self) -> str:
        head = "<tr><th></th><th>id</th><th>acquired</th><th>cloud, %</th><th>assets</th></tr>"
        rows = [_row(item) for item in self.items[:SHOWN]]
        body = "".join(
            f"<tr><td>{i}</td><td>{escape(row[0])}</td><td>{row[2] or ''}</td>"
            f"<td>{'' if row[3] is None else f'{row[3]:g}'}</td><td>{escape(row[4])}</td></tr>"
            for i, row in enumerate(rows)
        )
        more = f"<p>and {len(self) - SHOWN} more</p>" if len(self) > SHOWN else ""
        return f"<table><caption>{len(self)} items</caption>{head}{body}</table>{more}"


def _row(item: Any) -> tuple[str, str | None, str | None, float | None, str]:
    start = item.properties.get("start_datetime") or (iso(item.datetime) if item.datetime else None)
    return item.id, item.collection_id, start, item.properties.get("eo:cloud_cover"), ", ".join(item.assets)


def items(
    source: Any, *, bbox: Bounds | None = None, datetime: Days | None = None, max_cloud: float | None = None
) -> Items:
    """Items of a static catalog, a collection, an item collection or one item, with all that lie below it.

    Parameters
    ----------
    source
        File, `https://` address, dict or pystac object.
    bbox
        (west, south, east, north) in degrees that an item's box must touch.
    datetime
        A day, or (first, last), either of them None where it is open.
    max_cloud
        Percent of clouds (`eo:cloud_cover`); items that do not say theirs are kept.

    Raises
    ------
    SourceError
        Where something cannot be read.
    InputError
        For what is no STAC.
    """
    found = read(source)
    every = found if isinstance(found, list) else list(_below(found))
    first, last = _span(datetime)
    kept = [item for item in every if _touches(item, bbox) and _within(item, first, last) and _clear(item, max_cloud)]
    return Items(tuple(kept))


def _below(found: Any) -> Iterator[Any]:
    """Items of a catalog and of all catalogs below it; links are followed with patience, each once."""
    seen = {found.get_self_href()}
    todo = [found]
    while todo:
        one = todo.pop(0)
        if hasattr(one, "get_children"):
            links = [link for link in one.links if link.rel in ("item", "child")]
            todo.extend(there for link in links if (there := _followed(link, seen)) is not None)
        else:
            yield one


def _followed(link: Any, seen: set[str | None]) -> Any | None:
    if not isinstance(link.target, str):
        return link.target
    address = link.get_absolute_href()
    if address is None or address in seen:
        return None
    seen.add(address)
    return read(address)


def search(
    api: str,
    *,
    collections: Sequence[str] | str | None = None,
    bbox: Bounds | None = None,
    datetime: Days | None = None,
    max_cloud: float | None = None,
    limit: int = 100,
) -> Items:
    """Items that a STAC API finds, in its order, at most `limit`.

    Parameters
    ----------
    api
        `https://` address of the API's landing page.
    collections
        Names of collections, e.g. `sentinel-2-l2a`.
    bbox
        (west, south, east, north) in degrees.
    datetime
        A day, or (first, last), either of them None where it is open.
    max_cloud
        Percent of clouds (`eo:cloud_cover`). An API that cannot filter by it (`query` extension) is filtered for here,
        over at most `LOOKED_THROUGH` times `limit` items; those that do not say theirs are kept.

    Raises
    ------
    SourceError
        Where the API does not answer.
    InputError
        Where the address is no STAC API, or the search makes no sense to it.
    MissingExtra
        Without pystac-client.
    """
    client = need("pystac_client")
    try:
        opened = _client(client, api)
        filters = max_cloud is not None and opened.conforms_to("QUERY")
        found = opened.search(
            collections=[collections] if isinstance(collections, str) else collections,
            bbox=bbox,
            datetime=_interval(datetime),
            query={"eo:cloud_cover": {"lte": max_cloud}} if filters else None,
            max_items=limit if max_cloud is None or filters else limit * LOOKED_THROUGH,
            limit=min(limit, PAGE),
        )
        clear = (item for item in found.items() if _clear(item, max_cloud))
        return Items(tuple(islice(clear, limit)))
    except (client.exceptions.APIError, OSError) as error:
        if isinstance(error, SourceError):
            raise
        raise _unanswered(api, error) from error


def _client(client: Any, api: str) -> Any:
    """A client with the patience of all remote reading."""
    from pystac_client.stac_api_io import StacApiIO
    from urllib3.util.retry import Retry

    tries, pause = int(remote.seconds("GDAL_HTTP_MAX_RETRY")), remote.seconds("GDAL_HTTP_RETRY_DELAY")
    retry = Retry(total=tries, backoff_factor=pause, status_forcelist=remote.PASSING, allowed_methods=None)
    times = remote.seconds("GDAL_HTTP_CONNECTTIMEOUT"), remote.seconds("GDAL_HTTP_LOW_SPEED_TIME")
    try:
        return client.Client.open(api, stac_io=StacApiIO(max_retries=retry, timeout=times))
    except (client.errors.ClientTypeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{remote.plain(api)} is no STAC API: {remote.redact(str(error))}",
            hint="give its landing page; a static catalog is read by gl.items",
        ) from error


def _unanswered(api: str, error: Exception) -> SourceError:
    status = getattr(error, "status_code", None)
    fault = remote.fault_of_status(status) if status else remote.fault_of(error)
    return SourceError(f"the STAC API {remote.plain(api)} was asked in vain: {fault.words}", hint=fault.hint)


# ---------------------------------------------------------------------- what is kept
def _touches(item: Any, bbox: Bounds | None) -> bool:
    if bbox is None:
        return True
    if not item.bbox:
        return False
    west, south, east, north = item.bbox if len(item.bbox) == 4 else [item.bbox[i] for i in (0, 1, 3, 4)]
    return bool(west <= bbox[2] and east >= bbox[0] and south <= bbox[3] and north >= bbox[1])


def _span(days: Days | None) -> tuple[datetime | None, datetime | None]:
    from geolabel.nouns.times import span

    if days is None:
        return None, None
    first, last = days if isinstance(days, tuple) else (days, days)
    return (None if first is None else span(first)[0]), (None if last is None else span(last)[1])


def _interval(days: Days | None) -> str | None:
    """`2020-06-01T00:00:00Z/2020-06-30T23:59:59Z`, `..` at an open end."""
    if days is None:
        return None
    first, last = _span(days)
    return f"{iso(first) if first else '..'}/{iso(last) if last else '..'}"


def _within(item: Any, first: datetime | None, last: datetime | None) -> bool:
    from geolabel.nouns.times import utc

    said = [item.properties.get(name) for name in ("start_datetime", "end_datetime")]
    start, end = (utc(one) if one else item.datetime for one in said)
    if start is None or end is None:
        return first is None and last is None
    return (first is None or utc(end) >= first) and (last is None or utc(start) <= last)


def _clear(item: Any, max_cloud: float | None) -> bool:
    cloud = item.properties.get("eo:cloud_cover")
    return max_cloud is None or cloud is None or float(cloud) <= max_cloud
