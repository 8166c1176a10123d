"""What is segmented at once, a plane or a stack: opened, sized and segmented by one name each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from teasel.errors import ParameterError
from teasel.images import Image
from teasel.inference.blocks import PlaneResult, segment_plane
from teasel.inference.plane import Plane
from teasel.inference.predict import TILE_PX
from teasel.inference.scale import estimate_diameter
from teasel.inference.solid import segment_stack
from teasel.inference.stack import Stack
from teasel.inference.star_sizes import estimate_star_diameter
from teasel.inference.stars import TILE_VX, segment_stars
from teasel.models import Model
from teasel.representations.star import Star

__all__ = ["Part", "check_kind", "find_diameter", "list_places", "open_part", "segment_part", "usual_tile"]

Part = Plane | Stack

SECTION = 4 / np.pi
"""Diameter of a ball over the mean diameter of its sections."""

SAMPLED = (0.25, 0.5, 0.75)
"""How far along a stack the planes lie on which sizes are measured."""


def list_places(image: Image, z: int | str | None) -> list[dict[str, int | str]]:
    """Return the indices that single out what is segmented at once: a plane, or the whole stack, per time point.

    Raises
    ------
    ParameterError
        If the image has no plane `z`.
    """
    depth = image.sizes.get("z", 1)
    if z not in (None, "max") and not (str(z).isdigit() and int(z) < depth):
        raise ParameterError(f"z is {z!r}; expected a plane from 0 to {depth - 1}, or 'max'")
    places: list[dict[str, int | str]] = [{"t": t} if "t" in image.axes else {} for t in range(image.sizes.get("t", 1))]
    if "z" in image.axes and not (z is None and depth > 1):
        for place in places:
            place["z"] = "max" if z == "max" else int(z or 0)
    return places


def open_part(
    image: Image, fixed: dict[str, int | str], channels: tuple[int, ...], model: Model, anisotropy: float | None
) -> Part:
    """Open a plane, or where `anisotropy` is given a stack, with the intensity range the model wants."""
    spec = model.spec
    if anisotropy is None:
        return Plane.of(image, fixed, channels, spec.normalisation, apart=bool(spec.roles))
    return Stack.of(image, fixed, channels, spec.normalisation, anisotropy, apart=bool(spec.roles))


def find_diameter(model: Model, part: Part) -> float | None:
    """Estimate the typical object diameter in pixels of a plane or stack; None if nothing is found.

    Where a model of planes looks at a stack, sizes are measured on three of its planes. These cut objects anywhere, so
    that the diameter of the objects is larger than that of their sections by 4 / pi (exact for balls).
    """
    if isinstance(part, Plane):
        return estimate_diameter(model, part)
    if model.spec.ndim == 3:
        return estimate_star_diameter(model, part)
    chosen = sorted({int(len(part.planes) * share) for share in SAMPLED})
    sizes = [size for z in chosen if (size := estimate_diameter(model, part.planes[z])) is not None]
    return float(np.median(sizes) * SECTION) if sizes else None


def check_kind(model: Model, solid: bool) -> None:
    """Raise ParameterError unless a model can segment a plane, or where `solid` a stack, into objects."""
    spec = model.spec
    if spec.ndim == 3 and not isinstance(spec.representation, Star):
        raise ParameterError(
            f"model {model.name!r} works on volumes; use teasel.inference.volume.segment_volume, or on the command "
            "line teasel segment VOLUME -o OUT.ome.zarr"
        )
    if spec.ndim == 3 and not solid:
        raise ParameterError(
            f"model {model.name!r} finds objects in stacks, and this is one plane; give the whole stack and no z, or a "
            "model of planes such as nuclei"
        )


def usual_tile(model: Model) -> int:
    """Return the edge of the tiles in which a network runs unless another is asked for."""
    return TILE_PX if model.spec.ndim == 2 else TILE_VX


def segment_part(
    model: Model,
    part: Part,
    scale: float,
    *,
    tile_px: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PlaneResult:
    """Find the objects of a plane or a stack; see `segment_plane`, `segment_stack` and `segment_stars`."""
    tile_px = usual_tile(model) if tile_px is None else tile_px
    if isinstance(part, Plane):
        return segment_plane(model, part, scale, tile_px=tile_px, progress=progress)
    if model.spec.ndim == 3:
        return segment_stars(model, part, scale, tile_px=tile_px, progress=progress)
    return segment_stack(model, part, scale, tile_px=tile_px, progress=progress)
