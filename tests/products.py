"""Small products on disk, with the structure, the names and the metadata of the real ones."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import rasterio
from affine import Affine

from rasters import write_raster

ORIGIN = 399_960.0, 4_200_000.0
SHAPE_M = 1200, 1080
"""(south, east) extent of every product, metres."""
CLEAR_SCL, CLEAR_QA = 5, 21824


def pixels(res: float, seed: int, *, low: int = 1100, high: int = 9000) -> Any:
    """Spatially random uint16 DN of the products' extent, some 5 % of them 0."""
    rng = np.random.default_rng(seed)
    dn = rng.integers(low, high, tuple(int(edge / res) for edge in SHAPE_M)).astype(np.uint16)
    dn[rng.random(dn.shape) < 0.05] = 0
    return dn


def place(res: float, *, shift_m: float = 0.0) -> Affine:
    return Affine(res, 0, ORIGIN[0] + shift_m, 0, -res, ORIGIN[1] + shift_m)


def write_jp2(path: Path, values: Any, *, transform: Affine, crs: str = "EPSG:32610", tile: int = 1024) -> Path:
    """Lossless JPEG 2000, as Sentinel-2 is delivered."""
    profile = {
        "BLOCKXSIZE": tile,
        "BLOCKYSIZE": tile,
        "width": values.shape[1],
        "height": values.shape[0],
        "count": 1,
        "dtype": values.dtype,
    }
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", crs=crs, transform=transform, QUALITY="100", REVERSIBLE="YES", **profile
    ) as file:
        file.write(values, 1)
    return path


# ---------------------------------------------------------------- Sentinel-2
S2_AT = {
    10: ("B02", "B03", "B04", "B08"),
    20: ("B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12"),
    60: ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B11", "B12"),
}
S2_IDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")


def mtd(
    *,
    baseline: str = "05.09",
    offsets: Mapping[str, float] | None = None,
    uri: str = "S2B_MSIL2A_20190629T212529_N0509_R043_T10SGJ_20230706T080531.SAFE",
    files: Sequence[str] = (),
    quantification: float = 10000,
    level: str = "2A",
    start: str = "2019-06-29T21:25:29.024Z",
) -> str:
    """MTD_MSIL2A.xml or MTD_MSIL1C.xml, the parts that matter in the real file's words and order."""
    quantify, add = ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET") if level == "2A" else ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET")  # fmt: skip
    shifts = "".join(f'<{add} band_id="{S2_IDS.index(band)}">{dn:g}</{add}>' for band, dn in (offsets or {}).items())
    group = {"2A": "BOA_ADD_OFFSET_VALUES_LIST", "1C": "Radiometric_Offset_List"}[level]
    images = "".join(f"<IMAGE_FILE>{escape(file)}</IMAGE_FILE>" for file in files)
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{level}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level}.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_START_TIME>{start}</PRODUCT_START_TIME>
      <PRODUCT_STOP_TIME>{start}</PRODUCT_STOP_TIME>
      <PRODUCT_URI>{uri}</PRODUCT_URI>
      <PROCESSING_LEVEL>Level-{level}</PROCESSING_LEVEL>
      <PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>
      <Product_Organisation><Granule_List><Granule imageFormat="JPEG2000">{images}</Granule></Granule_List></Product_Organisation>
    </Product_Info>
    <Product_Image_Characteristics>
      <Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
      <Special_Values><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX></Special_Values>
      <QUANTIFICATION_VALUES_LIST><{quantify} unit="none">{quantification:g}</{quantify}></QUANTIFICATION_VALUES_LIST>
      {f"<{group}>{shifts}</{group}>" if shifts else ""}
    </Product_Image_Characteristics>
  </n1:General_Info>
