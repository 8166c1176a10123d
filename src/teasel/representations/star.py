"""Star: every pixel predicts how far the border of its object is along fixed rays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, ParameterError
from teasel.representations._base import Decoded, Fields, Head, Representation, Spacing
from teasel.representations.calibration import Calibration
from teasel.representations.cleaning import clean
from teasel.representations.distance import centrality
from teasel.representations.grid import check_ndim, edge_lengths, sampled
from teasel.representations.rays import spread_rays
from teasel.representations.scoring import first_pixels

__all__ = ["Star", "Stars"]

SHORTEST_RAY_PX = 0.05  # a star needs some extent along every ray
LEAST_CENTRAL = 0.25  # no star is read from a cell nearer to the border: its rays are not worth learning, or casting


@dataclass(frozen=True, eq=False)
class Stars:
    """Star-shaped objects, not drawn yet.

    Parameters
    ----------
    centres_px : ndarray of float64, shape (n, ndim)
        In pixels; pixel centres are whole numbers.
    lengths_px : ndarray of float32, shape (n, n_rays)
        How far each reaches along each ray, in pixels of the finest axis, above 0.
    scores : ndarray of float32, shape (n,)
        Probability at the centre.
    """

    centres_px: NDArray[np.float64]
    lengths_px: NDArray[np.float32]
    scores: NDArray[np.float32]

    def take(self, which: NDArray[np.integer] | NDArray[np.bool_]) -> Stars:
        """Return some of them, by number or by a mask."""
        return Stars(self.centres_px[which], self.lengths_px[which], self.scores[which])


@dataclass(frozen=True)
class Star(Representation):
    """Star-convex shapes: distances to the border along fixed rays, and how central each pixel is.

    Parameters
    ----------
    n_rays : int
        Rays in images of two dimensions, at least 4.
    n_rays_volume : int
        Rays in volumes, at least 8.
    stride : int
        Pixels per cell of the grid on which rays are predicted, at least 1.
    prob_threshold : float
        Centres need a probability of at least this, in (0, 1].
    nms_threshold : float
        Of two stars that share more than this part of the smaller one, in [0, 1], the more probable stays.
    max_diameter_px : float
        Largest object expected, in pixels of the finest axis; says how much tiles must overlap.
    min_area_px : int
        Objects with fewer pixels are dropped.
    calibration : Calibration
        From the probability at the centre to the score of the object.

    Notes
    -----
    Fields are ``prob`` (distance to the border over the largest such distance in the object) and ``rays``
    (pixels of the finest axis, exact to the pixel face; from a cell outside objects, or near their border, the targets
    are NaN).
    Rays end at the image border. Objects that are not star-convex lose what their best centre does not see.
    With a stride above 1, labels come on a grid of ``stride * cells`` pixels, which may exceed the image by
    ``stride - 1`` pixels at the far ends.

    References
    ----------
    Schmidt et al. 2018, doi:10.1007/978-3-030-00934-2_30; in 3D Weigert et al. 2020,
    doi:10.1109/WACV45572.2020.9093435

    Examples
    --------
    >>> star = Star()
    >>> labels = np.zeros((32, 32), np.int32)
    >>> labels[4:20, 4:20] = 7
    >>> [(field, array.shape) for field, array in star.encode(labels).items()]
    [('prob', (1, 32, 32)), ('rays', (32, 32, 32))]
    """

    name: ClassVar[str] = "star"
    n_rays: int = 32
    n_rays_volume: int = 96
    stride: int = 1
    prob_threshold: float = 0.5
    nms_threshold: float = 0.4
    max_diameter_px: float = 64.0
    min_area_px: int = 4
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        if self.n_rays < 4 or self.n_rays_volume < 8 or self.stride < 1:
            raise ParameterError(
                f"star has n_rays {self.n_rays}, n_rays_volume {self.n_rays_volume}, stride {self.stride}; "
                f"expected at least 4, 8 and 1"
            )
        if not (0 < self.prob_threshold <= 1 and 0 <= self.nms_threshold <= 1):
            raise ParameterError(
                f"star has prob_threshold {self.prob_threshold} and nms_threshold {self.nms_threshold}; "
                f"expected numbers between 0 and 1"
            )

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """Probability of being a centre, and ray lengths."""
        n_rays = self._rays(ndim)
        return (
            Head("prob", 1, "sigmoid", "bce", 1.0, self.stride),
            Head("rays", n_rays, "linear", "smooth_l1", 0.2, self.stride),
        )

    def reach(self, ndim: int) -> int:
        """Context in pixels: the largest object, and one cell for its neighbours."""
        return int(np.ceil(self.max_diameter_px)) + 2 * self.stride

    def encode(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode`."""
        return self._encode(labels, spacing, cut_is_nan=False)

    def encode_crop(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode_crop`: rays that leave the crop are unknown, rather than short."""
        return self._encode(labels, spacing, cut_is_nan=True)

    def _encode(self, labels: NDArray[np.integer], spacing: Spacing | None, *, cut_is_nan: bool) -> Fields:
        """Encode; rays that leave the image end there, or are unknown."""
        from teasel.representations.kernels.raycasting import ray_lengths

        n_rays = self._rays(labels.ndim)
        edges = edge_lengths(spacing, labels.ndim)
        cells = sampled(labels, self.stride)
        prob = np.where(cells < 0, np.nan, sampled(centrality(labels, edges), self.stride))
        rays = np.full((n_rays, *cells.shape), np.nan, np.float32)
        inside = np.flatnonzero((cells > 0) & ~(prob < LEAST_CENTRAL))
        points = self._centres(np.unravel_index(inside, cells.shape))
        directions = spread_rays(n_rays, labels.ndim).directions
        rays.reshape(n_rays, -1)[:, inside] = ray_lengths(labels, points, directions, edges, cut_is_nan=cut_is_nan).T
        return {"prob": prob[None].astype(np.float32), "rays": rays}

    def decode(self, prediction: Mapping[str, NDArray[np.float32]], spacing: Spacing | None = None) -> Decoded:
        """See `Representation.decode`; the raw score is the probability at the centre."""
        prob = prediction["prob"][0]
        chosen = self.choose(self.find_stars(prediction), spacing)
        stars = self.render(chosen, tuple(self.stride * n for n in prob.shape), spacing)
        labels = clean(stars, min_area=self.min_area_px)
        owner = stars.ravel()[first_pixels(labels)] - 1
        return Decoded(labels, self.calibration(np.clip(chosen.scores[owner], 0, 1)))

    def find_stars(self, prediction: Mapping[str, NDArray[np.float32]]) -> Stars:
        """Read a star at every peak of the probability above the threshold, most probable first."""
        prob = prediction["prob"][0]
        seeds = self._seeds(prob)
        cells = np.unravel_index(seeds, prob.shape)
        picked = np.stack([channel[cells] for channel in prediction["rays"]], 1)
        if not np.isfinite(picked).all():
            raise DataError("the predicted ray lengths hold NaN or infinity; check the network's output")
        lengths = np.maximum(picked, SHORTEST_RAY_PX)  # (n_seeds, n_rays)
        return Stars(self._centres(cells), lengths, prob.ravel()[seeds])

    def choose(self, stars: Stars, spacing: Spacing | None = None) -> Stars:
        """Of stars that overlap too much keep the most probable; they come and go most probable first."""
        from teasel.representations.kernels.suppression import suppress

        ndim = stars.centres_px.shape[1]
        edges = np.array(edge_lengths(spacing, ndim))
        rays = spread_rays(self._rays(ndim), ndim)
        return stars.take(suppress(stars.centres_px * edges, stars.lengths_px, rays, self.nms_threshold))

    def render(self, stars: Stars, shape: tuple[int, ...], spacing: Spacing | None = None) -> NDArray[np.int32]:
        """Paint star ``i`` as label ``i + 1`` into an image; where they overlap, the first keeps the pixel."""
        from teasel.representations.kernels.rendering import render_stars

        edges = edge_lengths(spacing, len(shape))
        return render_stars(
            stars.centres_px, stars.lengths_px, spread_rays(self._rays(len(shape)), len(shape)), shape, edges
        )

    def _rays(self, ndim: int) -> int:
        return self.n_rays if check_ndim("star", ndim) == 2 else self.n_rays_volume

    def _centres(self, cells: tuple[NDArray[np.intp], ...]) -> NDArray[np.float64]:
        """Middles of grid cells in pixels, (n, ndim)."""
        return self.stride * np.stack(cells, 1).astype(np.float64) + (self.stride - 1) / 2

    def _seeds(self, prob: NDArray[np.float32]) -> NDArray[np.intp]:
        """Flat indices of local maxima above the threshold, most probable first."""
        from teasel.representations.kernels.peaks import find_peaks

        height = np.rint(np.clip(np.nan_to_num(prob), 0, 1) * 255).astype(np.uint8)
        seeds = find_peaks(height, max(1, int(np.ceil(self.prob_threshold * 255))), depth=1)
        return seeds[np.argsort(-prob.ravel()[seeds], kind="stable")]
