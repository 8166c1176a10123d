"""Hybrid: one network's flow, centre, boundary and rays read together, each checking the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.labels import keep_objects
from teasel.representations._base import Decoded, Fields, Head, Representation, Spacing
from teasel.representations.cleaning import clean, largest_parts
from teasel.representations.distance import centrality
from teasel.representations.flow import follow, unit_flow
from teasel.representations.grid import as_int32, inner_boundary, sampled
from teasel.representations.rays import spread_rays

__all__ = ["Hybrid"]


@dataclass(frozen=True)
class Hybrid(Representation):
    """Everything at once: foreground and boundary at full resolution, flow, centre, rays and size on coarser grids.

    Parameters
    ----------
    object_diameter_px : float
        Diameter of a typical object on the network's pixel grid; rays and sizes are expressed in it.
    n_rays : int
        Directions in which the distance to the object's border is predicted.
    foreground_threshold : float
        Pixels with a foreground probability above it, in [0, 1], belong to objects.
    score_threshold : float
        Objects whose score lies below it, in [0, 1], are dropped: below about 0.4 they cost more false objects than
        they find true ones.
    min_area_px : int
        Objects with fewer pixels are dropped.
    score_weights : tuple of float
        Intercept and one weight per entry of `FEATURES`: the logistic model behind the score, fitted on validation
        images after training.
    """

    name: ClassVar[str] = "hybrid"
    object_diameter_px: float = 24.0
    n_rays: int = 32
    foreground_threshold: float = 0.55
    score_threshold: float = 0.4
    min_area_px: int = 16
    score_weights: tuple[float, ...] = (-4.0, 2.0, 2.0, 0.0, 0.0, 0.0, 2.0, 0.0)

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """Six heads on three grids."""
        return (
            Head("foreground", 1, "sigmoid", "bce_dice", 1.0, stride=1),
            Head("boundary", 1, "sigmoid", "bce_dice", 0.5, stride=1),
            Head("centre", 1, "sigmoid", "bce", 1.0, stride=2),
            Head("flow", ndim, "linear", "mse", 1.0, stride=2),
            Head("rays", self.n_rays, "linear", "smooth_l1", 0.5, stride=4),
            Head("size", 1, "linear", "smooth_l1", 0.2, stride=4),
        )

    def reach(self, ndim: int) -> int:
        """Context in pixels: four typical objects."""
        return int(4 * self.object_diameter_px)

    def encode(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode`."""
        labels = as_int32(labels)
        half, quarter = sampled(labels, 2), sampled(labels, 4)
        unknown = labels < 0
        flow = unit_flow(half)
        return {
            "foreground": np.where(unknown, np.nan, labels > 0).astype(np.float32)[None],
            "boundary": np.where(unknown, np.nan, inner_boundary(labels)).astype(np.float32)[None],
            "centre": np.where(half < 0, np.nan, centrality(half, (1.0,) * labels.ndim)).astype(np.float32)[None],
            "flow": flow,
            "rays": _rays(labels, quarter, self.n_rays) / np.float32(self.object_diameter_px / 2),
            "size": _sizes(labels, quarter, self.object_diameter_px)[None],
        }

    def decode(self, prediction: Mapping[str, NDArray[np.float32]], spacing: Spacing | None = None) -> Decoded:
        """See `Representation.decode`."""
        labels, agreement = self.find_objects(prediction)
        scores = self.score(self.consistency(labels, agreement, prediction))
        kept = scores >= self.score_threshold
        return Decoded(keep_objects(labels, kept), scores[kept])

    def find_objects(
        self, prediction: Mapping[str, NDArray[np.float32]]
    ) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
        """Group half-resolution cells by their flow, then give each full-resolution foreground pixel to a neighbour.

        Returns
        -------
        labels : ndarray of uint32, shape ([z,] y, x)
            Clean objects 1 .. n.
        agreement : ndarray of float32, half-resolution grid
            Cosine between the flow and the way to the object's end point.
        """
        foreground = prediction["foreground"][0]
        half = prediction["flow"].shape[1:]
        inside_half = pooled(foreground, half) > self.foreground_threshold
        coarse, agreement = follow(prediction["flow"], inside_half, step=STEP)
        coarse = largest_parts(coarse, min_area=max(1, self.min_area_px >> len(half)))
        fine = coarse
        for axis in range(fine.ndim):
            fine = np.repeat(fine, 2, axis)
        fine = fine[tuple(slice(n) for n in foreground.shape)]
        inside = foreground > self.foreground_threshold
        labels = np.where(inside, fine, 0)
        for _ in range(2):
            adopt(labels, np.flatnonzero(inside & (labels == 0)))
        return clean(labels, min_area=self.min_area_px), agreement

    def consistency(
        self,
        labels: NDArray[np.uint32],
        agreement: NDArray[np.float32],
        prediction: Mapping[str, NDArray[np.float32]],
    ) -> NDArray[np.float64]:
        """Measure for each object how well the heads agree about it; see `FEATURES`."""
        n = int(labels.max(initial=0))
        if n == 0:
            return np.zeros((0, len(FEATURES)))
        flat = labels.ravel()
        area = np.bincount(flat, minlength=n + 1)[1:]
        probability = prediction["foreground"][0]
        mean_probability = np.bincount(flat, probability.ravel(), n + 1)[1:] / area
        rim = inner_boundary(labels)
        on_rim = labels[rim]
        rim_area = np.maximum(np.bincount(on_rim, minlength=n + 1)[1:], 1)
        rim_boundary = np.bincount(on_rim, prediction["boundary"][0][rim], n + 1)[1:] / rim_area
        half = sampled(labels, 2).ravel()
        cells = np.maximum(np.bincount(half, minlength=n + 1)[1:], 1)
        flow = np.bincount(half, agreement.ravel(), n + 1)[1:] / cells
        centre = prediction["centre"][0].ravel()
        mean_centre = np.bincount(half, centre, n + 1)[1:] / cells
        peak_centre = (np.bincount(half, centre**8, n + 1)[1:] / cells) ** (1 / 8)
        rays = self._ray_agreement(labels, area, prediction["rays"])
        size = np.log2(area) / labels.ndim
        return np.stack([flow, mean_probability, rim_boundary, mean_centre, peak_centre, rays, size], 1)

    def _ray_agreement(
        self, labels: NDArray[np.uint32], area: NDArray[np.intp], rays: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Share of the rays from each object's centroid that end where the object does, give or take 15 %."""
        n, ndim = len(area), labels.ndim
        where = np.nonzero(labels)
        owner = labels[where]
        centroid = np.stack([np.bincount(owner, w, n + 1)[1:] / area for w in where], 1)  # (n, ndim)
        cell = tuple(
            np.clip(np.floor(c / 4).astype(int), 0, m - 1) for c, m in zip(centroid.T, rays.shape[1:], strict=True)
        )
        start = np.stack(cell, 1) * 4 + 1.5
        length = np.maximum(rays[(slice(None), *cell)].T * (self.object_diameter_px / 2), 0.5)  # (n, rays)
        way = spread_rays(self.n_rays, ndim).directions
        good = np.zeros(n)
        for factor, expected in ((0.85, True), (1.15, False)):
            points = start[:, None] + factor * length[..., None] * way  # (n, rays, ndim)
            index = np.rint(points).astype(int)
            valid = np.logical_and.reduce(
                [(index[..., d] >= 0) & (index[..., d] < labels.shape[d]) for d in range(ndim)]
            )
            index = [np.clip(index[..., d], 0, labels.shape[d] - 1) for d in range(ndim)]
            same = labels[tuple(index)] == np.arange(1, n + 1)[:, None]
            good += np.where(valid, same == expected, True).mean(1) / 2
        return good

    def score(self, features: NDArray[np.float64]) -> NDArray[np.float32]:
        """Turn consistency into the probability that an object overlaps a true one with IoU of at least 0.5."""
        weights = np.array(self.score_weights)
        return (1 / (1 + np.exp(-(features @ weights[1:] + weights[0])))).astype(np.float32)


STEP = 2.5
"""Half-resolution cells per jump along the flow."""

FEATURES = ("flow", "foreground", "rim", "centre", "peak_centre", "rays", "size")
"""What `Hybrid.consistency` measures, in order.

Mean cosine of the flow with the way to the end point; mean foreground probability; mean boundary probability on the
object's rim; mean centre probability, and its mean in the power of 8, which is close to the largest; share of rays that
end where the object ends; log2 of the size.
"""


def pooled(values: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.floating]:
    """Average blocks of two cells per axis; a last odd cell is averaged with itself."""
    for axis, n in enumerate(shape):
        if values.shape[axis] < 2 * n:
            values = np.concatenate([values, np.take(values, [-1], axis)], axis)
        v = np.moveaxis(values, axis, 0)
        values = np.moveaxis((v[0::2] + v[1::2]) / 2, 0, axis)
    return values


def adopt(labels: NDArray[np.integer], pixels: NDArray[np.intp]) -> None:
    """Give each of some unlabelled pixels the largest label among its face neighbours (in place)."""
    flat = labels.ravel()
    where = np.unravel_index(pixels, labels.shape)
    best = np.zeros(len(pixels), labels.dtype)
    stride = 1
    for axis in reversed(range(labels.ndim)):
        n = labels.shape[axis]
        for offset in (-1, 1):
            there = where[axis] + offset
            ok = (there >= 0) & (there < n)
            best[ok] = np.maximum(best[ok], flat[pixels[ok] + offset * stride])
        stride *= n
    flat[pixels] = best


def _rays(labels: NDArray[np.integer], cells: NDArray[np.integer], n_rays: int) -> NDArray[np.float32]:
    """Pixels from each object cell of stride 4 to its border; NaN outside and for rays that leave the image."""
    from teasel.representations.kernels.raycasting import ray_lengths

    rays = np.full((n_rays, *cells.shape), np.nan, np.float32)
    inside = cells > 0
    points = 4 * np.argwhere(inside) + 1.5
    way = spread_rays(n_rays, labels.ndim).directions
    rays[:, inside] = ray_lengths(labels, points, way, (1.0,) * labels.ndim, cut_is_nan=True).T
    return rays


def _sizes(labels: NDArray[np.integer], cells: NDArray[np.integer], unit: float) -> NDArray[np.float32]:
    """Log2 of the object's equivalent diameter over `unit`; NaN outside and for objects that the border may cut."""
    area = np.bincount(np.maximum(labels, 0).ravel())
    ndim = labels.ndim
    volume_of_unit_ball = np.pi / 4 if ndim == 2 else np.pi / 6
    with np.errstate(divide="ignore"):
        log_size = (np.log2(area / volume_of_unit_ball) / ndim - np.log2(unit)).astype(np.float32)
    log_size[0] = np.nan
    for axis in range(ndim):
        a = np.moveaxis(labels, axis, 0)
        for face in (a[0], a[-1]):
            log_size[np.unique(face[face > 0])] = np.nan
    return log_size[np.maximum(cells, 0)]
