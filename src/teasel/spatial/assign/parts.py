"""Cells x genes of transcripts that come part by part and are never in memory together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.geometry import VoxelSize
from teasel.spatial.assign.candidates import nearest_cells
from teasel.spatial.assign.counts import PairCounter
from teasel.spatial.assign.labels import cells_at
from teasel.spatial.assign.table import measure_places, table_of_counts
from teasel.spatial.readers.parts import GeneNames
from teasel.spatial.spots import Spots

if TYPE_CHECKING:
    import anndata

__all__ = ["count_parts"]


def count_parts(
    parts: Iterable[Spots],
    labels: Any,
    *,
    method: str = "labels",
    radius_px: float = 20.0,
    seen: Callable[[Spots], None] | None = None,
) -> anndata.AnnData:
    """Give spots to cells as they come, and count them.

    Parameters
    ----------
    parts : iterable of Spots
        With a column ``gene``, such as `teasel.spatial.readers.stream_spots` yields. Positions in z are left out where
        the labels are a plane.
    labels : array of int, shape ([z,] y, x)
        Label image of cells or nuclei.
    method : str
        ``labels``: the cell under the spot; ``nearest``: the nearest within the radius.
    radius_px : float
        For ``nearest``, in pixels.
    seen : callable, optional
        Called with each part when it is counted.

    Returns
    -------
    AnnData
        As `teasel.spatial.assign.cell_table` gives it, of all parts together.

    Raises
    ------
    ParameterError
        If there is no such method.

    Examples
    --------
    >>> parts = [Spots(np.array([[0.0, k]]), {"gene": np.array(["Actb"])}) for k in range(4)]
    >>> table = count_parts(parts, np.array([[1, 1, 0, 2]]))
    >>> table.X.toarray().astype(int).tolist(), table.uns["unassigned"]["spots"]
    ([[2], [1]], 1)
    """
    if method not in ("labels", "nearest"):
        raise ParameterError(f"method is {method!r}; expected labels or nearest (refine needs all spots together)")
    genes, counter = GeneNames(), PairCounter()
    total = np.zeros(0, np.int64)
    size = VoxelSize()
    for part in parts:
        places = part.positions_px[:, -len(labels.shape) :]
        cells = cells_at(places, labels) if method == "labels" else nearest_cells(places, labels, radius_px)
        numbers = genes.number(part)
        counter.add(cells, numbers)
        total = _add(total, np.bincount(numbers, minlength=len(genes.names)))
        size = part.voxel_size_um
        if seen is not None:
            seen(part)
    place, names, blank = genes.sorted()
    in_order = np.zeros(len(names), np.int64)
    in_order[place] = total
    return table_of_counts(counter.result(len(names), place), in_order, names, measure_places(labels, size), blank)


def _add(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sum of two counts of which the second may be longer."""
    total = other.astype(np.int64)
    total[: len(one)] += one
    return total
