"""Tiles: a network runs over an image piece by piece; each piece sees some of its surroundings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.models import Model
from teasel.models.roles import arrange
from teasel.representations import Fields

__all__ = ["TILE_PX", "predict", "spans"]

TILE_PX = 768
"""Edge of a tile unless one is asked for: a field of a usual camera is then one or two tiles."""

Progress = Callable[[int, int], None]


def spans(length: int, tile: int, halo: int, divisor: int) -> list[tuple[int, int, int]]:
    """Cut an axis into tiles.

    Parameters
    ----------
    length : int
        Pixels along the axis, a multiple of `divisor`.
    tile : int
        Largest tile, halo included.
    halo : int
        Pixels at each inner edge of a tile that are predicted and not kept.
    divisor : int
        Every number returned is a multiple of it.

    Returns
    -------
    list of (start, first, last)
        A tile begins at ``start`` and is as long as the tile (or the axis); pixels ``first .. last - 1`` are kept.
        The kept parts cover the axis once.

    Examples
    --------
    >>> spans(96, 64, 16, 16)
    [(0, 0, 48), (32, 48, 96)]
    """
    if length <= tile:
        return [(0, 0, length)]
    cells, inner = (length - 2 * halo) // divisor, (tile - 2 * halo) // divisor
    count = -(-cells // inner)
    result: list[tuple[int, int, int]] = []
    for i in range(count):
        start = min(i * inner, cells - inner) * divisor
        first = 0 if i == 0 else result[-1][2]
        last = length if i == count - 1 else start + halo + inner * divisor
        result.append((start, first, last))
    return result


def predict(
    model: Model, image: NDArray[np.float32], *, tile_px: int = TILE_PX, progress: Progress | None = None
) -> Fields:
    """Predict the fields of an image, tile by tile.

    Parameters
    ----------
    model : Model
        A loaded model.
    image : ndarray of float32, shape (c, [z,] y, x)
        Normalised and at the model's object size; c is 1, the model's ``in_channels`` or one per role.
    tile_px : int
        Edge of a tile in pixels, halo included. Larger tiles need more memory; results do not depend on it but for
        what lies outside the network's field of view.
    progress : callable, optional
        Called as ``progress(tiles done, tiles in all)``.

    Returns
    -------
    dict of str to ndarray of float32
        One ``(channel, [z,] y, x)`` array per head, on its grid, activations applied.

    Raises
    ------
    ParameterError
        If the tile is not larger than twice the halo.
    """
    spec = model.spec
    divisor, halo = spec.divisor, -(-spec.halo_px // spec.divisor) * spec.divisor
    tile = tile_px // divisor * divisor
    if tile <= 2 * halo:
        raise ParameterError(f"tile of {tile_px} px; model {model.name!r} needs more than {2 * halo} px")
    shape = image.shape[1:]
    padded = np.pad(image, [(0, 0), *((0, -n % divisor) for n in shape)], mode="symmetric")
    heads = {h.name: h for h in spec.heads}
    fields = {h.name: np.empty((h.channels, *(-(-n // h.stride) for n in shape)), np.float32) for h in heads.values()}
    tiles = list(product(*(spans(n, tile, halo, divisor) for n in padded.shape[1:])))
    for done, window in enumerate(tiles, start=1):
        piece = padded[(slice(None), *(slice(start, start + tile) for start, _, _ in window))]
        batch = arrange(piece, spec.roles, spec.in_channels)[None]
        for name, values in model.run(batch).items():
            target, source = zip(*_slices(window, heads[name].stride, fields[name].shape[1:]), strict=True)
            fields[name][(slice(None), *target)] = values[0][(slice(None), *source)]
        if progress is not None:
            progress(done, len(tiles))
    return fields


def _slices(
    window: tuple[tuple[int, int, int], ...], stride: int, shape: tuple[int, ...]
) -> Iterator[tuple[slice, slice]]:
    """Yield, per axis, where a tile's kept cells go and where in the tile they lie, on a head's grid."""
    for (start, first, last), n in zip(window, shape, strict=True):
        a, b = first // stride, min(last // stride, n)
        yield slice(a, b), slice(a - start // stride, b - start // stride)
