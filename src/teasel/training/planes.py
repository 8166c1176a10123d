"""Planes or whole stacks: what of the images that were read is trained on.

Of a stack in which a few planes were labelled, each of these becomes a picture to train on; a stack that was labelled
in full can be trained on as a whole, and volumes as they are, at their own voxel size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from teasel.errors import DataError
from teasel.training.data import Item, median_diameter

__all__ = ["judged_planes", "volumes", "whole_stacks"]

SPARSE = 0.5
"""A stack of which less than this part of the planes was judged is no whole."""


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


def whole_stacks(items: Iterable[Item]) -> Iterator[Item]:
    """Pass stacks that were labelled in full.

    Raises
    ------
    DataError
        If one is a picture, or less than half of its planes were judged.

    Examples
    --------
    >>> labels = np.zeros((3, 4, 4), np.int32)
    >>> stack = Item("set/a", np.zeros((1, 3, 4, 4), np.float32), labels, float("nan"), anisotropy=2.0)
    >>> [item.name for item in whole_stacks([stack])]
    ['set/a']
    """
    for item in items:
        if item.labels.ndim != 3:
            raise DataError(f"{item.name} is a picture; --ndim 3 trains on stacks: give those alone, or leave it out")
        judged = int((item.labels >= 0).any((1, 2)).sum())
        if judged < SPARSE * len(item.labels):
            raise DataError(
                f"in {item.name} {judged} of {len(item.labels)} planes have labels, too few to train on whole stacks; "
                "leave out --ndim 3 to train on these planes"
            )
        yield item


def volumes(items: Iterable[Item], diameter_px: float) -> Iterator[Item]:
    """Pass stacks as they are: called as large as the network's objects, so that nothing rescales them.

    Raises
    ------
    DataError
        If one is a picture, or nothing in it was judged.

    Examples
    --------
    >>> labels = np.full((3, 4, 4), -1, np.int32)
    >>> labels[1] = 0
    >>> stack = Item("set/a", np.zeros((1, 3, 4, 4), np.float32), labels, 5.0, anisotropy=2.0)
    >>> [(item.diameter_px, item.anisotropy) for item in volumes([stack], 24.0)]
    [(24.0, 1.0)]
    """
    for item in items:
        if item.labels.ndim != 3:
            raise DataError(f"{item.name} is a picture; --ndim 3 trains on stacks: give those alone, or leave it out")
        if not (item.labels >= 0).any():
            raise DataError(f"{item.name} has no label above -1 (unknown); annotate something, background too")
        yield replace(item, diameter_px=diameter_px, anisotropy=1.0)
