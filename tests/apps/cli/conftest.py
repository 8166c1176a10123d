"""Images to segment, and the command line with a stub in place of the network."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

STUB = Path(__file__).with_name("stub.py")


@pytest.fixture
def write_image():
    """Write a grey image with `n` bright squares as PNG, TIFF or NPY, and return its path."""

    def write(path: Path, n: int = 3, size: int = 64) -> Path:
        from skimage.io import imsave

        image = np.full((size, size), 10, np.uint8)
        for i in range(n):
            image[8:16, 4 + 14 * i : 12 + 14 * i] = 200
        path.parent.mkdir(parents=True, exist_ok=True)
        imsave(path, image, check_contrast=False)
        return path

    return write


@pytest.fixture
def teasel(monkeypatch):
    """Run the command line in this process, with the stub; gives exit code, stdout, stderr."""
    spec = importlib.util.spec_from_file_location("stub", STUB)
    stub = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stub)
    stub.install(monkeypatch.setattr)

    def run(*arguments: object) -> Result:
        from teasel.apps.cli.app import app

        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run
