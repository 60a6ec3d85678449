"""Weather: units, times, and what cannot be."""

import numpy as np
import pytest

from fire.ground import START, wind
from geolabel.errors import FireError, GeolabelWarning, InputError, SourceError, UnitError
from geolabel.fire.weather.field import WindField, Zones, around_mean
from geolabel.fire.weather.read import read_weather
from geolabel.fire.weather.series import read_csv
from geolabel.fire.weather.text import parse, parse_wind
from geolabel.fire.weather.weather import Weather


@pytest.mark.parametrize(
    ("text", "speed_m_s", "from_deg"),
    [
        ("36 km/h from 225", 10.0, 225.0),
        ("10 m/s from SW", 10.0, 225.0),
        ("10 mph from N", 4.4704, 0.0),
        ("10 kn from wnw", 5.14444, 292.5),
        (" 36 kmh  FROM 225° ", 10.0, 225.0),
    ],
)
def test_wind_in_words(text, speed_m_s, from_deg):
    assert parse_wind(text) == pytest.approx((speed_m_s, from_deg), rel=1e-6)


def test_text_that_is_no_wind():
    with pytest.raises(FireError, match="cannot read"):
        parse_wind("strong southerly")
    with pytest.raises(UnitError, match="no unit"):
        parse_wind("25 from 225")
    with pytest.raises(InputError, match="compass"):
        parse_wind("25 km/h from up")


def test_weather_from_the_command_line_says_scenario():
    made = parse("25 km/h from 225", START, hours=6)
    assert "scenario" in made.source
    assert "25 km/h from 225" in made.source
    assert made.end_hours == 6


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"speed_m_s": 90.0}, "km/h"),
        ({"from_deg": 361.0}, "0-360"),
        ({"from_deg": -10.0}, "0-360"),
        ({"m1": 6.0}, "0.06"),
        ({"live_herb": 90.0}, "fraction"),
        ({"m100": 0.0}, "fraction"),
    ],
)
def test_impossible_values_name_the_likely_unit(change, hint):
    where = {k: v for k, v in change.items() if k in ("speed_m_s", "from_deg")}
    wet = {k: v for k, v in change.items() if k not in where}
    with pytest.raises(FireError) as error:
        wind(**where, **wet)
    assert hint in error.value.hint


def test_unknown_moisture_and_missing_values():
    with pytest.raises(FireError, match="m1000"):
        wind(m1000=0.1)
    with pytest.raises(FireError, match="missing"):
        wind().changed(m10=np.array([np.nan]))


def test_naive_start_is_refused():
    with pytest.raises(InputError, match="no time zone"):
        Weather.constant("2025-07-01T12:00", speed_m_s=5, from_deg=0)


def test_a_forecast_beyond_the_weather_is_refused():
    with pytest.raises(FireError, match="ends at 2025-07-01T18:00:00Z"):
        wind(hours=6).check_lasts(7)


def series(tmp_path, text):
    path = tmp_path / "wind.csv"
    path.write_text(text)
    return path


def test_a_series_from_csv(tmp_path):
    path = series(
        tmp_path,
        "time,speed_km_h,from_deg,m1\n2025-07-01T05:00-07:00,36,350,0.05\n2025-07-01T13:00Z,18,10,0.04\n",
    )
    made = read_csv(path)
    assert made.start.isoformat() == "2025-07-01T12:00:00+00:00"
    assert made.speed_m_s == pytest.approx([10, 5])
    assert made.m1.tolist() == [0.05, 0.04]
    assert (made.hours.tolist(), made.end_hours) == ([0, 1], 2)
    assert "wind.csv" in made.source
    assert "/" not in made.source


@pytest.mark.parametrize(
    ("text", "error", "match"),
    [
        ("time,speed_m_s,from_deg\n2025-07-01T12:00,5,0\n", InputError, "no time zone"),
        ("time,speed,from_deg\n2025-07-01T12:00Z,5,0\n", UnitError, "no unit"),
        ("time,from_deg\n2025-07-01T12:00Z,0\n", FireError, "no wind speed"),
        ("time,speed_m_s\n2025-07-01T12:00Z,5\n", FireError, "from_deg"),
        ("time,speed_m_s,from_deg\n2025-07-01T12:00Z,5,0\n2025-07-01T11:00Z,5,0\n", InputError, "rise"),
        ("time,speed_m_s,from_deg\n2025-07-01T12:00Z,,0\n", FireError, "missing"),
    ],
)
def test_bad_series(tmp_path, text, error, match):
    with pytest.raises(error, match=match):
        read_csv(series(tmp_path, text))


def test_no_such_file(tmp_path):
    with pytest.raises(SourceError, match="no weather file"):
        read_csv(tmp_path / "gone.csv")


def test_hourly_keeps_every_change():
    made = Weather(
        START,
        np.array([0.0, 2.5]),
        6.0,
        np.array([5.0, 9.0]),
        np.array([0.0, 90.0]),
        **{name: np.full(2, 0.1) for name in ("m1", "m10", "m100")},
        **{name: np.full(2, 0.9) for name in ("live_herb", "live_woody")},
        source="made",
    )
    hourly = made.hourly(5)
    assert hourly.hours.tolist() == [0, 1, 2, 2.5, 3, 4]
    assert hourly.speed_m_s.tolist() == [5, 5, 5, 9, 9, 9]
    later = made.from_time("2025-07-01T14:00Z")
    assert (later.hours.tolist(), later.end_hours) == ([0, 0.5], 4)
    with pytest.raises(FireError, match="outside the weather"):
        made.from_time("2025-07-01T18:00Z")


