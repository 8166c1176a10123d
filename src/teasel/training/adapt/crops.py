"""Training crops of an adaptation: by number, part of them lessons and part of them replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.models import ModelSpec
from teasel.models.roles import arrange
from teasel.representations import Fields, Representation
from teasel.training.adapt.config import AdaptConfig
from teasel.training.adapt.lessons import Lesson
from teasel.training.augment import (
    Blur,
    Compose,
    ContrastBrightness,
    CopyPaste,
    FlipsRotations,
    Gamma,
    Illumination,
    InstanceJitter,
    Noise,
    Sample,
    standard,
)
from teasel.training.crops import CropSampler, warp
from teasel.training.data import Item

__all__ = ["AdaptCrops"]

OCTAVES, WIDE_OCTAVES, WIDE_SCALE = 0.5, 1.6, 0.2
"""Crops are a little larger or smaller than the network wants them; some far off, as the first look at an image is."""
REFERENCES = 32


@dataclass
class AdaptCrops(torch.utils.data.Dataset[Any]):
    """Crops by number; crop ``i`` depends on the seed and ``i`` alone.

    Parameters
    ----------
    lessons : sequence of Lesson
        Corrected images.
    replay : CropSampler
        Replayed scenes; made by `build`.
    spec : ModelSpec
        The model: object size, channels, representation.
    config : AdaptConfig
        Crop size, share of replay, seed.
    """

    lessons: Sequence[Lesson]
    replay: CropSampler
    spec: ModelSpec
    config: AdaptConfig

    def __post_init__(self) -> None:
        """Note where objects are: a lesson is drawn by the root of their area, a crop around one of their pixels."""
        self._inside = [np.flatnonzero((one.labels > 0) | (one.hint > 0)) for one in self.lessons]
        roots = np.sqrt([len(inside) for inside in self._inside])
        self._chances = roots / roots.sum()

    @classmethod
    def build(
        cls, lessons: Sequence[Lesson], replay: Sequence[Item], spec: ModelSpec, config: AdaptConfig
    ) -> AdaptCrops:
        """Make crops of lessons and replayed scenes.

        Raises
        ------
        ParameterError
            If the crop is no multiple of the network's divisor.
        """
        if config.crop_px % spec.divisor:
            raise ParameterError(f"crop_px is {config.crop_px}; model {spec.name!r} takes multiples of {spec.divisor}")
        sampler = CropSampler(
            replay,
            spec.representation,
            crop_px=config.crop_px,
            diameter_px=spec.object_diameter_px,
            channels=spec.in_channels,
            augmentation=standard(
                [item.image for item in replay[:: max(1, len(replay) // REFERENCES)]], roles=bool(spec.roles)
            ),
            roles=spec.roles,
            seed=config.seed,
        )
        return cls(lessons, sampler, spec, config)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        is_replayed = number % self.config.batch_size < self.replayed
        image, targets = self.replay(number) if is_replayed else self.lesson_crop(number)
        return torch.from_numpy(image), {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in targets.items()}

    @property
    def replayed(self) -> int:
        """How many crops of a batch are replayed scenes: the first ones."""
        return round(self.config.replay_share * self.config.batch_size)

    def lesson_crop(self, number: int) -> tuple[NDArray[np.float32], Fields]:
        """Cut, change and encode a crop of a corrected image."""
        rng = np.random.default_rng([self.config.seed, number, 1])
        chosen = rng.choice(len(self.lessons), p=self._chances)
        lesson, inside = self.lessons[chosen], self._inside[chosen]
        reach = WIDE_OCTAVES if rng.random() < WIDE_SCALE else OCTAVES
        scale = self.spec.object_diameter_px / lesson.diameter_px * 2 ** rng.uniform(-reach, reach)
        scale = float(np.clip(scale, 0.1, 8))
        centre = np.array(np.unravel_index(rng.choice(inside), lesson.labels.shape), float)
        half = self.config.crop_px / scale / 2
        centre += rng.uniform(-0.6, 0.6, 2) * half
        middle = np.array(
            [
                np.clip(c, half, n - half) if n > 2 * half else n / 2
                for c, n in zip(centre, lesson.labels.shape, strict=True)
            ]
        )
        angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.5 else 0.0
        stretch = 2 ** rng.uniform(-0.2, 0.2) if rng.random() < 0.3 else 1.0
        stacked = np.concatenate([lesson.image, lesson.hint[None]])
        stacked, labels = warp(stacked, lesson.labels, middle, self.config.crop_px, scale, angle, stretch, rng)
        posed = FlipsRotations()(Sample(stacked, labels), rng)
        image, hint = posed.image[:-1], posed.image[-1]
        sample = Sample(np.ascontiguousarray(image), posed.labels, colour=image.shape[0] == 3 and not self.spec.roles)
        sample = (_LIGHT if hint.max(initial=0) > 0 else _ALL)(sample, rng)
        image = arrange(sample.image, self.spec.roles, self.spec.in_channels)
        return np.ascontiguousarray(image), encode_sparse(self.spec.representation, sample.labels, hint)


_LIGHT = Compose(
    (
        InstanceJitter(),
        Gamma(probability=0.3),
        ContrastBrightness(probability=0.4),
        Illumination(probability=0.15),
        Blur(probability=0.15),
        Noise(probability=0.2),
    )
)
_ALL = Compose((CopyPaste(probability=0.5), *_LIGHT.augmentations))


def encode_sparse(
    representation: Representation, labels: NDArray[np.int32], hint: NDArray[np.float32] | None = None
) -> Fields:
    """Encode labels of which parts are unknown; around a hint, only foreground and centre are taught.

    Parameters
    ----------
    representation : Representation
        With heads ``foreground`` and ``centre`` if there are hints.
    labels : ndarray of int32, shape (y, x)
        0 background, -1 unknown.
    hint : ndarray of float32, shape (y, x), optional
        How central a pixel is in an object without outline; 0 elsewhere.

    Raises
    ------
    ParameterError
        If the representation has no heads for hints.
    """
    if hint is None or not hint.max(initial=0) > 0:
        return representation.encode(labels)
    names = {head.name: head.stride for head in representation.heads(labels.ndim)}
    if not {"foreground", "centre"} <= set(names):
        raise ParameterError(f"centre points need the heads foreground and centre; {representation.name} has {names}")
    labels = np.where((hint > 0) & (labels == 0), -1, labels).astype(np.int32)
    fields = representation.encode(labels)
    for head, value in (("foreground", (hint > 0).astype(np.float32)), ("centre", hint)):
        stride = names[head]
        target = fields[head][0]
        grid = tuple(
            np.minimum(np.arange(n) * stride + stride // 2, m - 1)
            for n, m in zip(target.shape, hint.shape, strict=True)
        )
        central, taught = hint[np.ix_(*grid)], value[np.ix_(*grid)]
        known = (central > 0.5) & np.isnan(target)
        target[known] = taught[known]
    return fields
