"""rasterio by hand: the limit (decoding), the loop most people write, and a pool of threads over stored blocks."""

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import child
import numpy as np
import places
import rasterio
from rasterio.windows import Window

BLOCK = 512
CACHE_MB = 64
"""GDAL's block cache: by default a twentieth of the memory, which says nothing about who decodes."""


def decode_whole(task):
    """Whole scene into one array, decoded by `threads` threads of GDAL."""

    def work():
        total = 0
        for path in task["paths"]:
            with rasterio.open(path, num_threads=task["threads"]) as file:
                total += int(file.read()[0, 0, 0])
        return {"count": len(task["paths"]), "checksum": total}

    return work


class Handles(threading.local):
    """One open file a thread and path."""

    def __init__(self):
        self.files = {}

    def of(self, path):
        if path not in self.files:
            self.files[path] = rasterio.open(path)
        return self.files[path]


def block_rows(task):
    """(path, row, col, height, width) of the stored blocks of the first `rows` rows."""
    rows, size = task["rows"], task["size"]
    for path in task["paths"]:
        for r in range(0, rows, BLOCK):
            for c in range(0, size, BLOCK):
                yield path, r, c, min(BLOCK, rows - r), min(BLOCK, size - c)


def pooled(task, work):
    """Results of `work(file, place)` over all blocks, by a pool of threads, few at a time in memory."""
    handles, threads = Handles(), task["threads"]

    def one(place):
        return work(handles.of(place[0]), place[1:])

    with ThreadPoolExecutor(threads) as pool:
        waiting = deque()
        for place in block_rows(task):
            waiting.append(pool.submit(one, place))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def window(place):
    row, col, height, width = place
    return Window(col, row, width, height)


def decode_blocks(task):
    """Every stored block decoded once by a pool of threads, nothing kept: the limit."""

    def work():
        with rasterio.Env(GDAL_CACHEMAX=CACHE_MB):
            total = sum(pooled(task, lambda file, place: int(file.read(window=window(place))[0, 0, 0])))
        return {"count": len(task["paths"]), "checksum": total}

    return work


def tiles_loop(task):
    """One handle, one window after another."""

    def work():
        with rasterio.open(task["paths"][0]) as file:
            return places.walked(file.read(window=window(place)) for place in places.tiles(task))

    return work


def tiles_pool(task):
    """Blocks by a pool of threads, cut into tiles."""

    def cut(file, place):
        pixels, size = file.read(window=window(place)), places.SIZE
        return [
            pixels[:, r : r + size, c : c + size] for r in range(0, place[2], size) for c in range(0, place[3], size)
        ]

    def work():
        with rasterio.Env(GDAL_CACHEMAX=CACHE_MB):
            return places.walked(tile for tiles in pooled(task, cut) for tile in tiles)

    return work


def chips(task):
    """Random chips, read one after another or by a pool of threads with a handle each."""
    where, path = places.random(task), task["paths"][0]

    def work():
        handles = Handles()

        def read(row, col):
            return handles.of(path).read(window=Window(col, row, places.SIZE, places.SIZE))

        if task["threads"] == 1:
            return places.batches(where, read)
        with ThreadPoolExecutor(task["threads"]) as pool:
            ready = pool.map(lambda place: read(*place), where)
            return places.batches(where, lambda *_: next(ready))

    return work


def memory_map(task):
    """Random chips of a raw copy of the scene on disk, (band, y, x), memory-mapped."""
    where = places.random(task)

    def work():
        scene = np.load(task["raw"], mmap_mode="r")
        return places.batches(where, lambda row, col: scene[:, row : row + places.SIZE, col : col + places.SIZE])

    return work


if __name__ == "__main__":
    child.main(
        {
            "decode whole": decode_whole,
            "decode blocks": decode_blocks,
            "tiles loop": tiles_loop,
            "tiles pool": tiles_pool,
            "chips": chips,
            "chips memory map": memory_map,
        },
        "rasterio",
        "numpy",
    )
