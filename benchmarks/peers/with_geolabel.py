"""geolabel as an analyst would call it, in its own environment."""

import shutil
import time

import child
import places
import scars

import geolabel as gl
from geolabel.dataset.cache import Cache
from geolabel.dataset.chips import walk_tiles
from geolabel.dataset.shuffle import random_chips


def scene_of(path):
    """The scene, calibrated as the generator wrote it."""
    return gl.open_scene(path, sensor="sentinel-2-l2a", at="2024-08-01", offset=-1000)


def tiles(task):
    """All tiles of the first rows: values (float32, NaN = no data), or DN as stored where the task says so."""

    scene_of(task["paths"][0])  # the front door imports when it is used: imports are not timed

    def work():
        scene = scene_of(task["paths"][0])
        some = [tile for tile in scene.grid.tiles(places.SIZE) if tile.row < task["rows"]]
        walked = walk_tiles(scene, some, threads=task["threads"], dn=task.get("dn", False), order="blocks")
        return places.walked(pixels for _, pixels in walked)

    return work


def drawn(task, source):
    """Random chips from the first to the last, with the seconds until the first batch was there."""
    begun, first_s, count, total = time.perf_counter(), 0.0, 0, 0
    told = {"seed": task.get("seed", 0), "count": task["chips"], "threads": task["threads"]}
    for _, batch in random_chips(source, places.SIZE, places.BATCH, dn=task.get("dn", False), **told):
        first_s = first_s or time.perf_counter() - begun
        count, total = count + len(batch), total + float(batch[:, 0, 0, 0].sum())
    return {"count": count, "checksum": total, "first_s": first_s}


def chips(task):
    """Random chips straight from the file, by block shuffle."""
    scene_of(task["paths"][0])
    return lambda: drawn(task, scene_of(task["paths"][0]))


def prepare(task):
    """The cache that `chips cache` draws from, made afresh: the one-off decode."""
    scene_of(task["paths"][0])

    def work():
        shutil.rmtree(task["cache"], ignore_errors=True)
        Cache.prepare(scene_of(task["paths"][0]), task["cache"], threads=task["threads"])
        return {"count": 1}

    return work


def chips_cache(task):
    """Random chips from the prepared cache."""
    return lambda: drawn(task, Cache.open(task["cache"]))


def burned(task):
    """Burn scars of the pair, one polygon a scar."""
    from geolabel.steps.rule import RuleOptions

    options = RuleOptions(min_burned_ha=scars.MIN_PIXELS / 100, offset=0)  # as the peers
    for path in task["paths"]:
        scene_of(path)

    def work():
        before, after = (scene_of(path) for path in task["paths"])
        found = gl.burned(before, after, severity=False, threads=task["threads"], options=options)
        return scars.answer(found.geometry.values)

    return work


if __name__ == "__main__":
    tasks = {"tiles": tiles, "chips": chips, "prepare cache": prepare, "chips cache": chips_cache, "burned": burned}
    child.main(tasks, "rasterio", "numpy")
