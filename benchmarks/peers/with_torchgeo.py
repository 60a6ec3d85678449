"""torchgeo: a RasterDataset with its grid and random samplers, through a DataLoader in batches of 16."""

import absent

absent.pretend("torchvision")

import child  # noqa: E402
import places  # noqa: E402
import shapely  # noqa: E402
import torch  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402
from torchgeo.datasets import RasterDataset, stack_samples  # noqa: E402
from torchgeo.samplers import GridGeoSampler, RandomGeoSampler  # noqa: E402


class Scene(RasterDataset):
    """One file, all bands."""

    filename_glob = "*.tif"
    separate_files = False


def loaded(dataset, sampler, workers):
    count = total = 0
    for batch in DataLoader(
        dataset, batch_size=places.BATCH, sampler=sampler, num_workers=workers, collate_fn=stack_samples
    ):
        count, total = count + len(batch["image"]), total + int(batch["image"][:, 0, 0, 0].sum())
    return {"count": count, "checksum": total}


def top_rows(dataset, task):
    """The ground of the first `rows` rows."""
    x, y, _ = dataset.bounds
    return shapely.box(x.start, y.stop - task["rows"] * dataset.res[1], x.stop, y.stop)


def tiles(task):
    def work():
        dataset = Scene(task["paths"][0])
        return loaded(dataset, GridGeoSampler(dataset, size=places.SIZE, roi=top_rows(dataset, task)), 0)

    return work


def chips(task):
    def work():
        dataset = Scene(task["paths"][0])
        seed = torch.Generator().manual_seed(task.get("seed", 0))
        sampler = RandomGeoSampler(dataset, size=places.SIZE, length=task["chips"], generator=seed)
        return loaded(dataset, sampler, task.get("workers", 0))

    return work


if __name__ == "__main__":
    child.main({"tiles": tiles, "chips": chips}, "torchgeo", "torch", "rasterio")
