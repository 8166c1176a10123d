"""Find spots with another program: ``python spots_process.py bigfish|trackpy FOLDER`` (image.npy in, spots.npy out)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

RADIUS_PX = 1.5
DIAMETER_PX = 7


def bigfish(image: np.ndarray) -> np.ndarray:
    """Laplacian of Gaussian with Big-FISH's automatic threshold."""
    from bigfish.detection import detect_spots

    spots = detect_spots(image.astype(np.uint16), voxel_size=(100, 100), spot_radius=(100 * RADIUS_PX, 100 * RADIUS_PX))
    return np.asarray(spots, float).reshape(-1, 2)


def trackpy(image: np.ndarray) -> np.ndarray:
    """Crocker and Grier's locate, with its default thresholds."""
    import trackpy as tp

    tp.quiet()
    return tp.locate(image, DIAMETER_PX)[["y", "x"]].to_numpy()


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    found = {"bigfish": bigfish, "trackpy": trackpy}[sys.argv[1]](np.load(folder / "image.npy"))
    np.save(folder / "spots.npy", found)
