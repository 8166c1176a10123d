"""Copy and paste: more objects, and more that touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.training.augment._base import Augmentation, Range, Sample, uniform
from teasel.training.augment._objects import SLIVER_PX, settle

__all__ = ["CopyPaste"]

Box = tuple[slice, ...]


@dataclass(frozen=True)
class CopyPaste(Augmentation):
    """Copy objects of the sample to other places: anywhere, or against another object.

    Pasted objects get new ids; an object they cover keeps its largest visible part and loses what is cut off
    from it (unknown, -1). Objects that the border cuts are not copied. A place where more than a third of
    another object would be covered is left.

    Parameters
    ----------
    probability : float
        How often a sample is changed.
    count : tuple of int
        Range of the number of copies tried.
    touching : float
        How often a copy is put against another object rather than anywhere.
    intensity : tuple of float
        Range of the factor by which the copy stands out, relative to its original.

    References
    ----------
    Ghiasi et al., Simple copy-paste is a strong data augmentation method for instance segmentation, CVPR
    (2021),
    doi 10.1109/CVPR46437.2021.00294.
    """

    changes_labels: ClassVar[bool] = True

    probability: float = 0.3
    count: tuple[int, int] = (1, 6)
    touching: float = 0.6
    intensity: Range = (0.7, 1.2)

    def apply(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Return the sample with copies pasted in."""
        from scipy import ndimage

        boxes = ndimage.find_objects(np.maximum(sample.labels, 0))
        whole = [i for i, box in enumerate(boxes, 1) if box and _is_inside(box, sample.labels.shape)]
        if not whole:
            return sample
        result = Sample(sample.image.copy(), sample.labels.copy(), sample.colour)
        sizes = np.bincount(np.maximum(sample.labels, 0).ravel())
        covered: set[int] = set()
        for k in range(int(rng.integers(self.count[0], self.count[1] + 1))):
            source = int(rng.choice(whole))
            if sizes[source] < SLIVER_PX:
                continue
            patch, mask = _cut(sample, source, boxes[source - 1], rng)
            neighbour = boxes[int(rng.choice(whole)) - 1] if rng.random() < self.touching else None
            box = _place(mask.shape, sample.labels.shape, neighbour, rng)
            if box is None:
                continue
            below = result.labels[box][mask]
            if _covers_little(below, sizes):
                covered |= {int(i) for i in np.unique(below)}
                _paste(result, patch, mask, box, len(boxes) + 1 + k, uniform(rng, self.intensity))
        settle(result.labels, covered)
        return result


def _is_inside(box: Box, shape: tuple[int, ...]) -> bool:
    """Tell whether a box stays off the borders of the plane."""
    return all(s.start > 0 and s.stop < n for s, n in zip(box[-2:], shape[-2:], strict=True))


def _cut(
    sample: Sample, source: int, box: Box, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return an object with a margin of one pixel in the plane, flipped and turned by chance."""
    wide = (*box[:-2], *(slice(s.start - 1, s.stop + 1) for s in box[-2:]))
    patch, mask = sample.image[(slice(None), *wide)], sample.labels[wide] == source
    y, x = (slice(None, None, int(step)) for step in rng.choice((-1, 1), 2))
    patch, mask = patch[..., y, x], mask[..., y, x]
    if rng.random() < 0.5:
        patch, mask = patch.swapaxes(-1, -2), mask.swapaxes(-1, -2)
    return patch, mask


def _place(
    size: tuple[int, ...], shape: tuple[int, ...], neighbour: Box | None, rng: np.random.Generator
) -> Box | None:
    """Return the box a copy goes to: anywhere, or so that it meets a neighbour; None if it fits nowhere."""
    room = np.subtract(shape, size)
    corner = rng.integers(0, np.maximum(room, 0) + 1)
    if neighbour is not None:
        angle = rng.uniform(0, 2 * np.pi)
        for axis, part in ((-2, np.sin(angle)), (-1, np.cos(angle))):
            middle = (neighbour[axis].start + neighbour[axis].stop) / 2
            apart = (neighbour[axis].stop - neighbour[axis].start + size[axis] - 2) / 2
            corner[axis] = round(middle + 0.9 * part * apart - size[axis] / 2)
        if len(shape) == 3:
            corner[0] = neighbour[0].start
        corner = np.clip(corner, 0, np.maximum(room, 0))
    if np.any(room < 0):  # a turned object longer than the plane is wide
        return None
    return tuple(slice(int(c), int(c) + n) for c, n in zip(corner, size, strict=True))


def _covers_little(below: NDArray[np.int32], sizes: NDArray[np.intp]) -> bool:
    """Tell whether at most a third of every object lies under a copy; copies never cover each other."""
    hidden = np.bincount(np.maximum(below, 0))
    if len(hidden) > len(sizes):
        return False
    return bool(np.all(hidden[1:] * 3 <= sizes[1 : len(hidden)]))


def _paste(
    sample: Sample, patch: NDArray[np.float32], mask: NDArray[np.bool_], box: Box, new_id: int, factor: float
) -> None:
    """Blend a copy in, in place: softly at its outline, on the background level of where it lands."""
    from scipy import ndimage

    weight = ndimage.uniform_filter(mask.astype(np.float32), (1,) * (mask.ndim - 2) + (3, 3), mode="constant")
    around = patch[:, ~mask].mean(axis=1) if not mask.all() else patch.reshape(len(patch), -1).mean(axis=1)
    around = around.reshape(-1, *(1,) * mask.ndim)
    view = sample.image[(slice(None), *box)]
    view += weight * ((patch - around) * np.float32(factor) + around - view)
    sample.labels[box][mask] = new_id
