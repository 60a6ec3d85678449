"""Terrain labels as fuel: the crosswalk against a mapped landscape."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import crosswalk
from benchmarks.evidence import Row, row


@row("src/geolabel/ontology", "benchmarks/crosswalk.py", needs="landscape-napa-landfire")
def napa() -> Iterator[Row]:
    """What the fuel priors of grass, shrubs and forest are worth over LANDFIRE's map of Napa and Sonoma."""
    score = crosswalk.scored(crosswalk.mapped())
    beside = (
        f"who knows the group alone {score.bits_group:.2f}, who knows this map's own frequencies {score.bits_map:.2f}"
    )
    good = score.bits < score.bits_group
    yield Row("fuel of labels on Napa: log score a cell", score.bits, "bits", beside, "below the group alone", good)
    yield Row(
        "fuel of labels on Napa: mapped model held possible", score.covered, "", f"{score.cells:,} burnable cells"
    )
    yield Row("fuel of labels on Napa: mapped rate within that of the models held for 5 %", score.within)
    words = "the model's own error is .35: fuel is drawn for each member"
    yield Row("fuel of labels on Napa: log rate, most probable model over mapped, rms", score.log_rate_rms, "", words)
