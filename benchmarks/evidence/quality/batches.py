"""Figures of batches: plans that keep their risks, deliveries that cannot change unseen, and what accepted ground costs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.batches import curve, delivered, standard_rows
from benchmarks.evidence import Row, row

MADE_FROM = (
    "src/geolabel/quality/flow/sampling.py",
    "src/geolabel/quality/flow/defects.py",
    "src/geolabel/quality/flow/cost.py",
    "src/geolabel/steps/batches.py",
    "src/geolabel/steps/inspection.py",
    "src/geolabel/steps/delivery.py",
    "benchmarks/batches.py",
)


@row(*MADE_FROM)
def plans() -> Iterator[Row]:
    """Sampling plans against the standard's tables and against simulated lots."""
    good, rows = standard_rows()
    words = "ISO 2859-1:1999, tables 1 and 2-A, normal inspection, level II"
    yield Row("sampling plans of the standard reproduced", good, f"of {rows}", words, "all", good == rows)
    found = curve()
    plan = f"n = {found.plan.n}, c = {found.plan.c} for a lot of {found.plan.lot} (AQL 4 %, rejectable 15 %)"
    beside = f"{plan}; {found.lots} lots at each of {found.qualities} qualities; largest difference {found.worst:.4f}"
    yield Row(
        "operating characteristic: simulated - exact, worst", found.worst_se, "se", beside, "< 4", found.worst_se < 4
    )
    worst = 0.05 + 3 * (0.05 * 0.95 / found.lots) ** 0.5
    beside = "told: at most 0.05; the goal leaves the simulation three standard errors"
    yield Row(
        "lots at the AQL that are rejected", found.producer, "", beside, f"<= {worst:.3f}", found.producer <= worst
    )
    worst = 0.10 + 3 * (0.10 * 0.90 / found.lots) ** 0.5
    beside = "told: at most 0.10; the same"
    yield Row(
        "lots at the rejectable quality that pass",
        found.consumer,
        "",
        beside,
        f"<= {worst:.3f}",
        found.consumer <= worst,
    )
    beside = "exact for the lot's size, told 0.95; the lowest over all qualities"
    worst = 0.95 - 3 * (0.05 * 0.95 / found.lots) ** 0.5
    yield Row(
        "intervals that hold the lot's share of defects",
        found.coverage,
        "",
        beside,
        f">= {worst:.3f}",
        found.coverage >= worst,
    )


@row(*MADE_FROM)
def deliveries() -> Iterator[Row]:
    """The shipped scene, labeled by the five simulated annotators with gold, as one batch."""
    found = delivered()
    beside = f"one bit turned in each of {found.files} files, one after the other; before it {found.named} were named"
    good = found.found == found.files and not found.named
    yield Row(
        "changed files of a delivery that are found", found.found, f"of {found.files}", beside, "all, none else", good
    )
    true = found.defects_true / found.lot
    inside = found.low <= true <= found.high
    words = f"inspected: {found.verdict}; all {found.lot} tiles held against the truth: {found.defects_true}"
    yield Row("defective tiles of the batch", true, "", words, "inside the interval of the sample", inside)
    cost = found.cost
    told = (
        f"{cost.label_min:.1f} min of five simulated annotators and of gold (time made up: a look and a click for every 6 px of outline)"
        f" and {cost.review_min:.0f} min of inspection (2 min a tile); {cost.accepted_tasks} of {cost.tasks} tasks accepted"
    )
    yield Row(
        "minutes for each accepted km2 of ground", cost.minutes_per_km2, "min", f"{cost.accepted_km2:.1f} km2; {told}"
    )
    beside = f"{cost.labeled_km2:.2f} km2 of burn scar on it"
    yield Row("minutes for each accepted km2 of labels", cost.minutes_per_labeled_km2, "min", beside)
    yield Row("cost of each accepted km2 of ground", cost.money_per_km2, "EUR", "30 EUR an hour")
