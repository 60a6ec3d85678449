"""Many fires: a thousand of a day on a large mosaic, and whether their spread is that of the truth."""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks import campaign, front
from benchmarks.evidence import Row, row

FIRES, WALL_S, RSS_MB = 1000, 60.0, 500.0
PEER = os.environ.get("PYRETECHNICS_PYTHON")
"""Interpreter of an environment that has pyretechnics, which does not build beside numpy 2."""
KIN = ("src/geolabel/fire/campaign", "src/geolabel/fire/front", "benchmarks/campaign.py")


@row(*KIN, long=True)
def thousand() -> Iterator[Row]:
    """1,000 fires x 24 h on 1000 x 1000 cells of 30 m, wind by the hour, random ignitions, two threads."""
    ground, air = campaign.mosaic(), campaign.weather()
    campaign.run(ground, air, fires=2, threads=2)  # what compiles takes memory too
    done = campaign.alone(fires=FIRES, threads=2)
    beside = f"{1e3 * done['cpu_s'] / FIRES:.0f} ms CPU a fire, {done['cells']:.0f} burned cells a fire, {done['mcells_s']:.2f} Mcells/s"
    name = "1,000 fires x 24 h on 1000 x 1000"
    wall, memory = done["wall_s"], done["peak_mb"]
    yield Row(f"{name}: wall time", wall, "s", beside, f"< {WALL_S:g} s on two cores", wall < WALL_S)
    yield Row(f"{name}: peak RSS", memory, "MB", "the whole process", f"< {RSS_MB:g} MB", memory < RSS_MB)
    yield Row(f"{name}: largest Monte-Carlo error of a share", done["error"], "", f"largest share {done['share']:.3f}")
    same = {campaign.run(ground, air, fires=40, threads=n).digest for n in (1, 2, 3)}
    yield Row(
        "campaign: different results on 1, 2 and 3 threads", len(same) - 1, "", "to the last bit", "0", len(same) == 1
    )
    if PEER is None:
        yield Row(
            "campaign: times faster than pyretechnics", None, "", "PYRETECHNICS_PYTHON names no interpreter", ">= 50"
        )
        return
    both = campaign.beside(ground, air, 20, python=PEER)
    words = (
        f"the same 20 fires, CPU: {1e3 * both.cpu_s.mean():.0f} ms against {1e3 * both.peer_cpu_s.mean():.0f} ms a fire; "
        f"burned cells {both.cells.mean():.0f} against {both.peer_cells.mean():.0f}"
    )
    yield Row("campaign: times faster than pyretechnics", both.ratio, "", words, ">= 50", both.ratio >= 50)


@row(*KIN, "src/geolabel/fire/campaign/skill.py", long=True)
def skill() -> Iterator[Row]:
    """Spread over error of ensembles whose truths are drawn from the same uncertainty, and from twice as much."""
    for times, goal in ((1.0, "1 within its interval"), (2.0, "below 1: it must be seen")):
        told = campaign.skill(times)
        low, high = told.ratio_interval()
        good = low <= 1 <= high if times == 1 else high < 1
        beside = (
            f"{low:.2f} to {high:.2f}; outer ranks {told.outer_ranks:.2f} (.20 is right); CRPS {told.crps_min:.1f} min"
        )
        yield Row(
            f"ensemble: spread over error, truths of {times:g} x the uncertainty", told.ratio, "", beside, goal, good
        )


@row(*KIN, "benchmarks/front.py", needs="../reference/front", long=True)
def speed() -> Iterator[Row]:
    """CPU time of one fire on the reference mosaic beside pyretechnics, same run, same machine, one thread."""
    import numpy as np

    with np.load(front.REFERENCE) as file:
        mosaic = {name: np.ascontiguousarray(values) for name, values in file.items()}
    mosaic["aspect_rad"] = np.radians(mosaic["aspect"])
    ground = front.landscape(mosaic)
    ours = {setting: front.speeds(mosaic, ground, setting)[1] for setting in front.GOALS}
    theirs = front.peer(mosaic, PEER) if PEER else None
    for setting, cases in ours.items():
        for case, (best, median) in cases.items():
            name, beside = f"one fire, {setting}, {case}", f"median {median:.1f} ms"
            if theirs is None:
                yield Row(f"{name}: CPU time, best", best, "ms", f"{beside}; PYRETECHNICS_PYTHON names no interpreter")
                continue
            peer = theirs["constant" if case == "given fields" else case][0]
            ratio, goal = peer / best, front.GOALS[setting]
            words = f"{best:.1f} ms best, {beside}; pyretechnics {peer:.0f} ms"
            yield Row(f"{name}: times faster than pyretechnics", ratio, "", words, f">= {goal}", ratio >= goal)
