"""A recipe to start from."""

from __future__ import annotations

__all__ = ["EXAMPLE"]

EXAMPLE = """\
# A recipe for `teasel spatial run`. Paths count from the folder of this file.
output = "results"

[images]
pattern = "images/test_{field}_{round}.tif"   # one file per field and round
axes = "cyx"                                   # what the dimensions of a file are, if it does not say
align = 2                                      # channel of the fiducials (or of a stain that every round shows)
nuclei = 4                                     # channel of the nuclei, in the first round
pixel_size_um = 0.108
bits = [[0, 1], [0, 0], [1, 0], [1, 1]]        # round and channel of each bit of the codebook

[register]
model = "shift"                                # shift, affine or local
max_drift_px = 25                              # beyond it, the run stops and says which round

[decode]
codebook = "codebook.csv"
decoder = "mixture"                            # mixture, pixel or nearest
fdr = 0.05                                     # share of false calls, told by blanks

[assign]
method = "refine"                              # refine, nearest, labels or field

[assign.refinement]
radius_px = 40

# [stitch]                                     # where fields overlap
# positions = "positions.csv"                  # field, y_um, x_um (or y_px, x_px) of the corner of each field
"""
