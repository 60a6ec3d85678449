"""Small STAC items and the cloud-optimised files they point to, for tests."""

from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.io import MemoryFile

EPSG, X, Y = 32632, 399_960.0, 5_100_000.0


def cog(values: Any, *, res_m: float = 20.0, x: float = X, y: float = Y, block: int = 512, **profile: Any) -> bytes:
    """Bytes of a COG without overviews in UTM zone 32."""
    values = np.asarray(values) if np.ndim(values) == 3 else np.asarray(values)[None]
    shape = {"count": len(values), "height": values.shape[1], "width": values.shape[2], "dtype": values.dtype}
    place = {"crs": f"EPSG:{EPSG}", "transform": Affine(res_m, 0, x, 0, -res_m, y)}
    made = {"driver": "COG", "blocksize": block, "compress": "deflate", "overviews": "NONE", **profile}
    with MemoryFile() as memory:
        with memory.open(**made, **shape, **place) as file:
            file.write(values)
        return memory.read()


def asset(href: str, *, shape: tuple[int, int] | None = None, res_m: float = 20.0, x: float = X, y: float = Y,
          media: str = "image/tiff; application=geotiff; profile=cloud-optimized", **more: Any) -> dict[str, Any]:  # fmt: skip
    place = {} if shape is None else {"proj:shape": list(shape), "proj:transform": [res_m, 0, x, 0, -res_m, y]}
    return {"href": href, "type": media, "roles": ["data"], **place, **more}


def item(
    name: str, assets: dict[str, Any], *, self_href: str = "", collection: str = "", **properties: Any
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": ["https://stac-extensions.github.io/projection/v1.1.0/schema.json"],
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [[[7, 45], [9, 45], [9, 47], [7, 47], [7, 45]]]},
        "bbox": [7, 45, 9, 47],
        "properties": {"datetime": "2023-07-14T10:20:30Z", "proj:epsg": EPSG, **properties},
        "links": [{"rel": "self", "href": self_href}] if self_href else [],
        "assets": assets,
        **({"collection": collection} if collection else {}),
    }


def sentinel2(name: str = "S2A_32TMR_20230714_0_L2A", base: str = "", *, shape: tuple[int, int] | None = (600, 700), bands: Any = None,
              baseline: str | None = "05.09", scl: bool = True, **properties: Any) -> dict[str, Any]:  # fmt: skip
    """An item of Sentinel-2 L2A whose 20 m bands lie at `{base}/{key}.tif`."""
    keys = bands or ("B04", "B8A", "B12")
    assets = {key: asset(f"{base}{key}.tif", shape=shape) for key in keys}
    if scl:
        assets["SCL"] = asset(f"{base}SCL.tif", shape=shape)
    said = {} if baseline is None else {"s2:processing_baseline": baseline}
    return item(
        name,
        assets,
        platform="sentinel-2a",
        constellation="sentinel-2",
        collection="sentinel-2-l2a",
        **said,
        **properties,
    )


def constant(value: int, shape: tuple[int, int] = (600, 700), dtype: str = "uint16") -> Any:
    return np.full(shape, value, dtype)


def epsg_of(data: bytes) -> int:
    with MemoryFile(data) as memory, rasterio.open(memory.name) as file:
        return int(file.crs.to_epsg())
