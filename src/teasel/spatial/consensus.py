"""What several detectors agree on: clusters of detections, how often each detector is right, and what is a spot.

Each detector is taken as an annotator that sees a spot with its true positive rate and sees one where there is none
with its false positive rate, independently of the others given the truth. Rates and truth are estimated together by
expectation maximisation, as for clinicians who disagree; no ground truth is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError, ShapeError
from teasel.spatial.spots import Spots

__all__ = ["Consensus", "Rates", "cluster_detections", "combine_detections", "estimate_rates"]

TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Rates:
    """How the detectors do, and how probably each cluster is a spot.

    Parameters
    ----------
    true_positive, false_positive : ndarray of float64, shape (detectors,)
        Probability that a detector reports a true spot, and that it reports a spurious one; "spurious" means something
        that at least one detector took for a spot.
    prior : float
        Share of the clusters that are spots.
    posterior : ndarray of float64, shape (clusters,)
        Probability that each cluster is a spot.
    iterations : int
        Steps until nothing changed.
    """

    true_positive: NDArray[np.float64]
    false_positive: NDArray[np.float64]
    prior: float
    posterior: NDArray[np.float64]
    iterations: int


@dataclass(frozen=True, eq=False)
class Consensus:
    """Spots that detectors agree on.

    Parameters
    ----------
    spots : list of Spots
        One table per image: mean position of each cluster, ``score`` (its posterior), ``votes`` (how many detectors saw
        it).
    rates : Rates
        Over all images together; ``rates.posterior`` is the images' scores one after the other.
    detectors : tuple of str
        Names, in the order of the rates.
    """

    spots: list[Spots]
    rates: Rates
    detectors: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def estimate_rates(
    votes: NDArray[np.bool_],
    *,
    prior: float = 0.8,
    true_positive: float = 0.8,
    false_positive: float = 0.2,
    tolerance: float = 1e-7,
    most_iterations: int = 2000,
) -> Rates:
    """Estimate each detector's rates and each cluster's posterior from who saw what.

    Two classes, spot and spurious; detectors are independent given the class. If no row is without a vote, the table
    is taken to lack what nobody saw, and the likelihood is that of a candidate *given that somebody saw it*; ignoring
    this would push true positive rates up. If there are rows without a vote, the table is taken to be complete. Rates
    can be told from the data alone with four detectors or more, or three and a complete table; with fewer the start
    values matter.

    Parameters
    ----------
    votes : ndarray of bool, shape (clusters, detectors)
        Which detector reported each cluster.
    prior, true_positive, false_positive : float
        Where the iteration starts, in (0, 1).
    tolerance : float
        It stops when no rate changes by more.
    most_iterations : int
        It stops then at the latest.

    Returns
    -------
    Rates

    Raises
    ------
    ShapeError, ParameterError
        If the votes are no table, there are fewer than two detectors, or a start value is out of range.

    References
    ----------
    Dawid and Skene 1979, doi:10.2307/2346806.

    Examples
    --------
    >>> random = np.random.default_rng(0)
    >>> truth = random.random(20000) < 0.7
    >>> chances = np.where(truth[:, None], [0.9, 0.8, 0.7, 0.9], [0.1, 0.3, 0.2, 0.25])
    >>> votes = random.random(chances.shape) < chances
    >>> found = estimate_rates(votes[votes.any(1)])
    >>> bool(np.abs(found.true_positive - [0.9, 0.8, 0.7, 0.9]).max() < 0.02)
    True
    """
    votes = np.asarray(votes)
    if votes.ndim != 2 or votes.dtype != bool:
        raise ShapeError(f"votes have shape {votes.shape} and type {votes.dtype}; expected bool (clusters, detectors)")
    if votes.shape[1] < 2:
        raise ParameterError(f"{votes.shape[1]} detectors; agreement needs two or more")
    for name, value in (("prior", prior), ("true_positive", true_positive), ("false_positive", false_positive)):
        if not 0 < value < 1:
            raise ParameterError(f"{name} is {value}; expected between 0 and 1")
    complete = not votes.any(1).all()
    patterns, which, counts = np.unique(votes, axis=0, return_inverse=True, return_counts=True)
    tpr, fpr = (np.full(votes.shape[1], value) for value in (true_positive, false_positive))
    total, iterations = float(len(votes)), 0
    share = prior
    weight = counts.astype(np.float64)
    posterior = np.full(len(patterns), prior)
    while iterations < most_iterations:
        iterations += 1
        posterior = _posterior(patterns, tpr, fpr, share)
        # what nobody saw: expected numbers of unseen spots and unseen spurious ones (a truncated sample completed)
        unseen = np.array([np.prod(1 - tpr) * share, np.prod(1 - fpr) * (1 - share)])
        unseen *= 0.0 if complete else total / max(1 - unseen.sum(), TINY)
        spots, others = weight * posterior, weight * (1 - posterior)
        n_spots, n_others = spots.sum() + unseen[0], others.sum() + unseen[1]
        following = (
            np.clip(spots @ patterns / max(n_spots, TINY), TINY, 1 - TINY),
            np.clip(others @ patterns / max(n_others, TINY), TINY, 1 - TINY),
            float(np.clip(n_spots / (n_spots + n_others), TINY, 1 - TINY)),
        )
        change = max(np.abs(following[0] - tpr).max(), np.abs(following[1] - fpr).max(), abs(following[2] - share))
        tpr, fpr, share = following
        if change < tolerance:
            break
    posterior = _posterior(patterns, tpr, fpr, share)[which.ravel()]
    return Rates(tpr, fpr, float(posterior.mean()) if len(posterior) else share, posterior, iterations)


def _posterior(
    patterns: NDArray[np.bool_], tpr: NDArray[np.float64], fpr: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Return the probability of "spot" for each pattern of votes."""
    spot = np.log(share) + np.where(patterns, np.log(tpr), np.log1p(-tpr)).sum(1)
    spurious = np.log1p(-share) + np.where(patterns, np.log(fpr), np.log1p(-fpr)).sum(1)
    return np.asarray(1 / (1 + np.exp(np.clip(spurious - spot, -700, 700))), np.float64)


