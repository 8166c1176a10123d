"""Models: a network, what it predicts, how images must be given to it, and its weights, as one folder.

A folder is in the BioImage Model Zoo format, so that other programs can run the network too; what only Teasel
needs stands in its ``config.teasel``. `load_model` opens one by name or path and gives a `Model`, which turns
a batch of normalised images into the fields that a representation decodes. Backends, one file each, run the
weights.
"""

from __future__ import annotations

from teasel.models.model import Model, load_model
from teasel.models.package import Contents, Package, read_package, revise, write_package
from teasel.models.spec import ModelSpec
from teasel.models.zoo import find_model, list_models, show

__all__ = [
    "Contents",
    "Model",
    "ModelSpec",
    "Package",
    "find_model",
    "list_models",
    "load_model",
    "read_package",
    "revise",
    "show",
    "write_package",
]
