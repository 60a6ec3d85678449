"""Verbs on scenes: what one is, and burn scars of two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from geolabel.cli.shown import BANDS, ONE_FILE, RES_M, SENSOR, app, bars, plain


@app.command()
def scene(
    source: Annotated[str, typer.Argument(help="File, product folder, STAC item, Zarr store, or an address of one.")],
    *,
    sensor: Annotated[str | None, typer.Option(help=SENSOR)] = None,
    at: Annotated[
        str | None, typer.Option(help="Acquisition: DATE or DATE/DATE (default: as the product says).")
    ] = None,
    bands: Annotated[str | None, typer.Option(help=BANDS)] = None,
    res_m: Annotated[float | None, typer.Option(help=RES_M)] = None,
    quantity: Annotated[
        str | None, typer.Option(help="What the numbers are where no metadata say it: gamma0_db, gamma0_linear.")
    ] = None,
) -> None:
    """Say what a scene is, as geolabel opens it: bands, grid, times, and what was applied to its numbers."""
    from geolabel.nouns.times import interval
    from geolabel.steps.view import SceneSource, is_dated, located, open_source

    names = tuple(bands.split(",")) if bands else None
    told = {"sensor": sensor, "at": interval(at), "bands": names, "res_m": res_m, "quantity": quantity}
    opened = open_source(SceneSource.read({"path": located(source), **told}, where="geolabel scene"), "scene")
    unknown = {} if is_dated(opened) else {"acquired": "it does not say: give --at"}
    for name, value in {**opened.facts, **unknown}.items():
        plain(f"{name:<10}{value}")


@app.command()
def burned(
    before: Annotated[str, typer.Argument(help="Scene before the fire: file, product folder, STAC item or address.")],
    after: Annotated[str, typer.Argument(help="Scene after the fire.")],
    *,
    sensor: Annotated[str | None, typer.Option(help=SENSOR)] = None,
    at: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Acquisition of before and of after, each DATE or DATE/DATE (default: as the product says)."),
    ] = None,
    bands: Annotated[str | None, typer.Option(help=BANDS)] = None,
    res_m: Annotated[float | None, typer.Option(help=RES_M)] = None,
    index: Annotated[str, typer.Option(help="dnbr, rdnbr or rbr.")] = "dnbr",
    scheme: Annotated[
        str | None, typer.Option(help="Severity scheme (default: the published one, for DN relative).")
    ] = None,
    threshold: Annotated[str, typer.Option(help="Where burned begins: scheme, otsu or a number.")] = "scheme",
    seed: Annotated[float | None, typer.Option(help="Value that a pixel of each scar must reach.")] = None,
    offset: Annotated[str | None, typer.Option(help="dNBR of unburned ground to take off: ring or a number.")] = None,
    min_area_ha: Annotated[float, typer.Option(help="Smallest scar kept.", min=0)] = 0.5,
    severity: Annotated[bool, typer.Option(help="Whether scars are parted by severity.")] = True,
    threads: Annotated[int, typer.Option(help="Threads that read and map.", min=1)] = 2,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler to map on instead.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder that keeps what is done; a rerun goes on there.")] = None,
    out_folder: Annotated[
        Path, typer.Option("--out", help="Folder for the labeled tiles, or one .gpkg, .parquet or .geojson file.")
    ] = Path("tiles"),
    size: Annotated[int, typer.Option(help="Edge of a tile in pixels.", min=16)] = 512,
) -> None:
    """Map burn scars of two scenes of any size and export them as labeled GeoJSON tiles or as one file."""
    import geolabel as gl
    from geolabel.nouns.times import interval

    names = bands.split(",") if bands else None
    first, last = (
        gl.open_scene(path, sensor=sensor, at=interval(day), bands=names, res_m=res_m)
        for path, day in zip((before, after), at or (None, None), strict=True)
    )
    told: dict[str, Any] = {
        "scheme": scheme,
        "threshold": threshold,
        "seed": seed,
        "offset": offset,
        "min_burned_ha": min_area_ha,
    }
    how: dict[str, Any] = {"threads": threads, "scheduler": scheduler, "work": work}
    with bars() as progress:
        scar = gl.burned(first, last, index=index, severity=severity, progress=progress, **how, **told)
        kind = ONE_FILE.get(out_folder.suffix)
        tiles = None if kind else gl.tiles(last, size=size)
        written = gl.export(scar, out_folder, format=kind or "geojson", tiles=tiles, progress=progress)
    plain(f"{len(scar)} polygons, {scar['area_m2'].sum() / 1e4:.0f} ha burned")
    plain(f"open {written}")
