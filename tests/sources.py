"""Change indices as sources for the stream, and tables that must be the same to the last bit."""

import threading
from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class ArraySource:
    """An index in memory that is read window by window."""

    values: np.ndarray
    block: tuple[int, int] = (16, 16)
    units: str = "x1"
    name: str = "dnbr"
    digest: str = "an array"

    @property
    def shape(self):
        return self.values.shape

    def read(self, rows, cols):
        return self.values[rows, cols]


@dataclass(frozen=True)
class CountedSource(ArraySource):
    """The same, and how often each block was touched."""

    touched: dict = field(default_factory=dict)
    lock: object = field(default_factory=threading.Lock)

    def read(self, rows, cols):
        (height, width), (down, across) = self.shape, self.block
        with self.lock:
            for i in range(rows.start // down, -(-min(rows.stop, height) // down)):
                for j in range(cols.start // across, -(-min(cols.stop, width) // across)):
                    self.touched[i, j] = self.touched.get((i, j), 0) + 1
        return super().read(rows, cols)


def same(one, two):
    """Whether two tables are equal: every column, and every vertex in its order."""
    assert list(one.columns) == list(two.columns)
    assert one.crs == two.crs
    assert [g.wkb for g in one.geometry] == [g.wkb for g in two.geometry]
    assert one.attrs == two.attrs
    for name in one.columns.drop("geometry"):
        assert one[name].tolist() == two[name].tolist() or one[name].equals(two[name]), name
    return True


def scene(seed=0, shape=(300, 260)):
    """A smooth index with scars of every size, gaps and noise."""
    rng = np.random.default_rng(seed)
    index = ndimage.gaussian_filter(rng.normal(0, 1, shape), 6)
    index = (index / index.std() * 0.3 + rng.normal(0, 0.03, shape)).astype(np.float32)
    index[ndimage.gaussian_filter(rng.normal(0, 1, shape), 4) > 0.12] = np.nan
    return index
