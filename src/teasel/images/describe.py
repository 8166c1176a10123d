"""What was understood of an image, in words."""

from __future__ import annotations

import math

from teasel.images.image import NO_PIXEL_SIZE, Image

__all__ = ["describe"]

_AXES = {"t": "time", "c": "channels", "z": "z", "y": "y", "x": "x"}


def describe(image: Image) -> str:
    """Say in lines of text what was understood of an image: what ``teasel info`` prints.

    Parameters
    ----------
    image : Image
        An open image; no pixels are read.

    Returns
    -------
    str
        One fact per line.

    Examples
    --------
    >>> import numpy as np
    >>> print(describe(Image(np.zeros((2, 64, 80), np.uint16), "cyx", channel_names=("DAPI", "actin"))))
    source      array in memory
    format      array
    size        channels 2, y 64, x 80  (cyx)
    type        uint16, 20.0 KiB
    voxel size  not in the file; give --pixel-size
    channels    0 DAPI, 1 actin
    """
    facts = [("source", str(image.source) if image.source else "array in memory"), ("format", image.format)]
    if len(image.scenes) > 1:
        facts.append(("scenes", _listed(image.scenes) + f"; this is {image.scene!r}"))
    if len(image.levels) > 1:
        shapes = ", ".join(f"{i}: {' x '.join(map(str, s))}" for i, s in enumerate(image.levels))
        facts.append(("levels", f"{shapes}; this is {image.level}"))
    sizes = ", ".join(f"{_AXES[a]} {n}" for a, n in image.sizes.items())
    facts.append(("size", f"{sizes}  ({image.axes})"))
    facts.append(("type", f"{image.dtype}, {_bytes(image)}" + (", colour picture" if image.is_rgb else "")))
    facts.append(("voxel size", _voxel_size(image)))
    if "c" in image.axes:
        named = (f"{i} {name}".strip() for i, name in enumerate(image.channel_names))
        facts.append(("channels", ", ".join(named)))
    facts += [("note", note) for note in image.notes if note != NO_PIXEL_SIZE]
    return "\n".join(f"{what:<10}  {value}" for what, value in facts)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(repr(n) for n in names[:10])
    return f"{len(names)}: {shown}" + (", ..." if len(names) > 10 else "")


def _bytes(image: Image) -> str:
    size = float(image.dtype.itemsize)
    for n in image.shape:
        size *= n
    if size < 1024:
        return f"{size:.0f} bytes"
    units = ("KiB", "MiB", "GiB", "TiB")
    power = min(int(math.log2(size) // 10), len(units))
    return f"{size / 1024**power:.1f} {units[power - 1]}"


def _voxel_size(image: Image) -> str:
    size = image.voxel_size_um
    if not any(size.along("zyx")):
        return "not in the file; give --pixel-size"
    parts = [f"{a} {getattr(size, a):g}" if getattr(size, a) else f"{a} not known" for a in "zyx" if a in image.axes]
    return ", ".join(parts) + " um"
