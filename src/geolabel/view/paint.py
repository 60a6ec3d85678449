"""Pictures of class codes, ground and relief: indexed PNGs whose patterns tell apart what colour alone would not."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from geolabel.errors import InputError
from geolabel.grid import Grid
from geolabel.view.palette import Fill, Pattern, rgb

SUN_AZIMUTH_DEG, SUN_HEIGHT_DEG = 315.0, 45.0
"""Light of the relief: from the north-west, as maps have it."""
INK_OFFSET = 128
"""An indexed pixel of code c shows its colour; c + 128 shows the ink of its pattern."""
PERIOD = 9

Codes = NDArray[np.uint8]


def pattern(kind: Pattern, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(y, x) bool: where the ink of a pattern lies."""
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    if kind == "hatch":
        return (rows + cols) % PERIOD < 1
    if kind == "cross":
        return ((rows + cols) % PERIOD < 1) | ((rows - cols) % PERIOD < 1)
    if kind == "dots":
        half = PERIOD // 2 + 1
        even = (rows % PERIOD < 2) & (cols % PERIOD < 2)
        return even | (((rows + half) % PERIOD < 2) & ((cols + half) % PERIOD < 2))
    return np.zeros(shape, bool)


def paint(codes: Codes, fills: Iterable[Fill]) -> Image.Image:
    """Indexed image of class codes; codes without a fill are clear."""
    fills = tuple(fills)
    indexed = np.zeros_like(codes)
    for fill in fills:
        here = codes == fill.code
        indexed[here] = fill.code if fill.colour else 0
        if fill.ink:
            indexed[here & pattern(fill.pattern, codes.shape)] = fill.code + INK_OFFSET
    image = Image.frombytes("P", codes.shape[::-1], indexed.tobytes())
    image.putpalette(_palette(fills))
    image.info["transparency"] = 0
    return image


def _palette(fills: tuple[Fill, ...]) -> list[int]:
    colours = np.zeros((256, 3), int)
    for fill in fills:
        if fill.colour:
            colours[fill.code] = rgb(fill.colour)
        if fill.ink:
            colours[fill.code + INK_OFFSET] = rgb(fill.ink)
    return [int(v) for v in colours.ravel()]


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG file."""
    out = io.BytesIO()
    options = {"transparency": image.info["transparency"]} if "transparency" in image.info else {}
    image.save(out, "PNG", compress_level=7, **options)
    return out.getvalue()


def webp(picture: NDArray[np.uint8]) -> bytes:
    """A WebP file (with its clear parts) of an RGBA picture: a tenth of the size of a PNG."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "WEBP", quality=72, method=4)
    return out.getvalue()


def data_uri(data: bytes) -> str:
    """`data:` address of an image, known by its first bytes."""
    kind = "png" if data.startswith(b"\x89PNG") else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def swatch(fill: Fill, *, height: int = 18, width: int = 36) -> str:
    """`data:` address of a legend's field: the same pixels as on the map."""
    return data_uri(png(paint(np.full((height, width), fill.code, np.uint8), (fill,))))


def stretch(bands: Iterable[NDArray[np.floating]], *, low: float = 2, high: float = 98) -> Codes:
    """(y, x, 3) or (y, x) uint8 picture of three bands or one, each stretched between two percentiles; NaN is white."""
    layers = [_stretched(np.asarray(band, float), low, high) for band in bands]
    if len(layers) not in (1, 3):
        raise InputError(f"{len(layers)} bands make no picture", hint="give three (red, green, blue) or one (grey)")
    return layers[0] if len(layers) == 1 else np.dstack(layers)


def _stretched(band: NDArray[np.floating], low: float, high: float) -> Codes:
    known = band[np.isfinite(band)]
    if not known.size:
        return np.full(band.shape, 255, np.uint8)
    first, last = np.percentile(known, (low, high))
    scaled = np.clip((band - first) / max(float(last - first), 1e-12), 0, 1)
    return np.where(np.isfinite(scaled), scaled * 255, 255).round().astype(np.uint8)


def hillshade(elevation_m: NDArray[np.floating], grid: Grid) -> Codes:
    """(y, x) uint8 relief lit from the north-west: level, lit and unknown ground is white, slopes in shade are darker.

    So a colour laid over it keeps its lightness except in the shade.

    Source: Burrough & McDonnell (1998), Principles of GIS, equation for the Lambertian hillshade.
    """
    heights = np.asarray(elevation_m, float)
    down, right = np.gradient(heights, grid.res_m)
    slope = np.arctan(np.hypot(right, down))
    aspect = np.arctan2(-right, down)
    azimuth, zenith = np.radians(SUN_AZIMUTH_DEG), np.radians(90 - SUN_HEIGHT_DEG)
    light = np.cos(zenith) * np.cos(slope) + np.sin(zenith) * np.sin(slope) * np.cos(azimuth - aspect)
    shade = np.where(np.isfinite(light), light, np.cos(zenith)) / np.cos(zenith)
    return (np.clip(shade, 0, 1) * 255).round().astype(np.uint8)


def pale(picture: Codes, *, floor: int = 215, colour: float = 0.6) -> Codes:
    """A quiet ground for a map: the picture lifted to `floor`..255, its colours drawn towards grey.

    Colours are multiplied onto it, so it may darken them by a sixth at most: classes stay told apart in black and white.
    """
    values = picture.astype(float) if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2).astype(float)
    grey = (values @ (0.299, 0.587, 0.114))[..., None]
    muted = grey + colour * (values - grey)
    return (floor + muted * (255 - floor) / 255).round().clip(0, 255).astype(np.uint8)
