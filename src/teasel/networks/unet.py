"""A residual U-Net that computes at half resolution and recovers full resolution in its heads.

Full-resolution convolutions are where most segmentation networks spend two thirds of their arithmetic. Here the first
convolution halves the resolution, and heads of stride 1 spread each half-resolution feature over its 2 x 2 pixels
(a transposed convolution of kernel 2, stride 2, which is sub-pixel convolution in any number of dimensions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from teasel.errors import ParameterError

__all__ = ["UNet"]

CONV = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
NORM = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation, added to their input."""

    def __init__(self, width: int, ndim: int) -> None:
        super().__init__()
        conv, norm = CONV[ndim], NORM[ndim]
        self.body = nn.Sequential(
            conv(width, width, 3, padding=1, bias=False),
            norm(width),
            nn.ReLU(inplace=True),
            conv(width, width, 3, padding=1, bias=False),
            norm(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return ``relu(x + body(x))``, same shape."""
        return torch.relu(x + self.body(x))


class Rise(nn.Module):
    """One step of the decoder: fewer channels, twice the resolution, plus the encoder's features of that level."""

    def __init__(self, below: int, width: int, ndim: int) -> None:
        super().__init__()
        self.narrow = nn.Sequential(CONV[ndim](below, width, 1, bias=False), NORM[ndim](width))
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")
        self.block = ResidualBlock(width, ndim)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Take ``(n, below, h, w)`` and the skip ``(n, width, 2h, 2w)``; give ``(n, width, 2h, 2w)``."""
        return self.block(torch.relu(self.grow(self.narrow(x)) + skip))


class UNet(nn.Module):
    """A residual U-Net whose finest features live at half resolution, with any heads on top.

    Parameters
    ----------
    in_channels : int
        Channels of the image.
    heads : sequence of mapping
        One ``{"name": str, "channels": int, "stride": int}`` per head; strides 1, 2 (finest features), 4, ...
    widths : sequence of int
        Channels at strides 2, 4, 8, ...
    blocks : sequence of int
        Residual blocks per encoder level, as many as `widths`.
    ndim : int
        2 or 3 spatial dimensions.

    Raises
    ------
    ParameterError
        If `widths` and `blocks` differ in length or a head's stride is not one of the network's.

    Notes
    -----
    Each spatial size of the image must be a multiple of ``2 ** len(widths)``.

    References
    ----------
    Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28 (U-Net); He et al. 2016, doi:10.1109/CVPR.2016.90
    (residual blocks); Shi et al. 2016, doi:10.1109/CVPR.2016.207 (sub-pixel convolution).

    Examples
    --------
    >>> network = UNet(3, [{"name": "foreground", "channels": 1, "stride": 1}], widths=(8, 16), blocks=(1, 1))
    >>> network(torch.zeros(1, 3, 32, 32))["foreground"].shape
    torch.Size([1, 1, 32, 32])
    """

    def __init__(
        self,
        in_channels: int,
        heads: Sequence[Mapping[str, Any]],
        *,
        widths: Sequence[int] = (32, 64, 128, 192),
        blocks: Sequence[int] = (1, 1, 2, 2),
        ndim: int = 2,
    ) -> None:
        super().__init__()
        if len(widths) != len(blocks):
            raise ParameterError(f"{len(widths)} widths and {len(blocks)} block counts; give one count per width")
        conv, norm = CONV[ndim], NORM[ndim]
        levels = [2 ** (i + 1) for i in range(len(widths))]
        self.divisor = levels[-1]
        self.stem = nn.Sequential(
            conv(in_channels, widths[0], 6, stride=2, padding=2, bias=False), norm(widths[0]), nn.ReLU(inplace=True)
        )
        self.encoder = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(width, ndim) for _ in range(count)))
            for width, count in zip(widths, blocks, strict=True)
        )
        self.down = nn.ModuleList(
            nn.Sequential(conv(fine, coarse, 2, stride=2, bias=False), norm(coarse), nn.ReLU(inplace=True))
            for fine, coarse in pairwise(widths)
        )
        self.decoder = nn.ModuleList(Rise(coarse, fine, ndim) for fine, coarse in pairwise(widths))
        self.heads = nn.ModuleDict()
        self.level_of: dict[str, int] = {}
        for head in heads:
            name, channels, stride = head["name"], head["channels"], head["stride"]
            if stride != 1 and stride not in levels:
                raise ParameterError(f"head {name!r} has stride {stride}; this network has {[1, *levels]}")
            level = 0 if stride == 1 else levels.index(stride)
            self.level_of[name] = level
            self.heads[name] = (
                TRANSPOSED[ndim](widths[0], channels, 2, stride=2) if stride == 1 else conv(widths[level], channels, 1)
            )

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Compute every head.

        Parameters
        ----------
        image : Tensor, shape (n, in_channels, [z,] y, x)
            Normalised image; spatial sizes are multiples of `divisor`.

        Returns
        -------
        dict of str to Tensor
            ``(n, channels, [z/s,] y/s, x/s)`` per head of stride ``s``, before activation.
        """
        x = self.stem(image)
        skips = []
        for level, encode in enumerate(self.encoder):
            x = encode(x if level == 0 else self.down[level - 1](x))
            skips.append(x)
        features = [x]
        for level in reversed(range(len(self.decoder))):
            x = self.decoder[level](x, skips[level])
            features.insert(0, x)
        return {name: head(features[self.level_of[name]]) for name, head in self.heads.items()}
