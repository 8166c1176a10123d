"""The room of backends: what they offer, what they need, what they leave alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from teasel.errors import MissingDependency, ModelError, ParameterError
from teasel.models import backends, read_package
from teasel.models.backends import thread_count
from teasel.models.backends._base import check_outputs

TELEMETRY_TEST = """
import sys
from teasel.models import load_model
load_model(sys.argv[1], backend="openvino", threads=1)
assert not any(name.startswith("openvino_telemetry") for name in sys.modules)
"""


@pytest.mark.parametrize("name", backends.names())
def test_every_backend_offers_single_precision(name: str) -> None:
    backend = backends.find(name)
    assert backend.name == name
    assert "f32" in backend.weights


@pytest.mark.parametrize(("name", "package"), [("openvino", "openvino"), ("torch", "torch")])
def test_a_missing_package_says_how_to_get_it(
    name: str, package: str, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = backends.find(name)
    monkeypatch.setattr(sys.modules[type(backend).__module__], "find_spec", lambda _: None)
    spec = read_package(exported).spec
    with pytest.raises(MissingDependency, match=rf"needs the package {package}; .*pip install \"teasel\["):
        backend.open(exported / "weights.onnx", spec, precision="f32", threads=1)


def test_threads_come_from_the_caller_the_setting_or_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TEASEL_THREADS", raising=False)
    assert thread_count() >= 1
    monkeypatch.setenv("TEASEL_THREADS", "3")
    assert thread_count() == 3
    assert thread_count(2) == 2
    for wrong in ("0", "-1", "many"):
        monkeypatch.setenv("TEASEL_THREADS", wrong)
        with pytest.raises(ParameterError, match="whole number"):
            thread_count()
    with pytest.raises(ParameterError, match="whole number"):
        thread_count(0)


def test_weights_of_another_representation_are_refused(exported: Path) -> None:
    spec = read_package(exported).spec
    with pytest.raises(ModelError, match="export the model again"):
        check_outputs(["rays"], spec, exported / "weights.onnx")


def test_openvino_sends_and_writes_nothing(exported: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="the openvino backend needs OpenVINO")
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", TELEMETRY_TEST, str(exported)], env=os.environ | home, check=True)
    assert list(tmp_path.iterdir()) == []
