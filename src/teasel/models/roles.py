"""What each channel of a network shows, for models that tell channels apart: the cell, its nucleus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ShapeError

__all__ = ["arrange", "distinct"]


def distinct(roles: Sequence[str]) -> tuple[str, ...]:
    """Return each role once, in the order in which an image's channels are given.

    Examples
    --------
    >>> distinct(("cell", "nucleus", "cell"))
    ('cell', 'nucleus')
    """
    return tuple(dict.fromkeys(roles))


def arrange(image: NDArray[np.float32], roles: Sequence[str], in_channels: int) -> NDArray[np.float32]:
    """Bring the channels of an image into the order a network takes them in.

    Parameters
    ----------
    image : ndarray of float32, shape (c, [z,] y, x)
        One channel; or as many as the network takes; or one for each of the first distinct roles.
    roles : sequence of str
        What each channel of the network shows; empty for networks that take any grey or colour image.
    in_channels : int
        Channels of the network.

    Returns
    -------
    ndarray of float32, shape (in_channels, [z,] y, x)
        A single channel is repeated: where a nucleus is not given, the cell stands in its place.

    Raises
    ------
    ShapeError
        If the image has another number of channels.

    Examples
    --------
    >>> image = np.stack([np.zeros((2, 2), np.float32), np.ones((2, 2), np.float32)])
    >>> arrange(image, ("cell", "nucleus", "cell"), 3)[:, 0, 0].tolist()
    [0.0, 1.0, 0.0]
    """
    given = image.shape[0]
    if given == 1:
        return np.repeat(image, in_channels, 0)
    if given == in_channels:
        return image
    names = distinct(roles)
    if given > len(names):
        raise ShapeError(
            f"the image has {given} channels; the network takes 1, {in_channels}"
            + (f" or {len(names)} ({', '.join(names)})" if names else "")
        )
    return image[[names.index(role) if names.index(role) < given else 0 for role in roles]]
