"""Run lengths along skeletons: how far one can follow a neurite before an error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError
from teasel.labels.metrics.tally import Tally, ratio
from teasel.labels.skeletons import Skeletons

__all__ = ["RunLength", "run_length"]


@dataclass(frozen=True)
class RunLength(Tally):
    """Lengths in micrometres and counts over all skeletons. Volumes add up as parts of one.

    Parameters
    ----------
    squares : float
        Sum of squared run lengths: per skeleton and segment, the length of its correct edges.
    length : float
        Length of all skeletons.
    split_edges : int
        Edges between two segments.
    merges : int
        Over all segments, skeletons in it beyond the first.
    skeletons : int
        Skeletons that have an edge.
    """

    squares: float
    length: float
    split_edges: int
    merges: int
    skeletons: int

    @property
    def expected(self) -> float:
        """Expected run length (ERL) in micrometres: of a random point of all skeletons, 0 within a merge."""
        return ratio(self.squares, self.length, empty=0.0)

    @property
    def splits_per_mm(self) -> float:
        """Split edges per millimetre of cable."""
        return ratio(1000 * self.split_edges, self.length, empty=0.0)

    @property
    def merges_per_mm(self) -> float:
        """False merges per millimetre of cable."""
        return ratio(1000 * self.merges, self.length, empty=0.0)

    @property
    def errors_per_mm(self) -> float:
        """Splits and merges per millimetre of cable."""
        return self.splits_per_mm + self.merges_per_mm


def run_length(skeletons: Skeletons, prediction: NDArray[np.integer], *, tolerated_nodes: int = 0) -> RunLength:
    """Measure run lengths of true skeletons in a segmentation.

    Parameters
    ----------
    skeletons : Skeletons
        Of the truth (`teasel.labels.skeletons.skeletonise`), in micrometres.
    prediction : ndarray of int, shape ([z,] y, x)
        Segmentation on the same voxels; 0 background.
    tolerated_nodes : int
        A segment merges a skeleton only if it holds more of its nodes.

    Returns
    -------
    RunLength
        With ``expected``, ``splits_per_mm``, ``merges_per_mm``.

    Raises
    ------
    ShapeError
        If a node lies outside the segmentation.

    Notes
    -----
    An edge is correct if both nodes lie in one segment that merges no two skeletons; edges to background are neither
    correct nor splits. ERL grows with the volume: state its size, and compare it only with volumes of that size. Equals
    ``funlib.evaluate.expected_run_length`` with ``merge_thres=tolerated_nodes``.

    References
    ----------
    .. [1] M. Januszewski et al., "High-precision automated reconstruction of neurons with flood-filling networks",
       Nature Methods 2018, doi:10.1038/s41592-018-0049-4

    Examples
    --------
    >>> from teasel.labels.skeletons import skeletonise
    >>> truth = np.zeros((3, 3, 41), np.uint8)
    >>> truth[1, 1] = 7
    >>> halves = np.where(np.arange(41) < 21, truth, 2 * truth)
    >>> result = run_length(skeletonise(truth), halves)
    >>> result.length, result.split_edges, round(result.expected, 1)
    (40.0, 1, 19.0)
    """
    inside = skeletons.voxels < np.array(prediction.shape)
    if skeletons.voxels.shape[1] != prediction.ndim or not (inside & (skeletons.voxels >= 0)).all():
        raise ShapeError(f"skeletons reach beyond a segmentation of shape {prediction.shape}; give them on its voxels")
    segment = np.asarray(prediction[tuple(skeletons.voxels.T)], np.int64)
    held, n_nodes = np.unique(np.stack([skeletons.owner, segment], 1), axis=0, return_counts=True)
    held = held[n_nodes > tolerated_nodes]
    segments, n_skeletons = np.unique(held[:, 1], return_counts=True)
    merging = segments[n_skeletons > 1]
    a, b = segment[skeletons.edges.T] if len(skeletons.edges) else (np.zeros(0, int), np.zeros(0, int))
    owner = skeletons.owner[skeletons.edges[:, 0]]
    correct = (a == b) & (a != 0)
    correct &= ~(np.isin(a, merging) & np.isin(owner, held[np.isin(held[:, 1], merging), 0]))
    _, run = np.unique(np.stack([owner[correct], a[correct]], 1), axis=0, return_inverse=True)
    runs = np.bincount(run.ravel(), skeletons.lengths[correct])
    return RunLength(
        float((runs**2).sum()),
        skeletons.length,
        int(((a != b) & (a != 0) & (b != 0)).sum()),
        int((n_skeletons - 1)[segments != 0].sum()),
        len(np.unique(owner)),
    )
