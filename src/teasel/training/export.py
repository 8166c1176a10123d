"""Turn a trained network into a model folder that runs without PyTorch."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from teasel.errors import MissingDependency, ModelError, ShapeError
from teasel.models import Contents, ModelSpec, write_package
from teasel.models.description import smallest_size
from teasel.models.package import check_place
from teasel.networks.exported import Activated
from teasel.representations import Fields

__all__ = ["export_model", "trace"]

OPSET = 18
TOLERANCE = 1e-4


def export_model(
    folder: str | Path,
    network: nn.Module,
    spec: ModelSpec,
    *,
    test_image: NDArray[np.generic],
    card: str,
    cover: NDArray[np.uint8] | None = None,
    torch_weights: bool = True,
    compact: bool = False,
) -> Path:
    """Write a model folder for a trained network, after checking that its ONNX form predicts the same.

    Parameters
    ----------
    folder : str or Path
        Where to write; a model folder that is there already is replaced. Its name should be the model's.
    network : nn.Module
        Gives a dict of logits by head name for an image ``(n, channel, [z,] y, x)``. Left as it is.
    spec : ModelSpec
        What the model is; ``spec.network`` must build this network.
    test_image : ndarray, shape (channel, [z,] y, x)
        A small real image before normalisation, of any number type; its sizes are multiples of the divisor,
        above twice the halo. It is stored with what the network predicts for it.
    card : str
        Model card in Markdown: data, licences, scores, limits; with a section on validation.
    cover : ndarray of uint8, shape (y, x, 3), optional
        A picture, as wide as high or twice as wide; drawn from the test image if not given.
    torch_weights : bool
        Store the PyTorch weights too.
    compact : bool
        Round the convolution weights to 16 bits and store PyTorch's so, in half the space. They are rounded before
        anything is written, so that all forms predict the same.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ShapeError
        If the test image does not fit the network.
    ModelError
        If the specification does not build this network, or the ONNX form predicts something else.
    MissingDependency
        If the packages that write ONNX are not installed.
    """
    check_place(folder)
    batch = _test_batch(test_image, spec)
    activated = Activated(deepcopy(network).cpu(), {head.name: head.activation for head in spec.heads}).eval()
    if compact:
        _round_weights(activated)
    state = _state_dict(activated, spec, compact=compact) if torch_weights else None
    onnx = trace(activated, spec)
    for sample in _samples(spec):
        _compare(_run_torch(activated, sample, spec), _run_onnx(onnx, sample), spec)
    outputs = _run_onnx(onnx, _normalised(batch, spec))
    contents = Contents(
        onnx=onnx,
        opset=OPSET,
        test_input=batch,
        test_outputs=outputs,
        card=card,
        cover=_draw_cover(_normalised(batch, spec), outputs, spec) if cover is None else cover,
        state_dict=state,
        torch_version=torch.__version__.split("+")[0],
    )
    return write_package(folder, spec, contents)


def trace(activated: Activated, spec: ModelSpec) -> bytes:
    """Turn a network into an ONNX file with free batch and spatial sizes, batch normalisation folded away.

    Parameters
    ----------
    activated : Activated
        In evaluation mode, on the CPU.
    spec : ModelSpec
        Gives the sizes that are possible and the names of the outputs.

    Returns
    -------
    bytes
        Input ``image``, one output per head; single precision.

    Raises
    ------
    MissingDependency
        If onnx or onnxscript is not installed.
    """
    axes = "zyx"[-spec.ndim :]
    sizes = {2 + i: spec.divisor * torch.export.Dim(axis) for i, axis in enumerate(axes)}
    example = torch.zeros(2, spec.in_channels, *(spec.divisor * (3 + i) for i in range(spec.ndim)))
    try:
        with _quiet():
            program = torch.onnx.export(
                activated,
                (example,),
                input_names=["image"],
                output_names=[head.name for head in spec.heads],
                dynamic_shapes=({0: torch.export.Dim("n"), **sizes},),
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f'exporting a model needs the package {error.name}; install it with: pip install "teasel[train]"'
        ) from error
    return _without_traces(program)


def _without_traces(program: torch.onnx.ONNXProgram | None) -> bytes:
    """Serialise a program without what only tells how it came about: source lines, inferred shapes."""
    if program is None:
        raise ModelError("PyTorch gave no ONNX program for the network")
    model = program.model_proto
    for part in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    del model.graph.value_info[:]
    content: bytes = model.SerializeToString()
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks about itself (deprecations, optional packages) from the user."""
    logs = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def _test_batch(image: NDArray[np.generic], spec: ModelSpec) -> NDArray[np.float32]:
    """Check the test image and make it a batch of one, (1, channel, [z,] y, x)."""
    smallest = smallest_size(spec)
    fits = image.ndim == 1 + spec.ndim and image.shape[0] == spec.in_channels
    if not fits or any(size < smallest or size % spec.divisor for size in image.shape[1:]):
        raise ShapeError(
            f"the test image has shape {image.shape}; expected {spec.in_channels} channels and {spec.ndim} "
            f"sizes that are multiples of {spec.divisor}, {smallest} or more"
        )
    return np.ascontiguousarray(image, np.float32)[None]


