"""Nets: a small U-Net whose output is a hazard per interval, so that P(burned by hour h) cannot fall as h grows.

Source: Ronneberger et al. (2015), U-Net; Gensheimer & Narasimhan (2019, PeerJ 7:e6257), a discrete-time survival model
for neural networks; Shi et al. (2016), pixel shuffle.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from geolabel.model.backend import torch

nn, F = torch.nn, torch.nn.functional
GAIN = 1.6
"""Keeps the size of the signal through a convolution and SiLU at the start of training."""
START_HAZARD = -3.0
"""Logit of the hazard of an untrained net: most cells do not burn."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a net is built from."""

    channels: int
    hours: int
    width: int = 16
    """Features at the finest level; each further level has twice as many."""
    levels: int = 3
    fold: int = 2
    """Edge of the square of cells that the first layer takes together: 2 is about three times faster than 1."""

    @property
    def multiple(self) -> int:
        """Cells that rows and columns are padded to a multiple of."""
        return int(self.fold * 2 ** (self.levels - 1))


class Block(nn.Module):  # type: ignore[name-defined,misc,unused-ignore]
    """Two 3x3 convolutions, each bent; not normalised, because the statistics of a window are not those of a grid."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Conv2d(inside, outside, 3, padding=1), nn.Conv2d(outside, outside, 3, padding=1)]
        )
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=GAIN / (9 * layer.in_channels) ** 0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Any) -> Any:
        """(n, outside, y, x)."""
        for layer in self.layers:
            x = F.silu(layer(x))
        return x


class SpreadNet(nn.Module):  # type: ignore[name-defined,misc,unused-ignore]
    """Logits of the hazard of each interval, and the mean vector of the direction of spread, for any rows and columns."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        widths = [shape.width * 2**i for i in range(shape.levels)]
        self.down = nn.ModuleList(
            Block(a, b) for a, b in zip([shape.channels * shape.fold**2, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(Block(a + b, a) for a, b in pairwise(widths))
        self.head = nn.Conv2d(widths[0], (shape.hours + 2) * shape.fold**2, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        self.head.bias.data[: shape.hours * shape.fold**2] = START_HAZARD

    def forward(self, x: Any) -> tuple[Any, Any]:
        """((n, hour, y, x) hazard logits, (n, 2, y, x) eastward and northward mean of the unit vector of spread TO)."""
        height, width = x.shape[-2:]
        x = self._walk(F.pad(x, (0, -width % self.shape.multiple, 0, -height % self.shape.multiple), mode="replicate"))
        x = x[..., :height, :width]
        return x[:, : self.shape.hours], x[:, self.shape.hours :]

    def _walk(self, x: Any) -> Any:
        x = F.pixel_unshuffle(x, self.shape.fold).contiguous(memory_format=torch.channels_last)
        kept = []
        for i, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if i else x)
            kept.append(x)
        for block, skip in zip(reversed(self.up), reversed(kept[:-1]), strict=True):
            x = block(torch.cat([skip, F.interpolate(x, scale_factor=2, mode="nearest")], 1))
        return F.pixel_shuffle(self.head(x), self.shape.fold)


def burned_by(hazard_logits: Any) -> Any:
    """P(burned by each hour) float64, 1 - prod(1 - hazard) over the intervals so far (axis 1): it never falls."""
    return -torch.expm1(-F.softplus(hazard_logits.double()).cumsum(1))
