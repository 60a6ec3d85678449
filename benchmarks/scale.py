"""Burn scars of a virtual scene of any size: a VRT that repeats the small pair, mapped in a process of its own.

`python -m benchmarks.scale --size 25000 [--workers 2]` prints what one run took and gave.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from benchmarks.inputs import CRS, NAMES, SMALL, TRANSFORM, Pair, make
from geolabel.digests import digest
from geolabel.files import require_space, write_text

GIANT = 100_000
BANDS = ("nir08", "swir22")
BLOCK = 512


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took and gave."""

    size: int
    wall_s: float
    rss_mb: float
    """Highest resident memory of the process, or of the largest worker where that is more."""
    imports_mb: float
    """The same before the first pixel."""
    polygons: int
    vertices: int
    digest: str
    """Over every row and vertex of the table."""

    @property
    def ns_per_pixel(self) -> float:
        return self.wall_s * 1e9 / self.size**2


def virtual(tile: Path, size: int, path: Path) -> Path:
    """A VRT of `size` x `size` pixels that repeats a tile; only the bands that dNBR reads."""
    bands = "".join(_band(i, name, tile, size) for i, name in enumerate(BANDS, start=1))
    srs, place = rasterio.CRS.from_string(CRS).to_wkt(), ", ".join(map(str, TRANSFORM.to_gdal()))
    head = f'<VRTDataset rasterXSize="{size}" rasterYSize="{size}">\n<SRS>{_text(srs)}</SRS>\n'
    return write_text(path, f"{head}<GeoTransform>{place}</GeoTransform>\n{bands}</VRTDataset>\n")


def _band(i: int, name: str, tile: Path, size: int) -> str:
    band = NAMES.index(name) + 1
    head = f'<VRTRasterBand dataType="UInt16" band="{i}" blockXSize="{BLOCK}" blockYSize="{BLOCK}">\n'
    about = f"<Description>{name}</Description>\n<NoDataValue>0</NoDataValue>\n"
    sources = "".join(
        f"<SimpleSource><SourceFilename>{_text(str(tile))}</SourceFilename><SourceBand>{band}</SourceBand>"
        f'<SrcRect xOff="0" yOff="0" xSize="{SMALL}" ySize="{SMALL}"/>'
        f'<DstRect xOff="{x}" yOff="{y}" xSize="{SMALL}" ySize="{SMALL}"/></SimpleSource>\n'
        for y in range(0, size, SMALL)
        for x in range(0, size, SMALL)
    )
    return f"{head}{about}{sources}</VRTRasterBand>\n"


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def measured(size: int, *, workers: int = 0, threads: int = 2) -> Run:
    """One run in a process of its own; on a cluster of so many workers, or on threads."""
    command = [sys.executable, "-m", "benchmarks.scale", "--size", str(size), "--workers", str(workers)]
    done = subprocess.run([*command, "--threads", str(threads)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def _run(size: int, workers: int, threads: int) -> Run:
    import geolabel as gl
    from geolabel.label import burned as _imports  # noqa: F401 - their size is none of the scene's
    from geolabel.scene import change as _more  # noqa: F401
    from geolabel.steps.burns import burned_parts

    pair = make(Pair(SMALL))
    with tempfile.TemporaryDirectory(dir=pair.folder) as name:
        folder = Path(name)
        require_space(folder, int(2.5 * size**2))
        scenes = [
            gl.open_scene(
                virtual(tile, size, folder / f"{tile.stem}.vrt"), sensor="sentinel-2-l2a", at="2020-07-01", offset=-1000
            )
            for tile in (pair.before, pair.after)
        ]
        before_mb, begun = _rss_mb(), time.perf_counter()
        with _cluster(workers) as client:
            polygons, vertices, total = 0, 0, digest()
            how = {"threads": threads, "scheduler": client, "work": folder / "job", "progress": _told()}
            for part in burned_parts(*scenes, **how):  # in parts: the whole table grows with the scene
                polygons, vertices = polygons + len(part), vertices + int(part.geometry.count_coordinates().sum())
                total = _digest(part, total)
            wall_s = time.perf_counter() - begun
            workers_mb = client.run(_rss_mb).values() if client else ()
        return Run(size, wall_s, max([_rss_mb(), *workers_mb]), before_mb, polygons, vertices, total[:16])


@contextmanager
def _cluster(workers: int) -> Iterator[Any]:
    if not workers:
        yield None
        return
    from distributed import Client, LocalCluster

    where = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, **where) as cluster,
        Client(cluster) as one,
    ):
        yield one


def _rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _digest(part: Any, before: str) -> str:
    """Over every row and vertex so far; how the rows fall into parts does not count."""
    numbers = part[["confidence", "masked_share", "area_m2", "dnbr_mean"]].to_numpy(np.float64)
    for row, label, severity, wkb in zip(
        numbers, part["label_id"], part["severity"], part.geometry.to_wkb(), strict=True
    ):
        before = digest(before, row, [label, severity], wkb)
    return before


def _told() -> Any:
    """Progress on standard error, a line for each tenth."""
    begun, said = time.perf_counter(), set()

    def tell(what: str, done: int, total: int) -> None:
        tenth = what, 10 * done // total
        if tenth not in said:
            said.add(tenth)
            print(f"{time.perf_counter() - begun:7.1f} s  {_rss_mb():5.0f} MB  {what}: {done}/{total}", file=sys.stderr)

    return tell


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SMALL, help="edge of the virtual scene in pixels")
    parser.add_argument("--workers", type=int, default=0, help="processes of a dask cluster; 0 for threads")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print(json.dumps(asdict(_run(args.size, args.workers, args.threads))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
