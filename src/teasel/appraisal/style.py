"""How an image looks, in numbers: brightness, texture per scale, colour, contrast and size of what is found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from teasel.inference.consistency import Seen

__all__ = ["STYLE", "style_vector"]

STYLE = (
    "dark",
    "low",
    "middle",
    "high",
    "bright",
    "texture_1",
    "texture_2",
    "texture_4",
    "texture_8",
    "colour",
    "contrast",
    "cover",
    "size",
    "sharpness",
)
"""What `style_vector` measures, in order."""


def style_vector(piece: NDArray[np.float32], seen: Seen) -> NDArray[np.float64]:
    """Describe the look of a piece of an image.

    Parameters
    ----------
    piece : ndarray of float32, shape (c, y, x)
        Normalised and at the model's object size.
    seen : Seen
        What the model finds in it.

    Returns
    -------
    ndarray of float64, shape (14,)
        One number per entry of `STYLE`, each of order 1.
    """
    grey = piece.mean(0)
    inside = seen.fields["foreground"][0] > 0.5
    texture = [float(np.log(np.abs(np.diff(grey[::step, ::step], axis=-1)).mean() + 1e-3)) for step in (1, 2, 4, 8)]
    colour = float(np.abs(piece - grey).mean())
    contrast = float(grey[inside].mean() - grey[~inside].mean()) if inside.any() and not inside.all() else 0.0
    size = seen.fields["size"][0]
    shrunk = inside[2::4, 2::4][: size.shape[0], : size.shape[1]]
    typical = float(np.median(size[: shrunk.shape[0], : shrunk.shape[1]][shrunk])) if shrunk.any() else 0.0
    sharpness = texture[0] - texture[2]
    return np.array(
        [
            *np.percentile(grey, (5, 25, 50, 75, 95)),
            *texture,
            4 * colour,
            contrast,
            float(inside.mean()),
            typical,
            sharpness,
        ]
    )
