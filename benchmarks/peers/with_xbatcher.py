"""xbatcher over a dask-backed rioxarray, chunks of the stored blocks; it leaves edge tiles out."""

import child
import places
import rioxarray
import xbatcher


def tiles(task):
    def work():
        chunks = {"x": 512, "y": 512}
        scene = rioxarray.open_rasterio(task["paths"][0], chunks=chunks, lock=False).isel(y=slice(0, task["rows"]))
        batches = xbatcher.BatchGenerator(scene, input_dims={"y": places.SIZE, "x": places.SIZE})
        return places.walked(batch.transpose("band", "y", "x").values for batch in batches)

    return work


if __name__ == "__main__":
    child.main({"tiles": tiles}, "xbatcher", "dask", "rioxarray", "xarray", "rasterio")
