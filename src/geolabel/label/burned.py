"""Burn scars from an index of change: threshold, clean-up, smallest mapped unit, severity polygons with islands.

One way for every size: an array is cut into strips as a scene is that no memory would hold, and gives the same polygons.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geolabel.errors import InputError
from geolabel.files import lock
from geolabel.grid import Grid
from geolabel.label.patches import Mask, as_array, label_ids, pixels_of
from geolabel.label.scars.definition import Definition, Rule
from geolabel.label.scars.graph import Whole
from geolabel.label.scars.pieces import Cut, Shelf
from geolabel.label.scars.quanta import PER_UNIT, UNKNOWN, quantised
from geolabel.label.scars.ring import ENOUGH, counts_inside, ring_steps
from geolabel.label.scars.spool import Held, Source, Spool, reading_strips
from geolabel.label.scars.walk import Found, How, Image, Job, counted
from geolabel.label.severity import LEVELS, UNITS, SeverityScheme, Units, check_units
from geolabel.shapes import area_m2
from geolabel.stream import Journal
from geolabel.tables import SHAPES, check, empty


def burned(
    index: Any, grid: Grid, *, known: Any = None, units: Units | None = None, how: How | None = None, **definition: Any
) -> gpd.GeoDataFrame:
    """Severity polygons of burn scars, `tables.SHAPES` with `dnbr_mean` and `area_m2` (geodesic), in the grid's CRS.

    Class `burned`, severity by the scheme's levels; unburned islands stay holes. Inside a scar patches of one severity
    smaller than `min_area_m2` join their largest neighbour. `masked_share` is the part of a polygon's filled outline
    that no clear pixel saw. `confidence` is declared, not calibrated: 0.5 for a mean at the threshold, 0.82 one lowest
    burned class (threshold to moderate) above it, towards 1 beyond: `1 - exp(-distance / width) / 2`.

    The index is read in steps of 1e-4 (x1) or 0.1 (x1000), see `quanta`: breaks are met exactly, means hold to half a
    step. `attrs` of the table say `offset` (taken off), `threshold`, `breaks` and `units`. Rows are in order of their
    first pixels.

    Parameters
    ----------
    index
        (y, x) dNBR, RdNBR or RBR in the scheme's units, NaN = no data; computed here. Or a `spool.Source`, which is
        read window by window, each stored block once: the same polygons in little memory.
    known
        (y, x) bool: what a clear pixel saw. Default: everywhere the index has a value. Of arrays only.
    units
        `x1` or `x1000`; default: what the index says of itself, else what its values show.
    how
        Threads, progress, cluster and folder of work (of sources; the workers of a cluster must reach that folder).
    definition
        What counts as a scar: the fields of `Definition`.

    Raises
    ------
    InputError
        Where index or `known` do not fit the grid, no pixel has a value, or a definition is unknown.
    UnitError
        Where the index is in other units than the scheme.
    SourceError
        Where pixels cannot be read, or there is no room for the work.
    """
    return whole(burned_parts(index, grid, known=known, units=units, how=how, **definition))


def burned_parts(
    index: Any, grid: Grid, *, known: Any = None, units: Units | None = None, how: How | None = None, **definition: Any
) -> Iterator[gpd.GeoDataFrame]:
    """The table of `burned` in parts, so that one that no memory would hold can be written as it comes.

    The first part has no rows. A scar comes when the walk from north to south has passed it; the index of a row is its
    place in the whole table. How many parts there are depends on the strips, the order of all rows does not.
    """
    what, how = Definition(**definition), how or How()
    if not (hasattr(index, "read") and hasattr(index, "block")):
        image = _held(index, grid, what.scheme, known, units)
        yield from _scars(image, grid, what, replace(how, scheduler=None))  # the array is here
    else:
        with _spooled(index, grid, what.scheme, how) as image:
            yield from _scars(image, grid, what, how)


def whole(parts: Iterable[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """The whole table of its parts, rows in order of their first pixels."""
    first, *more = parts
    table = pd.concat(more).sort_index().reset_index(drop=True) if more else first
    table.attrs = dict(first.attrs)
    return table


def burned_mask(index: Any, grid: Grid, *, known: Any = None, units: Units | None = None, **definition: Any) -> Mask:
    """(y, x) bool: the ground that `burned` covers with polygons, without tracing them; False where not known."""
    what = Definition(**definition)
    job, whole, _ = _ruled(_held(index, grid, what.scheme, known, units), grid, what, How())
    return job.mask(whole)


def confidence(
    mean: NDArray[np.float64], threshold: float, scheme: SeverityScheme, most: float = 1.0
) -> NDArray[np.float64]:
    """(n,) 0.5 to `most` from the distance of mean index values to the threshold; see `burned`.

    Where the scheme's lowest burned class has no upper edge, the distance is measured in thresholds.
    """
    width = max(scheme.moderate_from - threshold, scheme.moderate_from - scheme.burned_from)
    width = width if np.isfinite(width) else max(abs(threshold), np.finfo(float).tiny)
    return most - (most - 0.5) * np.exp(-np.maximum(mean - threshold, 0) / width)


# ---------------------------------------------------------------------- from an index to an image of quanta
Scheme = SeverityScheme | Literal["relative"]


def _held(index: Any, grid: Grid, scheme: Scheme, known: Any, units: Units | None) -> Image:
    """Image of an array."""
    values = as_array(index, grid, "an index").astype(np.float32)
    said = units or getattr(index, "attrs", {}).get("units")
    if isinstance(scheme, SeverityScheme):
        check_units(said, values, scheme)
        said = scheme.units
    steps: Units = said if said in UNITS else "x1"
    quanta = quantised(values, steps)
    if known is not None:
        quanta[~as_array(known, grid, "a mask of what is known").astype(bool)] = UNKNOWN
    return Image(Held(quanta), steps, str(getattr(index, "name", None) or "index"), Shelf())


@contextmanager
def _spooled(source: Source, grid: Grid, scheme: Scheme, how: How) -> Iterator[Image]:
    """Image of a source, read once into a file that is kept where `how.work` is given."""
    if source.shape != grid.shape:
        raise InputError(f"an index of {source.shape} on a grid of {grid.shape}", hint="align it with the grid first")
    if isinstance(scheme, SeverityScheme):
        check_units(source.units, np.empty(0), scheme)
    with _folder(how) as folder:
        spool = Spool(folder / "index.i2", source.shape)
        _pour(source, spool, how)
        yield Image(spool, source.units, source.name, Shelf(folder, keep=how.work is not None), source.digest)


@contextmanager
def _folder(how: How) -> Iterator[Path]:
    if how.work is None:
        with tempfile.TemporaryDirectory(prefix="geolabel-") as name:
            yield Path(name)
    else:
        with lock(how.work):
            yield how.work


def _pour(source: Source, spool: Spool, how: How) -> None:
    """Fill the spool; with a folder of work, strip by strip on disk before the journal says so."""
    keep, log = how.work is not None, spool.path.with_suffix(".journal")
    if not spool.is_there:
        log.unlink(missing_ok=True)
        spool.make()
    journal = Journal(log, source.digest) if keep else None
    todo = [rows for rows in reading_strips(source) if journal is None or str(rows[0]) not in journal.done]
    poured = how.walk(todo, partial(spool.pour, source, keep=keep), "reading")
    for rows, _ in zip(todo, poured, strict=True):
        if journal is not None:
            journal.finish(str(rows[0]))


# ---------------------------------------------------------------------- from an image to a table
def _ruled(image: Image, grid: Grid, what: Definition, how: How) -> tuple[Job, Whole, Rule]:
    """(the walk that a definition asks for, what it found, the definition's numbers)."""
    counts = counted(image.store, how) if what.counts else None
    rule = what.rule(image.units, image.name, counts)
    least = pixels_of(what.min_area_m2, grid)
    job = Job(image, rule.cut(least), how, "scars")
    whole = job.whole("finding scars")
    if what.offset in ("ring", "auto"):
        shift = ring_steps(job, whole, grid.res_m, least=ENOUGH if what.offset == "auto" else 0)
        rule = what.rule(image.units, image.name, counts, shift=shift)
        job, whole = _again(job, whole, rule.cut(least), "scars-offset")
    if what.fits_breaks and len(whole.level):
        rule = rule.fitted(counts_inside(job))
        job, whole = _again(job, whole, rule.cut(least), "scars-breaks")
    return job, whole, rule


def _again(job: Job, whole: Whole, cut: Cut, name: str) -> tuple[Job, Whole]:
    """The same walk with another cut, where it is another."""
    if cut.same(job.cut):
        return job, whole
    other = replace(job, cut=cut, name=name)
    return other, other.whole("finding scars again")


def _scars(image: Image, grid: Grid, what: Definition, how: How) -> Iterator[gpd.GeoDataFrame]:
    job, whole, rule = _ruled(image, grid, what, how)
    if whole.unseen == grid.height * grid.width:
        raise InputError(
            "no pixel of the index has a value: nothing was seen, so nothing can be said",
            hint="look at scene.valid of both scenes: their masks, their nodata values, the ground they share",
        )
    none = empty(SHAPES, grid.crs.to_wkt()).assign(**{"area_m2": np.empty(0), mean_name(rule): np.empty(0)})
    none.attrs.update(said(rule))
    yield none
    for found in job.found(whole, grid.transform[:6]):
        yield _table(found, rule, grid)


def said(rule: Rule) -> dict[str, Any]:
    """What was decided of the whole image, for the table's `attrs`."""
    breaks = list(rule.scheme.breaks) if rule.severity else None
    return {"offset": rule.offset, "threshold": rule.threshold, "breaks": breaks, "units": rule.scheme.units}


def mean_name(rule: Rule) -> str:
    """Column that holds the mean of the index: change of the burn ratio, or drop of backscatter."""
    return "drop_db_mean" if rule.scheme.units == "dB" else "dnbr_mean"


def _table(found: Found, rule: Rule, grid: Grid) -> gpd.GeoDataFrame:
    mean = (found.mean + 0.5) / PER_UNIT[rule.scheme.units]
    shapes = gpd.GeoDataFrame(geometry=found.polygons, index=found.number, crs=grid.crs.to_wkt())
    classes = ["burned"] * len(shapes)
    told = [LEVELS[code - 1] for code in found.level] if rule.severity else [None] * len(shapes)
    table = shapes.assign(
        **{
            "label_id": label_ids(shapes, classes),
            "class": classes,
            "severity": told,
            "severity_scheme": [rule.scheme.name if rule.severity else None] * len(shapes),
            "confidence": confidence(mean, rule.threshold, rule.scheme, rule.most_sure),
            "masked_share": found.unseen_share,
            "area_m2": area_m2(shapes),
            mean_name(rule): mean,
        }
    )
    table.attrs.update(said(rule))
    return check(table[[*SHAPES, "area_m2", mean_name(rule)]], SHAPES)
