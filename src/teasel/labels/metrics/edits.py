"""Edits to truth: how many splits and merges lie between a segmentation and the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from teasel.errors import ParameterError
from teasel.labels.metrics.overlap import Overlap, overlap
from teasel.labels.metrics.tally import Tally

__all__ = ["Edits", "edits_to_truth"]


@dataclass(frozen=True)
class Edits(Tally):
    """What a proofreader would have to do. Volumes add up.

    Parameters
    ----------
    splits : int
        Segments to be cut: over all segments, true bodies in it beyond the first.
    merges : int
        Pieces to be joined: over all true bodies, segments in it beyond the first.
    """

    splits: int
    merges: int

    @classmethod
    def of(cls, table: Overlap, least_voxels: int = 1) -> Edits:
        """Count in an overlap table; pairs that share fewer voxels are no part of each other."""
        shared = table.pixels >= least_voxels
        bodies = np.bincount(table.columns[shared])
        pieces = np.bincount(table.rows[shared])
        return cls(int(np.maximum(bodies - 1, 0).sum()), int(np.maximum(pieces - 1, 0).sum()))

    @property
    def total(self) -> int:
        """Splits + merges."""
        return self.splits + self.merges


def edits_to_truth(truth: ArrayLike, prediction: ArrayLike, *, least_voxels: int = 1) -> Edits:
    """Count the splits and merges that turn a segmentation into the truth.

    Parameters
    ----------
    truth : array_like of int, any shape
        0 background, -1 voxels not judged.
    prediction : array_like of int, same shape
        0 background.
    least_voxels : int
        A body and a segment that share fewer voxels count as apart; 1 takes every voxel seriously. State it with
        the score.

    Returns
    -------
    Edits
        With ``splits``, ``merges`` and ``total``; 0 is best.

    Raises
    ------
    ParameterError
        If `least_voxels` is below 1.

    Notes
    -----
    Of a segment that holds three bodies, two have to be cut off; of a body in three segments, two have to be joined.
    Bodies that no segment holds cost nothing: look at the coverage too.

    References
    ----------
    .. [1] A. Sheridan et al., "Local shape descriptors for neuron segmentation", Nature Methods 2023,
       doi:10.1038/s41592-022-01711-z

    Examples
    --------
    >>> edits_to_truth([1, 1, 1, 2, 2], [5, 6, 7, 7, 7])
    Edits(splits=1, merges=2)
    """
    if least_voxels < 1:
        raise ParameterError(f"least_voxels is {least_voxels}; expected 1 or more")
    return Edits.of(overlap(truth, prediction), least_voxels)
