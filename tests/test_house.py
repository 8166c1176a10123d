"""The habits of the house, where a machine can check them."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import teasel

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/teasel"
FILES = sorted(SOURCE.rglob("*.py"))
PACKAGES = [
    "teasel",
    *(found.name for found in pkgutil.walk_packages(teasel.__path__, "teasel.") if found.ispkg),
]
HEAVY = ["torch", "scipy.ndimage", "numba", "skimage", "onnxruntime", "zarr", "tifffile", "typer"]


def room_of(file: Path) -> str:
    return file.relative_to(SOURCE).parts[0]


def run_python(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.strip()


def test_rooms_import_downwards_only():
    program = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_imports_nothing_heavy():
    assert run_python(f"import sys, teasel; print([one for one in {HEAVY} if one in sys.modules])") == "[]"


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_what_is_exported(name):
    package = importlib.import_module(name)
    listed = package.__all__
    assert len(set(listed)) == len(listed)
    assert [one for one in listed if not hasattr(package, one)] == []
    public = {
        one
        for one, value in vars(package).items()
        if not one.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and f"{value.__module__}.".startswith(f"{name}.")
    }
    assert public <= set(listed)


def test_segment_is_a_function_even_after_its_module_was_imported():
    program = "import teasel.segment, teasel; print(callable(teasel.segment))"
    assert run_python(program) == "True"


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_says_what_it_is_for(name):
    assert len((importlib.import_module(name).__doc__ or "").split()) >= 10


def test_files_hold_one_idea():
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {file.name: n for file, n in lengths.items() if n > 500} == {}
    assert sum(n > 400 for n in lengths.values()) <= len(lengths) / 10


def test_names_say_what_is_inside():
    vague = re.compile(r"(^|_)(utils?|helpers?|misc|common|manager|handler|new|old|2d|3d)(_|$)")
    assert [str(file.relative_to(SOURCE)) for file in FILES if vague.search(file.stem)] == []


def calls(file: Path, name: str) -> list[int]:
    nodes = ast.walk(ast.parse(file.read_text("utf-8")))
    found = (node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
    return [node.lineno for node in found if node.func.id == name]


def test_the_library_does_not_print():
    assert [
        (file.name, calls(file, "print")) for file in FILES if room_of(file) != "apps" and calls(file, "print")
    ] == []


@pytest.mark.parametrize(
    ("words", "rooms"),
    [
        ("os.environ", {"settings.py"}),
        ("sys.argv", {"apps"}),
        ("except Exception", {"apps"}),
        ("except BaseException", set()),
    ],
)
def test_what_only_some_rooms_may_do(words, rooms):
    code = {file: _without_docstrings(file) for file in FILES if room_of(file) not in rooms}
    assert [str(file.relative_to(SOURCE)) for file, text in code.items() if words in text] == []


def _without_docstrings(file: Path) -> str:
    return ast.unparse(ast.parse(re.sub(r'"""(?:[^"]|"(?!""))*"""', '""', file.read_text("utf-8"))))


def tracked_files() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    return [file for file in files if file.is_file()]


def test_no_file_names_a_place_on_somebodys_machine():
    places = re.compile(rb"(?<![\w.])/(?:work|root|home/\w+|Users/\w+|opt/(?:pypi|wheels)|mnt)/")
    named = {str(file.relative_to(ROOT)) for file in tracked_files() if places.search(file.read_bytes())}
    assert named == set()


def test_every_change_is_one_sentence_of_a_known_kind():
    for file in (ROOT / "changes").glob("*.md"):
        assert re.fullmatch(r"[a-z0-9-]+\.(feature|fix|doc|removal)\.md", file.name)
        assert len(file.read_text("utf-8").strip().splitlines()) == 1
