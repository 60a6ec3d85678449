"""Labels to exchange: plain makers and a hypothesis strategy of `tables.LABELS` that use everything a label can say."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import shapely
from affine import Affine
from benchmarks.roundtrip import TILES, UTM, frame, on, sample
from hypothesis import strategies as st

from geolabel.digests import canonical
from geolabel.grid import Grid
from geolabel.ontology import WILDFIRE
from geolabel.shapes import polygonise

__all__ = ["GRIDS", "TILES", "UTM", "frame", "free", "labels", "on", "pixelled", "sample"]

GRIDS = {
    "utm": UTM,
    "degrees": Grid.of("EPSG:4326", Affine(3e-4, 0, -118.3, 0, -3e-4, 34.4), (64, 64)),
    "turned": Grid.of(
        "EPSG:32610", Affine.translation(5e5, 4.2e6) * Affine.rotation(30) * Affine.scale(30, -30), (64, 64)
    ),
}
"""Three ways a grid of 64 x 64 pixels may lie: metres, degrees, and turned by 30 degrees."""
ROOM = 18
"""Pixels a side that one label has for itself: labels of one frame never touch."""
PLACES = [(row, col) for row in (2, 23, 44) for col in (2, 23, 44)]
"""First pixel of each label's ground; places 23 lie over the edge between tiles of 32 pixels."""


def free(rng, *, holes=True, parts=1):
    """Polygon or MultiPolygon in `ROOM` pixels a side, corners anywhere: rings around a centre, a hole in each or none."""
    width = ROOM / parts
    return _one_or_many([_ring(rng, n * width, width, holes=holes) for n in range(parts)])


def _ring(rng, left, width, *, holes):
    n = int(rng.integers(5, 12))
    angles = (np.arange(n) + rng.uniform(0.1, 0.9, n)) * 2 * np.pi / n
    star = np.column_stack([np.cos(angles) * width / 2, np.sin(angles) * ROOM / 2]) * rng.uniform(0.6, 0.98, (n, 1))
    centre = np.array([left + width / 2, ROOM / 2])
    return shapely.Polygon(centre + star, [centre + 0.4 * star] if holes else None)


def pixelled(rng, *, holes=True):
    """Polygon or MultiPolygon of whole pixels in `ROOM` pixels a side, islands and holes as they come."""
    mask = rng.random((ROOM, ROOM)) < rng.choice([0.2, 0.6, 0.9])
    mask[4:12, 4:12], mask[6:9, 6:9] = True, not holes
    whole = polygonise(mask, Grid.of("EPSG:32610", Affine.identity(), mask.shape)).geometry
    return _one_or_many([one if holes else shapely.Polygon(one.exterior) for one in whole][: None if holes else 1])


def _one_or_many(parts):
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=8)
SHARES = st.none() | st.floats(0, 1, allow_subnormal=False)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))])
TIMES = st.none() | st.datetimes(datetime(1984, 1, 1), datetime(2035, 1, 1), timezones=ZONES)
"""Aware, to the microsecond."""
VALUES = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(-1e6, 1e6) | WORDS
ATTRIBUTES = st.none() | st.dictionaries(WORDS, VALUES | st.lists(VALUES, max_size=2), min_size=1, max_size=3).map(
    lambda values: canonical(values).decode()
)
ANNOTATORS = st.none() | WORDS.map("person:{}".format) | st.just("rule:burned@1")


@st.composite
def labels(draw, grid=UTM, *, kinds=("free", "pixels"), holes=True, plain=False, most=5):
    """`tables.LABELS` of 1 to `most` shapes on `grid`, one a place of `PLACES`, in the grid's CRS.

    Parameters
    ----------
    kinds
        free: corners anywhere, one or two parts. pixels: edges of pixels, many parts. box: upright in the grid.
    holes
        Whether shapes have holes.
    plain
        Nothing but id and class is said.
    """
    ids = draw(st.lists(WORDS, min_size=1, max_size=most, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = [{"label_id": one, "class": draw(st.sampled_from([c.name for c in WILDFIRE]))} for one in ids]
    for row, (top, left) in zip(rows, draw(st.permutations(PLACES)), strict=False):
        shape = _shape(draw(st.sampled_from(list(kinds))), rng, holes=holes)
        ground = on(grid, shapely.transform(shape, lambda points, at=(left, top): points + at))
        row.update({} if plain else _said(draw), geometry=ground)
    return frame(rows, grid.crs.to_wkt())


def _shape(kind, rng, *, holes):
    if kind == "box":
        (left, top), size = rng.uniform(0, ROOM / 2, 2), rng.uniform(1, ROOM / 2, 2)
        return shapely.box(left, top, *np.add(size, (left, top)))
    return pixelled(rng, holes=holes) if kind == "pixels" else free(rng, holes=holes, parts=int(rng.integers(1, 3)))


def _said(draw):
    return {
        "severity": draw(st.sampled_from([None, "unburned", "low", "moderate", "high"])),
        "severity_scheme": draw(st.none() | WORDS),
        "confidence": draw(SHARES),
        "masked_share": draw(SHARES),
        "start": draw(TIMES),
        "end": draw(TIMES),
        "attributes": draw(ATTRIBUTES),
        "annotator": draw(ANNOTATORS),
        "labeled_at": draw(TIMES),
    }