# ---------------------------------------------------------------------------------------------- places
def patchy_weather(n=4):
    """`n` hours of weather whose wind, field and zones all tell the period."""
    period = np.arange(n, dtype=float)
    field = WindField(*(np.broadcast_to(period[:, None, None], (n, 2, 3)).astype(np.float32) for _ in range(2)))
    wet = np.broadcast_to(0.1 + 0.01 * period, (2, 5, n))
    zones = Zones(np.array([[0, 1, 0], [1, 0, 1]], np.int16), np.where(np.arange(5)[:, None] > 2, wet + 0.5, wet))
    return Weather(
        START,
        period * 2,
        2.0 * n,
        period,
        period * 10,
        *(0.1 + 0.01 * period for _ in range(3)),
        *(0.6 + 0.01 * period for _ in range(2)),
        source="made",
        field=field,
        zones=zones,
    )


def told_periods(weather):
    """The period that each part of `patchy_weather` says, (part, period)."""
    return np.stack(
        [
            weather.speed_m_s,
            weather.from_deg / 10,
            weather.field.ratio[:, 1, 2],
            weather.field.turn_deg[:, 0, 0],
            (weather.zones.moisture[1, 0] - 0.1) * 100,
            (weather.m10 - 0.1) * 100,
        ]
    )


def test_field_and_zones_go_with_their_periods():
    made = patchy_weather()
    assert told_periods(made.hourly(5)) == pytest.approx(np.tile([0, 0, 1, 1, 2], (6, 1)))
    assert told_periods(made.from_time("2025-07-01T15:00Z")) == pytest.approx(np.tile([1, 2, 3], (6, 1)))
    assert told_periods(made.changed(live_herb=np.full(4, 0.9))) == pytest.approx(np.tile([0, 1, 2, 3], (6, 1)))
    once = made.hourly(8)
    assert once.hourly(8).field is once.field  # no copy a member of an ensemble
    steady = made.changed(field=WindField(np.ones((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.float32)))
    assert steady.hourly(8).field is steady.field


def test_places_of_other_periods_or_shapes_are_refused():
    made = patchy_weather()
    with pytest.raises(FireError, match="wind field of 3 periods"):
        made.changed(field=WindField(np.ones((3, 2, 3), np.float32), np.zeros((3, 2, 3), np.float32)))
    with pytest.raises(FireError, match="zones of 3 periods"):
        made.changed(zones=Zones(made.zones.of, made.zones.moisture[:, :, :3]))
    with pytest.raises(FireError, match="cells"):
        made.changed(field=WindField(np.ones((1, 5, 3), np.float32), np.zeros((1, 5, 3), np.float32)))
    with pytest.raises(FireError, match="negative"):
        WindField(-np.ones((1, 2, 3), np.float32), np.zeros((1, 2, 3), np.float32))
    with pytest.raises(FireError, match="moisture of 9"):
        Zones(made.zones.of, made.zones.moisture * 70)
    with pytest.raises(FireError, match="zones 0 to 1"):
        Zones(made.zones.of, made.zones.moisture[:1])


def test_digest_sees_places():
    made = patchy_weather()
    turned = WindField(made.field.ratio, made.field.turn_deg + 1)
    assert len({made.digest, made.changed(field=None).digest, made.changed(field=turned).digest}) == 3
    assert made.changed(source="other").digest == made.digest


@pytest.mark.parametrize("winds", [(3.0, 4.0), (-5.0, 0.0), (0.0, 0.0)])
def test_a_field_about_its_mean_gives_the_winds_back(winds):
    rng = np.random.default_rng(0)
    u, v = (mean + rng.normal(0, 2, (5, 6)) for mean in winds)
    speed, from_deg, field = around_mean([(u, v), (0 * u, 0 * v)])
    to = np.radians(from_deg[:, None, None] + field.turn_deg + 180)
    cell = speed[:, None, None] * field.ratio
    assert (cell * np.sin(to))[0] == pytest.approx(u, abs=1e-5)
    assert (cell * np.cos(to))[0] == pytest.approx(v, abs=1e-5)
    assert speed[1] == 0
    assert speed[0] >= 0.1 * np.hypot(u, v).mean() - 1e-12


# ---------------------------------------------------------------------------------------------- doors and looks
def test_a_hurricane_warns():
    with pytest.warns(GeolabelWarning, match="hurricane"):
        wind(40.0)


def test_weather_shows_itself_in_short():
    made = patchy_weather(20)
    assert repr(made).startswith("Weather(2025-07-01T12:00:00Z + 40 h in 20 periods, 0.0-19.0 m/s, wind field")
    page = made._repr_html_()
    assert page.count("<tr") == 1 + 12
    assert "and 8 more periods" in page
    assert "<script>" not in made.changed(source="<script>")._repr_html_()


def test_one_door(tmp_path):
    path = series(tmp_path, "time,speed_m_s,from_deg\n2025-07-01T11:00Z,5,0\n2025-07-01T13:00Z,6,90\n")
    for source in (path, str(path), read_csv(path)):
        made = read_weather(source, START, 2)
        assert (made.hours.tolist(), made.speed_m_s.tolist()) == ([0, 1], [5, 6])
        with pytest.raises(FireError, match="weather ends"):
            read_weather(source, START, 4)
    assert read_weather("10 m/s from W", START, 2).from_deg.tolist() == [270]
    with pytest.raises(SourceError, match=r"weather of \.txt files"):
        read_weather(tmp_path / "wind.txt", START, 2)
    with pytest.raises(FireError, match="neither its unit nor its height"):
        read_weather("a_vel.asc", START, 2)
    with pytest.raises(InputError, match="landscape"):
        read_weather(tmp_path / "wind.nc", START, 2)
