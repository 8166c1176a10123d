"""Sparse annotation: of a stack in which a few planes were labelled, each of these becomes a picture to train on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from teasel.training.data import Item, median_diameter

__all__ = ["judged_planes"]


def judged_planes(items: Iterable[Item]) -> Iterator[Item]:
    """Take stacks apart into the planes in which something was judged; pictures pass as they are.

    Parameters
    ----------
    items : iterable of Item
        Images of two or three dimensions; in labels -1 is unknown.

    Yields
    ------
    Item
        Two-dimensional, called ``<name>/z<plane>`` where it comes from a stack. Planes of which nothing is known are
        left out; unknown parts of the others stay unknown, and training ignores them.

    Examples
    --------
    >>> labels = np.full((3, 4, 4), -1, np.int32)
    >>> labels[1] = 0
    >>> stack = Item("set/a", np.zeros((1, 3, 4, 4), np.float32), labels, float("nan"))
    >>> [plane.name for plane in judged_planes([stack])]
    ['set/a/z1']
    """
    for item in items:
        if item.labels.ndim == 2:
            yield item
            continue
        for z, labels in enumerate(item.labels):
            if (labels >= 0).any():
                plane = np.ascontiguousarray(item.image[:, z])
                yield replace(
                    item, name=f"{item.name}/z{z}", image=plane, labels=labels, diameter_px=median_diameter(labels)
                )
