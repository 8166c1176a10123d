"""How strong the answer of a filter is where there are no spots: a coarse map over the whole image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.source import Source

__all__ = ["NoiseMap", "block_deviations"]

TO_DEVIATION = 1.4826
FLOOR = 0.2


def block_deviations(response: NDArray[np.float32], block: Sequence[int]) -> NDArray[np.float32]:
    """Return 1.4826 times the median absolute value in each block; blocks at the end may be shorter.

    Parameters
    ----------
    response : ndarray of float32, shape ([z,] y, x)
        Answer of a filter whose mean over noise is 0.
    block : sequence of int
        Edge lengths.

    Examples
    --------
    >>> block_deviations(np.full((4, 6), -2.0, np.float32), (4, 4)).shape
    (1, 2)
    """
    shape = tuple(-(-n // b) for n, b in zip(response.shape, block, strict=True))
    padding = [(0, m * b - n) for n, m, b in zip(response.shape, shape, block, strict=True)]
    padded = np.pad(np.abs(response), padding, constant_values=np.nan)
    split = padded.reshape([k for m, b in zip(shape, block, strict=True) for k in (m, b)])
    ndim = response.ndim
    last = split.transpose([*range(0, 2 * ndim, 2), *range(1, 2 * ndim, 2)]).reshape(*shape, -1)
    full = ~np.isnan(last[..., -1])
    result = np.empty(shape, np.float32)
    result[full] = np.median(last[full], axis=-1)
    result[~full] = np.nanmedian(last[~full], axis=-1) if (~full).any() else 0
    return result * np.float32(TO_DEVIATION)


@dataclass(frozen=True, eq=False)
class NoiseMap:
    """Standard deviation of a filter's answer over the image, as a coarse grid.

    Parameters
    ----------
    grid : ndarray of float32
        One value per block.
    block : tuple of int
        Edge lengths of a block in pixels.
    """

    grid: NDArray[np.float32]
    block: tuple[int, ...]

    @classmethod
    def of(
        cls,
        source: Source,
        respond: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        block: Sequence[int],
        tile: Sequence[int],
        margin: Sequence[int],
    ) -> NoiseMap:
        """Measure a whole image, tile by tile; the result does not depend on the size of tiles."""
        from scipy.ndimage import median_filter

        block = tuple(block)
        tile = [max(1, round(n / b)) * b for n, b in zip(tile, block, strict=True)]
        grid = np.zeros([-(-n // b) for n, b in zip(source.shape, block, strict=True)], np.float32)
        for part in source.tiles(tile, margin):
            response = respond(source.read(part.outer))[part.inside]
            place = tuple(slice(s.start // b, -(-s.stop // b)) for s, b in zip(part.inner, block, strict=True))
            grid[place] = block_deviations(response, block)
        smooth = median_filter(grid, 3, mode="nearest")
        return cls(np.maximum(smooth, FLOOR * float(np.median(smooth))), block)

    @property
    def typical(self) -> float:
        """Median over the image."""
        return float(np.median(self.grid))

    def at(self, pixels: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the deviation at pixels (n, ndim), interpolated between block centres."""
        from scipy.ndimage import map_coordinates

        place = (pixels + 0.5) / np.array(self.block) - 0.5
        return np.asarray(map_coordinates(self.grid.astype(np.float64), place.T, order=1, mode="nearest"))
