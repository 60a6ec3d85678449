"""rastervision: chips of a RasterioSource (it gives y, x, band)."""

import absent

absent.pretend("torchvision", "rastervision.pytorch_learner", "albumentations", "triangle")

import child  # noqa: E402
import places  # noqa: E402
from rastervision.core.box import Box  # noqa: E402
from rastervision.core.data import RasterioSource  # noqa: E402


def reader(path):
    source = RasterioSource(path, channel_order=list(range(6)))

    def read(row, col, height=places.SIZE, width=places.SIZE):
        return source.get_chip(Box(row, col, row + height, col + width)).transpose(2, 0, 1)

    return read


def tiles(task):
    def work():
        read = reader(task["paths"][0])
        return places.walked(read(*place) for place in places.tiles(task))

    return work


def chips(task):
    where = places.random(task)

    def work():
        return places.batches(where, reader(task["paths"][0]))

    return work


if __name__ == "__main__":
    child.main({"tiles": tiles, "chips": chips}, "rastervision-core", "rasterio")
