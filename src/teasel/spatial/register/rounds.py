"""All rounds onto one: what drifted is found, bounded, undone, and what is left is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.spatial.register.patches import fit_affine, fit_local, measure_patches
from teasel.spatial.register.shift import bandpass, correlation, find_shift
from teasel.spatial.register.transform import LocalShifts, Transform, warp

__all__ = ["MODELS", "Alignment", "Registration", "align", "register_rounds"]

MODELS = ("shift", "affine", "local")
"""What a round may do against the reference; each includes the one before."""

_PASSES = 3


@dataclass(frozen=True)
class Registration:
    """How rounds are aligned.

    Parameters
    ----------
    model : str
        ``shift``, ``affine`` (scale, rotation and shear too) or ``local`` (a smooth field on top).
    max_drift_px : float
        A mean displacement beyond this many pixels along any axis is an error, not a result.
    max_residual_px : float
        So is a residual beyond this.
    min_correlation : float
        So is a correlation of the aligned images below this, in [0, 1]: they show different things.
    patch_px : int
        Side of the patches in which what is left is measured.
    smooth_px : float
        Width (sigma) of the Gaussian against noise.
    background_px : float
        Width of the Gaussian that is subtracted as background; about the size of a bead or nucleus.
    whiten : bool
        Weight all frequencies alike (see `find_shift`).

    Raises
    ------
    ParameterError
        If the model is unknown or a number is out of range.
    """

    model: str = "shift"
    max_drift_px: float = 25.0
    max_residual_px: float = 0.5
    min_correlation: float = 0.3
    patch_px: int = 64
    smooth_px: float = 1.0
    background_px: float = 5.0
    whiten: bool = False

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ParameterError(f"no registration model {self.model!r}; there are: {', '.join(MODELS)}")
        for name in ("max_drift_px", "max_residual_px", "patch_px", "smooth_px"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"{name} is {getattr(self, name)}; expected a number above 0")
        if not self.background_px > self.smooth_px:
            raise ParameterError(f"background_px ({self.background_px}) must be above smooth_px ({self.smooth_px})")


@dataclass(frozen=True, eq=False)
class Alignment:
    """How one round lies on the reference, and how well that is known.

    Parameters
    ----------
    transform : Transform
        From the reference into the round.
    shift_px : tuple of float
        Mean displacement along each axis.
    residual_px : float
        Root mean square of the shifts left in patches after alignment; NaN where no patch has structure.
    correlation : float
        Of the aligned images, band-passed, in [-1, 1].
    n_patches : int
        How many patches the residual is measured in.
    """

    transform: Transform
    shift_px: tuple[float, ...]
    residual_px: float
    correlation: float
    n_patches: int


def align(reference: ArrayLike, moving: ArrayLike, settings: Registration | None = None) -> Alignment:
    """Align one image to another.

    Parameters
    ----------
    reference, moving : array, shape ([z,] y, x), same for both
        Fiducials, a stain, or the spots of two rounds.
    settings : Registration, optional
        How.

    Returns
    -------
    Alignment
        Checked: within the bounds that the settings state.

    Raises
    ------
    ShapeError
        If the shapes differ.
    DataError
        If an image is constant, the images do not correlate, or drift or residual are beyond their bound.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> image = bandpass(rng.random((96, 96)), smooth_px=2, background_px=6)
    >>> found = align(image[4:84, 4:84], image[:80, 7:87])
    >>> [round(value, 1) for value in found.shift_px]
    [4.0, -3.0]
    """
    settings = settings or Registration()
    first, second = np.asarray(reference, np.float32), np.asarray(moving, np.float32)
    if first.shape != second.shape:
        raise ShapeError(f"cannot align images of shapes {first.shape} and {second.shape}; they must be the same")
    filters = {"smooth_px": settings.smooth_px, "background_px": settings.background_px}
    a, b = bandpass(first, **filters), bandpass(second, **filters)
    transform = Transform.shift(find_shift(a, b, whiten=settings.whiten))
    _check_drift(transform, a.shape, settings)
    patches = measure_patches(a, warp(b, transform, order=3), settings.patch_px)
    for _ in range(_PASSES if settings.model != "shift" else 0):
        transform = _refined(transform, a, b, settings)
        patches = measure_patches(a, warp(b, transform, order=3), settings.patch_px)
    found = Alignment(
        transform=transform,
        shift_px=tuple(transform.mean_shift_px(a.shape).tolist()),
        residual_px=patches.rms_px(),
        correlation=_common_correlation(a, b, transform),
        n_patches=len(patches.weights),
    )
    _check(found, a.shape, settings)
    return found


def register_rounds(
    rounds: Iterable[ArrayLike],
    settings: Registration | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Alignment]:
    """Align every round to the first.

    Parameters
    ----------
    rounds : iterable of array, shape ([z,] y, x) each
        One image per round; read one after the other, so a generator keeps memory small.
    settings : Registration, optional
        How.
    progress : callable, optional
        Called with the number done and the number in all (0 where that is not known).

    Returns
    -------
    list of Alignment
        One per round; the first is the identity.

    Raises
    ------
    DataError
        As for `align`, with the number of the round.
    """
    total = len(rounds) if isinstance(rounds, Sized) else 0
    reference: NDArray[np.float32] | None = None
    found: list[Alignment] = []
    for number, image in enumerate(rounds):
        values = np.asarray(image, np.float32)
        if reference is None:
            reference = values
            still = Transform.shift(np.zeros(values.ndim))
            found.append(Alignment(still, (0.0,) * values.ndim, 0.0, 1.0, 0))
        else:
            try:
                found.append(align(reference, values, settings))
            except DataError as error:
                raise DataError(f"round {number} against round 0: {error}") from error
        if progress:
            progress(number + 1, total)
    return found


def _refined(transform: Transform, a: NDArray[np.float32], b: NDArray[np.float32], settings: Registration) -> Transform:
    """Improve an affine or local map by what is left in patches."""
    patches = measure_patches(a, warp(b, Transform(transform.matrix, transform.offset_px), order=3), settings.patch_px)
    left = fit_affine(patches)
    # a place p is found at T(p) so far; what is left says that it is at T(left(p))
    affine = Transform(transform.matrix @ left.matrix, transform.matrix @ left.offset_px + transform.offset_px)
    if settings.model == "affine":
        return affine
    patches = measure_patches(a, warp(b, affine, order=3), settings.patch_px)
    local = fit_local(patches, a.shape, settings.patch_px)
    turned = np.tensordot(affine.matrix, local.shifts_px, axes=1)
    return Transform(affine.matrix, affine.offset_px, LocalShifts(local.nodes_px, turned))


def _common_correlation(a: NDArray[np.float32], b: NDArray[np.float32], transform: Transform) -> float:
    """Return the correlation where both images have values."""
    margins = [
        min(int(np.ceil(abs(s))), n // 3) for s, n in zip(transform.mean_shift_px(a.shape), a.shape, strict=True)
    ]
    cut = tuple(slice(margin, n - margin) for margin, n in zip(margins, a.shape, strict=True))
    return correlation(a[cut], warp(b, transform)[cut])


def _check_drift(transform: Transform, shape: tuple[int, ...], settings: Registration) -> None:
    shift = transform.mean_shift_px(shape)
    if np.abs(shift).max() > settings.max_drift_px:
        raise DataError(
            f"the image drifted by {_words(shift)} px, the bound is {settings.max_drift_px:g} px along each axis; "
            "check that it shows the same place, or raise max_drift_px"
        )


def _check(found: Alignment, shape: tuple[int, ...], settings: Registration) -> None:
    """Raise if what was found is beyond the bounds."""
    _check_drift(found.transform, shape, settings)
    if found.correlation < settings.min_correlation:
        raise DataError(
            f"the aligned images correlate by {found.correlation:.2f} only, expected at least "
            f"{settings.min_correlation:g}: they show different things, or too little (shift found: "
            f"{_words(np.array(found.shift_px))} px). Align by fiducials or another channel"
        )
    if found.residual_px > settings.max_residual_px:
        raise DataError(
            f"after alignment by the model {settings.model!r}, {found.residual_px:.2f} px are left (root mean square "
            f"over {found.n_patches} patches), the bound is {settings.max_residual_px:g} px; use a model that can do "
            f"more ({', '.join(MODELS)}), or raise max_residual_px"
        )


def _words(shift: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{value:.1f}" for value in shift) + ")"
