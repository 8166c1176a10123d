"""Large images made of real ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.datasets import Case

Pixels = NDArray[np.generic]


def join(images: Sequence[Pixels], shape: tuple[int, int]) -> Pixels:
    """Lay images of one size out in rows until a plane of `shape` is full, in turn, mirrored by chance."""
    height, width = images[0].shape
    rng = np.random.default_rng(0)
    whole = np.empty((-(-shape[0] // height) * height, -(-shape[1] // width) * width), images[0].dtype)
    k = 0
    for y in range(0, whole.shape[0], height):
        for x in range(0, whole.shape[1], width):
            flips = tuple(slice(None, None, int(step)) for step in rng.choice((-1, 1), 2))
            whole[y : y + height, x : x + width] = images[k % len(images)][flips]
            k += 1
    return np.ascontiguousarray(whole[: shape[0], : shape[1]])


def join_by_size(cases: Sequence[Case], side: int) -> list[Pixels]:
    """Return one square mosaic for each size and type among grey images, the largest group first."""
    groups: dict[tuple[tuple[int, ...], str], list[Pixels]] = defaultdict(list)
    for case in cases:
        image, axes = case.read()
        if axes == "yx":
            groups[image.shape, str(image.dtype)].append(image)
    return [join(images, (side, side)) for images in sorted(groups.values(), key=len, reverse=True)]
