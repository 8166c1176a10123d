"""Distance: every pixel predicts how deep inside its object it lies; a watershed reads objects back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.representations._base import Decoded, Fields, Head, Representation, Spacing
from teasel.representations.calibration import Calibration
from teasel.representations.cleaning import clean
from teasel.representations.grid import check_ndim, edge_lengths, inner_boundary
from teasel.representations.scoring import first_pixels, mean_inside

__all__ = ["Distance", "centrality", "inner_distance"]

OUTER_LEVELS_PER_PX = 8  # of the 256 levels of the flood; deeper than 32 pixels all is equally deep


@dataclass(frozen=True)
class Distance(Representation):
    """Distance maps: seeds where objects are deepest, a watershed up to where they end.

    Parameters
    ----------
    centre : str
        What marks the middle of objects: "edt", the distance to the border over the largest one in the
        object, or "inner", Mesmer's inner distance ``1 / (1 + inner_decay * d)``, with ``d`` the distance to
        the centroid over the object's size.
    border : str
        What marks their ends: "boundary", probabilities of foreground and of being a pixel on the border, or
        "outer", Mesmer's outer distance: pixels to the border, 0 outside.
    inner_decay : float
        How fast the inner distance falls away from the centroid, above 0.
    seed_threshold : float
        Seeds need a centre value of at least this, in (0, 1].
    seed_depth : float
        Two seeds are one if the centre value between them falls by less than this, in (0, 1].
    foreground_threshold : float
        Pixels above it belong to objects: a probability in [0, 1], or pixels with "outer".
    max_diameter_px : float
        Largest object expected, in pixels; says how much tiles must overlap.
    min_area_px : int
        Objects with fewer pixels are dropped.
    calibration : Calibration
        From the raw score (centre value at the seed times mean foreground) to the score of the object.

    Notes
    -----
    Fields are ``centre``, and ``foreground`` with ``boundary``, or ``outer``. Mesmer is ``centre="inner",
    border="outer"``. Where two objects touch, single pixels at corners may change hands.

    References
    ----------
    Greenwald et al. 2022, doi:10.1038/s41587-021-01094-0

    Examples
    --------
    >>> mesmer = Distance(centre="inner", border="outer")
    >>> [head.name for head in mesmer.heads(2)]
    ['centre', 'outer']
    """

    name: ClassVar[str] = "distance"
    centre: str = "edt"
    border: str = "boundary"
    inner_decay: float = 1.0
    seed_threshold: float = 0.4
    seed_depth: float = 0.15
    foreground_threshold: float = 0.5
    max_diameter_px: float = 64.0
    min_area_px: int = 4
    calibration: Calibration = field(default_factory=Calibration)

    def __post_init__(self) -> None:
        if self.centre not in ("edt", "inner") or self.border not in ("boundary", "outer"):
            raise ParameterError(
                f"distance has centre {self.centre!r} and border {self.border!r}; "
                f"expected 'edt' or 'inner', and 'boundary' or 'outer'"
            )
        if not (0 < self.seed_threshold <= 1 and 0 < self.seed_depth <= 1 and self.inner_decay > 0):
            raise ParameterError(
                f"distance has seed_threshold {self.seed_threshold}, seed_depth {self.seed_depth}, "
                f"inner_decay {self.inner_decay}; expected the first two in (0, 1] and the last above 0"
            )

    def heads(self, ndim: int) -> tuple[Head, ...]:
        """Depth in the object, and where it ends."""
        check_ndim("distance", ndim)
        centre = Head("centre", 1, "sigmoid", "bce", 1.0)
        if self.border == "outer":
            return (centre, Head("outer", 1, "linear", "smooth_l1", 1.0))
        return (
            centre,
            Head("foreground", 1, "sigmoid", "bce_dice", 1.0),
            Head("boundary", 1, "sigmoid", "bce_dice", 0.5),
        )

    def reach(self, ndim: int) -> int:
        """Context in pixels: the largest object and its border."""
        return int(np.ceil(self.max_diameter_px)) + 2

    def encode(self, labels: NDArray[np.integer], spacing: Spacing | None = None) -> Fields:
        """See `Representation.encode`."""
        from teasel.representations.kernels.edt import distance_to_border

        check_ndim("distance", labels.ndim)
        edges = edge_lengths(spacing, labels.ndim)
        targets: dict[str, NDArray]
        if self.centre == "edt":
            targets = {"centre": centrality(labels, edges)}
        else:
            targets = {"centre": inner_distance(labels, edges, self.inner_decay)}
        if self.border == "outer":
            targets["outer"] = np.minimum(distance_to_border(labels, edges), np.float32(max(labels.shape)))
        else:
            targets["foreground"] = labels > 0
            targets["boundary"] = inner_boundary(labels)
        return {head: np.where(labels < 0, np.nan, t).astype(np.float32)[None] for head, t in targets.items()}

    def decode(self, prediction: Mapping[str, NDArray[np.float32]], spacing: Spacing | None = None) -> Decoded:
        """See `Representation.decode`."""
        from teasel.representations.kernels.peaks import find_peaks
        from teasel.representations.kernels.watershed import flood

        centre = prediction["centre"][0]
        check_ndim("distance", centre.ndim)
        if self.border == "outer":
            foreground = prediction["outer"][0]
            height = 255 - _levels(foreground, OUTER_LEVELS_PER_PX)
        else:
            foreground = prediction["foreground"][0]
            height = _levels(prediction["boundary"][0], 255)
        mask = foreground > self.foreground_threshold
        lowest, depth = (max(1, round(255 * share)) for share in (self.seed_threshold, self.seed_depth))
        peaks = find_peaks(np.where(mask, _levels(centre, 255), 0).astype(np.uint8), lowest, depth)
        seeds = np.zeros(centre.shape, np.int32)
        seeds.ravel()[peaks] = np.arange(1, len(peaks) + 1)
        basins = flood(height, seeds, mask)
        labels = clean(basins, min_area=self.min_area_px)
        peak = peaks[basins.ravel()[first_pixels(labels)] - 1]
        raw = np.clip(centre.ravel()[peak], 0, 1) * mean_inside(labels, np.clip(foreground, 0, 1))
        return Decoded(labels, self.calibration(raw))


def centrality(labels: NDArray[np.integer], edges: Sequence[float]) -> NDArray[np.float32]:
    """Give each object pixel its distance to the border over the largest one in its object.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        0 or below is background.
    edges : sequence of float
        Edge lengths of a pixel.

    Returns
    -------
    ndarray of float32, shape ([z,] y, x)
        In (0, 1] inside objects, 1 at least once in each; 0 outside.
    """
    from teasel.representations.kernels.edt import distance_to_border

    distance = distance_to_border(labels, edges)
    distance[np.isinf(distance)] = 1.0  # one object fills the image: no pixel is more central than another
    pixels, owner, n = _owners(labels)
    furthest = np.zeros(n, np.float32)
    np.maximum.at(furthest, owner, distance.ravel()[pixels])
    distance.ravel()[pixels] /= furthest[owner]
    return distance


def inner_distance(labels: NDArray[np.integer], edges: Sequence[float], decay: float) -> NDArray[np.float32]:
    """Give each object pixel ``1 / (1 + decay * d)``: how near its object's centroid it is.

    Parameters
    ----------
    labels : ndarray of int, shape ([z,] y, x)
        0 or below is background.
    edges : sequence of float
        Edge lengths of a pixel.
    decay : float
        How fast it falls; ``d`` is in units of the edge of a square (cube) of the object's size.

    Returns
    -------
    ndarray of float32, shape ([z,] y, x)
        In (0, 1] inside objects; 0 outside.

    References
    ----------
    Greenwald et al. 2022, doi:10.1038/s41587-021-01094-0
    """
    pixels, owner, n = _owners(labels)
    areas = np.bincount(owner, minlength=n)
    size = (areas * np.prod(edges)) ** (1 / labels.ndim)
    squared = np.zeros(len(pixels))
    for position, edge in zip(np.unravel_index(pixels, labels.shape), edges, strict=True):
        centroid = np.bincount(owner, position, n) / areas
        squared += ((position - centroid[owner]) * edge) ** 2
    result = np.zeros(labels.shape, np.float32)
    result.ravel()[pixels] = 1 / (1 + decay * np.sqrt(squared) / size[owner])
    return result


def _owners(labels: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Flat indices of object pixels, the rank of each one's object, and how many objects there are."""
    pixels = np.flatnonzero(labels > 0)
    ids, owner = np.unique(labels.ravel()[pixels], return_inverse=True)
    return pixels, owner, len(ids)


def _levels(values: NDArray[np.float32], per_unit: int) -> NDArray[np.uint8]:
    """Round to the 256 levels that peaks and floods work on."""
    return np.rint(np.clip(values * np.float32(per_unit), 0, 255)).astype(np.uint8)
