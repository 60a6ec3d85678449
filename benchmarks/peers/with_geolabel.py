"""geolabel as an analyst would call it, in its own environment."""

import child
import places
import scars

import geolabel as gl
from geolabel.dataset.chips import walk_tiles


def scene_of(path):
    """The scene, calibrated as the generator wrote it."""
    return gl.open_scene(path, sensor="sentinel-2-l2a", at="2024-08-01", offset=-1000)


def tiles(task):
    """All tiles of the first rows: values (float32, NaN = no data), or DN as stored where the task says so."""

    scene_of(task["paths"][0])  # the front door imports when it is used: imports are not timed

    def work():
        scene = scene_of(task["paths"][0])
        some = [tile for tile in scene.grid.tiles(places.SIZE) if tile.row < task["rows"]]
        walked = walk_tiles(scene, some, threads=task["threads"], dn=task.get("dn", False))
        return places.walked(pixels for _, pixels in walked)

    return work


def burned(task):
    """Burn scars of the pair, one polygon a scar."""
    from geolabel.steps.rules import RuleOptions

    options = RuleOptions(min_burned_ha=scars.MIN_PIXELS / 100)
    for path in task["paths"]:
        scene_of(path)

    def work():
        before, after = (scene_of(path) for path in task["paths"])
        found = gl.burned(before, after, severity=False, threads=task["threads"], options=options)
        return scars.answer(found.geometry.values)

    return work


if __name__ == "__main__":
    child.main({"tiles": tiles, "burned": burned}, "rasterio", "numpy")
