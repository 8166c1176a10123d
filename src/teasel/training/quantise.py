"""Make 8-bit weights for a model: about twice as fast on processors with the instructions for it.

Ranges of activations are found by running real crops; weights get a scale per channel. The first convolution
and the heads stay in single precision: the one sees raw intensities, the others predict sub-pixel values.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import MissingDependency, ParameterError, ShapeError
from teasel.models import read_package
from teasel.models.package import attach
from teasel.models.spec import ModelSpec

if TYPE_CHECKING:
    import onnx

__all__ = ["quantise"]

CONVOLUTIONS = ("Conv", "ConvTranspose")


def quantise(folder: str | Path, crops: Sequence[NDArray[np.float32]], *, percentile: float = 99.99) -> Path:
    """Add 8-bit weights to a model folder.

    Parameters
    ----------
    folder : str or Path
        A model folder with ``weights.onnx``.
    crops : sequence of ndarray of float32, each (channel, [z,] y, x)
        Normalised images as the network will see them; about 64, from every kind of image the model is for.
        Spatial sizes are multiples of the divisor.
    percentile : float
        Part of the absolute activations that must fit into the 8-bit range, above 50 to 100; the rest is
        clipped.

    Returns
    -------
    Path
        The new file, ``weights.int8.onnx``.

    Raises
    ------
    ParameterError
        If there are no crops, or the percentile is out of range.
    ShapeError
        If a crop does not fit the network.
    MissingDependency
        If the package onnx is not installed.

    Notes ----- Activations are unsigned and weights signed, which processors with VNNI multiply directly.
    Whether the scores hold must be measured on validation images for each model.

    References
    ----------
    Jacob et al. 2018, doi:10.1109/CVPR.2018.00286 (integer-only inference); Wu et al. 2020, arXiv:2004.09602
    (percentile calibration).
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingDependency(
            'quantising a model needs the package onnx; install it with: pip install "teasel[train]"'
        ) from error
    if not 50 < percentile <= 100:
        raise ParameterError(f"percentile is {percentile}; expected above 50, up to 100")
    package = read_package(folder)
    _check(crops, package.spec)
    model = onnx.load(package.verified("weights.onnx")[0])
    attach(folder, "weights.int8.onnx", _quantised(model, crops, percentile))
    return Path(folder) / "weights.int8.onnx"


def _quantised(model: onnx.ModelProto, crops: Sequence[NDArray[np.float32]], percentile: float) -> bytes:
    """Return the 8-bit form of a network as an ONNX file."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    add_pre_process_metadata(model)  # exported models are folded already; a warning asks for this mark
    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):  # the calibration prints its progress
        written = Path(folder) / "int8.onnx"
        quantize_static(
            model,
            written,
            _reader(crops),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_kept_float(model),
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": percentile, "CalibStridedMinMax": 1},  # crops one by one
        )
        return written.read_bytes()


def _kept_float(model: onnx.ModelProto) -> list[str]:
    """Name the convolutions next to the image and to the outputs, and what lies between."""
    maker = {output: node for node in model.graph.node for output in node.output}
    kept = {node.name for node in model.graph.node if "image" in node.input}
    for output in model.graph.output:
        node = maker[output.name]
        kept.add(node.name)
        while node.op_type not in CONVOLUTIONS:
            node = maker[node.input[0]]
            kept.add(node.name)
    return sorted(kept)


def _reader(crops: Sequence[NDArray[np.float32]]) -> Any:
    """Give crops in the way that ONNX Runtime asks for them: a range of them, then one by one until None."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.waiting = iter(crops)

        def __len__(self) -> int:
            return len(crops)

        def set_range(self, start_index: int, end_index: int) -> None:
            self.waiting = iter(crops[start_index:end_index])

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            crop = next(self.waiting, None)
            return None if crop is None else {"image": np.ascontiguousarray(crop)[None]}

    return Reader()


def _check(crops: Sequence[NDArray[np.float32]], spec: ModelSpec) -> None:
    """Raise unless there are crops and each fits the network."""
    if not crops:
        raise ParameterError("no crops to calibrate on; give about 64 normalised crops of real images")
    for crop in crops:
        fits = crop.ndim == 1 + spec.ndim and crop.shape[0] == spec.in_channels and crop.dtype == np.float32
        if not fits or any(size % spec.divisor for size in crop.shape[1:]):
            raise ShapeError(
                f"a crop has shape {crop.shape} and type {crop.dtype}; expected float32, {spec.in_channels} "
                f"channels and {spec.ndim} sizes that are multiples of {spec.divisor}"
            )
