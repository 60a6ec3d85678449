"""Weather tables: units and heights by name, clocks, gaps, stations, samples, moisture from air."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from geolabel.bearings import uv_from_wind, wind_10m_from_20ft, wind_20ft_from_10m, wind_from_uv
from geolabel.errors import FireError, InputError, UnitError
from geolabel.fire.danger.moisture import Air, dead_moisture, equilibrium_moisture
from geolabel.fire.weather.clock import aware
from geolabel.fire.weather.dead import dead_by_period
from geolabel.fire.weather.samples import from_samples
from geolabel.fire.weather.series import from_table
from geolabel.fire.weather.sun import state_of_weather, sun_elevation_deg
from geolabel.grid import LonLat


def table(n=3, **columns):
    """`n` hourly rows of wind, other columns beside or instead."""
    times = [f"2025-07-01T{12 + hour:02}:00Z" for hour in range(n)]
    base = {"time": times, "speed_m_s": [5.0] * n, "from_deg": [270.0] * n}
    made = {name: values for name, values in {**base, **columns}.items() if values is not None}
    return pd.DataFrame(made)


# ---------------------------------------------------------------------------------------------- names
@pytest.mark.parametrize(
    ("column", "value", "speed_m_s"),
    [
        ("speed_km_h", 36.0, 10.0),
        ("Wind Speed (km/h)", 36.0, 10.0),
        ("wind_mph", 10.0, 4.4704),
        ("wind_speed_kn", 10.0, 5.14444),
        ("wind_10m_m_s", 10.0, 10.0),
        ("wind_20ft_m_s", 10.0, 11.5),
        ("speed_20ft_mph", 10.0, 4.4704 * 1.15),
    ],
)
def test_the_name_of_a_column_says_unit_and_height(column, value, speed_m_s):
    made = from_table(table(speed_m_s=None, **{column: [value] * 3}))
    assert made.speed_m_s == pytest.approx([speed_m_s] * 3)


def test_heights_round_trip():
    assert wind_20ft_from_10m(wind_10m_from_20ft(7.0)) == pytest.approx(7.0)


def test_what_the_caller_says_of_columns():
    rows = pd.DataFrame({"datetime": ["12/04/25 14:00", "12/04/25 15:00"], "WS": [10.0, 20], "WD": [0.0, 10]})
    named = {"WS": "speed", "WD": "from_deg"}
    made = from_table(
        rows,
        columns=named,
        speed_unit="mph",
        wind_height="20 ft",
        timezone="Europe/Brussels",
        time_format="%d/%m/%y %H:%M",
    )
    assert made.start.isoformat() == "2025-04-12T12:00:00+00:00"
    assert made.speed_m_s == pytest.approx([4.4704 * 1.15, 8.9408 * 1.15])


def test_to_becomes_from_and_10_m_goes_before_20_ft():
    made = from_table(
        table(from_deg=None, to_deg=[90.0] * 3, speed_m_s=None, wind_20ft_mph=[1] * 3, wind_10m_mph=[2] * 3)
    )
    assert made.from_deg.tolist() == [270] * 3
    assert made.speed_m_s == pytest.approx([2 * 0.44704] * 3)


def test_gusts_are_never_means():
    made = from_table(table(gust_m_s=[30.0] * 3))
    assert made.speed_m_s.tolist() == [5] * 3
    with pytest.raises(FireError, match="a gust is no mean"):
        from_table(table(speed_m_s=None, wind_gust_m_s=[30.0] * 3))


@pytest.mark.parametrize(
    ("columns", "error", "match"),
    [
        ({"from_deg": None, "wind_direction": [270.0] * 3}, FireError, "does not say whether"),
        ({"wind_mph": [1.0] * 3}, FireError, "are both speed"),
        ({"speed_m_s": None, "wind_2m_m_s": [1.0] * 3}, FireError, "wind at 2m"),
        ({"temp": [20.0] * 3}, UnitError, "'temp' has no unit"),
        ({"rh": [20.0] * 3}, UnitError, "'rh' has no unit"),
        ({"speed_m_s": ["5", "fresh", "5"]}, FireError, "row 2 is 'fresh'"),
        ({"speed_m_s": [5.0, -999.0, 5.0]}, FireError, "speed_m_s is missing in row 2"),
        ({"speed_m_s": [5.0, np.nan, 5.0]}, FireError, "speed_m_s is missing in row 2"),
        ({"speed_m_s": [90.0] * 3}, FireError, "mean wind in m/s of 90"),
        ({"m1": [6.0] * 3}, FireError, "m1 moisture of 6"),
        ({"temp_c": [300.0] * 3, "rh_percent": [30.0] * 3}, FireError, "air temperature"),
        ({"temp_c": [30.0] * 3, "rh_percent": [0.3] * 3}, FireError, "humidity of at most"),
        ({"temp_c": [20.0] * 3, "rh_percent": [40.0] * 3, "cloud_percent": [0.0] * 3}, FireError, "without a place"),
        ({"time": ["2025-07-01T12:00Z", "noon", "2025-07-01T14:00Z"]}, InputError, "'noon' in row 2"),
        ({"time": ["2025-07-01T12:00Z", "2025-07-01T13:00Z", "2025-07-01T12:30Z"]}, InputError, "rise"),
        ({"time": ["2025-07-01T12:00Z"] * 3}, FireError, "3 rows at 2025-07-01T12:00Z: samples"),
    ],
)
def test_bad_tables(columns, error, match):
    with pytest.raises(error, match=match):
        from_table(table(**columns))


def test_percent_of_moisture_is_a_unit():
    assert from_table(table(m1_percent=[6.0] * 3)).m1 == pytest.approx([0.06] * 3)


# ---------------------------------------------------------------------------------------------- clocks
def test_a_clock_that_is_put_back_shows_an_hour_twice():
    night = ["2025-11-02T00:30", "2025-11-02T01:00", "2025-11-02T01:30", "2025-11-02T01:00", "2025-11-02T01:30"]
    made = aware(night, timezone="America/Los_Angeles")
    assert [one - made[0] for one in made] == [timedelta(minutes=30 * step) for step in range(5)]
    with pytest.raises(InputError, match="showed 2025-11-02T01:00:00 twice; here it stands 1 times"):
        aware(night[:3], timezone="America/Los_Angeles")
    assert len(set(aware(["2025-11-02T01:00", "2025-11-02T01:00-08:00"][1:]))) == 1


def test_a_clock_that_is_put_forward_skips_an_hour():
    with pytest.raises(InputError, match="skipped 2025-03-09T02:30"):
        aware(["2025-03-09T01:30", "2025-03-09T02:30"], timezone="America/Los_Angeles")
    one, other = aware(["2025-03-09T01:30", "2025-03-09T02:30"], timezone="-08:00")
    assert other - one == timedelta(hours=1)
    one, other = aware(["2025-03-09T01:30", "2025-03-09T03:30"], timezone="America/Los_Angeles")
    assert other - one == timedelta(hours=1)


def test_the_hour_of_each_station_is_its_own():
    night = ["2025-11-02T01:00", "2025-11-02T01:00"] * 2
    made = aware(night, timezone="America/Los_Angeles", clocks=["a", "a", "b", "b"])
    assert made[0] == made[2] != made[1] == made[3]


def test_naive_times_need_a_zone_that_exists():
    with pytest.raises(InputError, match="no time zone"):
        aware(["2025-07-01T12:00"])
    with pytest.raises(InputError, match="unknown time zone"):
        aware(["2025-07-01T12:00"], timezone="Mars/Olympus")
    assert aware(["2025-07-01T12:00+02:00"], timezone="America/Los_Angeles")[0].hour == 10


# ---------------------------------------------------------------------------------------------- gaps
def test_short_gaps_are_filled_across_north():
    rows = table(5, speed_m_s=[4.0, np.nan, 6, 6, 6], from_deg=[350.0, np.nan, np.nan, 20, 20])
    made = from_table(rows, fill_hours=3)
    assert made.speed_m_s == pytest.approx([4, 5, 6, 6, 6])
    assert made.from_deg == pytest.approx([350, 0, 10, 20, 20])
    assert "3 missing values interpolated" in made.source
    with pytest.raises(FireError, match=r"from_deg is missing in row 2 .*a gap of 3 h"):
        from_table(rows, fill_hours=2)
    with pytest.raises(FireError, match=r"row 3 .*no value on one side"):
        from_table(table(speed_m_s=[5, 5, np.nan]), fill_hours=99)


def test_calm_needs_no_direction():
    made = from_table(table(speed_m_s=[5.0, 0, 3], from_deg=[350.0, np.nan, 20]))
    assert made.from_deg.tolist() == [350, 350, 20]
    assert "interpolated" not in made.source


# ---------------------------------------------------------------------------------------------- stations
def stations(**second):
    """Two stations 0.2 degrees of longitude apart on the equator."""
    first = table(2).assign(station="west", lon=10.0, lat=0.0)
    other = table(2, **second).assign(station="east", lon=10.2, lat=0.0)
    return pd.concat([first, other], ignore_index=True)


def test_stations_are_combined_as_vectors():
    rows = stations(from_deg=[0.0, 0.0])  # one from the west, one from the north, 5 m/s each
    middle = from_table(rows, point=LonLat(10.1, 0.0))
    assert middle.from_deg == pytest.approx([315, 315])
    assert middle.speed_m_s == pytest.approx([5 / np.sqrt(2)] * 2)
    near = from_table(rows, point=LonLat(10.05, 0.0))  # distances 1 : 3, weights 9 : 1
    assert wind_from_uv(4.5, -0.5) == pytest.approx((near.speed_m_s[0], near.from_deg[0]), rel=1e-4)
    there = from_table(rows, point=LonLat(10.0, 0.0))
    assert there.from_deg.tolist() == pytest.approx([270, 270])
    assert "2 stations by inverse distance" in there.source
    alone = from_table(rows, point=LonLat(10.15, 0.0), combine="nearest")
    assert alone.from_deg.tolist() == [0, 0]
    assert "station east, the nearest of 2, 5.6 km" in alone.source


def test_a_station_that_is_silent_does_not_count():
    made = from_table(stations(speed_m_s=[np.nan, 9.0]), point=LonLat(10.1, 0.0))
    assert made.speed_m_s == pytest.approx([5, 7])


def test_one_of_several_stations_must_be_said():
    with pytest.raises(FireError, match="2 stations: east, west"):
        from_table(stations())
    assert from_table(stations(speed_m_s=[8.0, 8]), station="east").speed_m_s.tolist() == [8, 8]
    with pytest.raises(FireError, match="no station 'est'") as error:
        from_table(stations(), station="est")
    assert "east" in error.value.hint
    with pytest.raises(FireError, match="no lon and lat"):
        from_table(stations().drop(columns="lon"), point=LonLat(10.1, 0.0))


# ---------------------------------------------------------------------------------------------- samples
def test_samples_of_one_time_have_a_mean_and_a_spread():
    rows = table(4, time=["2025-07-01T12:00Z"] * 4, speed_m_s=[4.0, 6, 4, 6], from_deg=[350.0, 350, 10, 10])
    made = from_samples(rows, hours=3)
    assert made.weather.from_deg[0] % 360 == pytest.approx(0, abs=1e-9)
    assert made.weather.speed_m_s == pytest.approx([5 * np.cos(np.radians(10))])
    assert made.direction_deg == pytest.approx(10 * np.sqrt(4 / 3))
    assert made.speed_share == pytest.approx(0.2 * np.sqrt(4 / 3))
    assert (made.n, made.weather.end_hours) == (4, 3)


def test_a_series_is_no_sample_and_winds_that_cancel_have_no_mean():
    with pytest.raises(FireError, match="3 times of one sample each"):
        from_samples(table())
    with pytest.raises(FireError, match="cancel out"):
        from_samples(table(2, time=["2025-07-01T12:00Z"] * 2, from_deg=[0.0, 180]))
    with pytest.raises(FireError, match="missing in row 2"):
        from_samples(table(2, time=["2025-07-01T12:00Z"] * 2, from_deg=[0.0, np.nan]))


def test_drawn_samples_give_their_spread_back():
    rng = np.random.default_rng(1)
    n = 4000
    rows = pd.DataFrame(
        {
            "time": ["2025-07-01T12:00Z"] * n,
            "speed_m_s": 8 * (1 + 0.1 * rng.standard_normal(n)),
            "from_deg": (5 + 8 * rng.standard_normal(n)) % 360,
        }
    )
    made = from_samples(rows)
    assert made.speed_share == pytest.approx(0.1, rel=0.05)
    assert made.direction_deg == pytest.approx(8, rel=0.05)


# ---------------------------------------------------------------------------------------------- moisture from air
AIR = {"temp_c": [20.0, 30.0, 35.0], "rh_percent": [60.0, 30.0, 15.0]}


def test_moisture_of_air_is_that_of_the_danger_room():
    made = from_table(table(**AIR))
    direct = dead_moisture(Air(np.ones(3), AIR["temp_c"], AIR["rh_percent"]))
    for name in ("m1", "m10", "m100"):
        states = getattr(direct, name)
        assert (np.minimum(states[:-1], states[1:]) - 1e-12 <= getattr(made, name)).all(), name
        assert (getattr(made, name) <= np.maximum(states[:-1], states[1:]) + 1e-12).all(), name
    assert "by time lag from its air, as in the shade" in made.source
    assert "live_herb, live_woody assumed: 0.6, 0.9" in made.source


def test_moisture_of_a_step_is_the_mean_over_it():
    minutes = 600
    fine = dead_moisture(
        Air(np.full(3 * minutes, 1 / minutes), *(np.repeat(AIR[name], minutes) for name in AIR)),
        start={"m1": 0.2, "m10": 0.2, "m100": 0.2},
    )
    coarse = dead_by_period(
        Air(np.ones(3), AIR["temp_c"], AIR["rh_percent"]), start={"m1": 0.2, "m10": 0.2, "m100": 0.2}
    )
    for name, series in coarse.items():
        states = getattr(fine, name)
        middles = ((states[:-1] + states[1:]) / 2).reshape(3, minutes).mean(1)
        assert series == pytest.approx(middles, rel=1e-5), name


def test_steady_air_brings_equilibrium():
    made = from_table(table(temp_f=[86.0] * 3, rh_percent=[20.0] * 3))
    assert made.moisture[:3] == pytest.approx(np.full((3, 3), float(equilibrium_moisture(30, 20))))


def test_columns_go_before_given_before_air_before_default():
    made = from_table(table(**AIR, m1=[0.05] * 3), moisture={"m10": 0.11})
    assert made.m1.tolist() == [0.05] * 3
    assert made.m10.tolist() == [0.11] * 3
    assert made.m100 == pytest.approx(from_table(table(**AIR)).m100)
    assert from_table(table()).m1.tolist() == [0.06] * 3
    assert "m1, m10, m100, live_herb, live_woody assumed" in from_table(table()).source


def test_rain_fell_before_the_row_that_reports_it():
    dry, wet = from_table(table(**AIR)), from_table(table(**AIR, rain_mm=[0.0, 0, 4]))
    assert wet.m1[0] == pytest.approx(dry.m1[0], abs=0.05)
    assert wet.m1[1] > dry.m1[1] + 0.05
    assert wet.m1[1] == pytest.approx(from_table(table(**AIR, rain_mm_h=[0.0, 4, 0])).m1[1])


def test_sun_dries_by_day_only():
    shade = from_table(table(**AIR))
    assert (from_table(table(**AIR, state_of_weather=[0.0] * 3)).m1 < shade.m1).all()
    place = {"lon": [0.0] * 3, "lat": [45.0] * 3, "cloud_percent": [0.0] * 3}
    assert from_table(table(**AIR, **place)).m1 == pytest.approx(
        from_table(table(**AIR, state_of_weather=[0.0] * 3)).m1
    )
    night = from_table(table(**AIR, **{**place, "lon": [180.0] * 3}))
    assert night.m1 == pytest.approx(shade.m1)


@pytest.mark.parametrize(
    ("moment", "lon", "lat", "height"),
    [
        ("2025-06-21T12:00Z", 0.0, 23.44, 90.0),
        ("2025-12-21T12:00Z", 0.0, 40.0, 90 - 40 - 23.44),
        ("2025-03-20T18:07Z", 0.0, 10.0, 0.0),
        ("2025-06-21T22:00Z", -150.0, 23.44, 90.0),
    ],
)
def test_where_the_sun_stands(moment, lon, lat, height):
    """Solstices and the equinox's sunset, with the equation of time within 2 minutes of noon."""
    assert sun_elevation_deg(pd.Timestamp(moment).timestamp(), lon, lat) == pytest.approx(height, abs=1.0)


def test_the_sky_has_four_states():
    assert state_of_weather([0, 0.05, 0.3, 0.8, 1.0], 30).tolist() == [0, 0, 1, 2, 3]
    assert np.isnan(state_of_weather(0.0, -1.0))


@pytest.mark.parametrize(("u", "v", "from_deg"), [(5, 0, 270), (0, 5, 180), (-5, 0, 90), (0, -5, 0), (3, 3, 225)])
def test_directions_of_the_domain(u, v, from_deg):
    speed, origin = wind_from_uv(u, v)
    assert origin == pytest.approx(from_deg)
    assert uv_from_wind(speed, origin) == pytest.approx((u, v))
