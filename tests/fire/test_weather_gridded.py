"""Weather on grids: what metadata say, which north, how it comes to a landscape's cells."""

import numpy as np
import pytest
import xarray as xr
from affine import Affine
from pyproj import CRS, Geod, Proj, Transformer

from fire.ground import grid
from geolabel.bearings import uv_from_wind
from geolabel.errors import CRSError, FireError, InputError, MissingExtra, SourceError, UnitError
from geolabel.fire.danger.moisture import Air
from geolabel.fire.front.arrival import spread
from geolabel.fire.landscape import Landscape
from geolabel.fire.weather.air import humidity_of_dew_point
from geolabel.fire.weather.dead import dead_by_period
from geolabel.fire.weather.gridded import from_dataset, read_gridded
from geolabel.fire.weather.place import azimuth_of_north
from geolabel.fire.weather.read import read_weather
from geolabel.fire.weather.resample import on_axes, on_points
from geolabel.fire.weather.weather import Weather
from geolabel.grid import Grid

GROUND = grid(20, 30, res_m=300.0)  # 9 x 6 km about 117 W, 36.1 N
HOURS = np.array(["2025-07-01T12", "2025-07-01T13", "2025-07-01T14"], "datetime64[ns]")
LAT, LON = np.arange(37, 35.4, -0.1), np.arange(-118, -115.9, 0.1)


def on_latlon(u=3.0, v=-4.0, *, units="m s-1", **more):
    """Three hours of wind on a lattice of 0.1 degrees, of numbers or functions of longitude and latitude."""
    lon, lat = np.meshgrid(LON, LAT)

    def layer(value):
        one = value(lon, lat) if callable(value) else np.full(lon.shape, float(value))
        return ("time", "latitude", "longitude"), np.broadcast_to(one, (3, *lon.shape)).copy()

    attrs = {"units": units, "height": "10 m", "long_name": "wind at 10 m"}
    made = {
        "u": (*layer(u), {**attrs, "standard_name": "eastward_wind"}),
        "v": (*layer(v), {**attrs, "standard_name": "northward_wind"}),
    }
    for name, (value, standard, unit, extra) in more.items():
        made[name] = (*layer(value), {"standard_name": standard, "units": unit, **extra})
    coords = {
        "time": ("time", HOURS, {"standard_name": "time"}),
        "latitude": ("latitude", LAT, {"standard_name": "latitude", "units": "degrees_north"}),
        "longitude": ("longitude", LON, {"standard_name": "longitude", "units": "degrees_east"}),
    }
    return xr.Dataset(made, coords)


def cell_winds(made):
    """((period, y, x) u, v) that the weather says of each cell."""
    speed = made.speed_m_s[:, None, None] * made.field.ratio
    return uv_from_wind(speed, made.from_deg[:, None, None] + made.field.turn_deg)


# ---------------------------------------------------------------------------------------------- constant and linear
def test_a_constant_wind_is_constant_weather():
    made = from_dataset(on_latlon(5, 0), GROUND)
    assert made.speed_m_s == pytest.approx([5] * 3)
    assert made.from_deg == pytest.approx([270] * 3)
    assert made.field.ratio == pytest.approx(np.ones((3, *GROUND.shape)))
    assert made.field.turn_deg == pytest.approx(np.zeros((3, *GROUND.shape)), abs=1e-4)
    assert (made.start.isoformat(), made.end_hours) == ("2025-07-01T12:00:00+00:00", 3)
    assert "times UTC" in made.source


def test_a_fire_under_a_constant_grid_is_the_fire_under_that_wind():
    ground = Landscape.flat(grid(61), 102)
    gridded = from_dataset(on_latlon(5, 0), ground.grid)
    plain = Weather.constant("2025-07-01T12:00Z", speed_m_s=5, from_deg=270, hours=3)
    for weather in (gridded, gridded.changed(field=None)):
        one, other = (spread(ground, what, (30, 30), 2).arrival_min for what in (weather, plain))
        assert np.isfinite(other).sum() > 50
        assert one == pytest.approx(other, rel=1e-4, nan_ok=True)


