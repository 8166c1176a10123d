"""Finding models by name and path."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from teasel.errors import ModelError, ModelNotFound
from teasel.models import find_model, list_models, show


@pytest.fixture
def zoo(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEASEL_MODEL_PATH", str(exported.parent))
    return exported.parent


def test_an_extra_folder_adds_its_models(zoo: Path) -> None:
    assert find_model("tiny") == zoo / "tiny"
    assert "tiny" in [spec.name for spec in list_models()]


def test_a_mistyped_name_gets_the_nearest(zoo: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"no model 'tinny'; did you mean 'tiny'\? 'teasel models' lists all \d+"):
        find_model("tinny")
    with pytest.raises(ModelNotFound, match="no model 'xyzzy'; 'teasel models' lists all"):
        find_model("xyzzy")


def test_a_folder_beside_you_is_not_taken_for_a_name(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied.parent)
    with pytest.raises(ModelNotFound):
        find_model(copied.name)
    assert find_model(f"./{copied.name}").resolve() == copied


@pytest.mark.parametrize("form", ["folder", "text", "description"])
def test_paths_are_taken_as_they_are(exported: Path, form: str) -> None:
    given = {"folder": exported, "text": str(exported), "description": exported / "rdf.yaml"}[form]
    assert find_model(given) == exported


def test_a_path_without_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"not a model folder: it has no rdf\.yaml"):
        find_model(tmp_path)


def test_two_models_of_one_name_are_an_error(zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(zoo / "tiny", tmp_path / "tiny")
    monkeypatch.setenv("TEASEL_MODEL_PATH", os.pathsep.join([str(zoo), str(tmp_path)]))
    with pytest.raises(ModelError, match="two models are called 'tiny'"):
        find_model("tiny")


def test_a_setting_that_names_no_folder_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEASEL_MODEL_PATH", str(tmp_path / "gone"))
    with pytest.raises(ModelNotFound, match="model_path"):
        list_models()


def test_unfinished_folders_are_passed_over(zoo: Path) -> None:
    partial = zoo / ".part-0a1b2c3d-other"
    shutil.copytree(zoo / "tiny", partial)
    try:
        assert partial.name not in [folder.name for folder in map(find_model, [s.name for s in list_models()])]
    finally:
        shutil.rmtree(partial)


def test_showing_a_model_tells_what_it_is(zoo: Path) -> None:
    text = show("tiny")
    for part in ("tiny 0.1.0", "hybrid", "24 px", "weights.int8.onnx", "score ap50:", "0.250", str(zoo)):
        assert part in text


def test_shipped_models_can_be_read_and_run() -> None:
    for spec in list_models():
        assert find_model(spec.name).name == spec.name
