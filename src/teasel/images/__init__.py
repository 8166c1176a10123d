"""Images in and out: files of many formats become one `Image`, and arrays become files.

Takes paths and numpy arrays; gives an `Image`: lazily read data in the one axis order ``tczyx``, the voxel
size in micrometres, channel names, and notes on what the source did not say. One file format is one file in
`formats`.
"""

from __future__ import annotations

from teasel.images.atomic import atomic_path, is_partial
from teasel.images.describe import describe
from teasel.images.image import Image
from teasel.images.multiscale import add_labels, write_multiscale
from teasel.images.open import is_image_path, list_scenes, open_image
from teasel.images.save import save_image
from teasel.images.values import finite

__all__ = [
    "Image",
    "add_labels",
    "atomic_path",
    "describe",
    "finite",
    "is_image_path",
    "is_partial",
    "list_scenes",
    "open_image",
    "save_image",
    "write_multiscale",
]
