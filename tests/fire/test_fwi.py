"""The Fire Weather Index against the reference of 60 days, the tables of its papers, and its own limits."""

import csv
import warnings
from dataclasses import fields

import numpy as np
import pytest

from geolabel.errors import FireError, GeolabelWarning
from geolabel.fire.danger.classes import EFFIS, danger_scheme
from geolabel.fire.danger.fwi import (
    buildup_index,
    daily_severity_rating,
    day_length_factor,
    drought_code,
    duff_moisture_code,
    effective_day_length_h,
    ffmc_of_moisture,
    fine_fuel_moisture_code,
    fire_weather_index,
    initial_spread_index,
    litter_moisture_percent,
    overwintered_drought_code,
)
from geolabel.fire.danger.fwi_daily import FWIDays, NoonWeather, StartUp, fwi_days
from support import shared_folder

COLUMNS = {"temp_c": "temp_c", "rh_percent": "rh_pct", "wind_km_h": "wind10m_kmh", "rain_mm": "precip24_mm"}
COMPONENTS = [field.name for field in fields(FWIDays)]


@pytest.fixture(scope="module")
def reference():
    with (shared_folder("reference") / "fwi_daily.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def noon(days=30, **changes):
    """A dry summer month at one place."""
    calm = {"temp_c": 24.0, "rh_percent": 40.0, "wind_km_h": 12.0, "rain_mm": 0.0} | changes
    return NoonWeather(np.full(days, 7), *(np.broadcast_to(np.asarray(v, float), days).copy() for v in calm.values()))


@pytest.mark.parametrize("name", ["ffmc", "dmc", "dc", "isi", "bui", "fwi"])
def test_sixty_days_of_the_reference(reference, name):
    weather = NoonWeather(reference["month"], **{ours: reference[theirs] for ours, theirs in COLUMNS.items()})
    value = getattr(fwi_days(weather), name)
    assert np.abs(value - reference[f"vw87_{name}"]).max() < 1e-6  # as printed in 1987; the file has 6 decimals
    apart = 0.0 if name in ("ffmc", "dc", "isi") else 0.11  # the duff moisture code of 1985's program
    assert np.abs(value - reference[f"wfwi_{name}"]).max() < apart + 1e-6


def test_the_printed_example():
    """First day of the sample of Van Wagner & Pickett (1985): 17 C, 42 %, 25 km/h, no rain, in April."""
    ffmc = fine_fuel_moisture_code(85.0, 17.0, 42.0, 25.0, 0.0)
    dmc = duff_moisture_code(6.0, 17.0, 42.0, 0.0, effective_day_length_h(4))
    dc = drought_code(15.0, 17.0, 0.0, day_length_factor(4))
    isi, bui = initial_spread_index(ffmc, 25.0), buildup_index(dmc, dc)
    assert [round(float(v), 1) for v in (ffmc, dmc, dc, isi, bui)] == [87.7, 8.5, 19.0, 10.9, 8.5]
    assert round(float(fire_weather_index(isi, bui)), 1) == 10.1


def test_severity_by_hand():
    assert daily_severity_rating([0.0, 10.0, 30.0]) == pytest.approx([0.0, 1.602, 11.197], abs=1e-3)


def test_litter_moisture_and_its_code_are_inverse():
    code = np.linspace(0, 101, 50)
    assert ffmc_of_moisture(litter_moisture_percent(code)) == pytest.approx(code, abs=0.06)  # 147.2 is a rounded 147.27


def test_rain_counts_only_beyond_the_canopy():
    def after(rain):
        return (
            fine_fuel_moisture_code(88.0, 20, 45, 10, rain),
            duff_moisture_code(40.0, 20, 45, rain, 12),
            drought_code(300, 20, rain, 6.4),
        )

    for part, threshold in enumerate((0.5, 1.5, 2.8)):
        assert after(threshold)[part] == after(0.0)[part]
        assert after(threshold + 0.5)[part] < after(0.0)[part]


def test_soaked_codes_go_to_zero_and_stay_finite():
    weather = noon(40, rain_mm=80.0, rh_percent=100.0, temp_c=-5.0)
    days = fwi_days(weather)
    assert days.ffmc[-1] < 10
    assert days.dmc[-1] == 0
    assert (days.fwi >= 0).all()
    assert np.isfinite([getattr(days, name) for name in COMPONENTS]).all()
    assert buildup_index(0.0, 0.0) == 0


def test_day_lengths_by_latitude():
    assert effective_day_length_h(6) == 13.9
    assert effective_day_length_h(1, [45, 20, 0, -20, -40]).tolist() == [6.5, 7.9, 9.0, 10.1, 11.5]
    assert effective_day_length_h(1, [30.0, 10.0, -10.0, -30.0]).tolist() == [7.9, 9.0, 10.1, 11.5]
    assert day_length_factor([1, 7], [46, -35]).tolist() == [-1.6, -1.6]
    assert day_length_factor(1, [20.0, -20.0]).tolist() == [1.4, 6.4]
    north, south = np.array([effective_day_length_h(m, [46, -40]) for m in range(1, 13)]).T
    assert north.argmax() in (4, 5)
    assert south.argmax() in (11, 0)


@pytest.mark.parametrize(
    ("latitude", "before", "temp", "rain", "after"),
    [
        (-90, 121.8, 18.6, 0.0, 123.7),
        (-17.1, 129.9, 18.6, 0.0, 131.57),
        (55.8, 138.0, 18.6, 0.0, 139.08),
        (-90, 871.2, 42.9, 0.0, 875.45),
        (-90, 24.3, -30.0, 55.61, 8.074),
        (-17.1, 93.6, 42.9, 55.61, 41.85),
        (-17.1, 20.4, -5.7, 252.44, 6.618),
    ],
)
def test_january_at_other_latitudes(latitude, before, temp, rain, after):
    """Test data of cffdrs at 55.61 % humidity; it follows the program of 1985, with its other digits."""
    code = duff_moisture_code(before, temp, 55.61, rain, effective_day_length_h(1, latitude))
    assert code == pytest.approx(after, abs=0.01 if rain == 0 else 0.25)


@pytest.mark.parametrize(("month", "latitude", "what"), [(13, 46, "13"), (0, 46, "0"), (6, 91, "91"), (6.5, 0, "6.5")])
def test_months_and_latitudes_that_do_not_exist(month, latitude, what):
    with pytest.raises(FireError, match=what):
        effective_day_length_h(month, latitude)


def test_overwintered_drought():
    # test data of cffdrs, the package of the Canadian Forest Service
    autumn, kept, spring = [27.0, 29.7, 32.4, 486.0], [0.15, 0.30, 0.45, 1.0], [785.85, 511.29, 351.8, 486.0]
    for dc, carried, expected in zip(autumn, kept, spring, strict=True):
        assert overwintered_drought_code(dc, 0.0, carried=carried) == pytest.approx(expected, abs=0.01)
    assert overwintered_drought_code(300.0, 400.0) == 15
    assert overwintered_drought_code(500.0, 20.0) > overwintered_drought_code(500.0, 80.0)


def test_places_and_days_broadcast():
    grid = NoonWeather(np.full(5, 7), *(np.full((5, 3), v) for v in (25.0, 35.0, 14.0, 0.0)))
    days = fwi_days(grid, latitude_deg=np.array([[46.0], [-20.0]]), start=StartUp(dc=[15.0, 200.0, 600.0]))
    assert days.fwi.shape == (5, 2, 3)
    for row, latitude in enumerate((46.0, -20.0)):
        for col, dc in enumerate((15.0, 200.0, 600.0)):
            alone = fwi_days(
                noon(5, temp_c=25, rh_percent=35, wind_km_h=14), latitude_deg=latitude, start=StartUp(dc=dc)
            )
            for name in COMPONENTS:
                assert getattr(days, name)[:, row, col] == pytest.approx(getattr(alone, name))


def test_a_season_may_be_cut_and_go_on():
    rng = np.random.default_rng(4)
    parts = {"temp_c": rng.uniform(5, 35, 20), "rh_percent": rng.uniform(15, 95, 20)}
    parts |= {"wind_km_h": rng.uniform(5, 40, 20), "rain_mm": rng.uniform(-5, 6, 20).clip(0)}
    whole = fwi_days(NoonWeather(np.full(20, 6), **parts))
    first = fwi_days(NoonWeather(np.full(9, 6), **{k: v[:9] for k, v in parts.items()}))
    then = fwi_days(NoonWeather(np.full(11, 6), **{k: v[9:] for k, v in parts.items()}), start=first.last)
    for name in COMPONENTS:
        assert getattr(then, name).tolist() == getattr(whole, name)[9:].tolist()


def test_missing_days_are_refused_or_held():
    weather = noon(20)
    weather.rh_percent[[4, 5, 10, 11, 12, 13]] = np.nan
    with pytest.raises(FireError, match="6 values of rh_percent are missing, the first on day 5") as error:
        fwi_days(weather)
    assert "hold" in error.value.hint
    held = fwi_days(weather, missing="hold")
    assert np.isnan(held.fwi[[4, 5, 10, 11, 12, 13]]).all()
    short = fwi_days(noon(18))
    assert held.ffmc[6] == short.ffmc[4]  # the codes waited for two days
    assert np.isfinite(held.fwi[6:10]).all()
    assert np.isnan(held.fwi[10:]).all()  # four days in a row are too many
    with pytest.raises(FireError, match="missing"):
        _ = held.last
    with pytest.raises(FireError, match="guess"):
        fwi_days(weather, missing="guess")


def test_dates_follow_one_another():
    values = {"temp_c": [20.0] * 3, "rh_percent": [40.0] * 3, "wind_km_h": [10.0] * 3, "rain_mm": [0.0] * 3}
    assert NoonWeather.on(["2024-02-28", "2024-02-29", "2024-03-01"], **values).month.tolist() == [2, 2, 3]
    for dates in (["2024-06-01", "2024-06-03", "2024-06-04"], ["2024-06-01", "2024-06-01", "2024-06-02"]):
        with pytest.raises(FireError, match="after 2024-06-01 comes"):
            NoonWeather.on(dates, **values)


@pytest.mark.parametrize(
    ("wrong", "message", "hint"),
    [
        ({"temp_c": 295.0}, "295", "kelvin"),
        ({"temp_c": 88.0}, "88", "Fahrenheit"),
        ({"rh_percent": 0.42}, "0.42", "percent: 42"),
        ({"rh_percent": 103.0}, "103", "clip"),
        ({"wind_km_h": 300.0}, "300", "gust"),
        ({"wind_km_h": -1.0}, "-1", "mean"),
        ({"rain_mm": -999.0}, "-999", "NaN"),
    ],
)
def test_other_units_are_told(wrong, message, hint):
    with pytest.raises(FireError, match=message) as error:
        noon(**wrong)
    assert hint in error.value.hint


@pytest.mark.parametrize(("doubtful", "what"), [({"wind_km_h": 3.4}, "m/s"), ({"rain_mm": 0.004}, "metres")])
def test_a_series_in_another_unit_is_doubted(doubtful, what):
    with pytest.warns(GeolabelWarning, match=what):
        noon(30, **doubtful)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        noon(5, **doubtful)  # few days may be calm


def test_days_and_months_fit():
    with pytest.raises(FireError, match="3 days of weather for 2 months"):
        NoonWeather([7, 7], *(np.full(3, v) for v in (25.0, 35.0, 14.0, 0.0)))
    with pytest.raises(FireError, match="ffmc of 120"):
        StartUp(ffmc=120.0)


def test_danger_classes_of_europe():
    assert EFFIS.codes([0, 5.19, 5.2, 11.2, 21.3, 37.9, 38, 50, 200, np.nan]).tolist() == [
        *(1, 1, 2, 3, 4, 4, 5, 6, 6),
        255,
    ]
    assert danger_scheme("effis") is EFFIS
    with pytest.raises(FireError, match="efis") as error:
        danger_scheme("efis")
    assert "effis" in error.value.hint
