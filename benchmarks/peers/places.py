"""Where the chips lie that every program reads: the same tiles, and the same random places from a seed."""

import numpy as np

SIZE, BATCH = 256, 16


def tiles(task):
    """(row, col, height, width) of all tiles of the first `rows` rows, edge tiles kept."""
    rows, size = task["rows"], task["size"]
    return [
        (r, c, min(SIZE, rows - r), min(SIZE, size - c)) for r in range(0, rows, SIZE) for c in range(0, size, SIZE)
    ]


def random(task):
    """(n, 2) row and col of random chips, the same in every program."""
    return np.random.default_rng(task.get("seed", 0)).integers(0, task["size"] - SIZE, (task["chips"], 2)).tolist()


def batches(chips, read):
    """Count and checksum of all chips, in batches of (16, band, 256, 256)."""
    count = total = 0
    for start in range(0, len(chips), BATCH):
        batch = np.stack([read(row, col) for row, col in chips[start : start + BATCH]])
        count, total = count + len(batch), total + int(batch[:, 0, 0, 0].sum(dtype=np.int64))
    return {"count": count, "checksum": total}


def walked(chips):
    """Count and checksum of an iterable of (band, y, x) arrays."""
    count = total = 0
    for chip in chips:
        count, total = count + 1, total + int(chip[0, 0, 0])
    return {"count": count, "checksum": total}
