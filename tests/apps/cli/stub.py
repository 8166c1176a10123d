"""The command line with a tiny classical segmentation in place of a network; `python stub.py ARGUMENTS` runs it."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
from scipy import ndimage

DIGEST = "5" * 64


def load_model(name, *, backend="onnx", precision="f32", threads=None):
    """A model in name only."""
    spec = SimpleNamespace(version="0")
    return SimpleNamespace(
        name=name, digest=DIGEST, spec=spec, backend=backend, precision=precision, threads=threads or 1
    )


def make_segmenter(model, options, *, seconds=0.0):
    """Thresholds at half of the range; takes `seconds` per image, and reports progress ten times."""
    from teasel.images import open_image

    def segment_one(job, progress):
        image = open_image(job.source, axes=options.axes, scene=job.scene)
        values = image.read(**({"c": 0} if "c" in image.axes else {})).astype(float)
        for done in range(10):
            progress(done, 10)
            time.sleep(seconds / 10)
        labels, n = ndimage.label(values > (values.min() + values.max()) / 2)
        return as_segmentation(image, labels.astype(np.uint32), n, options)

    return segment_one


def as_segmentation(image, labels, n, options):
    """What `teasel.segment` gives, as far as the command line looks at it."""
    index = np.arange(1, n + 1)
    centres = np.array(ndimage.center_of_mass(labels > 0, labels, index)).reshape(n, labels.ndim)
    objects = {
        "label": index,
        **{f"centroid_{axis}_px": centres[:, i] for i, axis in enumerate("zyx"[-labels.ndim :])},
        "area_px": np.bincount(labels.ravel(), minlength=n + 1)[1:],
        "score": np.full(n, 0.9),
        "touches_border": np.zeros(n, bool),
    }
    return SimpleNamespace(
        labels=labels,
        objects=objects,
        scores=objects["score"].astype(np.float32),
        image=image,
        diameter_px=options.diameter_px or 12.0,
        diameter_source="given" if options.diameter_px else "estimated",
        notes=(),
        parameters={},
        seconds=0.01,
        nuclei=None,
        nuclei_objects=None,
    )


def install(monkeypatch_setattr, *, seconds=0.0):
    """Put the stub in place of model and segmentation."""
    from teasel.apps.cli import session

    monkeypatch_setattr("teasel.models.load_model", load_model)
    monkeypatch_setattr(
        session, "_segmenter", lambda model, options, _: make_segmenter(model, options, seconds=seconds)
    )


if __name__ == "__main__":
    import os

    import pytest

    from teasel.apps.cli import main

    with pytest.MonkeyPatch.context() as patch:
        install(patch.setattr, seconds=float(os.environ.get("STUB_SECONDS", "0")))
        main()