</n1:Level-{level}_User_Product>
"""


def safe(
    folder: Path,
    *,
    bands: Sequence[str] = ("B04", "B08", "B8A", "B11", "B12"),
    dn: Mapping[str, Any] | None = None,
    scl: Any = CLEAR_SCL,
    jp2: bool = False,
    offset: float | None = -1000,
    stamp: str = "T10SGJ_20190629T212529",
    level: str = "2A",
    crs: Mapping[str, str] | None = None,
    **metadata: Any,
) -> Path:
    """A .SAFE folder: bands at each of their resolutions, SCL at 20 and 60 m, MTD with BOA_ADD_OFFSET unless None.

    `dn` sets a band to one number everywhere, or to an array at its finest resolution; other bands are random.
    """
    inside = f"GRANULE/L{level}_{stamp.split('_', maxsplit=1)[0]}_A012075/IMG_DATA"
    listed = []
    given = {name: np.asarray(value) for name, value in (dn or {}).items()}
    at = S2_AT if level == "2A" else {res: _native(res) for res in S2_AT}
    for res, known in at.items():
        sub = f"{inside}/R{res}m" if level == "2A" else inside
        (folder / sub).mkdir(parents=True, exist_ok=True)
        for band in [b for b in known if b in bands]:
            stem = f"{sub}/{stamp}_{band}{f'_{res}m' if level == '2A' else ''}"
            listed.append(stem)
            values = _band(given.get(band), res, S2_IDS.index(band))
            _write(folder / stem, values, place(res), (crs or {}).get(band, "EPSG:32610"), jp2=jp2)
        if level == "2A" and res >= 20:
            classes = np.broadcast_to(np.asarray(scl, np.uint8), tuple(int(edge / 20) for edge in SHAPE_M))
            classes = classes[:: res // 20, :: res // 20].copy()
            _write(folder / f"{sub}/{stamp}_SCL_{res}m", classes, place(res), "EPSG:32610", jp2=jp2)
    offsets = None if offset is None else dict.fromkeys(S2_IDS, offset)
    text = mtd(**{"files": listed, "offsets": offsets, "level": level, **metadata})
    (folder / f"MTD_MSIL{level}.xml").write_text(text)
    return folder


def _native(res: int) -> tuple[str, ...]:
    return {
        10: ("B02", "B03", "B04", "B08"),
        20: ("B05", "B06", "B07", "B8A", "B11", "B12"),
        60: ("B01", "B09", "B10"),
    }[res]


def _band(given: Any, res: float, seed: int) -> Any:
    if given is None:
        return pixels(res, seed)
    shape = tuple(int(edge / res) for edge in SHAPE_M)
    return np.broadcast_to(given.astype(np.uint16), shape).copy() if given.ndim == 0 else given.astype(np.uint16)


def _write(stem: Path, values: Any, transform: Affine, crs: str, *, jp2: bool) -> None:
    if jp2:
        write_jp2(stem.with_name(f"{stem.name}.jp2"), values, transform=transform, crs=crs)
    else:
        tiled = {"tiled": True, "blockxsize": 32, "blockysize": 16}
        write_raster(stem.with_name(f"{stem.name}.tif"), values, transform=transform, crs=crs, **tiled)


# ---------------------------------------------------------------- Landsat
L2_NAMES = {
    9: "LC09_L2SP_044033_20220629_20230407_02_T1", 8: "LC08_L2SP_044033_20210629_20210707_02_T1",
    7: "LE07_L2SP_044033_20090329_20200910_02_T1", 5: "LT05_L2SP_044033_20090615_20200827_02_T1",
}  # fmt: skip
NUMBERS = {True: ("1", "2", "3", "4", "5", "6", "7"), False: ("1", "2", "3", "4", "5", "7")}


def mtl_groups(spacecraft: int, identity: str, *, sun: float = 64.74360932) -> dict[str, dict[str, Any]]:
    """Groups of a Collection 2 MTL: the real file holds the scaling of Level 1 beside that of Level 2."""
    numbers = NUMBERS[spacecraft >= 8]
    thermal = "10" if spacecraft >= 8 else "6"
    level2 = "L2" in identity
    files = {f"FILE_NAME_BAND_{n}": f"{identity}_{'SR_' if level2 else ''}B{n}.TIF" for n in numbers}
    sr = {f"REFLECTANCE_MULT_BAND_{n}": "2.75e-05" for n in numbers} | {f"REFLECTANCE_ADD_BAND_{n}": "-0.2" for n in numbers}  # fmt: skip
    toa = {f"REFLECTANCE_MULT_BAND_{n}": "2.0000E-05" for n in numbers} | {f"REFLECTANCE_ADD_BAND_{n}": "-0.100000" for n in numbers}  # fmt: skip
    st = {f"TEMPERATURE_MULT_BAND_ST_B{thermal}": "0.00341802", f"TEMPERATURE_ADD_BAND_ST_B{thermal}": "149.0"}
    day = identity.split("_")[3]
    contents = {"LANDSAT_PRODUCT_ID": identity, "PROCESSING_LEVEL": identity.split("_")[1], "COLLECTION_NUMBER": "02", **files}  # fmt: skip
    image = {
        "SPACECRAFT_ID": f"LANDSAT_{spacecraft}", "DATE_ACQUIRED": f"{day[:4]}-{day[4:6]}-{day[6:]}",
        "SCENE_CENTER_TIME": "18:43:21.7917421Z", "SUN_ELEVATION": f"{sun:.8f}",
    }  # fmt: skip
    groups = {"PRODUCT_CONTENTS": contents, "IMAGE_ATTRIBUTES": image}
    if level2:
        groups |= {"LEVEL2_SURFACE_REFLECTANCE_PARAMETERS": sr, "LEVEL2_SURFACE_TEMPERATURE_PARAMETERS": st}
        record = {"LANDSAT_PRODUCT_ID": identity.replace("L2SP", "L1TP"), "PROCESSING_LEVEL": "L1TP"}
        groups |= {"LEVEL1_PROCESSING_RECORD": record}
    corners = {f"CORNER_{c}_{axis}_PRODUCT": value for c in ("UL", "LR")
               for axis, value in (("LAT", "38.5" if c == "UL" else "36.4"), ("LON", "-124.8" if c == "UL" else "-122.1"))}  # fmt: skip
    return groups | {"PROJECTION_ATTRIBUTES": corners, "LEVEL1_RADIOMETRIC_RESCALING": toa}


def mtl_text(groups: Mapping[str, Mapping[str, Any]], form: str = "txt") -> str:
    if form == "json":
        return json.dumps({"LANDSAT_METADATA_FILE": groups})
    if form == "xml":
        inside = "".join(
            f"<{g}>{''.join(f'<{k}>{v}</{k}>' for k, v in keys.items())}</{g}>" for g, keys in groups.items()
        )
        return f'<?xml version="1.0" encoding="UTF-8"?><LANDSAT_METADATA_FILE>{inside}</LANDSAT_METADATA_FILE>'
    quoted = {g: {k: v if _bare(v) else f'"{v}"' for k, v in keys.items()} for g, keys in groups.items()}
    lines = [f"  GROUP = {g}\n" + "".join(f"    {k} = {v}\n" for k, v in keys.items()) + f"  END_GROUP = {g}\n" for g, keys in quoted.items()]  # fmt: skip
    return f"GROUP = LANDSAT_METADATA_FILE\n{''.join(lines)}END_GROUP = LANDSAT_METADATA_FILE\nEND\n"


def _bare(value: str) -> bool:
    return value[:1].isdigit() or value[:1] == "-"


def landsat(
    folder: Path,
    spacecraft: int = 8,
    *,
    identity: str = "",
    dn: Mapping[str, Any] | None = None,
    qa: Any = CLEAR_QA,
    form: str = "txt",
    groups: Mapping[str, Mapping[str, Any]] | None = None,
    quality: str = "QA_PIXEL",
    crs: Mapping[str, str] | None = None,
    sun: float = 64.74360932,
) -> Path:
    """A bundle of Level 2 (or of Level 1, where `identity` says so): bands, ST, quality, MTL. `dn`: band -> number."""
    identity = identity or L2_NAMES[spacecraft]
    level2 = "_L2" in identity
    folder.mkdir(parents=True, exist_ok=True)
    thermal = {"10": 44000} if spacecraft >= 8 else {"6": 44000}
    given = {**dict.fromkeys(NUMBERS[spacecraft >= 8]), **(thermal if level2 else {}), **(dn or {})}
    for number, value in given.items():
        kind = ("ST_" if number in thermal else "SR_") if level2 else ""
        res = 15.0 if number == "8" else 30.0
        band = _band(None if value is None else np.asarray(value), res, int(number))
        tiled = {"tiled": True, "blockxsize": 16, "blockysize": 16, "nodata": 0}
        path = folder / f"{identity}_{kind}B{number}.TIF"
        write_raster(path, band, transform=place(res), crs=(crs or {}).get(number, "EPSG:32610"), **tiled)
    flags = np.broadcast_to(np.asarray(qa, np.uint16), tuple(int(edge / 30) for edge in SHAPE_M)).copy()
    write_raster(folder / f"{identity}_{quality}.TIF", flags, transform=place(30.0), crs="EPSG:32610", nodata=1)
    text = mtl_text(groups or mtl_groups(spacecraft, identity, sun=sun), form)
    (folder / f"{identity}_MTL.{form}").write_text(text)
    return folder


# ---------------------------------------------------------------- HLS, Sentinel-1
HLS_NAMES = {"L30": "HLS.L30.T10SGJ.2021180T184321.v2.0", "S30": "HLS.S30.T10SGJ.2021181T185919.v2.0"}


def hls(folder: Path, kind: str, bands: Mapping[str, Any], *, fmask: Any = 0, scale: str = "0.0001") -> Path:
    """A granule: int16 bands (nodata -9999), uint8 Fmask (255 where nothing is known)."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = tuple(int(edge / 30) for edge in SHAPE_M)
    for band, value in bands.items():
        values = np.broadcast_to(np.asarray(value, np.int16), shape).copy()
        tags = {"scale_factor": "0.01" if band in ("B10", "B11") and kind == "L30" else scale}
        path = folder / f"{HLS_NAMES[kind]}.{band}.tif"
        write_raster(path, values, transform=place(30.0), crs="EPSG:32610", nodata=-9999, tags=tags)
    flags = np.broadcast_to(np.asarray(fmask, np.uint8), shape).copy()
    write_raster(folder / f"{HLS_NAMES[kind]}.Fmask.tif", flags, transform=place(30.0), crs="EPSG:32610", nodata=255)
    return folder


