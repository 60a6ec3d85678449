"""Figures of what to label next: ahead of random at equal cost on real ground, and relabel-or-new with annotators that err."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.active import AMAZON, SEEDS, SPAIN, Compared, compare
from benchmarks.active_ground import amazon_ground, spain_ground
from benchmarks.active_noisy import NOISY, compare_policies
from benchmarks.evidence import Row, row
from benchmarks.evidence.__main__ import data_root

MADE_FROM = (
    "src/geolabel/quality/intervals.py",
    *(f"src/geolabel/quality/doubt/{name}.py" for name in ("suggest", "gain", "pace")),
    *(f"benchmarks/{name}.py" for name in ("active", "active_ground", "active_noisy")),
)
WHO = f"{len(SEEDS)} seeds apart from those that were tried"
NOISY_SEEDS = SEEDS[:10]


@row(*MADE_FROM, long=True, needs="radar-spain-s1s2")
def next_water() -> Iterator[Row]:
    """The hand-made water label: blocks of tiles are held out."""
    yield from _ahead("water, Spain", compare(spain_ground(data_root() / "radar-spain-s1s2"), **SPAIN))


@row(*MADE_FROM, long=True, needs="terrain-amazon-s2")
def next_cover() -> Iterator[Row]:
    """The Amazon polygons: whole polygons are held out."""
    yield from _ahead("land cover, Amazon", compare(amazon_ground(data_root() / "terrain-amazon-s2"), **AMAZON))


@row(*MADE_FROM, long=True, needs="radar-spain-s1s2")
def relabel_or_new() -> Iterator[Row]:
    """Annotators that err: relabel or new beside the two fixed policies."""
    told = compare_policies(spain_ground(data_root() / "radar-spain-s1s2"), seeds=NOISY_SEEDS, **NOISY)
    for beside in ("always new", "three answers each"):
        gain, found = told.gained("relabel or new", beside)
        words = f"{found.low:+.4f} to {found.high:+.4f}; {told.area(beside).mean():.4f} by {beside}; {len(NOISY_SEEDS)} seeds"
        yield Row(f"relabel or new, mean score ahead of {beside}", gain, "", words, "interval above 0", found.low > 0)


def _ahead(ground: str, told: Compared) -> Iterator[Row]:
    for name in ("ours", "uncertainty only"):
        gain, found = told.gained(name)
        words = f"{found.low:+.4f} to {found.high:+.4f}; random {told.area('random').mean():.4f} over {told.span[-1]:.1f} min; {WHO}"
        goal = {"goal": "interval above 0", "holds": found.low > 0} if name == "ours" else {}
        yield Row(f"what next, {ground}: mean score of {name} ahead of random", gain, "", words, **goal)
    ours, other = told.minutes_to("ours").mean(), told.minutes_to("random").mean()
    beside = f"random {other:.2f} min"
    yield Row(
        f"what next, {ground}: to 95 % of the score of all labels", ours, "min", beside, "sooner", bool(ours < other)
    )
