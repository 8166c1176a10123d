"""How large are the objects? The network itself says, on a few reduced windows, before the whole image is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ModelError
from teasel.inference.plane import Plane
from teasel.inference.predict import predict
from teasel.inference.resample import resize
from teasel.models import Model
from teasel.representations import Fields

__all__ = ["MAX_SCALE", "MIN_SCALE", "estimate_diameter", "network_scale"]

WINDOW_PX = 512
MAX_WINDOWS = 4
MIN_SCALE, MAX_SCALE = 1 / 16, 4.0
AMBIGUOUS_OCTAVES = 1.5
CANDIDATES = (1.0, 0.5, 0.25)
FEW_OBJECTS = 8
PASSES = 5
FAR, NEAR = 0.5, 1.0
LEANS = 0.5
"""A model that can be trusted over fewer octaves takes most objects for the size it was trained at."""
CONTRARY = 1.7
"""A model that only leans finds all twice as large from afar as from near; one that sees finds the same."""
SURE = 0.8
"""Mean probability of what is taken for foreground; where objects have the right size it is about 0.95."""
SMALL, LARGE = 0.1, 0.9
"""Quantiles of the sizes found; which one is typical, the model says."""


def network_scale(diameter_px: float, model: Model) -> float:
    """Return the factor by which an image is resized for the network: half octaves, 1 where that is near enough.

    Parameters
    ----------
    diameter_px : float
        Object diameter in the image's pixels.
    model : Model
        Gives the object diameter it was trained at.

    Returns
    -------
    float
        Network pixels per image pixel, between `MIN_SCALE` and `MAX_SCALE`.
    """
    octaves = np.log2(model.spec.object_diameter_px / diameter_px)
    return float(np.clip(2.0 ** (np.round(2 * octaves) / 2), MIN_SCALE, MAX_SCALE))


def estimate_diameter(model: Model, plane: Plane) -> float | None:
    """Estimate the median object diameter of a plane.

    Parameters
    ----------
    model : Model
        A model whose representation predicts ``size`` (log2 of the diameter over the trained one) and ``foreground``.
    plane : Plane
        The image plane.

    Returns
    -------
    float or None
        Diameter in image pixels; None if no object is found at any size.

    Raises
    ------
    ModelError
        If the model predicts no size.

    Notes
    -----
    Windows of at most 512 x 512 px (at most 4, where the image varies most) are reduced by two and run through the
    network; where nothing sure is seen so, or the model leans to the size it was trained at, also as they are. If the
    objects turn out to be far from the size the network knows best, the windows are looked at again at the size just
    found, up to 5 times. Each object counts once, whatever its area. Where the sizes found spread over almost a factor
    of three (whole cells or clumps may pose as objects), or the plane has room for a handful of objects only, the
    windows are segmented for objects of that size, of half and of a quarter, and the size at which most objects are
    believed wins.
    """
    if not model.spec.predicts_sizes:
        raise ModelError(f"model {model.name!r} does not predict object sizes; give the diameter in pixels")
    best, found = model.spec.object_diameter_px, None
    scale, seen = _first_look(model, plane)
    for number in range(PASSES):
        seen = _measure(model, plane, scale) if number else seen
        if seen is None:
            return found
        found = seen.typical
        if np.log2(seen.large / seen.small) > AMBIGUOUS_OCTAVES:
            return _most_believed(model, plane, found)
        wanted = float(np.clip(best / found, MIN_SCALE, MAX_SCALE))
        if abs(np.log2(found * scale / best)) <= model.spec.trusted_octaves or abs(np.log2(wanted / scale)) < 0.1:
            break
        scale = wanted
    few = found is not None and plane.shape[0] * plane.shape[1] < FEW_OBJECTS * found**2
    return _most_believed(model, plane, found) if found is not None and few else found


def _look(model: Model, plane: Plane, scale: float) -> Iterator[Fields]:
    """Yield the fields of each window at one scale."""
    for y, x in _windows(plane, scale):
        piece = plane.read(y, x)
        height, width = (max(16, round(n * scale)) for n in piece.shape[1:])
        yield predict(model, resize(piece, (height, width)), tile_px=max(WINDOW_PX, 4 * model.spec.halo_px))


class Seen(NamedTuple):
    """A small, the typical and a large object diameter in image pixels, and the mean foreground probability inside."""

    small: float
    typical: float
    large: float
    sureness: float


def _first_look(model: Model, plane: Plane) -> tuple[float, Seen | None]:
    """Look from afar; where that shows nothing, or nothing sure, look closer too and take what is surer.

    Packed small cells, from afar, look like a texture of large ones, and surely so. So a model whose estimates lean is
    asked from near in any case, and believed there if it contradicts what it said from afar.
    """
    far = _measure(model, plane, FAR)
    sure = far is not None and far.sureness >= SURE
    if sure and model.spec.trusted_octaves >= LEANS:
        return FAR, far
    near = _measure(model, plane, NEAR)
    if far is None or near is None:
        return (NEAR, near) if far is None else (FAR, far)
    closer = far.typical >= CONTRARY * near.typical if sure else near.sureness >= far.sureness
    return (NEAR, near) if closer else (FAR, far)


def _measure(model: Model, plane: Plane, scale: float) -> Seen | None:
    """Look at the windows at one scale; None without objects."""
    sizes, certain = [], []
    for fields in _look(model, plane, scale):
        size = fields["size"][0]
        sure = _shrunk(fields["foreground"][0], size.shape)
        inside = sure > 0.5
        sizes.append(size[inside])
        certain.append(sure[inside])
    values, sure = np.concatenate(sizes), np.concatenate(certain)
    if len(values) < 4:
        return None
    mass = sure * 2.0 ** (-model.spec.ndim * values)
    order = np.argsort(values)
    share = np.cumsum(mass[order]) / mass.sum()
    quantiles = (SMALL, model.spec.size_quantile, LARGE)
    small, typical, large = values[order][np.minimum(np.searchsorted(share, quantiles), len(order) - 1)]
    unit = model.spec.object_diameter_px / scale
    small, typical, large = (float(unit * 2.0**octaves) for octaves in (small, typical, large))
    return Seen(small, typical, large, float(sure.mean()))


def _most_believed(model: Model, plane: Plane, found: float) -> float:
    """Return the size found, its half or its quarter: that at which most objects are believed."""
    return max((factor * found for factor in CANDIDATES), key=lambda d: _belief(model, plane, d))


def _belief(model: Model, plane: Plane, diameter: float) -> float:
    """Add up how far the scores of the objects in the windows exceed one half, if objects have this diameter."""
    decode = model.spec.representation.decode
    scores = [decode(fields).scores for fields in _look(model, plane, network_scale(diameter, model))]
    return float(np.sum(np.concatenate(scores) - 0.5))


def _windows(plane: Plane, scale: float) -> list[tuple[slice, slice]]:
    """Choose windows: the whole plane if it is small at this scale, else those that vary most on a coarse grid."""
    edge = int(np.clip(WINDOW_PX / 2 / scale, 256, 8 * WINDOW_PX))
    height, width = plane.shape
    rows, columns = (_starts(n, edge) for n in (height, width))
    boxes = [(slice(a, a + edge), slice(b, b + edge)) for a in rows for b in columns]
    if len(boxes) <= MAX_WINDOWS:
        return boxes
    step = max(1, edge // 32)
    coarse = plane.raw(slice(None), slice(None), step).mean(0)
    variation = [
        np.nanstd(coarse[y.start // step : y.stop // step, x.start // step : x.stop // step]) for y, x in boxes
    ]
    return [boxes[i] for i in np.argsort(variation, kind="stable")[::-1][:MAX_WINDOWS]]


def _starts(length: int, edge: int) -> list[int]:
    """Spread windows of an edge length evenly along an axis, without overlap."""
    count = max(1, length // edge)
    return [round((i + 0.5) * length / count - min(edge, length) / 2) for i in range(count)]


def _shrunk(values: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Take every stride-th value, from the middle of the cell."""
    stride = round(values.shape[-1] / shape[-1])
    index = (np.minimum(np.arange(n) * stride + stride // 2, m - 1) for n, m in zip(shape, values.shape, strict=True))
    return values[np.ix_(*index)]
