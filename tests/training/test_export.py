"""Exporting: what is written predicts what the network predicts, or nothing is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from teasel.errors import ModelError, ParameterError, ShapeError
from teasel.models import ModelSpec, load_model, read_package
from teasel.networks.exported import Activated, build
from teasel.networks.unet import UNet
from teasel.representations import build as build_representation
from teasel.training import export
from teasel.training.export import export_model
from teasel.training.quantise import quantise

CARD = "# Small\n\n## Validation\n\nNone.\n"
IMAGE = np.random.default_rng(0).integers(0, 60000, (1, 24, 32)).astype(np.uint16)


def make(widths: tuple[int, ...] = (8, 16), **changes: object) -> tuple[UNet, ModelSpec]:
    representation = build_representation("hybrid", {"n_rays": 8})
    heads = [{"name": h.name, "channels": h.channels, "stride": h.stride} for h in representation.heads(2)]
    params = {"in_channels": 1, "heads": heads, "widths": widths, "blocks": (1,) * len(widths)}
    torch.manual_seed(0)
    network = UNet(**params)
    for _ in range(3):
        network(torch.rand(2, 1, 32, 32))  # running statistics that differ from 0 and 1
    values = {"in_channels": 1, "divisor": 2 ** len(widths), "halo_px": 8} | changes
    entry = {"name": "unet", "params": params}
    return network, ModelSpec("small", "Random weights.", representation, entry, **values)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UNet]:
    network, spec = make()
    folder = tmp_path_factory.mktemp("models") / "small"
    export_model(folder, network, spec, test_image=IMAGE, card=CARD, torch_weights=False)
    return folder, network


@pytest.mark.parametrize("shape", [(1, 1, 4, 4), (3, 1, 20, 44), (2, 1, 64, 32)])
def test_the_exported_network_predicts_the_same_at_any_size(written: tuple[Path, UNet], shape: tuple[int, ...]) -> None:
    folder, network = written
    batch = np.random.default_rng(1).random(shape, np.float32)
    fields = load_model(folder, threads=1).run(batch)
    network.eval()
    with torch.inference_mode():
        logits = network(torch.from_numpy(batch))
    for head in load_model(folder, threads=1).spec.heads:
        expected = logits[head.name].sigmoid() if head.activation == "sigmoid" else logits[head.name]
        np.testing.assert_allclose(fields[head.name], expected.numpy(), atol=1e-4)


def test_batch_normalisation_is_folded_and_no_paths_are_left(written: tuple[Path, UNet]) -> None:
    onnx = pytest.importorskip("onnx", reason="looking into the file needs onnx")
    graph = onnx.load(written[0] / "weights.onnx").graph
    assert "BatchNormalization" not in {node.op_type for node in graph.node}
    assert not any(node.metadata_props or node.doc_string for node in graph.node)
    assert str(Path(export.__file__).parents[1]).encode() not in (written[0] / "weights.onnx").read_bytes()


def test_torch_weights_can_be_left_out(written: tuple[Path, UNet]) -> None:
    assert not (written[0] / "weights.pt").exists()
    with pytest.raises(ModelError, match=r"no weights\.pt"):
        load_model(written[0], backend="torch")


def test_the_network_is_left_in_training_and_a_model_is_replaced(tmp_path: Path) -> None:
    network, spec = make()
    network.train()
    for version in ("1", "2"):
        changed = ModelSpec.from_dict(spec.to_dict() | {"version": version})
        export_model(tmp_path / "small", network, changed, test_image=IMAGE, card=CARD)
    assert network.training
    assert read_package(tmp_path / "small").spec.version == "2"
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    network, spec = make()
    with pytest.raises(ModelError, match="not a model folder"):
        export_model(tmp_path, network, spec, test_image=IMAGE, card=CARD)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("shape", [(24, 32), (3, 24, 32), (1, 22, 32), (1, 16, 32)])
def test_a_test_image_that_does_not_fit_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    network, spec = make()
    with pytest.raises(ShapeError, match="multiples of 4, 20 or more"):
        export_model(tmp_path / "small", network, spec, test_image=np.zeros(shape), card=CARD)


def test_a_specification_of_another_network_is_refused(tmp_path: Path) -> None:
    _, spec = make()
    network, _ = make(widths=(8, 24))
    with pytest.raises(ModelError, match=r"spec\.network of 'small' does not build"):
        export_model(tmp_path / "small", network, spec, test_image=IMAGE, card=CARD)
    assert not (tmp_path / "small").exists()


def test_a_difference_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    network, spec = make()
    right = export._run_onnx
    monkeypatch.setattr(export, "_run_onnx", lambda *a: {k: v + 0.01 for k, v in right(*a).items()})
    with pytest.raises(ModelError, match=r"differs by 0\.01"):
        export_model(tmp_path / "small", network, spec, test_image=IMAGE, card=CARD)


def test_unknown_networks_and_activations_are_refused() -> None:
    with pytest.raises(ParameterError, match="no network 'vnet'; there are: anisotropic, unet"):
        build("vnet", {})

    class Zero(nn.Module):
        def forward(self, image: Tensor) -> dict[str, Tensor]:
            return {"a": image, "b": image}

    assert len(Activated(Zero(), {"a": "linear"})(torch.zeros(1))) == 1
    with pytest.raises(ParameterError, match="no activation tanh"):
        Activated(Zero(), {"a": "tanh"})


def test_quantising_checks_its_crops(written: tuple[Path, UNet]) -> None:
    with pytest.raises(ParameterError, match="no crops"):
        quantise(written[0], [])
    for wrong in (np.zeros((1, 16, 16)), np.zeros((1, 18, 16), np.float32), np.zeros((3, 16, 16), np.float32)):
        with pytest.raises(ShapeError, match="multiples of 4"):
            quantise(written[0], [wrong])
    with pytest.raises(ParameterError, match="percentile"):
        quantise(written[0], [np.zeros((1, 16, 16), np.float32)], percentile=3)


def test_quantising_is_quiet_and_takes_crops_of_any_size(
    written: tuple[Path, UNet], capfd: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(2)
    crops = [random.random((1, 16 + 4 * i, 32), np.float32) for i in range(4)]
    path = quantise(written[0], [np.zeros((1, 16, 16), np.float32), *crops])
    assert "".join(capfd.readouterr()) == ""
    assert path.stat().st_size < (written[0] / "weights.onnx").stat().st_size
    assert load_model(written[0], precision="int8", threads=1).run(crops[0][None])["flow"].shape == (1, 2, 8, 16)
