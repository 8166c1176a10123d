"""Pictures of everyday programs: PNG, JPEG, BMP. They are decoded whole."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, FormatError
from teasel.geometry import VoxelSize
from teasel.images.formats._base import Format, Found, corrupt, pick_level, pick_scene
from teasel.images.lazy import InMemory

_MAGIC = {b"\x89PNG\r\n\x1a\n": "a PNG", b"\xff\xd8\xff": "a JPEG", b"BM": "a BMP"}


class Raster(Format):
    """Read through Pillow; grey stays grey, palettes become colours, alpha is dropped."""

    name: ClassVar[str] = "PNG/JPEG/BMP"
    suffixes: ClassVar[tuple[str, ...]] = (".png", ".jpg", ".jpeg", ".bmp")
    saves: ClassVar[tuple[str, ...]] = (".png",)

    def sniff(self, path: Path, head: bytes) -> bool:
        """Know the first bytes of each."""
        return head.startswith(tuple(_MAGIC))

    def scenes(self, path: Path) -> tuple[str, ...]:
        """One picture, one scene."""
        return ("picture",)

    def open(self, path: Path, scene: str, level: int) -> Found:
        """Decode the picture."""
        pick_scene(scene, self.scenes(path), path)
        pick_level(level, 1, path)
        values, notes = _decode(path)
        axes = "yx" if values.ndim == 2 else "yxs"
        return Found(InMemory(values), axes, VoxelSize(), notes=notes)

    def save(
        self, path: Path, array: Any, *, axes: str, voxel_size_um: VoxelSize, channel_names: Sequence[str]
    ) -> None:
        """Write a PNG: grey uint8 or uint16, 1-bit, or colours (axes yxc, uint8, 3 or 4 channels)."""
        from PIL import Image as Pillow

        values = np.asarray(array)
        grey = axes == "yx" and values.dtype in (np.uint8, np.uint16, bool)
        colour = axes == "yxc" and values.dtype == np.uint8 and values.shape[2] in (3, 4)
        if not (grey or colour):
            raise DataError(
                "a PNG holds yx of uint8, uint16 or bool, or yxc of uint8 with 3 or 4 channels; "
                f"came {axes} of {values.dtype}, shape {values.shape}; save as .tif"
            )
        Pillow.fromarray(values.astype(values.dtype.newbyteorder("="))).save(path)


def _decode(path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return the values, (y, x) or (y, x, sample), and notes."""
    from PIL import Image as Pillow

    with path.open("rb") as file:
        head = file.read(8)
    what = next(name for magic, name in _MAGIC.items() if head.startswith(magic))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            with Pillow.open(path) as picture:
                picture.load()
                return _values(picture, path)
    except Pillow.DecompressionBombError as error:
        raise FormatError(
            f"{path.name} is larger than a picture is taken for ({error}); save it as a tiled TIFF"
        ) from error
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise corrupt(path, what, error) from error


def _values(picture: Any, path: Path) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Turn Pillow's modes into grey or colour values."""
    if picture.mode == "P" or picture.mode == "PA":
        values = np.asarray(picture.convert("RGBA" if "A" in picture.mode else "RGB"))[..., :3]
        if np.array_equal(values[..., 0], values[..., 1]) and np.array_equal(values[..., 0], values[..., 2]):
            return values[..., 0].copy(), ("palette of greys turned into grey values",)
        return values.copy(), ("palette colours turned into red, green, blue",)
    if picture.mode in ("LA", "La"):
        return np.asarray(picture.convert("LA"))[..., 0].copy(), ("alpha channel dropped",)
    if picture.mode in ("1", "L", "I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        values = np.array(picture)
        in_16_bits = picture.mode == "I" and values.size and values.min() >= 0 and values.max() < 2**16
        return values.astype(np.uint16) if in_16_bits else values, ()
    if picture.mode in ("RGB", "RGBA", "RGBX"):
        return np.array(picture), ()
    if picture.mode in ("YCbCr", "HSV", "LAB"):
        return np.array(picture.convert("RGB")), ()
    raise FormatError(f"{path.name}: a picture in mode {picture.mode} is not supported; save it as RGB or grey")
