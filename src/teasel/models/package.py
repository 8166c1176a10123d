"""Read and write model folders in the BioImage Model Zoo format.

The folder's description ``rdf.yaml`` names every other file with its SHA-256; what only Teasel needs stands
under ``config.teasel``. The format: https://github.com/bioimage-io/spec-bioimage-io.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from teasel.errors import ModelError, ModelNotFound
from teasel.images.atomic import atomic_path
from teasel.models.description import Contents, describe, summarise
from teasel.models.spec import ModelSpec

__all__ = ["DESCRIPTION", "Contents", "Package", "attach", "check_place", "read_package", "revise", "write_package"]

DESCRIPTION = "rdf.yaml"
FORMATS = ("0.5.",)
ENVIRONMENT = b"""channels: [conda-forge, nodefaults]
dependencies:
  - python>=3.11
  - pip
  - pip:
      - teasel[train]
"""


@dataclass(frozen=True)
class Package:
    """A model folder whose description has been read.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    spec : ModelSpec
        What ``config.teasel`` says.
    digests : dict of str to str
        SHA-256, in hexadecimal, that the description gives for each file.
    """

    folder: Path
    spec: ModelSpec
    digests: dict[str, str]

    def verified(self, file: str) -> tuple[Path, str]:
        """Return the path and the digest of a file of the folder, after checking that the one has the other.

        Raises
        ------
        ModelError
            If the model has no such file, or its content is not what the description says.
        """
        if file not in self.digests:
            held = ", ".join(name for name in self.digests if name.startswith("weights"))
            raise ModelError(f"model {self.spec.name!r} has no {file}; its weights are: {held}")
        path = self.folder / file
        if not path.is_file():
            raise ModelError(f"model {self.spec.name!r} is broken: {path} is missing; install the model again")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != self.digests[file]:
            raise ModelError(
                f"model {self.spec.name!r} is broken: {path} has SHA-256 {digest[:12]}..., expected "
                f"{self.digests[file][:12]}...; install the model again"
            )
        return path, digest

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each file that is there."""
        paths = {file: self.folder / file for file in self.digests}
        return {file: path.stat().st_size for file, path in paths.items() if path.is_file()}


def read_package(folder: str | Path) -> Package:
    """Read the description of a model folder; no weights are read.

    Parameters
    ----------
    folder : str or Path
        A folder with an ``rdf.yaml``.

    Raises
    ------
    ModelNotFound
        If there is no such folder or description.
    ModelError
        If the description is no valid YAML, of another format version, or has no ``config.teasel``.
    """
    folder = Path(folder)
    rdf = _read_yaml(folder)
    version = str(rdf.get("format_version"))
    if rdf.get("type") != "model" or not version.startswith(FORMATS):
        raise ModelError(f"{folder / DESCRIPTION} is a {rdf.get('type')} of format {version}; expected model, 0.5.x")
    config = rdf.get("config") or {}
    if "teasel" not in config:
        raise ModelError(
            f"{folder / DESCRIPTION} has no config.teasel, which says how objects are read back; "
            "only models exported by Teasel can be used"
        )
    return Package(folder, ModelSpec.from_dict(config["teasel"]), dict(_digests(rdf)))


def write_package(folder: str | Path, spec: ModelSpec, contents: Contents) -> Path:
    """Write a whole model folder; a crash leaves nothing, or the folder as it was.

    Parameters
    ----------
    folder : str or Path
        Where to write; a model folder that is there already is replaced.
    spec : ModelSpec
        What Teasel must know about the network.
    contents : Contents
        The weights and everything else that goes into files.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        If the folder exists and is not a model folder.
    """
    folder = Path(folder)
    check_place(folder)
    files = _files(contents)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder) as draft:
        draft.mkdir()
        for name, content in files.items():
            (draft / name).write_bytes(content)
        _write_yaml(draft, describe(spec, contents, digests))
    return folder


def check_place(folder: str | Path) -> None:
    """Raise ModelError if something other than a model folder stands where one should be written."""
    folder = Path(folder)
    if folder.exists() and not (folder / DESCRIPTION).is_file():
        raise ModelError(f"{folder} exists and is not a model folder; choose another place")


