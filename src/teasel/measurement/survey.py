"""Facts of the whole image that some families need: the range of grey values, and Costes' thresholds.

Always gathered in the same blocks, whatever the tiles, so that they come out the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.measurement.scan import blocks_of

__all__ = ["costes_thresholds", "grey_ranges"]

_EDGE = {2: 1024, 3: 128}
_STEPS = 255  # between black and white, where the type of the image has no steps of its own

Reader = Callable[[int, tuple[slice, ...]], NDArray[Any]]
Range = tuple[float, float]


def grey_ranges(
    read: Reader, shape: Sequence[int], dtype: np.dtype[Any], channels: Sequence[str]
) -> tuple[tuple[Range, ...], tuple[str, ...]]:
    """Return the values that stand for black and white in each channel, and what is to be said about them.

    Parameters
    ----------
    read : callable
        Reads a channel, by its place in `channels`, of a block.
    shape : sequence of int
        Of the frame.
    dtype : dtype
        Of the image.
    channels : sequence of str
        Names, for the notes.

    Notes
    -----
    Integers of 8 and 16 bits: the range of the type, as in CellProfiler. Floats: 0 to 1 if all values lie in it.
    Anything else: the least and the greatest value of the channel.
    """
    ranges: list[Range] = []
    notes = []
    for number, name in enumerate(channels):
        low, high = _extremes(read, shape, number)
        if dtype.kind in "iub" and dtype.itemsize <= 2:
            black, white = 0.0, float(np.iinfo(dtype).max) if dtype.kind != "b" else 1.0
        elif dtype.kind == "f" and low >= 0 and high <= 1:
            black, white = 0.0, 1.0
        else:
            black, white = low, high
            notes.append(
                f"channel {name}: texture takes its least and greatest value, {low:g} and {high:g}, as the range"
            )
        if 8 * high < white:
            notes.append(
                f"channel {name} has values up to {high:g} of {white:g}, so that texture sees few of its grey levels; "
                "give it another range for more (--grey-range; grey_range= of the family texture)"
            )
        ranges.append((black, white))
    return tuple(ranges), tuple(notes)


def costes_thresholds(
    read: Reader, shape: Sequence[int], dtype: np.dtype[Any], n_channels: int
) -> dict[tuple[int, int], Range]:
    """Find, for each pair of channels, the intensities below which they no longer correlate.

    Along the line of orthogonal regression the thresholds go down, step by step, until Pearson's correlation of the
    voxels below either of them is 0 or less.

    Notes
    -----
    One step is one grey value for integers, and 1/255 of the range for floats. Each voxel falls below the thresholds
    at one certain step, so that one look at it serves all steps. Infinite where the channels have no rising line.

    References
    ----------
    Costes et al., Automatic and quantitative measurement of protein-protein colocalization in live cells (2004),
    doi:10.1529/biophysj.103.038422.
    """
    pairs = list(combinations(range(n_channels), 2))
    lines = {pair: _Moments() for pair in pairs}
    tops = [-np.inf] * n_channels
    for block in blocks_of(shape, _EDGE[len(shape)]):
        values = [read(c, block).astype(np.float64).ravel() for c in range(n_channels)]
        tops = [max(top, float(v.max())) for top, v in zip(tops, values, strict=True)]
        for i, j in pairs:
            lit = (values[i] > 0) | (values[j] > 0)
            lines[i, j].add(values[i][lit], values[j][lit])
    steps = {pair: _Descent(lines[pair], (tops[pair[0]], tops[pair[1]]), dtype) for pair in pairs}
    for block in blocks_of(shape, _EDGE[len(shape)]) if any(step.rises for step in steps.values()) else ():
        values = [read(c, block).astype(np.float64).ravel() for c in range(n_channels)]
        for (i, j), step in steps.items():
            if step.rises:
                step.add(values[i], values[j])
    return {pair: step.thresholds() for pair, step in steps.items()}


def _extremes(read: Reader, shape: Sequence[int], channel: int) -> Range:
    low, high = np.inf, -np.inf
    for block in blocks_of(shape, _EDGE[len(shape)]):
        values = read(channel, block)
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    return low, high


@dataclass
class _Moments:
    """Sums over pairs of values, and the line of orthogonal regression through them."""

    n: int = 0
    x: float = 0.0
    y: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    xy: float = 0.0

    def add(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        self.n += len(x)
        self.x, self.y = self.x + float(x.sum()), self.y + float(y.sum())
        self.xx, self.yy = self.xx + float((x * x).sum()), self.yy + float((y * y).sum())
        self.xy += float((x * y).sum())

    def line(self) -> tuple[float, float] | None:
        """Return slope and intercept; None if the line does not rise."""
        if self.n < 2:
            return None
        mean_x, mean_y = self.x / self.n, self.y / self.n
        spread_x, spread_y = self.xx / self.n - mean_x**2, self.yy / self.n - mean_y**2
        common = self.xy / self.n - mean_x * mean_y
        if common <= 1e-12 * np.sqrt(max(spread_x, 0) * max(spread_y, 0)) or common <= 0:
            return None
        tilt = spread_y - spread_x
        slope = float((tilt + np.sqrt(tilt**2 + 4 * common**2)) / (2 * common))
        return slope, mean_y - slope * mean_x


class _Descent:
    """The way down the line: sums of the voxels that fall below the thresholds at each step."""

    def __init__(self, moments: _Moments, tops: Range, dtype: np.dtype[Any]) -> None:
        line = moments.line()
        self.rises = line is not None
        self.slope, self.base = line or (0.0, 0.0)
        self.tops = tops
        top = max(tops)
        self.step = 1.0 if dtype.kind in "iu" and dtype.itemsize <= 2 else (1.0 if top <= 1 else top) / _STEPS
        self.highest = int(max(top, 0) // self.step) + 1
        self.sums = np.zeros((6, self.highest + 2)) if self.rises else np.zeros((6, 0))

    def add(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Count each pair at the lowest step at which it is below a threshold."""
        edge = np.minimum(x, (y - self.base) / self.slope)
        at = np.clip(np.floor(edge / self.step).astype(np.int64) + 1, 0, self.highest + 1)
        for row, weight in enumerate((None, x, y, x * x, y * y, x * y)):
            self.sums[row] += np.bincount(at, weight, minlength=self.highest + 2)

    def thresholds(self) -> Range:
        """Go down until the voxels below no longer correlate."""
        if not self.rises:
            return np.inf, np.inf
        n, x, y, xx, yy, xy = np.cumsum(self.sums, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = (n * xy - x * y) / (np.sqrt(n * xx - x * x) * np.sqrt(n * yy - y * y))
        at = self.highest
        while at > 1 and at * self.step > self.tops[0] and self._other(at) > self.tops[1]:
            at -= 1
        lowest = at
        while at > 1:
            lowest = at
            if correlation[at] <= 0 or n[at] < 2:
                break
            at -= 1
        return lowest * self.step, self._other(lowest)

    def _other(self, at: int) -> float:
        return self.slope * at * self.step + self.base