def cluster_detections(
    detections: Sequence[NDArray[np.floating]], distance_px: float = 1.5
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Join detections of the same spot by different detectors.

    Pairs of detections of different detectors within `distance_px` are joined, nearest pairs first; a cluster never
    holds two detections of one detector, so that chains of neighbours stay apart.

    Parameters
    ----------
    detections : sequence of ndarray of float, each (n, ndim)
        Positions of one image, one array per detector.
    distance_px : float
        Largest distance of two detections that are joined directly.

    Returns
    -------
    positions_px : ndarray of float64, shape (clusters, ndim)
        Mean of each cluster.
    votes : ndarray of bool, shape (clusters, detectors)
        Who is in it.

    Examples
    --------
    >>> cluster_detections([np.array([[1.0, 1.0]]), np.array([[1.0, 2.0], [9.0, 9.0]])])[1]
    array([[ True,  True],
           [False,  True]])
    """
    from scipy.spatial import cKDTree

    if not distance_px > 0:
        raise ParameterError(f"distance_px is {distance_px}; expected above 0")
    points = np.concatenate([np.asarray(d, np.float64) for d in detections])
    owner = np.repeat(np.arange(len(detections)), [len(d) for d in detections])
    if not len(points):
        return points, np.zeros((0, len(detections)), bool)
    pairs = cKDTree(points).query_pairs(distance_px, output_type="ndarray")
    pairs = pairs[owner[pairs[:, 0]] != owner[pairs[:, 1]]]
    away = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], away))]
    root = _join(pairs, owner, len(points))
    _, cluster = np.unique(root, return_inverse=True)
    n = int(cluster.max()) + 1
    size = np.bincount(cluster, minlength=n)
    positions = np.stack([np.bincount(cluster, axis, n) / size for axis in points.T], axis=1)
    votes = np.zeros((n, len(detections)), bool)
    votes[cluster, owner] = True
    return positions, votes


def _join(pairs: NDArray[np.integer], owner: NDArray[np.integer], n: int) -> list[int]:
    """Join pairs in order unless that would put two detections of one detector together; return each one's root."""
    parent, members = list(range(n)), (1 << owner).tolist()

    def root_of(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in pairs.tolist():
        i, j = root_of(a), root_of(b)
        if i != j and not members[i] & members[j]:
            i, j = min(i, j), max(i, j)
            parent[j] = i
            members[i] |= members[j]
    return [root_of(i) for i in range(n)]


def combine_detections(
    images: Sequence[Sequence[Spots]], *, detectors: Sequence[str] = (), distance_px: float = 1.5
) -> Consensus:
    """Combine what several detectors found in many images.

    Parameters
    ----------
    images : sequence of sequence of Spots
        For each image one table per detector, always in the same order.
    detectors : sequence of str, optional
        Names of the detectors.
    distance_px : float
        Detections of different detectors within this distance are the same spot.

    Returns
    -------
    Consensus
        Its spots can be trained on: `teasel.spatial.train.WeakCrops` takes them with the images.

    Raises
    ------
    ParameterError
        If the images have different numbers of detectors, or there are fewer than two.
    """
    numbers = {len(tables) for tables in images}
    if len(numbers) != 1:
        raise ParameterError(f"images have tables of {sorted(numbers)} detectors; give one of each detector for each")
    (n,) = numbers
    names = tuple(detectors) or tuple(f"detector {i + 1}" for i in range(n))
    if len(names) != n:
        raise ParameterError(f"{len(names)} names for {n} detectors")
    joined = [cluster_detections([table.positions_px for table in tables], distance_px) for tables in images]
    rates = estimate_rates(np.concatenate([votes for _, votes in joined]))
    ends = np.cumsum([len(votes) for _, votes in joined])[:-1]
    tables = [
        Spots(positions, {"score": posterior, "votes": votes.sum(1)}, group[0].voxel_size_um)
        for (positions, votes), posterior, group in zip(joined, np.split(rates.posterior, ends), images, strict=True)
    ]
    few = f"{n} detectors: their rates rest in part on the start values; four or more tell them apart"
    notes = (few,) if n < 4 else ()
    return Consensus(tables, rates, names, notes)
