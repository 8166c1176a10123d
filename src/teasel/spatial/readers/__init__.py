"""Transcripts and spots of other programs and vendors, one kind of file a module.

Takes a path; gives `Spots` in pixels, with what was assumed in their notes. Where an image is given, positions are
checked against it, and what is found (a constant shift, a flip, tiles in another order) is reported instead of the
file being trusted. The folder is scanned for `Reader` subclasses. `stream_spots` and `read_molecules` go through files
that are larger than memory part by part.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from numpy.typing import ArrayLike

from teasel.errors import ParameterError
from teasel.geometry import VoxelSize
from teasel.spatial.readers._base import Reader
from teasel.spatial.readers._registry import choose as _choose
from teasel.spatial.readers._registry import readers
from teasel.spatial.readers.check import Fit, TileOrder, check_against_image, check_tile_order
from teasel.spatial.readers.parts import Molecules, read_molecules, stream_spots
from teasel.spatial.spots import Spots

__all__ = [
    "Fit",
    "Molecules",
    "Reader",
    "TileOrder",
    "check_against_image",
    "check_tile_order",
    "read_molecules",
    "read_spots",
    "readers",
    "stream_spots",
]


def read_spots(
    path: str | os.PathLike[str],
    *,
    reader: str | None = None,
    voxel_size_um: VoxelSize | None = None,
    image: ArrayLike | None = None,
    correct: bool = False,
) -> Spots:
    """Read transcripts or spots that another program wrote; the content says which.

    Parameters
    ----------
    path : path-like
        Xenium ``transcripts.parquet`` or ``.csv``, MERSCOPE ``detected_transcripts.csv``, CosMx ``*_tx_file.csv``,
        starfish ``.csv`` or ``.nc``, MERlin barcodes, TrackMate ``.csv`` or ``.xml``, ImageJ results, or a table of
        gene, x and y.
    reader : str, optional
        Which reader to use, instead of the one that knows the file.
    voxel_size_um : VoxelSize, optional
        Micrometres per pixel, where the file does not say.
    image : array, shape ([z,] y, x), optional
        The image the spots were found in; then they are checked against it, and the finding is a note.
    correct : bool
        Place the spots as the check found, if it found that they do not fit.

    Returns
    -------
    Spots
        With ``gene`` (where the file names it) and what else the file says, under the names of the house.

    Raises
    ------
    InputNotFound
        If there is no such file.
    FormatError
        If no reader knows it.
    ParameterError
        If there is no such reader, or `correct` is set without an image.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "spots.csv"
    >>> _ = path.write_text("Gene,x,y\\nCxcl14,110,57\\n")
    >>> read_spots(path)["gene"].tolist()
    ['Cxcl14']
    """
    source = Path(path)
    if correct and image is None:
        raise ParameterError("correct=True needs the image that positions are checked against")
    spots = _choose(source, reader).read(source, voxel_size_um)
    if image is None:
        return spots
    fit = check_against_image(spots, image)
    notes = (*spots.notes, fit.words())
    if correct and not fit.fits and spots.ndim == 2:
        import numpy as np

        notes = (*notes, "positions were corrected by what was found")
        spots = replace(spots, positions_px=fit.apply(spots.positions_px, np.asarray(image).shape[-2:]))
    return replace(spots, notes=notes)
