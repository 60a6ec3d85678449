"""Crown fire of Behave, the Fire Lab's own code, as a table: `python benchmarks/peers/behave_crown.py TABLE.csv`.

Wants an environment with pyrothermel 0.1.4; made `tests/fire/behave_crown.csv`. Surface and crown fire linked after Scott
& Reinhardt (2001), wind limit on, wind at 10 m from the south on a slope that faces south. Fuel models are read in US
units: pyrothermel's metric preset takes their surface-area-to-volume ratio 100 times too large.
"""

import csv
import itertools
import pathlib
import sys

import pyrothermel as behave

MOISTURE = {"D1": (0.03, 0.04, 0.05, 0.30, 0.60), "D2": (0.06, 0.07, 0.08, 0.60, 0.90)}
FUELS = (2, 5, 10, 122, 165, 184)
CANOPIES = (
    (0.5, 0.05, 12.0, 0.3, 1.0),
    (1.5, 0.12, 15.0, 0.6, 1.0),
    (3.0, 0.2, 20.0, 0.7, 0.8),
    (1.0, 0.25, 18.0, 0.8, 1.2),
)
"""Base height m, bulk density kg/m3, height m, cover, foliar moisture."""


def one(fuel, dryness, wind_km_h, slope_deg, canopy):
    units = behave.UnitsPreset.metric()
    units.spread_rate_units = behave.units.SpeedUnits.MetersPerMinute
    base, density, height, cover, foliar = canopy
    run = behave.PyrothermelRun(
        behave.FuelModel.from_existing(fuel, "us_standard"),
        behave.MoistureScenario(*MOISTURE[dryness], foliar),
        wind_km_h,
        units,
        "ten_meter",
        180.0,
        slope_deg,
        180.0,
        canopy_base_height=base,
        canopy_bulk_density=density,
        canopy_cover=cover,
        canopy_height=height,
        canopy_ratio=(height - base) / height,
    )
    surface = dict(run.run_surface_fire_in_direction_of_max_spread())
    crown = run.run_crown_fire_scott_and_reinhardt()
    places = {"base_m": base, "density_kg_m3": density, "height_m": height, "cover": cover, "foliar": foliar}
    given = {"fuel_model": fuel, "moisture": dryness, "wind10m_kmh": wind_km_h, "slope_deg": slope_deg, **places}
    return given | {
        "midflame_kmh": surface["midflame_windspeed"],
        "surface_ros_m_min": surface["spread_rate"],
        "surface_fli_kw_m": surface["fireline_intensity"],
        "transition_ratio": crown["transition_ratio"],
        "active_ratio": crown["active_ratio"],
        "fire_type": str(crown["fire_type"]).rsplit(".", 1)[-1],
        "ros_m_min": crown["spread_rate"],
        "fli_kw_m": crown["fireline_intensity"],
        "flame_m": crown["flame_length"],
    }


if __name__ == "__main__":
    cases = itertools.product(FUELS, MOISTURE, (0.0, 20.0, 50.0), (0.0, 20.0), CANOPIES)
    rows = [one(*case) for case in cases]
    with pathlib.Path(sys.argv[1]).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows({k: f"{v:.7g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
