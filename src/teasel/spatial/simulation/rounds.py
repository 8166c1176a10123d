"""A simulated experiment of several rounds: images with drift, chromatic offsets and noise, and all of its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.spatial.codebook import Codebook
from teasel.spatial.simulation.optics import add_spots
from teasel.spatial.simulation.tissue import Tissue, simulate_tissue

__all__ = ["Rounds", "RoundsScene", "simulate_rounds"]


@dataclass(frozen=True)
class RoundsScene:
    """What is simulated.

    Parameters
    ----------
    height_px, width_px : int
        Size of a field.
    drift_px : float
        Standard deviation of the drift of each round, along each axis.
    chromatic_px : float
        Standard deviation of the offset of each colour but the first.
    spot_px : float
        Standard deviation of a molecule's image.
    photons : float
        Height of the median molecule, in photons.
    background : float
        Photons per pixel where nothing is.
    clutter : int
        Spots per bit and field that belong to no molecule.
    dropout : float
        How often a bit of a molecule stays dark, in [0, 1).
    fiducials : int
        Beads per field, seen in every round.
    molecules_per_cell : float
        On average.
    """

    height_px: int = 192
    width_px: int = 192
    drift_px: float = 3.0
    chromatic_px: float = 0.4
    spot_px: float = 1.2
    photons: float = 300.0
    background: float = 100.0
    clutter: int = 40
    dropout: float = 0.05
    fiducials: int = 12
    molecules_per_cell: float = 15.0

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1:
            raise ParameterError(f"dropout is {self.dropout}; expected a number in [0, 1)")


@dataclass(frozen=True, eq=False)
class Rounds:
    """A simulated field.

    Parameters
    ----------
    images : ndarray of uint16, shape (n_rounds, n_colours + 2, y, x)
        Channels of each round: the colours, the fiducials, and the nuclei.
    word : ndarray of int64, shape (n,)
        True row of the codebook of each molecule of `tissue`.
    drift_px : ndarray of float64, shape (n_rounds, 2)
        How far a round lies from the first.
    chromatic_px : ndarray of float64, shape (n_colours, 2)
        How far a colour lies from the first.
    tissue : Tissue
        Nuclei, molecules and cells, in the frame of the first round and colour.
    """

    images: NDArray[np.uint16]
    word: NDArray[np.int64]
    drift_px: NDArray[np.float64]
    chromatic_px: NDArray[np.float64]
    tissue: Tissue


def simulate_rounds(codebook: Codebook, scene: RoundsScene | None = None, *, field: int = 0, seed: int = 0) -> Rounds:
    """Simulate one field of an experiment.

    Parameters
    ----------
    codebook : Codebook
        Genes are drawn from it, blanks never; its rounds and channels say where each bit is.
    scene : RoundsScene, optional
        What is simulated.
    field : int
        Number of the field. Chromatic offsets and the brightness of bits are those of the experiment, all else of
        the field.
    seed : int
        Of the experiment; same numbers, same images.

    Examples
    --------
    >>> from teasel.spatial.simulation.codes import random_codebook
    >>> rounds = simulate_rounds(random_codebook(10, 5), RoundsScene(height_px=64, width_px=64))
    >>> rounds.images.shape
    (8, 4, 64, 64)
    """
    scene = scene or RoundsScene()
    shape = (scene.height_px, scene.width_px)
    whole = np.random.default_rng(seed)
    random = np.random.default_rng((seed, field + 1))
    n_rounds, n_colours = int(codebook.rounds.max()) + 1, int(codebook.channels.max()) + 1
    chromatic = whole.normal(0, scene.chromatic_px, (n_colours, 2))
    chromatic[0] = 0
    gain = np.exp(whole.normal(0, 0.3, codebook.n_bits))
    drift = random.normal(0, scene.drift_px, (n_rounds, 2))
    drift[0] = 0
    genes = np.flatnonzero(~codebook.blank)
    tissue = simulate_tissue(
        shape, n_genes=len(genes), molecules_per_cell=scene.molecules_per_cell, seed=int(random.integers(2**31))
    )
    word = genes[tissue.gene]
    light = np.full((n_rounds, n_colours + 2, *shape), scene.background, np.float64)
    bright = scene.photons * np.exp(random.normal(0, 0.3, len(word)))
    for bit in range(codebook.n_bits):
        r, c = int(codebook.rounds[bit]), int(codebook.channels[bit])
        lit = codebook.words[word, bit] & (random.random(len(word)) >= scene.dropout)
        places = np.vstack([tissue.positions_px[lit], random.uniform(0, shape, (scene.clutter, 2))])
        heights = np.concatenate([bright[lit], scene.photons * np.exp(random.normal(-0.5, 0.5, scene.clutter))])
        heights = heights * gain[bit] * np.exp(random.normal(0, 0.15, len(heights)))
        light[r, c] = _draw(light[r, c], places + drift[r] + chromatic[c], heights, scene.spot_px)
    beads = random.uniform(8, np.array(shape) - 8, (scene.fiducials, 2))
    for r in range(n_rounds):
        heights = np.full(len(beads), 10 * scene.photons)
        light[r, n_colours] = _draw(light[r, n_colours], beads + drift[r], heights, 1.5 * scene.spot_px)
        light[r, n_colours + 1] += scene.photons * _shifted(tissue.nuclei > 0, drift[r])
    images = random.poisson(light) + random.normal(0, 3, light.shape)
    return Rounds(np.clip(np.rint(images), 0, 65535).astype(np.uint16), word, drift, chromatic, tissue)


def _draw(
    image: NDArray[np.float64], places: NDArray[np.float64], heights: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    return add_spots(image, places, heights, np.full((len(places), 2), width))


def _shifted(nuclei: NDArray[np.bool_], drift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return soft nuclei, moved."""
    from scipy.ndimage import gaussian_filter, shift

    return np.asarray(shift(gaussian_filter(nuclei.astype(np.float64), 1.5), drift, order=1, mode="nearest"))
