"""Model folders: the zoo's own test accepts them, and broken ones are refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from teasel.errors import ModelError, ModelNotFound
from teasel.models import load_model, read_package, revise
from teasel.models.package import attach

ZOO_TEST = """
import json, sys
def offline(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError(f"no network in this test: {event} {arguments}")
sys.addaudithook(offline)
from bioimageio.core import test_model
found = {}
for weights in ("onnx", "pytorch_state_dict"):
    summary = test_model(sys.argv[1], weight_format=weights)
    found[weights] = [summary.status, [str(error) for detail in summary.details for error in detail.errors]]
print("RESULT" + json.dumps(found))
"""


def test_the_model_zoo_accepts_both_weights_without_a_network(exported: Path) -> None:
    pytest.importorskip("bioimageio.core", reason="the zoo's own test needs bioimageio.core")
    done = subprocess.run(
        [sys.executable, "-c", ZOO_TEST, str(exported)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert "RESULT" in done.stdout, done.stdout[-3000:] + done.stderr[-3000:]
    found = json.loads(done.stdout.split("RESULT")[1])
    assert found == {"onnx": ["passed", []], "pytorch_state_dict": ["passed", []]}


def test_every_file_is_named_with_its_digest(exported: Path) -> None:
    package = read_package(exported)
    for file in package.digests:
        package.verified(file)
    assert {path.name for path in exported.iterdir()} == {*package.digests, "rdf.yaml"}


def test_the_specification_is_read_back(exported: Path) -> None:
    spec = read_package(exported).spec
    assert (spec.name, spec.divisor, spec.scores) == ("tiny", 4, {"ap50": 0.25})


def test_reading_a_description_is_quick(exported: Path) -> None:
    read_package(exported)
    start = time.process_time()
    read_package(exported)
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize(("backend", "file"), [("onnx", "weights.onnx"), ("torch", "weights.pt")])
def test_changed_weights_are_refused(copied: Path, backend: str, file: str) -> None:
    content = bytearray((copied / file).read_bytes())
    content[-1] ^= 1
    (copied / file).write_bytes(content)
    with pytest.raises(ModelError, match=file):
        load_model(copied, backend=backend)


def test_missing_weights_are_named(copied: Path) -> None:
    (copied / "weights.onnx").unlink()
    with pytest.raises(ModelError, match=r"weights\.onnx is missing"):
        load_model(copied)


def test_a_model_without_8_bit_weights_says_what_it_has(copied: Path) -> None:
    rdf = yaml.safe_load((copied / "rdf.yaml").read_text())
    del rdf["attachments"]
    (copied / "rdf.yaml").write_text(yaml.safe_dump(rdf))
    with pytest.raises(ModelError, match=r"no weights\.int8\.onnx; its weights are: weights"):
        load_model(copied, precision="int8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "no valid YAML"),
        ("- 1", "expected a model description"),
        ("type: dataset\nformat_version: 0.3.0", "dataset of format 0.3.0"),
        ("type: model\nformat_version: 0.4.10", "format 0.4.10"),
        ("type: model\nformat_version: 0.5.4\nconfig: {bioimageio: {}}", "no config.teasel"),
    ],
)
def test_broken_descriptions_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rdf.yaml").write_text(text)
    with pytest.raises(ModelError, match=message):
        read_package(tmp_path)


def test_a_folder_without_description_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"no rdf\.yaml"):
        read_package(tmp_path)


def test_attaching_twice_replaces(copied: Path) -> None:
    attach(copied, "notes.txt", b"one")
    attach(copied, "notes.txt", b"two")
    package = read_package(copied)
    assert package.verified("notes.txt")[0].read_bytes() == b"two"
    assert len(list(copied.glob(".*"))) == 0


def test_scores_and_card_can_be_revised_and_the_weights_stay(copied: Path) -> None:
    before = read_package(copied)
    revise(copied, replace(before.spec, scores={"ap50": 0.75}, version="0.2.0"), card="# New\n\n## Validation\n")
    after = read_package(copied)
    assert (after.spec.scores, after.spec.version) == ({"ap50": 0.75}, "0.2.0")
    assert yaml.safe_load((copied / "rdf.yaml").read_text())["version"] == "0.2.0"
    assert {f for f in before.digests if before.digests[f] != after.digests[f]} == {"README.md"}
    for file in after.digests:
        after.verified(file)


@pytest.mark.parametrize("changes", [{"divisor": 8}, {"halo_px": 4}, {"normalisation": (0.0, 100.0)}])
def test_what_belongs_to_the_weights_cannot_be_revised(copied: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="export again"):
        revise(copied, replace(read_package(copied).spec, **changes))
