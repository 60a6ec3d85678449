"""The shapes of a consensus: polygons of the winning classes, and what the votes say of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from geolabel.quality.consensus.fused import Fused
from geolabel.quality.consensus.votes import Codes, Votes
from geolabel.quality.distance import outline, signed_distance_px
from geolabel.quality.patches import Patches, origins, patch_polygons, patches_of
from geolabel.shapes import clip, rasterise
from geolabel.tables import AGREED, SHAPES, empty

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NamedPatches:
    """The patches of one class over a view, each named by its first pixel in reading order."""

    patches: Patches
    names: dict[int, str]

    @classmethod
    def of(cls, mask: NDArray[np.bool_], prefix: str) -> NamedPatches:
        """Patches of a mask, named `{prefix}/{row}_{col}`."""
        patches = patches_of(mask)
        return cls(patches, {number: f"{prefix}/{row}_{col}" for number, (row, col) in origins(patches).items()})


def agreeing_share(votes: Votes, winner: Codes) -> Floats:
    """(y, x): share of those who judged a pixel that said what won there; NaN where nobody judged."""
    judged = (votes.codes >= 0).sum(0)
    agreeing = (votes.codes == winner).sum(0).astype(float)
    return np.divide(agreeing, judged, out=np.full(winner.shape, np.nan), where=judged > 0)


def shapes_of_one(votes: Votes) -> gpd.GeoDataFrame:
    """AGREED of the one annotator who is heard: their shapes, cut to the tile; no probability, agreement or spread."""
    crs = votes.grid.crs.to_wkt()
    drawn = clip(votes.answers[0].shapes, votes.grid) if votes.answers else empty(SHAPES, crs)
    if not len(drawn):
        return empty(AGREED, crs)
    more = {"probability": np.nan, "n_votes": votes.n_votes, "agreement": np.nan, "boundary_sd_m": np.nan}
    return drawn[list(SHAPES)].reset_index(drop=True).assign(**more)[list(AGREED)].set_geometry("geometry")


def agreed_shapes(votes: Votes, fused: Fused, patches: Mapping[int, NamedPatches]) -> gpd.GeoDataFrame:
    """AGREED of one tile: a row for each patch of each winning class, in the order of codes and patches."""
    agreeing = agreeing_share(votes, fused.winner)
    frames = [
        _class_shapes(votes, fused, code, own, agreeing)
        for code, own in sorted(patches.items())
        if own.patches[votes.task.tile.slices].any()
    ]
    return pd.concat(frames, ignore_index=True) if frames else empty(AGREED, votes.grid.crs.to_wkt())


def _class_shapes(votes: Votes, fused: Fused, code: int, named: NamedPatches, agreeing: Floats) -> gpd.GeoDataFrame:
    patches = named.patches[votes.task.tile.slices]
    polygons = patch_polygons(patches, votes.grid)
    numbers = polygons.index.to_numpy()
    severity, scheme = severities(votes, code, patches, numbers)
    data: dict[str, Any] = {
        "label_id": [named.names[number] for number in numbers],
        "class": votes.classes[code - 1],
        "severity": pd.Series(severity, dtype=object),
        "severity_scheme": pd.Series(scheme, dtype=object),
        "confidence": np.nan,
        "masked_share": np.nan,
        "probability": ndimage.mean(fused.probability[code], patches, numbers),
        "n_votes": votes.n_votes,
        "agreement": ndimage.mean(agreeing, patches, numbers),
        "boundary_sd_m": boundary_sd_m(votes, code, patches, numbers),
    }
    return gpd.GeoDataFrame(data, geometry=polygons.reset_index(drop=True))[list(AGREED)]


def boundary_sd_m(votes: Votes, code: int, patches: Patches, numbers: NDArray[np.int64]) -> Floats:
    """(n,): median along each patch's outline of the standard deviation of the annotators' outlines, metres.

    NaN where fewer than two annotators drew this class in the tile or the patch has no outline inside it.
    """
    drawn = [signed_distance_px(codes == code) for codes in votes.codes if (codes == code).any()]
    drawn = [away for away in drawn if np.isfinite(away).all()]
    edge = np.where(outline(patches > 0), patches, 0)
    spread = np.full(len(numbers), np.nan)
    if len(drawn) < 2 or not edge.any():
        return spread
    has_edge = np.isin(numbers, edge)
    deviation = np.std(drawn, axis=0, ddof=1)
    spread[has_edge] = ndimage.median(deviation, edge, numbers[has_edge]) * votes.grid.res_m
    return spread


def severities(
    votes: Votes, code: int, patches: Patches, numbers: NDArray[np.int64]
) -> tuple[list[str | None], list[str | None]]:
    """(severity, scheme) of each patch: the pair with most pixels over all annotators, ties by name; None if none gave one."""
    name = votes.classes[code - 1]
    given = [
        answer.shapes[(answer.shapes["class"] == name) & answer.shapes["severity"].notna()] for answer in votes.answers
    ]
    pairs = sorted({pair for frame in given for pair in _pairs(frame)})
    if not pairs:
        return [None] * len(numbers), [None] * len(numbers)
    counts = np.zeros((len(pairs), len(numbers)))
    for frame in given:
        laid = rasterise(frame, votes.grid, np.array([pairs.index(pair) + 1 for pair in _pairs(frame)], np.uint8))
        counts += [ndimage.sum_labels(laid == k + 1, patches, numbers) for k in range(len(pairs))]
    best = [pairs[k] if counts[k, i] else ("", "") for i, k in enumerate(counts.argmax(0))]
    return [severity or None for severity, _ in best], [scheme or None for _, scheme in best]


def _pairs(frame: gpd.GeoDataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["severity"].astype(str), frame["severity_scheme"].fillna("").astype(str), strict=True))
