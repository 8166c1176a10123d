"""What every command has: help with examples, one-line errors, exit codes."""

from __future__ import annotations

import subprocess
import sys

import pytest

import teasel as package

COMMANDS = [
    "segment",
    "measure",
    "agglomerate",
    "walls",
    "run",
    "report",
    "evaluate",
    "convert",
    "export",
    "train",
    "adapt",
    "suggest",
    "trust",
    "models",
    "models show",
    "info",
    "demo",
    "spots find",
    "spots consensus",
    "spatial run",
    "spatial recipe",
    "spatial check",
    "spatial assign",
    "spatial imc",
]


def test_version(teasel):
    assert teasel("--version").stdout == f"teasel {package.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(teasel, command):
    result = teasel(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout
    assert f"teasel {command}" in result.stdout


def test_every_command_is_listed_here(teasel):
    from typer.main import get_command

    from teasel.apps.cli.app import app

    assert set(get_command(app).commands) == {command.split()[0] for command in COMMANDS}


def test_help_imports_nothing_heavy():
    heavy = ("torch", "numpy", "scipy", "skimage", "numba", "onnxruntime", "zarr", "tifffile", "rich")
    program = (
        "import sys\n"
        "from teasel.apps.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "arguments", [["segmnt"], ["segment"], ["segment", "a.tif"], ["info"], ["segment", "a.tif", "-o", "b", "--x"]]
)
def test_wrong_usage(teasel, arguments):
    result = teasel(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_debug_may_stand_anywhere(capsys):
    from teasel.apps.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["models", "show", "no-such-model", "--debug"])
    assert ended.value.code == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_model_is_one_line(teasel):
    result = teasel("models", "show", "no-such-model")
    assert result.exit_code == 2
    assert result.stderr.startswith("teasel: ModelNotFound: no model 'no-such-model'")
    assert len(result.stderr.splitlines()) == 1


def test_models_lists_every_model(teasel):
    from teasel.models import list_models

    result = teasel("models")
    assert result.exit_code == 0
    for model in list_models():
        assert model.name in result.stdout
        assert f"model:            {model.name}" in teasel("models", "show", model.name).stdout
