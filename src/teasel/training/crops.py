"""Training crops: a balanced choice of image, place, scale and warp; the same number always gives the same crop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.models.roles import arrange
from teasel.representations import Fields, Representation
from teasel.training.augment import Compose, Sample, section
from teasel.training.data import Item

__all__ = ["CropSampler", "balanced", "cluster", "warp"]

ON_OBJECT = 0.9
WIDE_SCALE = 0.2
AS_SECTION = 0.12
FIRST_ALONE = 0.4
"""How often only the first role of an image is shown, so that the others are no need."""


class CropSampler:
    """Make training crops by number.

    Parameters
    ----------
    items : sequence of Item
        Training images.
    representation : Representation
        Encodes the labels of each crop.
    crop_px : int
        Edge length of a crop.
    diameter_px : float
        Images are rescaled so that their median object has this diameter, times a random factor.
    channels : int
        Channels of the crop; grey images are repeated.
    augmentation : Compose
        Changes image and labels after the warp.
    seed : int
        Crop ``i`` depends on the seed and ``i`` alone.
    roles : sequence of str
        What each channel shows, if the network tells them apart; see `teasel.models.roles.arrange`.
    chances : ndarray of float, shape (n,), optional
        How often each item is drawn, in any unit; `balanced` if not given.
    """

    def __init__(
        self,
        items: Sequence[Item],
        representation: Representation,
        *,
        crop_px: int,
        diameter_px: float,
        channels: int,
        augmentation: Compose,
        seed: int,
        roles: Sequence[str] = (),
        chances: NDArray[np.float64] | None = None,
    ) -> None:
        self.items, self.representation, self.augmentation = list(items), representation, augmentation
        self.crop_px, self.diameter_px, self.channels, self.seed = crop_px, diameter_px, channels, seed
        self.roles = tuple(roles)
        self.chances = balanced(self.items, seed) if chances is None else chances / chances.sum()

    def __call__(self, number: int) -> tuple[NDArray[np.float32], Fields]:
        """Return crop `number`: the image ``(channels, [z,] y, x)`` and its targets."""
        sample = self.sample(number)
        image = sample.image
        if self.roles and image.shape[0] > 1:
            alone = np.random.default_rng([self.seed, number, 1]).random() < FIRST_ALONE
            image = image[:1] if alone else image
        image = arrange(image, self.roles, self.channels)
        return np.ascontiguousarray(image), self.representation.encode_crop(sample.labels)

    def sample(self, number: int) -> Sample:
        """Return the augmented crop before encoding."""
        rng = np.random.default_rng([self.seed, number])
        item = self.items[rng.choice(len(self.items), p=self.chances)]
        diameter = item.diameter_px if np.isfinite(item.diameter_px) else self.diameter_px
        octaves = rng.uniform(-1.6, 1.6) if rng.random() < WIDE_SCALE else rng.uniform(-0.6, 0.6)
        scale = float(np.clip(self.diameter_px / diameter * 2**octaves, 0.1, 8))
        inside = item.labels > 0
        if rng.random() < ON_OBJECT and inside.any():
            centre = np.unravel_index(rng.choice(np.flatnonzero(inside)), inside.shape)
        else:
            centre = tuple(rng.integers(0, n) for n in inside.shape)
        angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else 0.0
        stretch = 2 ** rng.uniform(-0.2, 0.2) if rng.random() < 0.3 else 1.0
        half = self.crop_px / np.array(item.scales(scale)) / 2
        jitter = rng.uniform(-0.8, 0.8, len(centre)) * half
        middle = np.array(
            [
                np.clip(c + j, h, n - h) if n > 2 * h else n / 2
                for c, j, h, n in zip(centre, jitter, half, inside.shape, strict=True)
            ]
        )
        scales = item.scales(scale)
        image, labels = warp(item.image, item.labels, middle, self.crop_px, scales, angle, stretch, rng)
        sample = Sample(image, labels, colour=image.shape[0] == 3 and not self.roles)
        if image.shape[0] == 1 and self.channels == 3 and not self.roles and rng.random() < AS_SECTION:
            sample = section(sample, rng)
        return self.augmentation(sample, rng)


def balanced(items: Sequence[Item], seed: int) -> NDArray[np.float64]:
    """Return how often each image is drawn: groups of like images by the root of their number, larger images more."""
    groups = cluster(items, seed)
    counts = np.bincount(groups)
    extent = np.array([np.sqrt(item.labels.size) for item in items])
    within = np.bincount(groups, extent)
    chances: NDArray[np.float64] = np.sqrt(counts)[groups] * extent / within[groups]
    return chances / chances.sum()


def cluster(items: Sequence[Item], seed: int, n_clusters: int = 24) -> NDArray[np.intp]:
    """Group images by how they look: brightness distribution, texture per scale, colour, object size and density.

    Returns
    -------
    ndarray of intp, shape (n,)
        The group of each image, 0 .. k - 1 without gaps.

    References
    ----------
    Modality discovery before sampling: Lee et al. 2022, arXiv:2212.03465.
    """
    from scipy.cluster.vq import kmeans2

    styles = np.array([_style(item) for item in items])
    styles = (styles - styles.mean(0)) / (styles.std(0) + 1e-6)
    k = max(1, min(n_clusters, len(items) // 8))
    _, groups = kmeans2(styles, k, minit="++", rng=np.random.default_rng(seed))
    return np.unique(groups, return_inverse=True)[1]


def _style(item: Item) -> NDArray[np.float64]:
    """Describe how an image looks in a dozen numbers."""
    grey = item.image.mean(0)
    texture = []
    for step in (1, 2, 4, 8):
        texture.append(np.log(np.abs(np.diff(grey[::step, ::step], axis=-1)).mean() + 1e-3))
    colour = float(np.abs(item.image - grey).mean())
    inside = item.labels > 0
    contrast = float(grey[inside].mean() - grey[~inside].mean()) if inside.any() and not inside.all() else 0.0
    size = np.log2(item.diameter_px) if np.isfinite(item.diameter_px) else 4.5
    quantiles = np.percentile(grey, (5, 25, 50, 75, 95))
    return np.array([*quantiles, *texture, 4 * colour, contrast, size, float(inside.mean())])


def warp(
    image: NDArray[np.float32],
    labels: NDArray[np.int32],
    centre: NDArray[np.float64],
    crop_px: int,
    scale: float | tuple[float, ...],
    angle: float,
    stretch: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Cut a crop around a point: scaled, turned in the plane, stretched, slightly bent; mirrored at the image's edge.

    Parameters
    ----------
    image : ndarray of float32, shape (c, [z,] y, x)
    labels : ndarray of int32, shape ([z,] y, x)
    centre : ndarray of float, shape (ndim,)
        Pixel that comes to lie in the middle of the crop.
    crop_px : int
        Edge length of the result.
    scale : float or tuple of float
        Pixels of the crop per pixel of the image, along all axes or along each.
    angle : float
        Turn in the (y, x) plane, radians.
    stretch : float
        Ratio between the scales along the crop's y and x.
    rng : Generator
        Bends the grid.

    Returns
    -------
    tuple of ndarray
        Image (linear interpolation, blurred first where it shrinks) and labels (nearest; every object connected).
    """
    from scipy import ndimage
    from skimage.measure import label as components_of

    ndim = labels.ndim
    scales = (scale,) * ndim if isinstance(scale, int | float) else scale
    shape = (crop_px,) * ndim
    grid = np.meshgrid(*(np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in shape), indexing="ij", sparse=True)
    moved = list(grid)
    moved[-2], moved[-1] = moved[-2] / (scales[-2] * stretch), moved[-1] / (scales[-1] / stretch)
    for axis in range(ndim - 2):
        moved[axis] = moved[axis] / scales[axis]
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    moved[-2], moved[-1] = c * moved[-2] - s * moved[-1], s * moved[-2] + c * moved[-1]
    if rng.random() < 0.2:
        for axis in (-2, -1):
            coarse = rng.normal(0, 1, (5,) * ndim).astype(np.float32)
            bend = ndimage.zoom(coarse, crop_px / 5, order=1, grid_mode=True, mode="nearest")
            moved[axis] = moved[axis] + 1.5 / scales[axis] * bend
    where = [np.broadcast_to(m + np.float32(x), shape) for m, x in zip(moved, centre, strict=True)]
    low = [max(0, int(w.min()) - 8) for w in where]
    high = [min(n, int(w.max()) + 9) for w, n in zip(where, labels.shape, strict=True)]
    if any(a == 0 or b == n for a, b, n in zip(low, high, labels.shape, strict=True)):
        low, high = [0] * ndim, list(labels.shape)  # mirrored coordinates may reach anywhere
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    where = [w - np.float32(a) for w, a in zip(where, low, strict=True)]
    blur = [0.0 if s > 0.8 else 0.4 * (1 / s - 1) for s in scales]
    planes = [ndimage.gaussian_filter(p[box], blur) if any(blur) else p[box] for p in image]
    warped = np.stack([ndimage.map_coordinates(p, where, order=1, mode="mirror") for p in planes])
    nearest = ndimage.map_coordinates(labels[box], where, order=0, mode="mirror")
    parts = components_of(np.maximum(nearest, 0), background=0, connectivity=1).astype(np.int32)
    return warped, np.where(nearest < 0, -1, parts).astype(np.int32)
