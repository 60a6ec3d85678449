"""Figures of the scene room on a real fire: the whole job on the Station fire."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.burns import OFFICIAL, basins, change_per_basin
from benchmarks.evidence import Row, row
from benchmarks.evidence.__main__ import data_root
from geolabel import demo
from geolabel.project import Project

IGNITION, START = "-118.21,34.25", "2009-08-26T22:00Z"


@row("src/geolabel", "benchmarks/burns.py", long=True, needs="burn-landsat")
def station() -> Iterator[Row]:
    """The whole job on the Station fire: labels by rule, risk against held-out simulated fires on its ground."""
    data, begun = data_root() / "burn-landsat", time.monotonic()
    files = {role: data / "mosaics" / f"stn_{role}.tif" for role in ("before", "after")}
    own = {**files, "dem": data / "chips" / "stn", "sensor": "landsat-c2-l2"}
    given = demo.Given.own(**own, ignition=IGNITION, wind="25 km/h from 225")
    with tempfile.TemporaryDirectory() as folder:
        report = demo.run(given, Path(folder) / "station", start=START)
        minutes = (time.monotonic() - begun) / 60
        with Project.open(Path(folder) / "station") as project:
            table = basins(data, "stn")
            ours = change_per_basin(data, table, project.view)
            burned = project.labels("burn")["area_m2"].sum() / 1e4
    pearson = float(ours.corr(table[OFFICIAL]))
    yield Row("Station job: Pearson with USGS dNBR per basin", pearson, "", "n 130", ">= 0.69", pearson >= 0.69)
    yield Row("Station job: agreed burned ground", float(burned), "ha", "the mosaics show the burned basins only")
    chances, headings = (frame.set_index("forecast") for frame in report.tables.values())
    rank = "average precision"
    beside = ", ".join(f"{name} {chances.loc[name, rank]:.3f}" for name in ("distance to the ignition", "constant"))
    yield Row("Station job: AP of the risk, held-out simulated fires", float(chances.loc["risk map", rank]), "", beside)
    error = headings["median error (deg)"]
    away = f"away from the ignition {error['away from the ignition']:.1f}"
    yield Row("Station job: median direction error", float(error["risk map"]), "deg", away)
    yield Row("Station job: wall time", minutes, "min", "", "<= 5 on two idle cores", minutes <= 5)
