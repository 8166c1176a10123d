"""OpenVINO on the CPU: faster than ONNX Runtime on recent Intel and AMD processors."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import MissingDependency, ModelError, ParameterError
from teasel.models.backends._base import Backend, Run, check_outputs
from teasel.models.spec import ModelSpec
from teasel.representations._base import Fields

__all__ = ["OpenVinoBackend"]

TELEMETRY = "openvino_telemetry"


class OpenVinoBackend(Backend):
    """Run networks with OpenVINO, in single precision, bfloat16 or 8-bit integers.

    Notes
    -----
    OpenVINO computes in bfloat16 by itself where the processor can; the precision is therefore always set.
    """

    name: ClassVar[str] = "openvino"
    weights: ClassVar = {"f32": "weights.onnx", "bf16": "weights.onnx", "int8": "weights.int8.onnx"}

    def open(self, path: Path, spec: ModelSpec, *, precision: str, threads: int) -> Run:
        """Compile the network; every call has a request of its own, so that several threads may call."""
        if find_spec("openvino") is None:
            raise MissingDependency(
                'the openvino backend needs the package openvino; install it with: pip install "teasel[openvino]"'
            )
        openvino = _without_telemetry()
        core = openvino.Core()
        if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise ParameterError("this processor has no bfloat16 instructions; choose precision f32 or int8")
        config = {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
        }
        try:
            compiled = core.compile_model(str(path), "CPU", config)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot open {path}: {error}") from error
        names = [output.get_any_name() for output in compiled.outputs]
        check_outputs(names, spec, path)

        def run(batch: NDArray[np.float32]) -> Fields:
            request = compiled.create_infer_request()
            request.infer({"image": batch})
            return {name: np.array(request.get_tensor(name).data) for name in names}

        return run


def _without_telemetry() -> Any:
    """Import OpenVINO with its telemetry hidden, which would write into the home folder on import."""
    known = "openvino" in sys.modules or TELEMETRY in sys.modules
    if not known:
        sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # OpenVINO then takes its own empty stand-in
    try:
        return import_module("openvino")
    finally:
        if not known:
            del sys.modules[TELEMETRY]
