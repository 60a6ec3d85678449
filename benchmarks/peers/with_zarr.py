"""zarr v3: random chips of a copy of the scene in chunks of 256 pixels, its default compression."""

import child
import places
import zarr


def chips(task):
    where = places.random(task)

    def work():
        scene = zarr.open_array(task["zarr"], mode="r")
        return places.batches(where, lambda row, col: scene[:, row : row + places.SIZE, col : col + places.SIZE])

    return work


if __name__ == "__main__":
    child.main({"chips": chips}, "zarr", "numcodecs")