def attach(folder: str | Path, file: str, content: bytes) -> None:
    """Add a file to a model folder, or replace it, and note its digest in the description.

    Raises
    ------
    ModelNotFound, ModelError
        As `read_package`.
    """
    folder = Path(folder)
    read_package(folder)
    rdf = _read_yaml(folder)
    kept = [entry for entry in rdf.get("attachments", []) if entry["source"] != file]
    rdf["attachments"] = [*kept, {"source": file, "sha256": hashlib.sha256(content).hexdigest()}]
    with atomic_path(folder / file) as draft:
        draft.write_bytes(content)
    _write_yaml(folder, rdf)


def revise(folder: str | Path, spec: ModelSpec, *, card: str | None = None) -> None:
    """Change what a model folder says about its network, keeping the weights: scores, thresholds, texts.

    Parameters
    ----------
    folder : str or Path
        A model folder.
    spec : ModelSpec
        Takes the place of the one that is there.
    card : str, optional
        A new model card, in Markdown; the card stays if not given.

    Raises
    ------
    ModelError
        If the specification changes what the network takes or predicts.
    """
    folder = Path(folder)
    former = read_package(folder).spec
    for key in ("network", "ndim", "in_channels", "roles", "divisor", "halo_px", "normalisation"):
        if former.to_dict()[key] != spec.to_dict()[key]:
            raise ModelError(f"{key} of {spec.name!r} cannot be revised, it belongs to the weights; export again")
    if [(h.name, h.activation) for h in former.heads] != [(h.name, h.activation) for h in spec.heads]:
        raise ModelError(f"the heads of {spec.name!r} cannot be revised, they belong to the weights; export again")
    rdf = _read_yaml(folder) | summarise(spec)
    if card is not None:
        with atomic_path(folder / "README.md") as draft:
            draft.write_bytes(card.encode())
        rdf["documentation"] = {"source": "README.md", "sha256": hashlib.sha256(card.encode()).hexdigest()}
    _write_yaml(folder, rdf)


def _files(contents: Contents) -> dict[str, bytes]:
    """Turn the contents into the bytes of each file."""
    from PIL import Image

    cover = io.BytesIO()
    Image.fromarray(contents.cover).save(cover, "png", optimize=True)
    files = {
        "weights.onnx": contents.onnx,
        "test_input.npy": _npy(contents.test_input),
        **{f"test_output_{head}.npy": _npy(field) for head, field in contents.test_outputs.items()},
        "README.md": contents.card.encode(),
        "cover.png": cover.getvalue(),
    }
    if contents.state_dict is None:
        return files
    return files | {"weights.pt": contents.state_dict, "environment.yaml": ENVIRONMENT}


def _npy(array: NDArray[np.generic]) -> bytes:
    """Return an array as the bytes of a .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _digests(entry: Any) -> Iterator[tuple[str, str]]:
    """Yield every file named anywhere in the description, with its digest."""
    if isinstance(entry, Mapping):
        if "source" in entry and "sha256" in entry:
            yield str(entry["source"]), str(entry["sha256"])
        for value in entry.values():
            yield from _digests(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from _digests(value)


def _read_yaml(folder: Path) -> dict[str, Any]:
    """Read a folder's description as plain values."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise ModelNotFound(f"{folder} is not a model folder: it has no {DESCRIPTION}")
    try:
        rdf = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ModelError(f"{path} is no valid YAML: {error}") from error
    if not isinstance(rdf, dict):
        raise ModelError(f"{path} holds {type(rdf).__name__}; expected a model description")
    return rdf


def _write_yaml(folder: Path, rdf: Mapping[str, Any]) -> None:
    """Write a folder's description in one step."""
    text = yaml.safe_dump(dict(rdf), sort_keys=False, allow_unicode=True, width=100)
    with atomic_path(folder / DESCRIPTION) as draft:
        draft.write_text(text, encoding="utf-8")
