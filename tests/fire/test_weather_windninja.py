"""Grids of WindNinja as they are."""

import numpy as np
import pytest
from pyproj import CRS

from fire.ground import START, grid, wind
from geolabel.bearings import uv_from_wind
from geolabel.errors import CRSError, FireError, SourceError
from geolabel.fire.weather.weather import Weather
from geolabel.fire.weather.windninja import read_ascii_grid, read_windninja

GROUND = grid(20, 30)
LATER = "2025-07-01T14:00Z"


def run(folder, name, speed, angle, *, crs="EPSG:32611", size=100.0, nodata=-9999.0, projection=True):
    """A pair of ASCII grids of 12 x 14 cells around the ground; speed and angle are numbers or arrays."""
    left, low = GROUND.bounds[0] - 200, GROUND.bounds[1] - 300
    for end, values in (("vel", speed), ("ang", angle)):
        path = folder / f"{name}_{end}.asc"
        rows = np.broadcast_to(np.asarray(values, float), (12, 14))
        body = "\n".join(" ".join(f"{one:.4f}" for one in row) for row in rows)
        path.write_text(
            f"ncols 14\nnrows 12\nxllcorner {left}\nyllcorner {low}\ncellsize {size}\nNODATA_value {nodata}\n{body}\n"
        )
        if projection:
            path.with_suffix(".prj").write_text(CRS(crs).to_wkt("WKT1_ESRI"))
    return folder / f"{name}_vel.asc"


def cell_winds(made):
    """((period, y, x) u, v) that the weather says of each cell."""
    speed = made.speed_m_s[:, None, None] * made.field.ratio
    return uv_from_wind(speed, made.from_deg[:, None, None] + made.field.turn_deg)


def test_the_grid_lies_where_its_header_says(tmp_path):
    values, lattice = read_ascii_grid(run(tmp_path, "a", np.arange(168).reshape(12, 14), 0))
    assert values[0, 0] == 0
    assert (lattice.x[0], lattice.y[-1]) == (GROUND.bounds[0] - 150, GROUND.bounds[1] - 250)
    assert lattice.y[0] > lattice.y[-1]  # the first row is the northernmost
    assert lattice.crs.to_epsg() == 32611


def test_a_constant_run_is_constant_weather(tmp_path):
    made = read_windninja({START: run(tmp_path, "a", 10, 225)}, GROUND, speed_unit="mph", height="10 m", hours=6)
    assert (made.speed_m_s[0], made.from_deg[0], made.end_hours) == pytest.approx((4.4704, 225, 6))
    assert made.field.ratio == pytest.approx(np.ones((1, *GROUND.shape)))
    high = read_windninja({START: run(tmp_path, "a", 10, 225)}, GROUND, speed_unit="m/s", height="20 ft", hours=6)
    assert high.speed_m_s[0] == pytest.approx(11.5)
    assert "a_vel.asc, 20 ft, m per s" in high.source


def test_directions_are_interpolated_across_north(tmp_path):
    angles = np.broadcast_to(np.where(np.arange(14) < 6, 350.0, 10.0), (12, 14))
    made = read_windninja({START: run(tmp_path, "a", 5, angles)}, GROUND, speed_unit="m/s", height="10 m", hours=1)
    u, v = cell_winds(made)
    assert v.max() < -4.9  # from the north everywhere
    assert (u.min(), u.max()) == pytest.approx((-5 * np.sin(np.radians(10)), 5 * np.sin(np.radians(10))))


def test_the_field_is_relative_to_the_wind_it_was_made_from(tmp_path):
    speeds = np.linspace(4, 12, 168).reshape(12, 14)
    files = {START: run(tmp_path, "a", speeds, 190)}
    weather = Weather.constant(START, speed_m_s=8, from_deg=180, hours=4, moisture={"m1": 0.04})
    made = read_windninja(files, GROUND, speed_unit="m/s", height="10 m", weather=weather)
    assert made.speed_m_s.tolist() == [8]
    assert made.field.turn_deg == pytest.approx(np.full((1, *GROUND.shape), 10.0), abs=1e-3)
    assert made.field.ratio.min() > 4 / 8
    assert made.field.ratio.max() < 12 / 8
    assert np.ptp(made.field.ratio) > 0.4
    assert made.m1.tolist() == [0.04]
    assert made.source == f"{weather.source}; WindNinja: a_vel.asc, 10 m, m per s"
    hourly = read_windninja(files, GROUND, speed_unit="m/s", height="10 m", weather=weather.hourly(4))
    assert hourly.field.ratio == pytest.approx(made.field.ratio)