def test_components_are_interpolated_never_angles():
    made = from_dataset(on_latlon(lambda lon, lat: 40 * (lon + 117), lambda lon, lat: np.full_like(lon, -2.0)), GROUND)
    u, v = cell_winds(made)
    lon = np.array([[GROUND.lonlat(row, col).lon for col in range(30)] for row in range(20)])
    assert u[1] == pytest.approx(40 * (lon + 117), abs=1e-4)  # from 340 to 20 degrees, across north
    assert v[1] == pytest.approx(np.full(GROUND.shape, -2.0), abs=1e-4)
    assert (made.from_deg[0] + 180) % 360 == pytest.approx(180, abs=1)


def test_longitudes_to_360_and_rising_latitudes_are_the_same_weather():
    source = on_latlon(lambda lon, lat: 40 * (lon + 117), lambda lon, lat: lat - 33)
    turned = source.assign_coords(longitude=source.longitude.copy(data=source.longitude.values + 360))
    other = from_dataset(turned.isel(latitude=slice(None, None, -1)).transpose("longitude", "time", "latitude"), GROUND)
    assert np.stack(cell_winds(other)) == pytest.approx(np.stack(cell_winds(from_dataset(source, GROUND))), abs=1e-4)


def test_one_cell_of_weather_is_enough():
    alone = from_dataset(on_latlon(5, 0).isel(latitude=[9], longitude=[10]), GROUND)
    assert alone.speed_m_s == pytest.approx([5] * 3)


