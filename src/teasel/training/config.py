"""Everything a training run can be told, in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields

from teasel.errors import ParameterError

__all__ = ["BY_VOXEL", "TrainingConfig"]

BY_VOXEL = ("affinity", "semantic")
"""Representations of volumes that are seen at their own voxel size."""


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of one training run; saved with every checkpoint.

    Parameters
    ----------
    representation : str
        What the network predicts: a name out of ``teasel.representations.names()``.
    ndim : int
        2 to train on planes, into which stacks are taken apart; 3 to train on stacks: with star on whole ones, with
        labels in all of their planes; with semantic or affinity on volumes at their own voxel size, labelled anywhere.
    anisotropy : float
        Star in stacks: distance between planes over the width of a pixel; 0 if the files say it.
    widths : tuple of int
        Channels of the network at strides 2, 4, 8, ...
    blocks : tuple of int
        Residual blocks per level of the encoder, as many as `widths`.
    in_channels : int
        Channels the network takes; grey images are repeated to fill them.
    roles : tuple of str
        What each of these channels shows, if the network is to tell them apart; see `ModelSpec`. Images then hold
        one channel, or one per distinct role, of which all but the first are left out now and then.
    steps : int
        Optimiser steps.
    batch_size : int
        Crops per step.
    crop_px : int
        Edge length of a crop in pixels, a multiple of the network's divisor; 0 for 256, in stacks 64.
    object_diameter_px : float
        Images are rescaled so that their median object has this diameter, then varied.
    learning_rate : float
        Highest learning rate of the cosine schedule.
    warmup_steps : int
        Steps over which the learning rate rises to its highest.
    weight_decay : float
        Decay of convolution weights (AdamW).
    ema_decay : float
        Decay of the moving average of weights; the average is what is exported.
    clip_norm : float
        Gradients are scaled down to at most this norm.
    precision : str
        ``"f32"`` or ``"bf16"`` (autocast: twice as fast on GPUs and on CPUs with AVX512-BF16).
    device : str
        ``"cpu"`` or ``"cuda"``.
    workers : int
        Processes that make crops; 0 makes them in the training process.
    threads : int
        CPU threads for the network; 0 leaves torch's choice.
    checkpoint_every : int
        Steps between checkpoints.
    validate_every : int
        Steps between validations; 0 for none.
    validation_images : int
        Validation images used during training (all are used for the final scores).
    seed : int
        Seed of everything random; the same seed and data give the same crops in the same order.
    start_from : str, optional
        Model, by name or by the path of its folder, whose weights are the start; random weights if not given. Its
        network must be the one that these settings describe.
    """

    representation: str = "hybrid"
    ndim: int = 2
    anisotropy: float = 0.0
    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (1, 1, 2, 2)
    in_channels: int = 3
    roles: tuple[str, ...] = ()
    steps: int = 10000
    batch_size: int = 8
    crop_px: int = 0
    object_diameter_px: float = 24.0
    learning_rate: float = 1.5e-3
    warmup_steps: int = 200
    weight_decay: float = 0.02
    ema_decay: float = 0.998
    clip_norm: float = 1.0
    precision: str = "f32"
    device: str = "cpu"
    workers: int = 1
    threads: int = 0
    checkpoint_every: int = 250
    validate_every: int = 1000
    validation_images: int = 24
    seed: int = 0
    start_from: str | None = None

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
                raise ParameterError(f"{f.name} is {value}; expected 0 or more")
        if self.precision not in ("f32", "bf16"):
            raise ParameterError(f"precision is {self.precision!r}; expected 'f32' or 'bf16'")
        if len(self.widths) != len(self.blocks):
            raise ParameterError(f"{len(self.widths)} widths and {len(self.blocks)} blocks; give as many of each")
        if len(self.roles) not in (0, self.in_channels):
            raise ParameterError(f"{len(self.roles)} roles for {self.in_channels} channels; give one each, or none")
        if self.ndim not in (2, 3):
            raise ParameterError(f"ndim is {self.ndim}; expected 2 (planes) or 3 (whole stacks)")
        if self.ndim == 3 and self.representation not in ("star", *BY_VOXEL):
            raise ParameterError(
                f"stacks are trained with the representations star, {' and '.join(BY_VOXEL)}, not "
                f"{self.representation}; add one with --representation, or leave out --ndim 3 to train on their planes"
            )
        if not self.crop_px:
            object.__setattr__(self, "crop_px", 256 if self.ndim == 2 else 64)
        divisor = 2 ** len(self.widths)
        if self.crop_px % divisor:
            raise ParameterError(f"crop_px is {self.crop_px}; expected a multiple of {divisor}")
        if self.batch_size < 1 or not self.steps:
            raise ParameterError(f"batch_size {self.batch_size}, steps {self.steps}; expected 1 or more of each")

    @property
    def by_voxel(self) -> bool:
        """Whether volumes are seen at their own voxel size, however large their objects are."""
        return self.ndim == 3 and self.representation in BY_VOXEL
