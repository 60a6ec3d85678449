"""A plausible risk map on real ground near Olinda, made from formulas: what the view's tests draw."""

from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
from affine import Affine
from shapely.geometry import box

from geolabel import tables
from geolabel.grid import Grid
from geolabel.nouns.risk import BURNABLE, NO_DATA, NON_BURNABLE, RiskMap

HOURS = (1.0, 3.0, 6.0, 12.0, 24.0)


def grid(shape=(350, 350), res_m=30.0):
    return Grid.of("EPSG:31985", Affine(res_m, 0, 285000, 0, -res_m, 9126000), shape)


def ground(where):
    rows, cols = np.indices(where.shape)
    codes = np.full(where.shape, BURNABLE, np.uint8)
    river = np.abs(cols - 0.30 * where.width - 18 * np.sin(rows / 31)) < 4
    codes[river] = NON_BURNABLE
    codes[(cols - 0.9 * where.width) ** 2 + (rows - 0.35 * where.height) ** 2 < (0.12 * where.width) ** 2] = (
        NON_BURNABLE
    )
    codes[rows + cols < 0.17 * sum(where.shape)] = NO_DATA
    return codes


def risk(shape=(350, 350), **changes):
    where = grid(shape)
    rows, cols = np.indices(shape)
    start = (0.68 * shape[0], 0.40 * shape[1])
    east, north = (cols - start[1]) * 30.0, (start[0] - rows) * 30.0
    bearing = np.degrees(np.arctan2(east, north)) % 360
    off = np.abs((bearing - 40 + 180) % 360 - 180)
    rough = 1 + 0.16 * np.sin(cols / 17) * np.cos(rows / 23) + 0.09 * np.sin((cols + 2 * rows) / 9)
    pace = (3.3 * (1 - 0.62) / (1 - 0.62 * np.cos(np.radians(off))) / (1 - 0.62) * 0.42 * rough).clip(0.2)
    arrival = np.hypot(east, north) / pace
    codes = ground(where)
    reach = np.stack([1 / (1 + np.exp((arrival - h * 60) / (0.22 * h * 60 + 14))) for h in HOURS])
    reach = np.maximum.accumulate(np.where(reach < 0.002, 0, reach), axis=0)
    reach[:, codes == NON_BURNABLE] = 0
    probability = np.where(codes == NO_DATA, np.nan, reach).astype(np.float32)
    reached = (codes == BURNABLE) & (reach[-1] > 0)
    still = np.where(reached, 1.0, np.nan)
    values = {
        "grid": where,
        "title": "Olinda exercise fire",
        "hours": HOURS,
        "probability": probability,
        "arrival_min": (arrival * still).astype(np.float32),
        "bearing_deg": np.where(arrival > 4, bearing * still, np.nan).astype(np.float32),
        "rate_m_min": (pace * still).astype(np.float32),
        "confidence": np.full(shape, 0.8, np.float32),
        "ground": codes,
        "issued": datetime(2024, 11, 20, 14, 30, tzinfo=UTC),
        "start": datetime(2024, 11, 20, 15, 0, tzinfo=UTC),
        "timezone": "America/Recife",
        "ignition": where.lonlat(int(start[0]), int(start[1])),
        "n_members": 200,
        "model": "ensemble:200 + spread@1f3a9c0b",
        "calibration": "isotonic, on 12 held-out simulated fires",
        "weather": "Scenario: wind 6 m/s from SW, 34 °C, 30 % humidity",
        "notes": ("Simulated fire on a real scene.",),
        "made_of": {"scene": "ab" * 32},
    }
    return RiskMap(**{**values, **changes})


def objects(where, probability=(0.83, 0.41, 0.03), arrival_min=(170.0, 512.0, float("nan"))):
    spots = ((190, 168), (130, 235), (70, 300), (20, 330))
    boxes = []
    for row, col in spots[: len(probability)]:
        x, y = where.xy(row, col)
        boxes.append(box(x - 240, y - 180, x + 240, y + 180))
    data = {
        "label_id": [f"s{n}" for n in range(len(boxes))],
        "class": "settlement",
        "probability": list(probability),
        "arrival_min": list(arrival_min),
        "area_m2": 172800.0,
    }
    frame = gpd.GeoDataFrame(data, geometry=boxes, crs="EPSG:31985")
    return tables.check(frame[list(tables.EXPOSED)], tables.EXPOSED)


def scar(where):
    row, col = int(0.68 * where.height), int(0.40 * where.width)
    x, y = where.xy(row, col)
    shape = box(x - 350, y - 260, x + 420, y + 500).buffer(120).difference(box(x - 60, y + 40, x + 60, y + 140))
    return gpd.GeoDataFrame({"class": ["burned"]}, geometry=[shape], crs="EPSG:31985")


def elevation(where):
    rows, cols = np.indices(where.shape)
    return 60 + 40 * np.sin(cols / 40) * np.cos(rows / 33) + 12 * np.sin((cols - rows) / 11) + 0.1 * (350 - cols)


def picture(where):
    rows, cols = np.indices(where.shape)
    base = 110 + 60 * np.sin(cols / 13) * np.sin(rows / 19)
    return np.dstack([base * 0.8, base, base * 0.7]).clip(0, 255).astype(np.uint8)
