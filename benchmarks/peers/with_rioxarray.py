"""rioxarray: a lazy array of the file, one `isel` a chip."""

import child
import places
import rioxarray


def tiles(task):
    def work():
        with rioxarray.open_rasterio(task["paths"][0], cache=False) as scene:
            return places.walked(
                scene.isel(y=slice(r, r + h), x=slice(c, c + w)).values for r, c, h, w in places.tiles(task)
            )

    return work


if __name__ == "__main__":
    child.main({"tiles": tiles}, "rioxarray", "xarray", "rasterio")
