"""`import geolabel` is light, and every public name arrives when it is used."""

import subprocess
import sys

import geolabel

HEAVY = (
    "numpy",
    "pandas",
    "xarray",
    "dask",
    "rasterio",
    "geopandas",
    "torch",
    "folium",
    "sqlalchemy",
    "numba",
    "sklearn",
)


def test_import_takes_no_heavy_library_with_it():
    code = f"import geolabel, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_public_name_arrives():
    for name in geolabel.__all__:
        assert getattr(geolabel, name) is not None
    assert set(geolabel.__all__) == set(dir(geolabel))
