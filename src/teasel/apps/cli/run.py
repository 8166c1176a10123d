"""``teasel run``: a recipe carried out. `carry_out` is behind ``teasel segment`` as well."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from teasel.apps.cli.console import one_line
from teasel.apps.cli.exits import FAILED, USAGE, exit_code
from teasel.apps.cli.jobs import find_images, make_jobs
from teasel.apps.cli.products import Exports, Product, Tables
from teasel.apps.cli.report import make_report
from teasel.apps.cli.session import segment_jobs
from teasel.apps.cli.volume import is_volume_model
from teasel.apps.recipe import Recipe, read_recipe, recipe_schema
from teasel.errors import ParameterError

if TYPE_CHECKING:
    from teasel.apps.cli.batch import BatchResult

__all__ = ["add_to", "carry_out"]


def run(
    recipe: Annotated[
        Path | None, typer.Argument(metavar="RECIPE", help="Recipe file, .toml or .yaml.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where results go; the recipe's output if not given."),
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of recipes, and end.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Do images again that are done, and replace other files.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> None:
    """Carry out a recipe: find objects, measure them, write other formats and a report.

    What is done already is not done again; one bad image does not stop the others. Paths in a recipe count from
    its folder.

    \b
    Examples:
      teasel run recipe.toml
      teasel run recipe.toml -o elsewhere
      teasel run --schema
    """
    if schema:
        print(json.dumps(recipe_schema(), indent=1))
        return
    if recipe is None:
        raise ParameterError("no recipe given; write one with: teasel segment IMAGE -o FOLDER --save-recipe FILE")
    wanted = read_recipe(recipe)
    target = output or (Path(wanted.output) if wanted.output else None)
    if target is None:
        raise ParameterError(f'{recipe} names no folder for the results; add a line output = "...", or give -o')
    carry_out(wanted, target, overwrite=overwrite, quiet=quiet)


def carry_out(recipe: Recipe, output: Path, *, overwrite: bool = False, quiet: bool = False) -> None:
    """Do what a recipe says, and print how it went.

    Parameters
    ----------
    recipe : Recipe
        Its paths count from the working folder.
    output : pathlib.Path
        Where results go; made if need be.
    overwrite : bool
        Do images again that are done, and replace files of other origin.
    quiet : bool
        Print errors only.

    Raises
    ------
    typer.Exit
        If an image failed: with `FAILED`, or `USAGE` if none could be done and each for what was asked for.
    """
    if is_volume_model(recipe.segment.model):
        raise ParameterError(f"{recipe.segment.model} is a model of volumes; use teasel segment IMAGE -o OUT.ome.zarr")
    jobs = make_jobs(find_images(recipe.inputs), recipe.segment.scene)
    products = _products(recipe)
    for product in products:
        product.check()
    result = segment_jobs(jobs, output, recipe.segment, products=products, overwrite=overwrite, quiet=quiet)
    if not quiet:
        print(f"{_counts(result)}; results in {output}")
    if result.failed:
        print(f"\n{len(result.failed)} of {len(jobs)} images failed:", file=sys.stderr)
        for job, error in result.failed:
            print(f"  {job.source}: {one_line(error)}", file=sys.stderr)
    whole = [job.name for job in jobs if job in {*result.done, *result.skipped}]
    if whole:
        _finish(recipe, output, products, whole, quiet=quiet)
    if result.failed:
        raise typer.Exit(_code(result))


def _products(recipe: Recipe) -> list[Product]:
    """Return what is written for each image beside labels, table and picture."""
    exports: list[Product] = [Exports(recipe.export)] if recipe.export.labels else []
    return exports + ([Tables(recipe.measure)] if recipe.measure is not None else [])


def _finish(recipe: Recipe, output: Path, products: Sequence[Product], names: Sequence[str], *, quiet: bool) -> None:
    """Write what is about all images: the one table, the report."""
    written = [path for product in products if isinstance(product, Tables) for path in product.gather(output, names)]
    if recipe.report is not None:
        written.append(make_report(output, None, recipe.report, quiet=quiet))
    if not quiet:
        for path in written:
            print(f"{path}: all images together")


def _code(result: BatchResult) -> int:
    """Return the exit code: typed wrongly, if not one image could be done and each for what was typed."""
    codes = {exit_code(error) for _, error in result.failed}
    return USAGE if codes == {USAGE} and not result.done and not result.skipped else FAILED


def _counts(result: BatchResult) -> str:
    parts = [f"{len(result.done)} done"]
    if result.skipped:
        parts.append(f"{len(result.skipped)} done before (--overwrite does them again)")
    if result.failed:
        parts.append(f"{len(result.failed)} failed")
    return ", ".join(parts)


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.command()(run)
