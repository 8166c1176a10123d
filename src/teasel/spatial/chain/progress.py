"""What a run has done, kept in files that are whole or not there, so that a killed run goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import ParameterError
from teasel.images import atomic_path

__all__ = ["Ledger", "Step"]

Step = Callable[[str, int, int], None]
"""Hears the name of a step, how many parts of it are done, and how many there are."""

_UNSAFE = re.compile(r"[^\w.+-]+")


class Ledger:
    """The folder of a run's results.

    Parameters
    ----------
    folder : pathlib.Path
        Made if need be.
    digest : str
        Of the recipe. A folder that holds the results of another recipe is refused.

    Raises
    ------
    ParameterError
        If the folder belongs to another recipe.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        stamp = folder / "recipe.json"
        if stamp.exists() and json.loads(stamp.read_text("utf-8")).get("digest") != digest:
            raise ParameterError(
                f"{folder} holds results of another recipe, or of another version; give another folder with -o, or "
                "--overwrite"
            )
        for name in ("work", "transcripts", "labels"):
            (folder / name).mkdir(exist_ok=True)
        self.write_json(stamp, {"digest": digest})

    def path(self, kind: str, field: str, suffix: str) -> Path:
        """Return the file of a field: ``work/<field>.<kind><suffix>``."""
        return self.folder / "work" / f"{_UNSAFE.sub('_', field)}.{kind}{suffix}"

    def result(self, kind: str, field: str, suffix: str) -> Path:
        """Return the file of a result: ``<kind>/<field><suffix>``."""
        return self.folder / kind / f"{_UNSAFE.sub('_', field)}{suffix}"

    @staticmethod
    def write_json(path: Path, content: Any) -> None:
        """Write what JSON can hold."""
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")

    @staticmethod
    def read_json(path: Path) -> Any:
        """Read it back."""
        return json.loads(path.read_text("utf-8"))

    @staticmethod
    def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
        """Write arrays by name, as ``.npz``."""
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            named: dict[str, Any] = dict(arrays)
            np.savez(file, **named)

    @staticmethod
    def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
        """Read them back."""
        with np.load(path) as content:
            return {name: content[name] for name in content.files}
