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


Index = Annotated[str, typer.Option(help="dnbr, rdnbr or rbr.")]
Scheme = Annotated[
    str | None,
    typer.Option(help="Severity scheme: a published one, relative or per-fire (default: published, for DN relative)."),
]
Breaks = Annotated[
    str | None, typer.Option(help="Where low, moderate and high begin, set for this fire: LOW,MODERATE,HIGH.")
]
Citation = Annotated[str | None, typer.Option(help="Who set the breaks, from what.")]
Threshold = Annotated[str, typer.Option(help="Where burned begins: scheme, otsu or a number.")]
Seed = Annotated[float | None, typer.Option(help="Value that a pixel of each scar must reach.")]
Offset = Annotated[
    str | None, typer.Option(help="Change of unburned ground to take off: ring, or a number, 0 for none.")
]
Cleanup = Annotated[str, typer.Option(help="majority of 3 x 3 pixels, or none: single pixels and islands stay.")]
MinArea = Annotated[float, typer.Option(help="Smallest scar kept.", min=0)]
Threads = Annotated[int, typer.Option(help="Threads that read and map.", min=1)]
Work = Annotated[Path | None, typer.Option(help="Folder that keeps what is done; a rerun goes on there.")]


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
    index: Index = "dnbr",
    scheme: Scheme = None,
    breaks: Breaks = None,
    citation: Citation = None,
    threshold: Threshold = "scheme",
    seed: Seed = None,
    offset: Offset = None,
    cleanup: Cleanup = "majority",
    min_area_ha: MinArea = 0.5,
    severity: Annotated[bool, typer.Option(help="Whether scars are parted by severity.")] = True,
    threads: Threads = 2,
    scheduler: Annotated[str | None, typer.Option(help="Address of a dask scheduler to map on instead.")] = None,
    work: Work = None,
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
    told = _told(breaks, threshold, offset, scheme=scheme, citation=citation, seed=seed, cleanup=cleanup)
    told["min_burned_ha"] = min_area_ha
    how: dict[str, Any] = {"threads": threads, "scheduler": scheduler, "work": work}
    with bars() as progress:
        scar = gl.burned(first, last, index=index, severity=severity, progress=progress, **how, **told)
        kind = ONE_FILE.get(out_folder.suffix)
        tiles = None if kind else gl.tiles(last, size=size)
        written = gl.export(scar, out_folder, format=kind or "geojson", tiles=tiles, progress=progress)
    plain(f"{len(scar)} polygons, {scar['area_m2'].sum() / 1e4:.0f} ha burned")
    plain(f"open {written}")


@app.command(name="burned-index")
def burned_index(
    raster: Annotated[str, typer.Argument(help="File with one band: dNBR, RdNBR or RBR.")],
    out_file: Annotated[Path, typer.Argument(help="File to write: .gpkg, .parquet, .geojson or .fgb.")],
    *,
    index: Index = "dnbr",
    units: Annotated[str | None, typer.Option(help="x1 or x1000 (default: what its values show).")] = None,
    scheme: Scheme = None,
    breaks: Breaks = None,
    citation: Citation = None,
    threshold: Threshold = "scheme",
    seed: Seed = None,
    offset: Offset = None,
    cleanup: Cleanup = "majority",
    min_area_ha: MinArea = 0.5,
    severity: Annotated[bool, typer.Option(help="Whether scars are parted by severity.")] = True,
    threads: Threads = 2,
    work: Work = None,
) -> None:
    """Map burn scars of an index of change that is already there; numbers are in its own units."""
    import geolabel as gl
    from geolabel.dataset.formats.registry import by_path

    kind = by_path(out_file, writes=True).name
    told = _told(breaks, threshold, offset, scheme=scheme, citation=citation, seed=seed, cleanup=cleanup)
    how: dict[str, Any] = {"index": index, "units": units, "severity": severity, "threads": threads, "work": work}
    with bars() as progress:
        scar = gl.burned_index(raster, min_burned_ha=min_area_ha, progress=progress, **how, **told)
        written = gl.export(scar, out_file, format=kind, progress=progress)
    plain(f"{len(scar)} polygons, {scar['area_m2'].sum() / 1e4:.0f} ha burned")
    plain(f"open {written}")


def _told(breaks: str | None, threshold: str, offset: str | None, **more: Any) -> dict[str, Any]:
    """Options of the rule, as flags give them."""
    return {"breaks": breaks.split(",") if breaks else None, "threshold": threshold, "offset": offset, **more}
