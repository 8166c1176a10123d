"""A stack, segmented by a network of stacks: stars are found tile by tile, chosen among and drawn once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ModelError, ParameterError
from teasel.inference.blocks import PlaneResult
from teasel.inference.predict import spans
from teasel.inference.resample import resample_part
from teasel.inference.stack import Stack
from teasel.models import Model
from teasel.models.roles import arrange
from teasel.representations.cleaning import clean
from teasel.representations.star import Star, Stars

__all__ = ["TILE_VX", "draw_stars", "find_stars", "look", "segment_stars"]

TILE_VX = 192
"""Edge of a tile unless one is asked for: a network of 32 channels at half the resolution then takes about 1.5 GB."""


def segment_stars(
    model: Model,
    stack: Stack,
    scale: float,
    *,
    tile_px: int = TILE_VX,
    progress: Callable[[int, int], None] | None = None,
) -> PlaneResult:
    """Find the objects of a stack.

    Parameters
    ----------
    model : Model
        A loaded model of stacks with the representation ``star``.
    stack : Stack
        The stack; its planes may be any distance apart.
    scale : float
        Network pixels per image pixel, along y and x; along z it is `scale` times the anisotropy, so that the network
        sees cubes.
    tile_px : int
        Edge of a network tile, halo included.
    progress : callable, optional
        Called as ``progress(done, total)`` in thousandths of the stack.

    Returns
    -------
    PlaneResult
        Labels (z, y, x) on the stack's own grid, the most probable object first, and scores.

    Raises
    ------
    ModelError
        If the model is none of stacks, or has another representation.
    ParameterError
        If the tile is not larger than twice the halo.

    Notes
    -----
    Tiles overlap by the model's halo, and each centre belongs to the tile that keeps its cell. What is kept of a tile
    is a few hundred numbers per object, so that all objects of the stack are compared with each other in one list:
    where tiles lie has no say in which objects stay. Polyhedra are drawn on the stack's grid, not the network's.
    Beyond the stack's labels (4 bytes per voxel) memory does not grow with the stack.

    References
    ----------
    Weigert et al. 2020, doi:10.1109/WACV45572.2020.9093435
    """
    scales = (scale * stack.anisotropy, scale, scale)
    found = find_stars(model, stack, scales, tile_px=tile_px, progress=progress)
    return draw_stars(_star(model), found, stack.shape, scales)


def find_stars(
    model: Model,
    stack: Stack,
    scales: tuple[float, ...],
    *,
    tile_px: int = TILE_VX,
    progress: Callable[[int, int], None] | None = None,
) -> Stars:
    """Find all candidates of a stack, in network pixels, most probable first; see `segment_stars`."""
    spec = model.spec
    halo = -(-spec.halo_px // spec.divisor) * spec.divisor
    tile = tile_px // spec.divisor * spec.divisor
    if tile <= 2 * halo:
        raise ParameterError(f"tile of {tile_px} px; model {model.name!r} needs more than {2 * halo} px")
    grid = tuple(max(1, round(n * s)) for n, s in zip(stack.shape, scales, strict=True))
    padded = [n + -n % spec.divisor for n in grid]
    tiles = list(product(*(spans(n, tile, halo, spec.divisor) for n in padded)))
    found = []
    for done, window in enumerate(tiles, start=1):
        area = [(start, min(start + tile, n)) for (start, _, _), n in zip(window, padded, strict=True)]
        stars = look(model, stack, scales, area)
        kept = np.ones(len(stars.scores), bool)
        for centre, (_, first, last), n in zip(stars.centres_px.T, window, grid, strict=True):
            kept &= (centre >= first) & (centre < min(last, n))
        found.append(stars.take(kept))
        if progress is not None:
            progress(1000 * done // len(tiles), 1000)
    return _by_probability(found)


def look(model: Model, stack: Stack, scales: tuple[float, ...], area: list[tuple[int, int]]) -> Stars:
    """Run the network over one area of its grid, from multiples of its divisor to others; find what may be objects."""
    star = _star(model)
    inner = [(a, min(b, max(a + 1, round(n * s)))) for (a, b), n, s in zip(area, stack.shape, scales, strict=True)]
    image = resample_part(stack.read, stack.shape, inner, scales)
    missing = [(0, b - end) for (_, b), (_, end) in zip(area, inner, strict=True)]
    image = np.pad(image, [(0, 0), *missing], mode="symmetric")
    batch = arrange(image, model.spec.roles, model.spec.in_channels)[None]
    stars = star.find_stars({name: values[0] for name, values in model.run(batch).items()})
    return Stars(stars.centres_px + [start for start, _ in area], stars.lengths_px, stars.scores)


def draw_stars(star: Star, stars: Stars, shape: tuple[int, ...], scales: tuple[float, ...]) -> PlaneResult:
    """Choose among stars, given in network pixels, and draw those that stay on an image's grid.

    Parameters
    ----------
    star : Star
        Says which overlap is too much, and what scores mean.
    stars : Stars
        All candidates, most probable first, in pixels of the network's grid.
    shape : tuple of int
        ([z,] y, x) of the image.
    scales : tuple of float
        Network pixels per image pixel along each axis.

    Returns
    -------
    PlaneResult
    """
    chosen = star.choose(stars)
    edges = np.array(scales)
    native = Stars((chosen.centres_px + 0.5) / edges - 0.5, chosen.lengths_px / np.float32(edges.min()), chosen.scores)
    labels = star.render(native, shape, scales)
    left = _tidy(labels, len(chosen.scores), star.min_area_px)
    number = np.zeros(len(left) + 1, np.uint32)
    number[1:][left] = np.arange(1, left.sum() + 1)
    return PlaneResult(number[labels], star.calibration(np.clip(chosen.scores[left], 0, 1)))


def _tidy(labels: NDArray[np.int32], n: int, min_area: int) -> NDArray[np.bool_]:
    """Keep the largest part of each object and fill its holes (in place), one by one; say which are left."""
    from scipy.ndimage import find_objects

    left = np.zeros(n, bool)
    for number, box in enumerate(find_objects(labels, max_label=n), start=1):
        if box is None:
            continue
        piece = labels[box]
        own = piece == number
        whole = clean(own.astype(np.uint8), min_area=min_area) > 0
        piece[own & ~whole] = 0
        piece[whole & (piece == 0)] = number
        left[number - 1] = whole.any()
    return left


def _by_probability(parts: list[Stars]) -> Stars:
    """Join candidates in an order that does not depend on where they were found."""
    centres, lengths, scores = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("centres_px", "lengths_px", "scores")
    )
    return Stars(centres, lengths, scores).take(np.lexsort((*centres.T[::-1], -scores)))


def _star(model: Model) -> Star:
    """Return the representation, if it is one of stars in stacks."""
    representation = model.spec.representation
    if not isinstance(representation, Star) or model.spec.ndim != 3:
        raise ModelError(
            f"model {model.name!r} predicts {representation.name!r} in {model.spec.ndim} dimensions; stars in stacks "
            "are found by models of three that predict 'star'"
        )
    return representation
