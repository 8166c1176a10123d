"""``teasel models``: which models there are, and what one of them is."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["add_to"]

models = typer.Typer(no_args_is_help=False, rich_markup_mode=None)


@models.callback(invoke_without_command=True)
def list_all(ctx: typer.Context) -> None:
    """List the models, or show one.

    \b
    Examples:
      teasel models
      teasel models show nuclei
    """
    if ctx.invoked_subcommand is not None:
        return
    from teasel.models import list_models

    found = list_models()
    if not found:
        print("no models; `teasel train` makes one, the setting TEASEL_MODEL_PATH says in which folder it is")
        return
    width = max(len(model.name) for model in found)
    for model in found:
        print(f"{model.name:<{width}}  {model.description}")
    print("\nMore on one of them: teasel models show NAME")


@models.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of a model, or the path of its folder.")],
) -> None:
    """Say what a model takes and predicts, how it was trained, and how well it does.

    \b
    Examples:
      teasel models show nuclei
      teasel models show ./my-model/my-model
    """
    from teasel.models import show

    print(show(name))


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.add_typer(models, name="models")