# ---------------------------------------------------------------------------------------------- which north
def projected(crs, u, v, *, standard=("x_wind", "y_wind"), res=3000.0, n=9):
    """One hour of wind on a square lattice of a CRS about the ground's centre."""
    centre = GROUND.lonlat(10, 15)
    x, y = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(centre.lon, centre.lat)
    step = res * (np.arange(n) - n // 2)
    attrs = {"units": "m s-1", "long_name": "10 metre wind", "grid_mapping": "crs"}
    unit = "degrees" if crs.is_geographic else "m"
    data = {
        "u": (("time", "y", "x"), np.full((1, n, n), float(u)), {**attrs, "standard_name": standard[0]}),
        "v": (("time", "y", "x"), np.full((1, n, n), float(v)), {**attrs, "standard_name": standard[1]}),
        "crs": ((), 0, crs.to_cf()),
    }
    kind = "grid_{}" if crs.is_geographic else "projection_{}_coordinate"
    names = ("longitude", "latitude") if crs.is_geographic else ("x", "y")
    coords = {
        "time": ("time", HOURS[:1]),
        "x": ("x", x + step, {"standard_name": kind.format(names[0]), "units": unit}),
        "y": ("y", y + step, {"standard_name": kind.format(names[1]), "units": unit}),
    }
    return xr.Dataset(data, coords)


LAMBERT = CRS("+proj=lcc +lat_1=38.5 +lat_2=38.5 +lat_0=38.5 +lon_0=-97.5 +R=6371229")


def test_wind_along_a_grid_is_turned_to_true_north():
    made = from_dataset(projected(LAMBERT, 0, 5), GROUND, hours=1)
    centre = GROUND.lonlat(10, 15)
    turn = Proj(LAMBERT).get_factors(centre.lon, centre.lat).meridian_convergence
    assert abs(turn) > 10
    assert (made.from_deg[0] - 180 - turn + 180) % 360 - 180 == pytest.approx(0, abs=0.05)
    assert made.speed_m_s[0] == pytest.approx(5, rel=1e-4)
    true = from_dataset(projected(LAMBERT, 0, 5, standard=("eastward_wind", "northward_wind")), GROUND, hours=1)
    assert true.from_deg[0] == pytest.approx(180)


def test_the_turn_is_the_convergence():
    """On conformal maps, as weather models use; on others the y axis and the meridian turn by different angles."""
    for crs, lon, lat in ((LAMBERT, -117.0, 36.0), (CRS("EPSG:32611"), -119.5, 36.0), (CRS("EPSG:3413"), -80.0, 64.0)):
        x, y = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(lon, lat)
        expected = Proj(crs).get_factors(lon, lat).meridian_convergence
        assert azimuth_of_north(crs, [x], [y])[0] == pytest.approx(expected, abs=0.02)


def test_a_rotated_pole():
    """The wind blows along the great circle of the rotated meridian."""
    crs = CRS.from_cf(
        {
            "grid_mapping_name": "rotated_latitude_longitude",
            "grid_north_pole_latitude": 42.5,
            "grid_north_pole_longitude": 170.0,
        }
    )
    made = from_dataset(
        projected(crs, 0, 5, standard=("grid_eastward_wind", "grid_northward_wind"), res=0.05), GROUND, hours=1
    )
    centre = GROUND.lonlat(10, 15)
    to_pole = Geod(a=6371000, b=6371000).inv(centre.lon, centre.lat, 170.0, 42.5)[0]
    assert 30 < abs(to_pole) < 150
    assert (made.from_deg[0] - to_pole) % 360 == pytest.approx(180, abs=0.3)


def test_cells_known_by_longitude_and_latitude_only():
    """A curvilinear dataset without its mapping gives the same as with it."""
    known = projected(LAMBERT, 2, 5)
    x, y = np.meshgrid(known.x.values, known.y.values)
    lon, lat = Transformer.from_crs(LAMBERT, "EPSG:4326", always_xy=True).transform(x, y)
    bare = known.drop_vars(["x", "y", "crs"]).assign_coords(
        longitude=(("y", "x"), lon, {"standard_name": "longitude"}),
        latitude=(("y", "x"), lat, {"standard_name": "latitude"}),
    )
    one, other = from_dataset(known, GROUND, hours=1), from_dataset(bare, GROUND, hours=1)
    assert other.from_deg == pytest.approx(one.from_deg, abs=0.1)
    assert other.speed_m_s == pytest.approx(one.speed_m_s, rel=1e-4)
    flipped = from_dataset(bare.isel(y=slice(None, None, -1)), GROUND, hours=1)
    assert flipped.from_deg == pytest.approx(other.from_deg, abs=0.02)


def test_grib_may_say_that_eastward_is_along_the_grid():
    said = projected(LAMBERT, 0, 5, standard=("eastward_wind", "northward_wind"))
    said.u.attrs["GRIB_uvRelativeToGrid"] = 1
    assert from_dataset(said, GROUND, hours=1).from_deg == pytest.approx(
        from_dataset(projected(LAMBERT, 0, 5), GROUND, hours=1).from_deg
    )


def test_a_landscape_turned_on_the_ground_sees_the_same_wind():
    utm = from_dataset(on_latlon(3, 4), GROUND)
    centre = GROUND.lonlat(10, 15)
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:5070", always_xy=True).transform(centre.lon, centre.lat)
    albers = Grid.of("EPSG:5070", Affine(300, 0, x - 3000, 0, -300, y + 3000), (20, 20))
    assert abs(albers.convergence_deg()) > 10
    assert from_dataset(on_latlon(3, 4), albers).from_deg == pytest.approx(utm.from_deg)


# ---------------------------------------------------------------------------------------------- units, heights, means
@pytest.mark.parametrize(
    ("units", "factor"), [("m s-1", 1), ("m s**-1", 1), ("km h-1", 3.6), ("knots", 1 / 0.514444), ("mph", 1 / 0.44704)]
)
def test_units_of_the_metadata(units, factor):
    made = from_dataset(on_latlon(3 * factor, -4 * factor, units=units), GROUND)
    assert made.speed_m_s == pytest.approx([5] * 3)


def test_speed_and_direction():
    source = on_latlon(8.0, 350.0)
    source.u.attrs["standard_name"] = "wind_speed"
    source.v.attrs |= {"standard_name": "wind_from_direction", "units": "degrees"}
    made = from_dataset(source, GROUND)
    assert (made.speed_m_s[0], made.from_deg[0]) == pytest.approx((8, 350))


def test_heights_are_told_apart():
    source = on_latlon(3, -4)
    for name in "uv":
        source[name].attrs["long_name"] = "wind"
    with pytest.raises(FireError, match="does not say its height"):
        from_dataset(source, GROUND)
    assert from_dataset(source, GROUND, wind_height="10 m").speed_m_s[0] == pytest.approx(5)
    assert from_dataset(source, GROUND, wind_height="20 ft").speed_m_s[0] == pytest.approx(5 * 1.15)
    high = source.assign_coords(height=((), 80.0, {"standard_name": "height", "units": "m"}))
    with pytest.raises(FireError, match="wind at 80"):
        from_dataset(high, GROUND, wind_height="10 m")
    levels = xr.concat([high * 3, source.assign_coords(height=10.0)], "height")
    for name in "uv":
        levels[name].attrs = source[name].attrs
    levels.height.attrs = {"standard_name": "height", "units": "m"}
    assert from_dataset(levels, GROUND).speed_m_s[0] == pytest.approx(5)


def test_names_of_the_european_centre():
    source = on_latlon(3, -4).rename(u="u10", v="v10")
    for name in ("u10", "v10"):
        source[name].attrs = {"units": "m s**-1", "standard_name": "unknown"}
    assert from_dataset(source, GROUND).speed_m_s[0] == pytest.approx(5)


def spoiled(how):
    source = on_latlon()
    if how == "gust":
        for name in "uv":
            source[name].attrs["standard_name"] = "wind_speed_of_gust"
    if how == "maximum":
        source.u.attrs["cell_methods"] = "time: maximum"
    if how == "no unit":
        del source.v.attrs["units"]
    if how == "unknown unit":
        source.u.attrs["units"] = "furlong fortnight-1"
    if how == "km/h as m/s":
        source["u"] = source.u.copy(data=source.u.values + 90)
    if how == "missing":
        source.u.values[1, 9, 10] = np.nan
    if how == "elsewhere":
        source = source.assign_coords(longitude=source.longitude.copy(data=source.longitude.values + 20))
    if how == "no time":
        source = source.isel(time=0, drop=True)
    if how == "one time":
        source = source.isel(time=[0])
    if how == "members":
        source = xr.concat([source, source], "realization")
    if how == "noleap":
        source = source.assign_coords(
            time=("time", [0, 1, 2], {"units": "hours since 2025-07-01", "calendar": "noleap"})
        )
    return source


@pytest.mark.parametrize(
    ("how", "error", "match"),
    [
        ("gust", FireError, "only gusts"),
        ("maximum", FireError, "no wind among"),
        ("no unit", UnitError, "'v' has no units"),
        ("unknown unit", UnitError, "'u' is in 'furlong fortnight-1'"),
        ("km/h as m/s", FireError, "mean wind in m/s of"),
        ("missing", FireError, "missing values"),
        ("elsewhere", FireError, "the weather covers longitude"),
        ("no time", InputError, "no time"),
        ("one time", FireError, "how long it holds"),
        ("members", FireError, "realization"),
        ("noleap", InputError, "times cannot be read"),
    ],
)
def test_bad_datasets(how, error, match):
    with pytest.raises(error, match=match):
        from_dataset(spoiled(how), GROUND)


def test_axes_of_no_known_crs():
    bare = projected(LAMBERT, 0, 5).drop_vars("crs")
    with pytest.raises(CRSError, match="no known CRS"):
        from_dataset(bare, GROUND, hours=1)
    assert from_dataset(bare, GROUND, hours=1, crs=LAMBERT).speed_m_s[0] == pytest.approx(5, rel=1e-4)


def test_times_with_an_offset_become_utc():
    source = on_latlon().assign_coords(time=("time", [0, 1, 2], {"units": "hours since 2025-07-01 05:00:00 -7:00"}))
    assert from_dataset(source, GROUND).start.isoformat() == "2025-07-01T12:00:00+00:00"


# ---------------------------------------------------------------------------------------------- moisture
def with_air(temp=lambda lon, lat: 303.15 + 50 * (lon + 117), **more):
    return on_latlon(t=(temp, "air_temperature", "K", {}), rh=(0.25, "relative_humidity", "1", {}), **more)


def test_zones_have_the_moisture_of_their_own_air():
    wide = grid(20, 30, res_m=1000.0)
    made = from_dataset(with_air(), wide, moisture={"live_herb": 0.7})
    zones = made.zones
    assert zones.of.shape == wide.shape
    assert len(zones.moisture) == zones.of.max() + 1 > 1
    west = round(wide.lonlat(10, 0).lon, 1)
    alone = dead_by_period(Air(np.ones(3), np.full(3, 30 + 50 * (west + 117)), np.full(3, 25.0)))
    for row, name in enumerate(("m1", "m10", "m100")):
        assert zones.moisture[zones.of[10, 0], row] == pytest.approx(alone[name])
    assert zones.moisture[:, 3] == pytest.approx(0.7)
    area = np.bincount(zones.of.ravel()) / zones.of.size
    assert made.moisture == pytest.approx(np.tensordot(area, zones.moisture, 1))
    assert "live_woody assumed" in made.source


def test_dew_point_says_humidity():
    assert humidity_of_dew_point(20.0, 20.0) == pytest.approx(100)
    assert humidity_of_dew_point(20.0, 9.3) == pytest.approx(50, abs=0.5)  # psychrometric tables
    dew = on_latlon(t=(293.15, "air_temperature", "K", {}), d=(282.45, "dew_point_temperature", "K", {}))
    damp = on_latlon(t=(20.0, "air_temperature", "degC", {}), rh=(50.0, "relative_humidity", "%", {}))
    assert from_dataset(dew, GROUND).m1 == pytest.approx(from_dataset(damp, GROUND).m1, rel=0.01)


def test_rain_is_a_flux_or_a_sum_since_the_time_before():
    dry = from_dataset(with_air(), GROUND)
    flux = from_dataset(with_air(r=(1 / 3600, "precipitation_flux", "kg m-2 s-1", {})), GROUND)
    assert (flux.m1 > dry.m1 + 0.05).all()
    fell = dead_by_period(Air(np.ones(3), np.full(3, 30.0), np.full(3, 25.0), [1.0, 1.0, 0.0]))
    told = from_dataset(with_air(303.15, r=(1.0, "precipitation_amount", "mm", {"cell_methods": "time: sum"})), GROUND)
    assert told.m1 == pytest.approx(fell["m1"])  # of the hour after the last time nothing is known
    with pytest.raises(UnitError, match="does not say of which time"):
        from_dataset(with_air(r=(1.0, "precipitation_amount", "mm", {})), GROUND)


def test_clear_sky_dries_by_day():
    """12 to 14 UTC at 117 W is from the night to an hour after sunrise."""
    clear = from_dataset(with_air(c=(0.0, "cloud_area_fraction", "%", {})), GROUND)
    shade = from_dataset(with_air(), GROUND)
    noon = {"time": HOURS + np.timedelta64(8, "h")}
    sunny = from_dataset(with_air(c=(0.0, "cloud_area_fraction", "%", {})).assign_coords(noon), GROUND)
    assert (sunny.m1 < shade.m1 - 0.002).all()
    assert sunny.m1[0] < clear.m1[0] - 0.002
    assert "under its clouds" in clear.source


# ---------------------------------------------------------------------------------------------- files
def test_files_are_read_as_datasets_are(tmp_path):
    source = with_air()
    source.to_zarr(tmp_path / "w.zarr", zarr_format=2)
    source.to_netcdf(tmp_path / "w.nc", engine="scipy")
    direct = from_dataset(source, GROUND)
    for path in (tmp_path / "w.zarr", tmp_path / "w.nc"):
        assert read_gridded(path, GROUND).digest == direct.digest
        later = read_weather(path, "2025-07-01T13:00Z", 2, grid=GROUND)
        assert later.field.periods == 2
        assert later.digest == direct.from_time("2025-07-01T13:00Z").digest
    short = read_weather(tmp_path / "w.nc", "2025-07-01T13:10Z", 0.5, grid=GROUND)
    assert short.field.periods == 1
    assert short.m1 == pytest.approx(direct.m1[1:2])
    for start in ("2025-07-01T11:00Z", "2025-07-01T16:00Z"):
        with pytest.raises(FireError, match="outside the weather"):
            read_weather(tmp_path / "w.nc", start, 1, grid=GROUND)
    assert read_weather(source, "2025-07-01T12:00Z", 3, grid=GROUND).digest == direct.digest


def test_packed_numbers_and_fill_values(tmp_path):
    source = on_latlon(3, -4)
    packing = {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -32767}
    source.to_netcdf(tmp_path / "w.nc", engine="scipy", encoding={"u": packing, "v": packing})
    assert read_gridded(tmp_path / "w.nc", GROUND).speed_m_s == pytest.approx([5] * 3)
    source.u.values[1, 9, 10] = np.nan
    source.to_netcdf(tmp_path / "gap.nc", engine="scipy", encoding={"u": packing, "v": packing})
    with pytest.raises(FireError, match="missing values"):
        read_gridded(tmp_path / "gap.nc", GROUND)


def test_netcdf_4_is_read_as_netcdf_3_is(tmp_path):
    source = on_latlon(3, -4)
    source.to_netcdf(tmp_path / "three.nc", engine="scipy")
    source.to_netcdf(tmp_path / "four.nc", engine="h5netcdf")
    three, four = (read_gridded(tmp_path / name, GROUND) for name in ("three.nc", "four.nc"))
    assert np.array_equal(three.speed_m_s, four.speed_m_s)
    assert np.array_equal(three.field.ratio, four.field.ratio)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(SourceError, match="no weather file"):
        read_gridded(tmp_path / "gone.nc", GROUND)
    (tmp_path / "hdf.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(SourceError, match=r"hdf\.nc cannot be read"):
        read_gridded(tmp_path / "hdf.nc", GROUND)
    monkeypatch.setattr("geolabel.fire.weather.gridded.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="NetCDF-4"):
        read_gridded(tmp_path / "hdf.nc", GROUND)
    (tmp_path / "text.nc").write_text("no grid")
    with pytest.raises(SourceError, match=r"text\.nc cannot be read"):
        read_gridded(tmp_path / "text.nc", GROUND)


def test_only_cells_around_the_landscape_are_read():
    wide = on_latlon()
    wide.u.values[:, :, 0] = np.nan
    wide.u.values[:, 0] = np.nan
    assert from_dataset(wide, GROUND).speed_m_s == pytest.approx([5] * 3)


# ---------------------------------------------------------------------------------------------- shares
def test_shares_are_exact_for_planes_on_axes_and_on_points():
    rng = np.random.default_rng(0)
    y_axis, x_axis = np.array([5.0, 3, 0]), np.array([0.0, 1, 4, 6])
    x, y = rng.uniform(0, 6, (2, 7, 9))
    y = np.clip(y, 0, 5)
    xx, yy = np.meshgrid(x_axis, y_axis)
    for shares in (on_axes(y_axis, x_axis, y, x), on_points(xx, yy, x, y)):
        assert shares.share.sum(0) == pytest.approx(np.ones((7, 9)), abs=1e-6)
        assert shares.of_values(2 * xx - 3 * yy + 1) == pytest.approx(2 * x - 3 * y + 1, abs=1e-5)
