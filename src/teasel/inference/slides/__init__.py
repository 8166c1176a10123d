"""Planes of any size, such as slides: read, segmented and written block by block, with memory that does not grow.

Takes an image file and a model of planes; gives an OME-Zarr of labels and a `Slide`, the table of objects
(`segment_slide`). Each object belongs to the block that holds its middle; blocks lie on a grid that is part of the
method, so labels and files are the same for any number and order of workers. A run that was killed goes on. Runs where
volumes run (`teasel.inference.volume.open_runner`).
"""

from __future__ import annotations

from teasel.inference.slides.segmenting import Slide, segment_slide

__all__ = ["Slide", "segment_slide"]
