"""Make the Olinda sample: a real Landsat 7 scene and DEM, and a simulated fire burned into a copy of its pixels.

    python data_samples/make_olinda.py FOLDER

FOLDER holds `L7_ETMs.tif` and `olinda_dem_utm25s.tif`, as the Debian package `r-cran-stars` (Apache-2.0) carries them:
`apt-get download r-cran-stars && dpkg -x r-cran-stars_*.deb out`, then out/usr/lib/R/site-library/stars/tif.
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

from geolabel.files import write_json
from geolabel.fire.front import spread
from geolabel.fire.weather import Weather
from geolabel.grid import Grid
from geolabel.nouns.scene import Scene
from geolabel.nouns.view import View
from geolabel.scene.open import open_dem, open_scene
from geolabel.scene.paint import burn
from geolabel.steps.landscape import landscape, world
from geolabel.steps.rules import terrain_codes

HERE = Path(__file__).parent
BANDS = ("blue", "green", "red", "nir08", "swir16", "swir22")
BEFORE_AT = ("1999-07-01", "2003-05-30")  # Landsat 7 before its scan line corrector failed; the file has no date
AFTER_AT = "2003-05-31"
SCAR_START = (101, 190)  # row, col; in mapped vegetation
SCAR_HOURS = 5.0
WIND = {"speed_m_s": 5.5, "from_deg": 110.0}  # a usual trade wind of this coast
NEXT_IGNITION = (150, 190)
LEAST_CELLS = 300
SEED = 20031
WORLD = 3  # draws the fuels of the simulated world, which no forecaster is told


def char_share(intensity_kw_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(y, x) share of char, 0.35-0.95 where it burned: more under a hotter front, patchy over about three cells."""
    burned = np.isfinite(intensity_kw_m)
    noise = ndimage.gaussian_filter(rng.standard_normal(burned.shape), 3)
    heat = 1 - np.exp(-np.nan_to_num(intensity_kw_m) / 1500)
    share = np.clip(0.35 + 0.6 * heat + 0.1 * noise / noise.std(), 0.35, 0.95)
    return np.where(burned, share, 0).astype(np.float32)


def write(path: Path, arrays: np.ndarray, grid: Grid, names: tuple[str, ...], **tags: str) -> None:
    import rasterio

    profile = {
        "driver": "GTiff",
        "dtype": arrays.dtype,
        "count": len(arrays),
        "height": grid.height,
        "width": grid.width,
    }
    how = {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate", "predictor": 2, "zlevel": 9}
    with rasterio.open(path, "w", **profile, **how, crs=grid.crs.to_wkt(), transform=grid.transform) as file:
        file.write(arrays)
        file.descriptions = names
        file.update_tags(**tags)


def dn(scene: Scene) -> np.ndarray:
    return np.stack([np.asarray(scene.band(name)) for name in BANDS]).round().clip(1, 255).astype(np.uint8)


def main(folder: Path) -> None:
    before = open_scene(folder / "L7_ETMs.tif", at=BEFORE_AT, bands=BANDS, id="olinda-before")
    grid = before.grid
    dem = open_dem(folder / "olinda_dem_utm25s.tif", grid, id="dem")
    view = View("olinda", grid, {"before": before, "dem": dem})
    ground = landscape(view, terrain_codes(view))
    weather = Weather.constant(f"{AFTER_AT}T13:00Z", hours=SCAR_HOURS, **WIND)
    fire = spread(world(ground, WORLD), weather, SCAR_START, SCAR_HOURS)
    burned = fire.burned
    if burned.sum() < LEAST_CELLS:
        raise SystemExit(f"the fire burned {burned.sum()} cells; at least {LEAST_CELLS} are needed")
    share = char_share(
        np.where(burned, np.nan_to_num(fire.intensity_kw_m, nan=500.0), np.nan), np.random.default_rng(SEED)
    )
    after = burn(before, share, note="simulated fire on a real scene")
    source = "r-cran-stars (Debian), Landsat 7 ETM+, Olinda, Brazil; uncalibrated DN"
    write(HERE / "olinda_before.tif", dn(before), grid, BANDS, source=source)
    write(
        HERE / "olinda_after.tif",
        dn(after),
        grid,
        BANDS,
        source=source,
        simulated="char mixed into the pixels of a burn",
    )
    with_dem = (folder / "olinda_dem_utm25s.tif").read_bytes()
    (HERE / "olinda_dem.tif").write_bytes(with_dem)
    write(
        HERE / "olinda_truth.tif", burned[None].astype(np.uint8), grid, ("burned",), simulated="cells the fire reached"
    )
    ignition = grid.lonlat(*ground.nearest_burnable(*NEXT_IGNITION))
    facts = {
        "title": "Olinda",
        "sensor": "generic",
        "licence": "Landsat imagery: public domain (USGS); package r-cran-stars: Apache-2.0",
        "before_at": BEFORE_AT,
        "after_at": [AFTER_AT, AFTER_AT],
        "ignition": [round(ignition.lon, 5), round(ignition.lat, 5)],
        "wind": "20 km/h from 110",
        "burned_cells": int(burned.sum()),
        "world": WORLD,
        "notes": [
            "Simulated fire on a real scene",
            "Landsat 7 scene of unknown date (1999-2003), uncalibrated; terrain classes are relative to this scene",
        ],
    }
    write_json(HERE / "olinda.json", facts)
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
