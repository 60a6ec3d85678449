"""Digests never change: ledgers and products of years ago name them."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from geolabel.digests import digest_shapes
from geolabel.nouns.answer import Answer
from geolabel.tables import IGNORE, SHAPES, empty
from labels import box_shapes

HEAD = {
    "task_id": "v/g/0_0#burn",
    "annotator": "person:zoë",
    "at": datetime(2024, 7, 1, 12, tzinfo=UTC),
    "uuid": "u-1",
    "ignore": empty(IGNORE, "EPSG:32610"),
}
TIMES = pd.to_datetime(["2020-01-01T00:00:00Z", None, "2021-06-01T12:30:00.25Z"], utc=True, format="ISO8601")


def drawn():
    boxes = [(500_000.1, 4_199_000, 500_300, 4_199_900 + 1 / 3), (500_400, 4_199_000, 500_500, 4_199_100), (0, 0, 1, 1)]
    return box_shapes(boxes).assign(
        severity=["low", None, np.nan],
        severity_scheme=["key-benson-dnbr", None, "é"],
        confidence=[1.0, 0.1 + 0.2, np.nan],
        masked_share=[0, 1, -0.0],
    )


def of_every_kind():
    return drawn().assign(
        count=[1, 2, 3],
        sure=[True, False, True],
        small=np.array([1.5, 2, 3], "float32"),
        start=TIMES,
        cat=pd.Categorical(["a", "b", "a"]),
        words=pd.Series(["x", None, "y"], dtype="str"),
        mixed=pd.Series([1, "a", 2.0], dtype=object),
        naive=pd.to_datetime(["2020-01-01", "2020-01-02", None]),
    )


def timed():
    nothing = pd.to_datetime(pd.Series([None] * 3), utc=True)
    return drawn().assign(start=TIMES, attributes=['{"a":1}', None, None], end=nothing)


KNOWN = {
    "shapes": (
        lambda: digest_shapes(drawn()),
        "75ebdd2ba7bed1e7c7ceeb48a34849ed63cbe0e074859a92cbc22963cd2bfda2",
    ),
    "no shapes": (
        lambda: digest_shapes(empty(SHAPES, "EPSG:32610")),
        "292e5fa7d80e4d2b9191ac77abc1f02b314c4db2001710e737d0448af418e8d0",
    ),
    "every kind of column": (
        lambda: digest_shapes(of_every_kind()),
        "d2e39fa5c83f5b6103fbe8440b5990fb9b4376d8c2e2098b7e98029b264b0815",
    ),
    "an answer": (
        lambda: Answer(outcome="labeled", shapes=drawn(), active_s=12, shown=("swir22",), **HEAD).digest,
        "900e3acf5cd30febf3cd8f2643662b6926dbcb5aef3d6375c7db35b29252d4a8",
    ),
    "an answer that says more": (
        lambda: Answer(outcome="labeled", shapes=timed(), ontology="wildfire@2", how="edit:qgis", **HEAD).digest,
        "c56b3316ac48689afee47b5f539cd787b3e2f809811b644effd6aa6fce10669a",
    ),
    "an empty correction": (
        lambda: Answer(outcome="empty", shapes=empty(SHAPES, "EPSG:32610"), supersedes="u-0", **HEAD).digest,
        "d485ac456e2f3fb8550e8281e10ccc7f0500aac36742d3817b508aed0fd6487a",
    ),
}
"""Digests taken before their computation was made fast."""


@pytest.mark.parametrize("what", KNOWN)
def test_a_digest_is_what_it_was(what):
    made, known = KNOWN[what]
    assert made() == known


def test_columns_are_digested_as_if_the_others_were_not_there():
    frame = of_every_kind()
    assert digest_shapes(frame, list(SHAPES)) == digest_shapes(frame[list(SHAPES)]) == digest_shapes(drawn())
