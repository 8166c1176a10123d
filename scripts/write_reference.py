"""Write docs/cli.md and docs/reference.md from the program itself; a test fails while they are out of date."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1] / "docs"
_MADE = "<!-- Written by scripts/write_reference.py; edit the docstrings instead. -->\n"


def cli_page() -> str:
    """Describe every command: what it does, examples, arguments, options."""
    from typer.main import get_command

    from teasel.apps.cli import app, exits

    parts = [
        _MADE,
        "# The command line\n",
        "Results go to standard output, progress and errors to standard error. Exit codes: "
        f"0 all went well, {exits.FAILED} something failed, {exits.USAGE} what was typed has to change, "
        f"{exits.STOPPED} stopped by Ctrl-C.\n",
        "`teasel --debug COMMAND` shows where in the program an error arose; `teasel --version` prints the version.\n",
    ]
    for name, command in get_command(app.app).commands.items():  # type: ignore[attr-defined]
        parts += _command(f"teasel {name}", command)
        for sub, subcommand in getattr(command, "commands", {}).items():
            parts += _command(f"teasel {name} {sub}", subcommand)
    return "\n".join(parts)


def reference_page() -> str:
    """List settings and representations with their parameters."""
    from teasel import representations
    from teasel.settings import SETTINGS

    parts = [_MADE, "# Reference\n", "## Settings\n", "Environment variables, read when they are needed.\n"]
    rows = [(f"`{one.variable}`", _or_none(one.default), one.help) for one in SETTINGS.values()]
    parts.append(_table(("variable", "default", "what it does"), rows))
    parts += ["## Representations\n", inspect.getdoc(representations) + "\n"]  # type: ignore[operator]
    for name in representations.names():
        parts += _dataclass(f"`{name}`", representations.find(name))
    return "\n".join(parts)


def _command(name: str, command: Any) -> list[str]:
    """Describe one command."""
    text, _, examples = inspect.cleandoc(command.help).partition("\b\n")
    parts = [f"## {name}\n", text.strip() + "\n"]
    if examples:
        lines = examples.splitlines()[1:]
        parts.append("```bash\n" + "\n".join(line.strip() for line in lines) + "\n```\n")
    rows = [_parameter(one) for one in command.params if one.name != "help"]
    if rows:
        parts.append(_table(("", "default", "what it does"), rows))
    return parts


def _parameter(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        names = (parameter.metavar or parameter.name).upper() + ("..." if parameter.nargs == -1 else "")
    else:
        names = ", ".join(sorted([*parameter.opts, *parameter.secondary_opts], key=len))
    default = "required" if parameter.required else _default(parameter.default)
    return f"`{names}`", default, parameter.help or ""


def _dataclass(title: str, documented: type) -> list[str]:
    """Describe a dataclass: its first paragraph, and its fields as a table."""
    from teasel.apps.cli.options import parameter_help

    explained = parameter_help(documented)
    rows = [
        (f"`{one.name}`", _field_default(one), explained[one.name])
        for one in fields(documented)
        if not one.name.startswith("_")
    ]
    first = (inspect.getdoc(documented) or "").split("\n\n")[0]
    return [f"### {title}\n", first + "\n", _table(("parameter", "default", "what it is"), rows)]


def _field_default(field: Field[Any]) -> str:
    if field.default_factory is not MISSING:
        return _default(field.default_factory())
    return "required" if field.default is MISSING else _default(field.default)


def _default(value: Any) -> str:
    if value is None or value is False or value == () or "Unset" in type(value).__name__:
        return ""
    return f"`{value}`"


def _or_none(value: str) -> str:
    return f"`{value}`" if value else "none"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    (DOCS / "reference.md").write_text(reference_page(), encoding="utf-8")
