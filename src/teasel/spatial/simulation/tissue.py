"""Simulated cells of several types and the molecules in them: what assigning spots to cells is judged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError

__all__ = ["Tissue", "simulate_tissue"]


@dataclass(frozen=True, eq=False)
class Tissue:
    """Cells and molecules with their truth.

    Parameters
    ----------
    nuclei : ndarray of uint32, shape (y, x)
        Label image of the nuclei.
    positions_px : ndarray of float64, shape (n, 2)
        Molecules.
    gene : ndarray of int64, shape (n,)
        Number of the gene of each.
    cell : ndarray of uint32, shape (n,)
        The cell it belongs to: label of its nucleus; 0 for molecules outside all cells.
    cell_type : ndarray of int64, shape (n_cells,)
        Type of cell 1, 2, ...
    """

    nuclei: NDArray[np.uint32]
    positions_px: NDArray[np.float64]
    gene: NDArray[np.int64]
    cell: NDArray[np.uint32]
    cell_type: NDArray[np.int64]


def simulate_tissue(
    shape: tuple[int, int] = (256, 256),
    *,
    n_genes: int = 60,
    n_types: int = 5,
    spacing_px: float = 32.0,
    nucleus_px: float = 8.0,
    molecules_per_cell: float = 60.0,
    stray: float = 0.05,
    seed: int = 0,
) -> Tissue:
    """Draw a tissue: nuclei on a jittered grid, cells of many sizes around them that overlap, molecules of their type.

    Parameters
    ----------
    shape : tuple of int
        Height and width in pixels.
    n_genes, n_types : int
        Genes, and types of cells; each type has a third of the genes that are its own favourites.
    spacing_px, nucleus_px : float
        Distance of cells, and radius of nuclei.
    molecules_per_cell : float
        On average; they lie around the cell's centre with a spread of 0.2 to 0.45 `spacing_px`, by the cell.
    stray : float
        Share of molecules outside all cells, anywhere, of any gene.
    seed : int
        Same seed, same tissue.

    Examples
    --------
    >>> tissue = simulate_tissue((64, 64), seed=1)
    >>> int(tissue.nuclei.max()), len(tissue.gene) == len(tissue.cell)
    (4, True)
    """
    if min(shape) < spacing_px:
        raise ParameterError(f"a tissue of {shape} pixels has no room for cells {spacing_px:g} px apart")
    random = np.random.default_rng(seed)
    grid = [np.arange(spacing_px / 2, n, spacing_px) for n in shape]
    centres = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, 2)
    centres = np.clip(centres + random.uniform(-0.2, 0.2, centres.shape) * spacing_px, 0, np.array(shape) - 1)
    n_cells = len(centres)
    kind = random.integers(n_types, size=n_cells)
    profiles = random.gamma(0.5, size=(n_types, n_genes)) + 1e-3
    profiles /= profiles.sum(axis=1, keepdims=True)
    owner = np.repeat(np.arange(n_cells), random.poisson(molecules_per_cell, n_cells))
    spread = random.uniform(0.2, 0.45, n_cells) * spacing_px
    places = centres[owner] + random.normal(0, 1, (len(owner), 2)) * spread[owner, None]
    gene = _draw(profiles[kind[owner]], random)
    inside = ((places >= -0.5) & (places < np.array(shape) - 0.5)).all(axis=1)
    places, gene, owner = places[inside], gene[inside], owner[inside]
    n_stray = random.poisson(stray * len(owner))
    places = np.vstack([places, random.uniform(-0.5, np.array(shape) - 0.5, (n_stray, 2))])
    gene = np.concatenate([gene, random.integers(n_genes, size=n_stray)])
    cell = np.concatenate([owner + 1, np.zeros(n_stray)]).astype(np.uint32)
    order = random.permutation(len(cell))
    return Tissue(_nuclei(shape, centres, nucleus_px), places[order], gene[order], cell[order], kind)


def _draw(profiles: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.int64]:
    """Draw one gene from each profile."""
    return np.asarray((profiles.cumsum(axis=1) > random.random((len(profiles), 1))).argmax(axis=1))


def _nuclei(shape: tuple[int, int], centres: NDArray[np.float64], radius: float) -> NDArray[np.uint32]:
    labels = np.zeros(shape, np.uint32)
    yy, xx = np.indices(shape)
    for label, (y, x) in enumerate(centres, 1):
        labels[((yy - y) ** 2 + (xx - x) ** 2 <= radius**2) & (labels == 0)] = label
    return labels
