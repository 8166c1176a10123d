"""The whole way by one recipe: raw rounds are aligned, decoded, placed in cells, counted and reported.

Takes a recipe (TOML) that says where the images are and how each step is done; writes cells x genes as AnnData,
molecules, labels, and a report with pictures. Fields are worked on one after the other, and each step is kept as it is
done: memory does not depend on their number, and a killed run goes on where it was.
"""

from __future__ import annotations

from teasel.spatial.chain.example import EXAMPLE
from teasel.spatial.chain.recipe import Assigning, Decoding, Images, SpatialRecipe, read_recipe
from teasel.spatial.chain.run import run_recipe

__all__ = ["EXAMPLE", "Assigning", "Decoding", "Images", "SpatialRecipe", "read_recipe", "run_recipe"]
