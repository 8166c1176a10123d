"""Options read off a dataclass."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import typer
from typer.testing import CliRunner

from teasel.apps.cli.options import parameter_help, takes_fields_of


@dataclass(frozen=True)
class Settings:
    """Settings.

    Parameters
    ----------
    radius_px : float
        How far, in pixels;
        in any direction.
    widths, heights : tuple of int
        Sizes.
    name : str, optional
        What to call it.
    fast : bool
        Whether to hurry.

    Raises
    ------
    ValueError
        Never.
    """

    radius_px: float = 2.0
    widths: tuple[int, ...] = (1, 2)
    heights: tuple[int, ...] = ()
    name: str | None = None
    fast: bool = True


def run(*arguments: str):
    seen = []
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @takes_fields_of(Settings)
    def command(where: str, settings: Settings) -> None:
        """Do it."""
        seen.append((where, settings))

    result = CliRunner().invoke(app, list(arguments))
    return result, seen


def test_defaults_are_those_of_the_fields():
    result, seen = run("here")
    assert result.exit_code == 0, result.output
    assert seen == [("here", Settings())]


def test_values_are_typed_as_the_fields_are():
    _, seen = run("here", "--radius", "3.5", "--widths", "4,5,6", "--name", "n", "--no-fast")
    assert seen == [("here", Settings(3.5, (4, 5, 6), (), "n", False))]


def test_a_wrong_value_is_wrong_usage():
    result, _ = run("here", "--widths", "4,x")
    assert result.exit_code == 2
    assert "--widths" in result.output


def test_help_is_that_of_the_docstring():
    assert parameter_help(Settings) == {
        "radius_px": "How far, in pixels; in any direction.",
        "widths": "Sizes.",
        "heights": "Sizes.",
        "name": "What to call it.",
        "fast": "Whether to hurry.",
    }
    assert "How far, in pixels" in run("--help")[0].output


def test_a_field_that_cannot_be_typed_is_an_error():
    @dataclass
    class Wrong:
        table: dict[str, int]

    with pytest.raises(TypeError, match="--table"):
        takes_fields_of(Wrong)
