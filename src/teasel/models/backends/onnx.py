"""ONNX Runtime on the CPU: the backend that every installation has."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ModelError
from teasel.models.backends._base import Backend, Run, check_outputs
from teasel.models.spec import ModelSpec
from teasel.representations._base import Fields

__all__ = ["OnnxBackend"]

ERRORS_ONLY = 3  # log severity; ONNX Runtime writes to stderr by itself


class OnnxBackend(Backend):
    """Run networks with ONNX Runtime, in single precision or 8-bit integers."""

    name: ClassVar[str] = "onnx"
    weights: ClassVar = {"f32": "weights.onnx", "int8": "weights.int8.onnx"}

    def open(self, path: Path, spec: ModelSpec, *, precision: str, threads: int) -> Run:
        """Open a session with all graph optimisations and `threads` threads within an operation."""
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        options.enable_mem_pattern = False  # tiles differ in size; planning each shape costs memory and gains nothing
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented) as error:
            raise ModelError(f"ONNX Runtime cannot open {path}: {error}") from error
        names = [output.name for output in session.get_outputs()]
        check_outputs(names, spec, path)

        def run(batch: NDArray[np.float32]) -> Fields:
            return dict(zip(names, session.run(names, {"image": batch}), strict=True))

        return run
