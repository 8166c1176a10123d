"""Nuclei beside whole cells: found by a model of their own, then brought to agree with the cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.inference.blocks import PlaneResult
from teasel.inference.objects import ObjectTable, tabulate
from teasel.inference.part import Part, find_diameter, segment_part
from teasel.inference.scale import network_scale
from teasel.labels import pair_nuclei
from teasel.models import Model

__all__ = ["Together", "add_nuclei"]


@dataclass(frozen=True, eq=False)
class Together:
    """Whole cells and nuclei of one plane or stack.

    Parameters
    ----------
    cells, nuclei : ndarray of uint32, shape ([z,] y, x)
        Labels 1 .. m and 1 .. n; a nucleus lies in one cell, or in none.
    cell_table : ObjectTable
        As `tabulate`, with ``nucleus`` (label of the largest nucleus, 0 if there is none), ``n_nuclei`` and
        ``nuclear_area_px``.
    nucleus_table : ObjectTable
        As `tabulate`, with ``cell`` (label of its cell, 0 if it has none).
    """

    cells: NDArray[np.uint32]
    nuclei: NDArray[np.uint32]
    cell_table: ObjectTable
    nucleus_table: ObjectTable


def add_nuclei(
    cells: PlaneResult,
    part: Part,
    model: Model,
    *,
    tile_px: int,
    progress: Callable[[int, int], None] | None = None,
) -> Together:
    """Find the nuclei of a plane or stack and bring them and its cells to agree.

    Parameters
    ----------
    cells : PlaneResult
        The whole cells.
    part : Plane or Stack
        The nuclear stain.
    model : Model
        Finds nuclei; their size is estimated.
    tile_px : int
        Edge of a network tile.
    progress : callable, optional
        Called as ``progress(done, total)``.

    Returns
    -------
    Together
    """
    size = find_diameter(model, part) or model.spec.object_diameter_px
    found = segment_part(model, part, network_scale(size, model), tile_px=tile_px, progress=progress)
    pairs = pair_nuclei(found.labels, cells.labels)
    cell_table = tabulate(pairs.cells, cells.scores)
    nucleus_table = tabulate(pairs.nuclei, found.scores[pairs.given - 1])
    of_cells = {"nucleus": pairs.nucleus_of, "n_nuclei": pairs.n_nuclei, "nuclear_area_px": pairs.nuclear_area_px}
    return Together(
        cells=pairs.cells,
        nuclei=pairs.nuclei,
        cell_table=ObjectTable({**cell_table.columns, **of_cells}),
        nucleus_table=ObjectTable({**nucleus_table.columns, "cell": pairs.cell_of}),
    )
