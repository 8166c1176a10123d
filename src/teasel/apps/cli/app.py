"""All commands together, and the one place where an error becomes a line of words and an exit code."""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import teasel
from teasel.apps.cli import (
    adapt,
    agglomerate,
    convert,
    demo,
    evaluate,
    export,
    info,
    measure,
    models,
    report,
    run,
    segment,
    spatial,
    spots,
    suggest,
    train,
    trust,
    walls,
)
from teasel.apps.cli.console import one_line
from teasel.apps.cli.exits import STOPPED, exit_code
from teasel.errors import TeaselError

__all__ = ["app"]


class _Commands(TyperGroup):
    """The group of commands; turns errors into one line each."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read our output had enough
            raise
        except (TeaselError, OSError, KeyboardInterrupt) as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            words = "stopped" if exit_code(error) == STOPPED else one_line(error)
            goes_on = "; typed again, the same command goes on" if words == "stopped" and _goes_on(ctx) else ""
            print(f"teasel: {words}{goes_on}", file=sys.stderr)
            raise typer.Exit(exit_code(error)) from error


def _goes_on(ctx: Any) -> bool:
    """Say whether the command keeps what it has done when it is stopped."""
    return ctx.invoked_subcommand in ("segment", "agglomerate", "export", "run", "spatial", "train", "adapt")


app = typer.Typer(
    cls=_Commands,
    name="teasel",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"teasel {teasel.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")] = False,
) -> None:
    """Tease microscopy images apart, cell by cell.

    Start with `teasel demo`, then `teasel segment IMAGE -o FOLDER`.
    """


for command in (
    segment,
    measure,
    agglomerate,
    walls,
    run,
    report,
    evaluate,
    convert,
    export,
    train,
    adapt,
    suggest,
    trust,
    spots,
    spatial,
    models,
    info,
    demo,
):
    command.add_to(app)
