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
GROUP = 8
"""Channels that GroupNorm scales together."""
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
    """Two 3x3 convolutions, each normalised and bent."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(max(1, outside // GROUP), outside)
        self.second = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(max(1, outside // GROUP), outside)

    def forward(self, x: Any) -> Any:
        """(n, outside, y, x)."""
        x = F.silu(self.first_norm(self.first(x)))
        return F.silu(self.second_norm(self.second(x)))


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
        x, kept = F.pixel_unshuffle(x, self.shape.fold), []
        for i, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if i else x)
            kept.append(x)
        for block, skip in zip(reversed(self.up), reversed(kept[:-1]), strict=True):
            x = block(torch.cat([skip, F.interpolate(x, scale_factor=2, mode="nearest")], 1))
        return F.pixel_shuffle(self.head(x), self.shape.fold)


def burned_by(hazard_logits: Any) -> Any:
    """P(burned by each hour) float64, 1 - prod(1 - hazard) over the intervals so far (axis 1): it never falls."""
    return -torch.expm1(-F.softplus(hazard_logits.double()).cumsum(1))
