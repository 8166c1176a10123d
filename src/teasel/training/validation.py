"""Scores on images that were never trained on, at their true scale, while training runs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from teasel.models.roles import arrange
from teasel.networks.unet import UNet
from teasel.representations import Fields, Representation
from teasel.training.config import TrainingConfig
from teasel.training.data import Item

__all__ = ["forward", "middle", "rescale", "validate"]

THRESHOLDS = (0.5, 0.75, 0.9)


def validate(
    network: UNet, representation: Representation, items: Sequence[Item], config: TrainingConfig
) -> dict[str, float]:
    """Return pooled average precision at IoU 0.5, 0.75 and 0.9, with objects at the training size.

    Of stacks that are larger than 160 pixels then, the middle is looked at.

    Parameters
    ----------
    network : UNet
        Any mode; left in evaluation mode.
    representation : Representation
        Reads the objects back.
    items : sequence of Item
        Validation images; those without objects are kept at their own size.
    config : TrainingConfig
        Gives object size and device.

    Returns
    -------
    dict of str to float
        ``ap50``, ``ap75``, ``ap90``; empty without images.
    """
    from teasel.labels.metrics.matching import average_precision

    truths, predictions = [], []
    for item in items:
        scale = config.object_diameter_px / item.diameter_px if np.isfinite(item.diameter_px) else 1.0
        image, labels = middle(*rescale(item.image, item.labels, item.scales(scale)))
        truths.append(labels)
        found = representation.decode(forward(network, representation, image, config)).labels
        predictions.append(found[tuple(slice(n) for n in labels.shape)])  # a coarse grid may reach beyond the image
    if not truths:
        return {}
    values = average_precision(truths, predictions, THRESHOLDS)
    return {f"ap{round(100 * t)}": float(v) for t, v in zip(THRESHOLDS, values, strict=True)}


def forward(
    network: UNet, representation: Representation, image: NDArray[np.float32], config: TrainingConfig
) -> Fields:
    """Run a network on one image ``(c, [z,] y, x)``, mirrored up to its divisor, and apply the activations."""
    network.eval()
    shape = image.shape[1:]
    padding = [(0, 0), *((0, -n % network.divisor) for n in shape)]
    padded = np.pad(image, padding, mode="symmetric")
    padded = np.ascontiguousarray(arrange(padded, config.roles, config.in_channels))
    with torch.no_grad():
        outputs = network(torch.from_numpy(padded)[None].to(config.device))
    fields = {}
    for head in representation.heads(len(shape)):
        value = outputs[head.name][0].float().cpu()
        value = torch.sigmoid(value) if head.activation == "sigmoid" else value
        fields[head.name] = value.numpy()[(slice(None), *(slice(-(-n // head.stride)) for n in shape))]
    return fields


def middle(
    image: NDArray[np.float32], labels: NDArray[np.int32], edge_px: int = 160
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Cut the middle out of a stack, as long as an edge along each axis or less; a picture is left whole."""
    if labels.ndim == 2:
        return image, labels
    box = tuple(slice(max(0, (n - edge_px) // 2), (n + edge_px) // 2) for n in labels.shape)
    return image[(slice(None), *box)], labels[box]


def rescale(
    image: NDArray[np.float32], labels: NDArray[np.int32], scale: float | tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Resize an image (linear, smoothed where it shrinks) and its labels (nearest) by one factor, or one per axis."""
    from skimage.transform import resize

    scales = (scale,) * labels.ndim if isinstance(scale, int | float) else scale
    shape = tuple(max(1, round(n * s)) for n, s in zip(labels.shape, scales, strict=True))
    smaller = np.stack([resize(p, shape, order=1, mode="reflect", anti_aliasing=min(scales) < 1) for p in image])
    index = np.ix_(
        *(
            np.minimum(((np.arange(m) + 0.5) * n / m).astype(int), n - 1)
            for m, n in zip(shape, labels.shape, strict=True)
        )
    )
    return smaller.astype(np.float32), labels[index]