HYP3 = "S1A_IW_20200923T181539_DVP_RTC30_G_gpuned_BB70"
OPERA = "OPERA_L2_RTC-S1_T069-147170-IW1_20200923T181539Z_20230910T120000Z_S1A_30_v1.0"
OPERA_TAGS = {
    "PROCESSING_INFORMATION_OUTPUT_BACKSCATTER_DECIBEL_CONVERSION_EQUATION": "backscatter_dB = 10*log10(backscatter_linear)",
    "PROCESSING_INFORMATION_OUTPUT_BACKSCATTER_EXPRESSION_CONVENTION": "linear backscatter intensity",
    "PROCESSING_INFORMATION_OUTPUT_BACKSCATTER_NORMALIZATION_CONVENTION": "gamma0",
}


def radar(
    folder: Path, name: str, bands: Mapping[str, Any], *, tags: dict[str, str] | None = None, mask: Any = None
) -> Path:
    """A terrain-corrected pair of HyP3 or OPERA, with the mask that goes with it where one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = tuple(int(edge / 30) for edge in SHAPE_M)
    for band, value in bands.items():
        values = np.broadcast_to(np.asarray(value, np.float32), shape).copy()
        write_raster(
            folder / f"{name}_{band}.tif", values, transform=place(30.0), crs="EPSG:32610", nodata=0, tags=tags
        )
    if mask is not None:
        flags = np.broadcast_to(np.asarray(mask, np.uint8), shape).copy()
        ending = "mask" if name.startswith("OPERA") else "ls_map"
        write_raster(folder / f"{name}_{ending}.tif", flags, transform=place(30.0), crs="EPSG:32610")
    return folder