def test_runs_hold_until_the_next(tmp_path):
    files = {LATER: run(tmp_path, "b", 9, 100), START: run(tmp_path, "a", 6, 90)}
    alone = read_windninja(files, GROUND, speed_unit="m/s", height="10 m")
    assert (alone.hours.tolist(), alone.end_hours) == ([0, 2], 4)
    assert alone.from_deg == pytest.approx([90, 100])
    weather = wind(4, 90, hours=4).hourly(4)
    weather = weather.changed(speed_m_s=np.array([4.0, 5, 6, 7]))
    made = read_windninja(files, GROUND, speed_unit="m/s", height="10 m", weather=weather)
    assert made.field.ratio[:, 5, 5] == pytest.approx([6 / 4, 6 / 4, 9 / 6, 9 / 6])
    assert made.field.turn_deg[:, 5, 5] == pytest.approx([0, 0, 10, 10], abs=1e-3)
    with pytest.raises(FireError, match="within a period"):
        read_windninja(files, GROUND, speed_unit="m/s", height="10 m", weather=wind(4, 90, hours=4))
    with pytest.raises(FireError, match="winds from 0 to 2 h of the weather's 1 h"):
        read_windninja(files, GROUND, speed_unit="m/s", height="10 m", weather=wind(4, 90, hours=1))


def test_angles_of_grid_north_are_turned(tmp_path):
    import fire.ground as place

    far = place.grid(20, 30, easting=200_000)
    left = far.bounds[0] - GROUND.bounds[0]
    path = run(tmp_path, "a", 5, 0)
    for file in tmp_path.glob("*.asc"):
        lines = file.read_text().splitlines()
        lines[2] = f"xllcorner {float(lines[2].split()[1]) + left}"
        file.write_text("\n".join(lines))
    made = read_windninja({START: path}, far, speed_unit="m/s", height="10 m", hours=1, north="grid")
    assert abs(far.convergence_deg()) > 1.5
    assert (made.from_deg[0] + 180) % 360 - 180 == pytest.approx(far.convergence_deg(), abs=0.02)


@pytest.mark.parametrize(
    ("spoil", "error", "match"),
    [
        (lambda path: path.unlink(), SourceError, "no wind grid"),
        (lambda path: path.with_name("a_ang.asc").unlink(), SourceError, "no wind grid"),
        (lambda path: path.with_suffix(".prj").unlink(), CRSError, "no a_vel.prj"),
        (lambda path: path.with_suffix(".prj").write_text("here"), CRSError, "not understood"),
        (lambda path: path.write_text("ncols 3\nnrows x\n"), SourceError, "no ESRI ASCII grid"),
        (lambda path: path.write_text(path.read_text()[:900]), SourceError, "cells|ASCII grid"),
        (lambda path: path.write_text(path.read_text().replace("10.0000", "-9999")), FireError, "no data on"),
        (
            lambda path: path.write_text(path.read_text().replace("cellsize 100", "cellsize 50")),
            FireError,
            "different grids",
        ),
        (lambda path: path.write_text(path.read_text().replace("10.0000", "200")), FireError, "mean wind in m/s"),
    ],
)
def test_bad_grids(tmp_path, spoil, error, match):
    path = run(tmp_path, "a", 10, 225)
    spoil(path)
    with pytest.raises(error, match=match):
        read_windninja({START: path}, GROUND, speed_unit="m/s", height="10 m", hours=1)


def test_grids_that_do_not_cover_or_say_no_length(tmp_path):
    path = run(tmp_path, "a", 10, 225)
    with pytest.raises(FireError, match="the weather covers x"):
        read_windninja({START: path}, grid(20, 90), speed_unit="m/s", height="10 m", hours=1)
    with pytest.raises(FireError, match="how long it holds"):
        read_windninja({START: path}, GROUND, speed_unit="m/s", height="10 m")
    with pytest.raises(FireError, match="relative to calm"):
        read_windninja({START: path}, GROUND, speed_unit="m/s", height="10 m", weather=wind(0.0))
    with pytest.raises(SourceError, match="no speed grid"):
        read_windninja({START: tmp_path / "a_ang.asc"}, GROUND, speed_unit="m/s", height="10 m", hours=1)
