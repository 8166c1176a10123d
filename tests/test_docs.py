"""The documentation is true: its Python runs, its links lead somewhere, and it knows every command and setting."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

import teasel
from teasel.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?P<before>[^\n]*\n)?```python\n(?P<code>.*?)^```", re.S | re.M)
SKIP = re.compile(r"<!-- not run: \S.*-->")
MODULES = ["teasel", *(found.name for found in pkgutil.walk_packages(teasel.__path__, "teasel."))]


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("write_reference", ROOT / "scripts/write_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_python_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    text = page.read_text("utf-8")
    for block in BLOCK.finditer(text):
        if SKIP.search(block["before"] or ""):
            continue
        line = text[: block.start("code")].count("\n")
        code = compile("\n" * line + block["code"], str(page), "exec")
        exec(code, names)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8"))
    missing = [one for one in targets if "://" not in one and not (page.parent / one).exists()]
    assert not missing


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(importlib.import_module(module))
    assert found.failed == 0


def test_command_line_page_is_up_to_date(reference):
    message = "run: python scripts/write_reference.py"
    assert (ROOT / "docs/cli.md").read_text("utf-8") == reference.cli_page(), message


def test_reference_page_is_up_to_date(reference):
    message = "run: python scripts/write_reference.py"
    assert (ROOT / "docs/reference.md").read_text("utf-8") == reference.reference_page(), message


def test_every_setting_and_representation_is_documented():
    from teasel.representations import names

    text = (ROOT / "docs/reference.md").read_text("utf-8")
    assert all(f"`{setting.variable}`" in text for setting in SETTINGS.values())
    assert all(f"### `{name}`" in text for name in names())


def test_the_readme_gives_the_two_commands():
    blocks = re.findall(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert "python -m pip install . && teasel demo" in blocks
    assert 'python -m pip install -c constraints.txt -e ".[test]" && pytest' in blocks
