"""Recipes as files: what is read is what was written, and what is wrong is named with its line."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from teasel.apps.cli.session import SegmentOptions
from teasel.apps.recipe import (
    ExportOptions,
    MeasureOptions,
    Recipe,
    ReportOptions,
    read_recipe,
    recipe_schema,
    write_recipe,
)
from teasel.errors import InputNotFound, ParameterError

FULL = Recipe(
    inputs=("in/a.tif", "plate/*.tif"),
    output="results",
    segment=SegmentOptions(model="nuclei-fast", channel="DAPI", diameter_px=30.5, threads=2),
    measure=MeasureOptions(families=("shape", "texture"), tables=(".csv", ".h5ad")),
    export=ExportOptions(labels=(".zip", ".geojson")),
    report=ReportOptions(title='A "title"\nof two lines', min_objects=3),
)


def write(folder: Path, text: str, name: str = "recipe.toml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


def check_schema(path: Path) -> None:
    text = path.read_text("utf-8")
    if path.suffix == ".toml":
        import tomllib

        values = tomllib.loads(text)
    else:
        values = yaml.safe_load(text)
    jsonschema.validate(values, recipe_schema())


@pytest.mark.parametrize("suffix", [".toml", ".yaml", ".yml"])
def test_a_recipe_comes_back_as_it_was(tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for recipe in (FULL, Recipe(("a.tif",)), Recipe(("a.tif",), measure=MeasureOptions(), report=ReportOptions())):
        path = Path("sub") / f"recipe{suffix}"
        write_recipe(recipe, path, overwrite=True)
        check_schema(path)
        found = read_recipe(path)
        back = tuple(Path(os.path.normpath(one)).as_posix() for one in found.inputs)
        assert back == recipe.inputs
        output = None if found.output is None else os.path.normpath(found.output)
        assert replace(found, inputs=recipe.inputs, output=output) == recipe


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_comes_back(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("recipes")
    recipe = Recipe((str(folder / "a.tif"),), report=ReportOptions(title=text))
    for name in ("a.toml", "a.yaml"):
        write_recipe(recipe, folder / name)
        assert read_recipe(folder / name).report.title == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('inputs = ["a"]\n\n[segment]\nchanel = 0\n', r"line 4: unknown key 'chanel' in \[segment\]; did you mean"),
        ('input = ["a"]\n', r"line 1: unknown key 'input'; did you mean 'inputs'\?"),
        ('inputs = ["a"]\n[segmnt]\n', r"line 2: unknown key 'segmnt'; did you mean 'segment'\?"),
        ('inputs = ["a"]\n[segment]\ndiameter_px = "big"\n', "line 3: segment.diameter_px is 'big'; expected a num"),
        ('inputs = ["a"]\n[segment]\nthreads = 1.5\n', r"line 3: segment.threads is 1.5; expected a whole number"),
        ('inputs = ["a"]\n[segment]\nthreads = true\n', r"line 3: segment.threads is True; expected a whole number"),
        ('inputs = "a"\n', r"line 1: inputs is 'a'; expected a list of texts"),
        ("inputs = [1]\n", r"line 1: inputs is \[1\]; expected a list of texts"),
        ("inputs = []\n", "inputs is empty"),
        ("[segment]\n", "the key 'inputs' is missing"),
        ('inputs = ["a"]\nsegment = 3\n', r"line 2: segment is 3; expected a section"),
        ('inputs = ["a"]\nsegment = { chanel = 1 }\n', r"line 2: unknown key 'chanel' in \[segment\]"),
        ('inputs = ["a"]\nformat = "teasel recipe 9"\n', "this version of Teasel reads 'teasel recipe 1'"),
        ('inputs = ["a"\n[segment]\n', r"not well-formed TOML: .*line 2"),
        ('inputs = ["a"]\ninputs = ["b"]\n', "not well-formed TOML"),
        ('inputs = ["a"]\n[report]\nmax_blur = -1\n', r"line 2: max_blur of the report is -1"),
        ("", "the key 'inputs' is missing"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path, text, words):
    with pytest.raises(ParameterError, match=words):
        read_recipe(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("inputs: [a]\nsegment:\n  chanel: 0\n", r"line 3: unknown key 'chanel' in \[segment\]; did you"),
        ("inputs: [a]\ninputs: [b]\n", r"'inputs' comes twice \(at line 2, column 1\)"),
        ("inputs: [a\n", "not well-formed YAML: .*line"),
        ("- a\n", "expected keys with values"),
        ("", "holds nothing"),
        ("inputs: [a]\nsegment:\n  diameter_px: 1e1\n", r"line 3: segment.diameter_px is '1e1'; expected a number"),
    ],
)
def test_the_same_in_yaml(tmp_path, text, words):
    with pytest.raises(ParameterError, match=words):
        read_recipe(write(tmp_path, text, "recipe.yaml"))


def test_files_that_are_no_recipes(tmp_path):
    with pytest.raises(InputNotFound, match="no recipe"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(ParameterError, match=r"ends with \.toml"):
        read_recipe(write(tmp_path, "", "recipe.json"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="not text in UTF-8"):
        read_recipe(tmp_path / "binary.toml")


def test_numbers_where_text_may_be_a_number(tmp_path):
    segment = read_recipe(write(tmp_path, 'inputs = ["a"]\n[segment]\nchannel = 0\nz = 3\ndiameter_px = 20\n')).segment
    assert (segment.channel, segment.z, segment.diameter_px) == ("0", "3", 20.0)
    assert isinstance(segment.diameter_px, float)


def test_an_empty_section_asks_for_the_defaults(tmp_path):
    recipe = read_recipe(write(tmp_path, "inputs: [a]\nreport:\nmeasure: {}\n", "r.yaml"))
    assert recipe.report == ReportOptions()
    assert recipe.measure == MeasureOptions()
    check_schema(tmp_path / "r.yaml")


def test_paths_count_from_the_folder_of_the_recipe(tmp_path, monkeypatch):
    place = tmp_path / "plate [1]"
    place.mkdir()
    (place / "b [2].tif").touch()
    text = 'inputs = ["*.tif", "b [2].tif", "~/c.tif"]\noutput = "out"\n[segment]\nmodel = "./mine"\n'
    recipe = read_recipe(write(place, text))
    from teasel.apps.cli.jobs import find_images

    monkeypatch.chdir("/")
    assert find_images(recipe.inputs[:2]) == [place / "b [2].tif"]
    assert recipe.inputs[2] == str(Path("~/c.tif").expanduser())
    assert recipe.output == str(place / "out")
    assert Path(recipe.segment.model) == place / "mine"


def test_a_recipe_does_not_replace_another(tmp_path):
    recipe, other = Recipe((str(tmp_path / "a.tif"),)), Recipe((str(tmp_path / "b.tif"),))
    path = tmp_path / "recipe.toml"
    write_recipe(recipe, path)
    write_recipe(recipe, path)
    with pytest.raises(ParameterError, match="says something else"):
        write_recipe(other, path)
    write_recipe(other, path, overwrite=True)
    assert Path(read_recipe(path).inputs[0]).name == "b.tif"


@pytest.mark.parametrize(
    "values",
    [
        {"inputs": ["a"], "segment": {"chanel": 1}},
        {"input": ["a"]},
        {"inputs": []},
        {"inputs": ["a"], "segment": {"threads": "two"}},
        {"inputs": ["a"], "report": {"max_blur": "no"}},
    ],
)
def test_the_schema_refuses_what_reading_refuses(tmp_path, values):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, recipe_schema())
    with pytest.raises(ParameterError):
        read_recipe(write(tmp_path, yaml.safe_dump(values), "r.yaml"))


def test_the_schema_is_one_and_explains_every_key():
    schema = recipe_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    def explained(section):
        for one in section.get("properties", {}).values():
            assert len(one["description"].split()) >= 3
            explained(one)

    explained(schema)


def test_the_published_schema_is_up_to_date():
    page = Path(__file__).resolve().parents[3] / "docs/recipe.schema.json"
    assert json.loads(page.read_text("utf-8")) == recipe_schema(), "run: teasel run --schema > docs/recipe.schema.json"
