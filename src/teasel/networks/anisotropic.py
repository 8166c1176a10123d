"""A residual U-Net for volumes whose planes are finer than their steps: each level shrinks each axis as it should.

The first convolution halves the planes only, so that thin membranes keep their place from plane to plane; residual
blocks have one convolution within planes and one across them, at a third less arithmetic than two across.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from teasel.errors import ParameterError

__all__ = ["Anisotropic"]

Steps = Sequence[Sequence[int]]


class Block(nn.Module):
    """A convolution within planes and one across, with batch normalisation, added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(width, width, (1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
            nn.Conv3d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm3d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return ``relu(x + body(x))``, same shape."""
        return torch.relu(x + self.body(x))


class Rise(nn.Module):
    """One step of the decoder: fewer channels, back to the finer grid, plus the encoder's features there."""

    def __init__(self, below: int, width: int, step: Sequence[int]) -> None:
        super().__init__()
        self.narrow = nn.Sequential(nn.Conv3d(below, width, 1, bias=False), nn.BatchNorm3d(width))
        self.grow = nn.Upsample(scale_factor=tuple(float(s) for s in step), mode="nearest")
        self.block = Block(width)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Take the coarser features and the skip; give features on the skip's grid."""
        return self.block(torch.relu(self.grow(self.narrow(x)) + skip))


class Anisotropic(nn.Module):
    """A residual U-Net for volumes, with steps per axis and any heads at full resolution.

    Parameters
    ----------
    in_channels : int
        Channels of the image.
    heads : sequence of mapping
        One ``{"name": str, "channels": int, "stride": 1}`` per head.
    widths : sequence of int
        Channels per level, finest first.
    steps : sequence of (int, int, int)
        How much the image shrinks along z, y and x before each level, 1 or 2 each.
    blocks : int
        Residual blocks per level of the encoder.

    Raises
    ------
    ParameterError
        If widths and steps differ in number, or a head has another stride than 1.

    Notes
    -----
    Normalisation is by batch statistics kept from training: what a voxel is told does not depend on the tile it is
    in, beyond the field of view. Sizes of the image must be multiples of `divisor`, along every axis.

    References
    ----------
    Lee et al. 2017, arXiv:1706.00120 (anisotropic residual U-Net for electron microscopy)

    Examples
    --------
    >>> network = Anisotropic(1, [{"name": "affinity", "channels": 3, "stride": 1}], widths=(4, 6))
    >>> network(torch.zeros(1, 1, 8, 16, 16))["affinity"].shape
    torch.Size([1, 3, 8, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        heads: Sequence[Mapping[str, Any]],
        *,
        widths: Sequence[int] = (16, 32, 64, 96),
        steps: Steps = ((1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2)),
        blocks: int = 1,
    ) -> None:
        super().__init__()
        steps = [tuple(step) for step in steps][: len(widths)]
        if len(steps) != len(widths) or any(len(s) != 3 or not set(s) <= {1, 2} for s in steps):
            raise ParameterError(
                f"widths {tuple(widths)}, steps {steps}; expected as many steps, 1 or 2 along each axis"
            )
        if any(head["stride"] != 1 for head in heads):
            raise ParameterError("this network has heads of stride 1 only")
        self.divisor = max(2 ** sum(s[axis] == 2 for s in steps) for axis in range(3))
        strides = [_triple(step) for step in steps]
        kernel = _triple([3 if s == 1 else 6 for s in steps[0]])
        padding = _triple([1 if s == 1 else 2 for s in steps[0]])
        self.stem = nn.Sequential(
            nn.Conv3d(in_channels, widths[0], kernel, stride=strides[0], padding=padding, bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.encoder = nn.ModuleList(nn.Sequential(*(Block(width) for _ in range(blocks))) for width in widths)
        self.down = nn.ModuleList(
            nn.Sequential(
                nn.Conv3d(fine, coarse, step, stride=step, bias=False), nn.BatchNorm3d(coarse), nn.ReLU(inplace=True)
            )
            for (fine, coarse), step in zip(pairwise(widths), strides[1:], strict=True)
        )
        self.decoder = nn.ModuleList(
            Rise(coarse, fine, step) for (fine, coarse), step in zip(pairwise(widths), strides[1:], strict=True)
        )
        self.heads = nn.ModuleDict(
            {h["name"]: nn.ConvTranspose3d(widths[0], h["channels"], strides[0], stride=strides[0]) for h in heads}
        )

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Compute every head.

        Parameters
        ----------
        image : Tensor, shape (n, in_channels, z, y, x)
            Normalised; sizes are multiples of `divisor`.

        Returns
        -------
        dict of str to Tensor
            ``(n, channels, z, y, x)`` per head, before activation.
        """
        x = self.stem(image)
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else self.down[level - 1](x))
            skips.append(x)
        for level in reversed(range(len(self.decoder))):
            x = self.decoder[level](x, skips[level])
        return {name: head(x) for name, head in self.heads.items()}


def _triple(values: Sequence[int]) -> tuple[int, int, int]:
    """Return three numbers as the tuple that torch wants."""
    z, y, x = values
    return z, y, x
