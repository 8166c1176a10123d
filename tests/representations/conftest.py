"""What the tests of this room share: reading back what was encoded, and comparing objects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from teasel.representations import Decoded, Representation


def perfect_prediction(
    member: Representation, labels: NDArray[np.integer], spacing: Sequence[float] | None = None
) -> dict[str, NDArray[np.float32]]:
    """The targets, and where they are undefined what a network would say: the same as nearby, or improbable."""
    fields = member.encode(labels, spacing)
    for head in member.heads(labels.ndim):
        field = fields[head.name]
        undefined = np.isnan(field).any(0)
        if head.activation == "linear" and undefined.any() and not undefined.all():
            nearest = ndimage.distance_transform_edt(undefined, return_distances=False, return_indices=True)
            fields[head.name] = field[(slice(None), *nearest)]
        else:
            fields[head.name] = np.nan_to_num(field)
    return fields


def read_back(member: Representation, labels: NDArray[np.integer], spacing: Sequence[float] | None = None) -> Decoded:
    """decode(encode(labels)), on the pixels of `labels`."""
    decoded = member.decode(perfect_prediction(member, labels, spacing), spacing)
    return Decoded(decoded.labels[tuple(slice(n) for n in labels.shape)], decoded.scores)


def best_ious(truth: NDArray[np.integer], found: NDArray[np.integer]) -> NDArray[np.float64]:
    """For each true object, the largest IoU that any found object has with it."""
    ids, owner = np.unique(truth, return_inverse=True)
    table = np.zeros((len(ids), int(found.max(initial=0)) + 1))
    np.add.at(table, (owner.ravel(), found.ravel()), 1)
    union = table.sum(1, keepdims=True) + table.sum(0) - table
    iou = np.where(union > 0, table / np.maximum(union, 1), 0)
    iou[:, 0] = 0
    return iou.max(1)[ids > 0]


@pytest.fixture
def back() -> Callable[..., Decoded]:
    return read_back


@pytest.fixture
def prediction() -> Callable[..., Any]:
    return perfect_prediction


@pytest.fixture
def ious() -> Callable[..., NDArray[np.float64]]:
    return best_ious