def _normalised(batch: NDArray[np.float32], spec: ModelSpec) -> NDArray[np.float32]:
    """Scale each sample as the model's description says (operation ``scale_range`` of the format)."""
    axes = tuple(range(2 if spec.roles else 1, batch.ndim))  # channels that differ in kind each on their own
    low, high = np.percentile(batch, spec.normalisation, axis=axes, keepdims=True)
    return ((batch - low) / (high - low + 1e-6)).astype(np.float32)


def _round_weights(network: nn.Module) -> None:
    """Round the weights of convolutions to 16 bits, in place; normalisation keeps its 32."""
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                weight.copy_(weight.half().float())


def _state_dict(activated: Activated, spec: ModelSpec, *, compact: bool) -> bytes:
    """Save the weights, after checking that the specification builds a network that takes them."""
    state = activated.state_dict()
    if compact:
        state = {name: value.half() if value.ndim > 1 else value for name, value in state.items()}
    try:
        Activated(spec.network, activated.activations).load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"spec.network of {spec.name!r} does not build the network given: {error}") from error
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _samples(spec: ModelSpec) -> list[NDArray[np.float32]]:
    """Draw random batches of two sizes, to compare predictions on."""
    random = np.random.default_rng(0)
    shapes = [(n, spec.in_channels, *(spec.divisor * (3 + n + i) for i in range(spec.ndim))) for n in (1, 2)]
    return [random.random(shape, np.float32) for shape in shapes]


def _run_torch(activated: Activated, batch: NDArray[np.float32], spec: ModelSpec) -> Fields:
    with torch.inference_mode():
        outputs: tuple[Tensor, ...] = activated(torch.from_numpy(batch))
    return {head.name: output.numpy() for head, output in zip(spec.heads, outputs, strict=True)}


def _run_onnx(onnx: bytes, batch: NDArray[np.float32]) -> Fields:
    import onnxruntime

    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": batch}), strict=True))


def _compare(expected: Fields, found: Fields, spec: ModelSpec) -> None:
    """Raise ModelError if two predictions differ, relative to the largest value of the head."""
    for head in spec.heads:
        truth, other = expected[head.name], found[head.name]
        if truth.shape != other.shape:
            raise ModelError(f"head {head.name!r} has shape {other.shape} in ONNX, {truth.shape} in PyTorch")
        error = float(np.abs(truth - other).max() / max(1.0, float(np.abs(truth).max())))
        if not error <= TOLERANCE:
            raise ModelError(f"head {head.name!r} differs by {error:.2g} between ONNX and PyTorch; expected <= 1e-4")


def _draw_cover(batch: NDArray[np.float32], outputs: Fields, spec: ModelSpec) -> NDArray[np.uint8]:
    """Draw the test image beside the first head, twice as wide as high."""
    head = spec.heads[0]
    prediction = outputs[head.name][0, 0]
    for axis in range(spec.ndim):
        prediction = prediction.repeat(head.stride, axis)
    image = batch[0, [0, 1, 2] if spec.in_channels >= 3 else [0, 0, 0]]
    if spec.ndim == 3:
        image, prediction = image.max(1), prediction.max(0)
    side = min(image.shape[1:])
    squares = [image[:, :side, :side], np.broadcast_to(prediction, image.shape)[:, :side, :side]]
    both = np.concatenate(squares, axis=2).clip(0, 1)
    return np.ascontiguousarray((both * 255).astype(np.uint8).transpose(1, 2, 0))
