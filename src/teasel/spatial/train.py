"""Train a spot detector on simulated images, on detections that several detectors agree on, or on both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.representations import Fields
from teasel.representations.spot import Spot
from teasel.spatial.matching import match_spots
from teasel.spatial.simulation import SimulatedCrops
from teasel.spatial.simulation.crops import normalise
from teasel.spatial.spots import Spots
from teasel.training.config import TrainingConfig

if TYPE_CHECKING:
    from teasel.training.loop import Trained

__all__ = ["SPOT_CONFIG", "WeakCrops", "fit_spots"]

SPOT_CONFIG = TrainingConfig(
    representation="spot",
    widths=(24, 32, 48),
    blocks=(1, 1, 1),
    in_channels=1,
    steps=4500,
    batch_size=8,
    crop_px=128,
    object_diameter_px=3.0,
    learning_rate=2e-3,
    threads=1,
    validate_every=500,
)
"""Settings of the shipped model."""

Sampler = Callable[[int], tuple[NDArray[np.float32], Fields]]


@dataclass(frozen=True, eq=False)
class WeakCrops:
    """Crops of real images with spots that are only probably there: weak supervision.

    Parameters
    ----------
    images : sequence of ndarray, each (y, x)
        Images, at least as large as a crop.
    spots : sequence of Spots
        Candidates of each image with a column ``score``: the posterior that `teasel.spatial.consensus` gives.
    representation : Spot
        Encodes them; scores become the height of the heat.
    crop_px : int
        Edge length in pixels.
    percentiles : tuple of two float
        Of each image, become 0 and 1.
    simulated : SimulatedCrops, optional
        Every other crop is one of these, if given.
    seed : int
        Another seed is another order of crops.
    """

    images: Sequence[NDArray[np.generic]]
    spots: Sequence[Spots]
    representation: Spot
    crop_px: int = 128
    percentiles: tuple[float, float] = (1.0, 99.8)
    simulated: SimulatedCrops | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.images or len(self.images) != len(self.spots):
            raise ParameterError(f"{len(self.images)} images, {len(self.spots)} tables of spots; give one for each")
        for image in self.images:
            if image.ndim != 2 or min(image.shape) < self.crop_px:
                raise ParameterError(f"an image has shape {image.shape}; expected (y, x) of {self.crop_px} px or more")

    def __call__(self, number: int) -> tuple[NDArray[np.float32], Fields]:
        """Return image ``(1, y, x)`` and soft targets of crop `number`."""
        if self.simulated is not None and number % 2:
            return self.simulated(number)
        random = np.random.default_rng([self.seed, number])
        which = int(random.integers(len(self.images)))
        image = normalise(self.images[which], self.percentiles)
        corner = np.array([random.integers(0, n - self.crop_px + 1) for n in image.shape])
        piece = image[tuple(slice(c, c + self.crop_px) for c in corner)]
        points = self.spots[which].positions_px - corner
        near = ((points > -8) & (points < self.crop_px + 8)).all(1)
        points, scores = points[near], self.spots[which]["score"][near]
        for axis in (0, 1):
            if random.random() < 0.5:
                piece = np.flip(piece, axis)
                points[:, axis] = self.crop_px - 1 - points[:, axis]
        gain, shift = np.float32(np.exp(random.normal(0, 0.35))), np.float32(random.normal(0, 0.08))
        targets = self.representation.encode(points, piece.shape, scores)
        return np.ascontiguousarray(piece[None] * gain + shift, np.float32), targets


def fit_spots(
    sampler: Sampler,
    folder: str | Path,
    config: TrainingConfig = SPOT_CONFIG,
    *,
    judged_on: Sampler | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train a network for the representation `Spot`.

    Parameters
    ----------
    sampler : callable
        Gives image and targets of crop number 0, 1, 2, ...: `SimulatedCrops`, `WeakCrops`, or your own.
    folder : path
        Holds the checkpoint; typed again, the run goes on from it.
    config : TrainingConfig
        Settings.
    judged_on : SimulatedCrops, optional
        Held-out crops whose F1 goes into the learning curve.
    progress : callable, optional
        Called as ``progress(step, steps)``.

    Returns
    -------
    Trained
        The network with averaged weights.

    Raises
    ------
    MissingDependency
        If PyTorch is not installed.
    """
    from teasel.training.loop import fit_sampler

    judge = None if judged_on is None else _Judge(judged_on, config)
    return fit_sampler(sampler, Spot(), 2, folder, config, judge=judge, progress=progress)


class _Judge:
    """Measures F1 on crops that are not trained on."""

    def __init__(self, crops: Any, config: TrainingConfig, n: int = 32) -> None:
        self.crops, self.config, self.n = crops, config, n

    def __call__(self, network: Any) -> dict[str, float]:
        from teasel.training.validation import forward

        spot = replace(Spot(), score_threshold=0.3)
        pairs = total = 0
        away: list[float] = []
        for number in range(self.n):
            made = self.crops.simulated(np.random.default_rng([self.crops.seed, number]))
            image = normalise(made.image, self.crops.percentiles)[None]
            found = spot.decode(forward(network, spot, image, self.config)).positions_px  # type: ignore[arg-type]
            agreement = match_spots(made.visible.positions_px, found)
            pairs, total = pairs + len(agreement.pairs), total + agreement.n_true + agreement.n_found
            away += list(agreement.distances_px)
        return {"f1": 2 * pairs / max(total, 1), "error_px": float(np.mean(away)) if away else float("nan")}
