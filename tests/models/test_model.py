"""Running a model: every backend predicts the same, and wrong batches are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from teasel.errors import ModelError, ParameterError, ShapeError
from teasel.models import load_model

# Largest difference from ONNX Runtime in single precision, relative to the largest value of a head.
TOLERANCE = {
    ("onnx", "f32"): 0.0,
    ("onnx", "int8"): 0.2,
    ("openvino", "f32"): 1e-4,
    ("openvino", "bf16"): 0.05,
    ("openvino", "int8"): 0.2,
    ("torch", "f32"): 1e-4,
}


def batch(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).random(shape, np.float32)


@pytest.mark.parametrize(("backend", "precision"), TOLERANCE)
def test_backends_predict_the_same(exported: Path, backend: str, precision: str) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino", reason="the openvino backend needs OpenVINO")
    expected = load_model(exported, threads=1).run(batch(2, 3, 28, 36))
    model = load_model(exported, backend=backend, precision=precision, threads=1)
    found = model.run(batch(2, 3, 28, 36))
    assert list(found) == [head.name for head in model.spec.heads]
    for head in model.spec.heads:
        assert found[head.name].dtype == np.float32
        assert found[head.name].shape == (2, head.channels, 28 // head.stride, 36 // head.stride)
        error = np.abs(found[head.name] - expected[head.name]).max() / np.abs(expected[head.name]).max()
        assert error <= TOLERANCE[backend, precision], head.name


def test_probabilities_lie_between_0_and_1(exported: Path) -> None:
    model = load_model(exported, threads=1)
    fields = model.run(100 * batch(1, 3, 16, 16) - 50)
    for head in model.spec.heads:
        if head.activation == "sigmoid":
            assert fields[head.name].min() >= 0
            assert fields[head.name].max() <= 1


@pytest.mark.parametrize("backend", ["onnx", "openvino", "torch"])
def test_one_model_serves_several_threads(exported: Path, backend: str) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino", reason="the openvino backend needs OpenVINO")
    model = load_model(exported, backend=backend, threads=1)
    batches = [batch(1, 3, 16 + 4 * (i % 3), 16) * i for i in range(12)]
    alone = [model.run(b)["flow"] for b in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda b: model.run(b)["flow"], batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_batch_is_left_unchanged_and_may_be_strided(exported: Path) -> None:
    model = load_model(exported, threads=1)
    whole = batch(1, 3, 32, 32)
    before = whole.copy()
    strided = model.run(whole[..., ::2, ::2])
    np.testing.assert_array_equal(whole, before)
    np.testing.assert_array_equal(strided["flow"], model.run(whole[..., ::2, ::2].copy())["flow"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (batch(3, 16, 16), r"takes batches \(n, channel, y, x\)"),
        (batch(1, 3, 16, 16).astype(np.float64), "takes float32, got float64"),
        (batch(1, 1, 16, 16), "takes 3 channels, got 1"),
        (batch(1, 3, 18, 16), r"multiples of 4, got \(18, 16\): pad"),
        (batch(0, 3, 16, 16), "empty"),
    ],
)
def test_wrong_batches_are_refused(exported: Path, wrong: np.ndarray, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        load_model(exported, threads=1).run(wrong)


def test_what_runs_can_be_named(exported: Path) -> None:
    f32, int8 = (load_model(exported, precision=p, threads=1) for p in ("f32", "int8"))
    assert (f32.name, f32.backend, f32.precision, f32.threads) == ("tiny", "onnx", "f32", 1)
    assert len(f32.digest) == 64
    assert f32.digest != int8.digest


def test_wrong_combinations_list_what_is_possible(exported: Path) -> None:
    with pytest.raises(ParameterError, match="onnx with f32, int8; openvino with f32, bf16, int8; torch with f32"):
        load_model(exported, precision="bf16")
    with pytest.raises(ParameterError, match="did you mean 'onnx'"):
        load_model(exported, backend="onx")


@pytest.mark.parametrize("backend", ["onnx", "openvino", "torch"])
def test_weights_that_are_no_network_are_a_model_error(copied: Path, backend: str) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino", reason="the openvino backend needs OpenVINO")
    from teasel.models import backends, read_package

    for file in ("weights.onnx", "weights.pt"):
        (copied / file).write_bytes(b"not a network")
    chosen = backends.find(backend)
    with pytest.raises(ModelError, match="cannot open"):
        chosen.open(copied / chosen.weights["f32"], read_package(copied).spec, precision="f32", threads=1)
