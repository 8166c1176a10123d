"""Greedy agglomeration: the two most alike neighbours merge first, then all is measured anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.agglomeration.merge_tree import ONE, MergeTree
from teasel.agglomeration.part import GraphPart, Merges, part_of, rest_of, tree_of
from teasel.agglomeration.region_graph import RegionGraph, add_rows
from teasel.errors import ParameterError

__all__ = ["Agglomeration"]


@dataclass(frozen=True)
class Agglomeration:
    """How supervoxels become segments.

    Parameters
    ----------
    score : str
        "mean" affinity over the border of two clusters, or the "quantile" of its distribution.
    quantile : float
        For "quantile", in (0, 1]: 0.5 is the median; higher merges where part of a border is open.
    peaks : bool
        For "quantile": each border of two supervoxels counts with its highest affinities alone (those in the highest of
        16 bins that it reaches), so that small open places decide. As waterz does unless told otherwise.
    lowest : float
        The merge tree ends here, in [0, 1]; thresholds can be chosen above it.
    min_voxels : int
        Segments smaller than this join the neighbour with the best border, if that has any affinity; those that have
        none are dropped. 0 keeps all.

    Notes
    -----
    Scores are integers: the sum of 8-bit affinities times 2**16, divided by their number, rounded down. Of several best
    pairs the one merges first whose latest edge of the graph comes first. So the order of merges is total, and the
    tree depends on the graph alone; scores only fall. Quantiles are read from 16 bins, in which values are taken as
    spread evenly; waterz takes the middle of one of 256 bins.

    References
    ----------
    Lee et al. 2017, arXiv:1706.00120 (mean affinity); Funke et al. 2019, doi:10.1109/TPAMI.2018.2835450 (quantiles).

    Examples
    --------
    >>> from teasel.agglomeration import region_graph
    >>> labels = np.array([[[1, 1, 3, 4]]], np.uint64)
    >>> graph = region_graph(labels, np.array([[[[0, 200, 90, 0]]]], np.uint8), [(0, 0, 1)])
    >>> tree = Agglomeration().build(graph)
    >>> tree.pairs.tolist(), tree.cut(0.5).tolist()
    ([[0, 1], [0, 2]], [1, 1, 2])
    """

    score: str = "mean"
    quantile: float = 0.75
    peaks: bool = False
    lowest: float = 0.1
    min_voxels: int = 0

    def __post_init__(self) -> None:
        if self.score not in ("mean", "quantile"):
            raise ParameterError(f"score is {self.score!r}; expected 'mean' or 'quantile'")
        if not 0 < self.quantile <= 1 or not 0 <= self.lowest <= 1:
            raise ParameterError(f"quantile {self.quantile}, lowest {self.lowest}; expected numbers up to 1")
        if self.peaks and self.score != "quantile":
            raise ParameterError(f"peaks with score {self.score!r}; they are for 'quantile'")
        if self.min_voxels < 0:
            raise ParameterError(f"min_voxels is {self.min_voxels}; expected 0 or more")

    @property
    def needs_histogram(self) -> bool:
        """Whether the graph must hold the distribution on each edge."""
        return self.score == "quantile"

    def build(self, graph: RegionGraph) -> MergeTree:
        """Merge down to `lowest`, and remember each merge.

        Raises
        ------
        ParameterError
            If the graph lacks the histogram that the score needs.
        """
        part = part_of(graph)
        merges, _ = self.merge(part, np.zeros(len(part.ids), bool))
        return tree_of(graph.ids, [merges])

    def merge(self, part: GraphPart, frozen: NDArray[np.bool_]) -> tuple[Merges, GraphPart]:
        """Merge what can be decided from a part of a graph, down to `lowest`.

        Parameters
        ----------
        part : GraphPart
            All borders of every cluster that is not frozen.
        frozen : ndarray of bool, shape (n,)
            Clusters that may have borders elsewhere.

        Returns
        -------
        tuple of (Merges, GraphPart)
            The merges, which are those of the whole graph among these clusters; and what is left to decide.

        Raises
        ------
        ParameterError
            If the graph lacks the histogram that the score needs.
        """
        from teasel.agglomeration.greedy import merge_greedily

        if self.needs_histogram and part.histogram.shape[1] == 0:
            raise ParameterError("the graph holds no histograms; build it with histogram=True")
        count, raw = part.count, part.raw
        histogram = part.histogram if self.needs_histogram else np.zeros((len(count), 0), np.uint32)
        if self.peaks:
            known = raw & ~frozen[part.ends].all(1)
            histogram, count = histogram.copy(), count.copy()
            histogram[known] = _highest_bin(histogram[known])
            count[known] = histogram[known].sum(1, dtype=np.int64)
            raw = raw & ~known
        merged = merge_greedily(
            part.ends, count, part.total, histogram, frozen, round(self.lowest * ONE), round(self.quantile * 65536)
        )
        merges = Merges(part.ids[merged.pairs], merged.scores, part.latest[merged.by])
        return merges, rest_of(part, merged, raw)

    def segments(
        self, graph: RegionGraph | Iterable[RegionGraph], tree: MergeTree, threshold: float
    ) -> NDArray[np.int64]:
        """Return the segment of each supervoxel at a threshold, small ones taken care of.

        Parameters
        ----------
        graph : RegionGraph or iterable of RegionGraph
            The graph, or its parts one after the other; looked at only if `min_voxels` is above 1.
        tree : MergeTree
        threshold : float
            Affinity in [0, 1] below which nothing is merged.

        Returns
        -------
        ndarray of int64, shape (n,)
            1 .. k in the order of each segment's first supervoxel; 0 for dropped ones.
        """
        segments = tree.cut(threshold)
        if self.min_voxels <= 1:
            return segments
        return _absorb_small([graph] if isinstance(graph, RegionGraph) else graph, tree.ids, segments, self.min_voxels)


def _highest_bin(histogram: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Empty all bins of each row but the highest that holds anything."""
    above = np.cumsum(histogram[:, ::-1], 1)[:, ::-1] - histogram
    return np.where(above == 0, histogram, 0).astype(np.uint32)


def _absorb_small(
    graphs: Iterable[RegionGraph], ids: NDArray[np.uint64], segments: NDArray[np.int64], least: int
) -> NDArray[np.int64]:
    """Join segments of fewer voxels to their best neighbour, the largest borders' affinity first; drop what is left."""
    from teasel.agglomeration.greedy import absorb
    from teasel.agglomeration.merge_tree import number_clusters

    n = int(segments.max(initial=0))
    sizes = np.zeros(n, np.int64)
    pairs, sums = np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64)
    for graph in graphs:
        np.add.at(sizes, segments[np.searchsorted(ids, graph.ids)] - 1, graph.sizes)
        near = graph.count > 0
        ends = np.sort(segments[np.searchsorted(ids, graph.edges[near])] - 1, 1)
        apart = ends[:, 0] != ends[:, 1]
        more = np.stack([graph.count[near], graph.total[near]], 1)[apart]
        pairs, (sums,) = add_rows(np.concatenate([pairs, ends[apart]]), [np.concatenate([sums, more])])
    first = absorb(pairs, sums[:, 0], sums[:, 1], sizes, least)
    numbers = number_clusters(np.maximum(first, 0))
    kept = first >= 0
    joined = np.where(kept, numbers, 0)
    renumber = np.zeros(int(joined.max(initial=0)) + 1, np.int64)
    used = np.unique(joined[joined > 0])
    renumber[used] = np.arange(1, len(used) + 1)
    return renumber[joined][segments - 1]
