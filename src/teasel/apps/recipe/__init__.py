"""A run over many images as one file: what goes in, which model, what is measured, what is written.

A recipe is a TOML or YAML file; `Recipe` holds what it says. Its keys are the fields of dataclasses, so that they are
the options of the command line and of the library, and unknown ones are errors. `teasel run` carries one out,
``teasel segment --save-recipe`` writes one.
"""

from __future__ import annotations

from teasel.apps.recipe.read import read_recipe
from teasel.apps.recipe.recipe import ExportOptions, MeasureOptions, Recipe, ReportOptions
from teasel.apps.recipe.schema import recipe_schema
from teasel.apps.recipe.write import write_recipe

__all__ = [
    "ExportOptions",
    "MeasureOptions",
    "Recipe",
    "ReportOptions",
    "read_recipe",
    "recipe_schema",
    "write_recipe",
]
