"""What must be known about a network to use it: everything but the weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from teasel.errors import ModelError, ParameterError
from teasel.models.naming import suggest
from teasel.representations import Representation, build
from teasel.representations._base import Head

__all__ = ["ModelSpec"]

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class ModelSpec:
    """Describe a model: what it takes, what it predicts, how objects are read back, how it was made.

    Parameters
    ----------
    name : str
        Lower-case letters, digits, ``-`` and ``_``; what `load_model` is asked for.
    description : str
        One sentence: what the model finds, in which images.
    representation : Representation
        What each pixel predicts and how objects are read back; its heads are the network's outputs.
    network : dict
        ``{"name": module of teasel.networks, "params": keyword arguments of its network}``.
    version : str
        Version of the weights.
    ndim : int
        2 or 3 spatial dimensions.
    in_channels : int
        Channels the network takes.
    roles : tuple of str
        What each of these channels shows, if the network tells them apart: ``("cell", "nucleus", "cell")``. An image
        then gives one channel per role, each normalised on its own; where only the first is given, it stands for all.
    object_diameter_px : float
        Median object diameter at which the network was trained, in pixels; images are rescaled to it.
    trusted_octaves : float
        How far objects may be from that diameter, in octaves, for the size that the network predicts to hold; what it
        predicts for others leans towards it.
    size_quantile : float
        Which quantile of the sizes that the network predicts for an image's objects is the typical one, in (0, 1):
        below a half where faint small objects are missed more than debris is taken for objects.
    divisor : int
        Each spatial size given to the network must be a multiple of this.
    halo_px : int
        Pixels at a tile's border whose prediction is not to be trusted.
    normalisation : tuple of two float
        Percentiles of an image, 0 to 100, that become 0 and 1.
    tags : tuple of str
        Words under which the model can be found.
    training : dict
        Data, steps, time: plain values, as the training wrote them.
    scores : dict
        Results on validation images: plain values.

    Raises
    ------
    ModelError
        If a value is out of its range.
    """

    name: str
    description: str
    representation: Representation
    network: dict[str, Any]
    version: str = "0.1.0"
    ndim: int = 2
    in_channels: int = 3
    roles: tuple[str, ...] = ()
    object_diameter_px: float = 24.0
    trusted_octaves: float = 0.75
    size_quantile: float = 0.4
    divisor: int = 16
    halo_px: int = 32
    normalisation: tuple[float, float] = (1.0, 99.8)
    tags: tuple[str, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        low, high = self.normalisation
        problems = {
            f"name {self.name!r}; expected lower-case letters, digits, '-', '_'": not NAME.fullmatch(self.name),
            f"network {self.network!r}; expected name and params": set(self.network) != {"name", "params"},
            f"ndim {self.ndim}; expected 2 or 3": self.ndim not in (2, 3),
            f"in_channels {self.in_channels}; expected 1 or more": self.in_channels < 1,
            f"roles {self.roles}; expected {self.in_channels} or none": len(self.roles) not in (0, self.in_channels),
            f"object_diameter_px {self.object_diameter_px}; expected above 0": not self.object_diameter_px > 0,
            f"trusted_octaves {self.trusted_octaves}; expected above 0": not self.trusted_octaves > 0,
            f"size_quantile {self.size_quantile}; expected 0 to 1": not 0 < self.size_quantile < 1,
            f"divisor {self.divisor}; expected 1 or more": self.divisor < 1,
            f"halo_px {self.halo_px}; expected 0 or more": self.halo_px < 0,
            f"normalisation {low}, {high}; expected 0 <= low < high <= 100": not 0 <= low < high <= 100,
        }
        for problem, found in problems.items():
            if found:
                raise ModelError(f"model {self.name!r} has {problem}")

    @property
    def predicts_sizes(self) -> bool:
        """Whether the network says how large objects are, so that nobody has to: by a head, or in stacks by rays."""
        names = {head.name for head in self.heads}
        return "size" in names or (self.ndim == 3 and "rays" in names)

    @property
    def by_block(self) -> bool:
        """Whether it segments volumes of any size block by block, at their own voxel size."""
        return self.ndim == 3 and self.representation.name in ("affinity", "semantic")

    @property
    def heads(self) -> tuple[Head, ...]:
        """What the network predicts, in the order of its outputs."""
        return self.representation.heads(self.ndim)

    def to_dict(self) -> dict[str, Any]:
        """Return the specification as plain values that YAML can hold; `from_dict` reads it back."""
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name != "representation"}
        params = asdict(self.representation)  # type: ignore[call-overload]
        return plain | {"representation": {"name": self.representation.name, "params": _plain(params)}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelSpec:
        """Read what `to_dict` wrote.

        Raises
        ------
        ModelError
            If a key is unknown or missing, or the representation cannot be built from its parameters.
        """
        known = [f.name for f in fields(cls)]
        for key in values:
            if key not in known:
                raise ModelError(f"the model has an unknown key {key!r}{suggest(key, known)}")
        missing = [key for key in ("name", "description", "representation", "network") if key not in values]
        if missing:
            raise ModelError(f"the model lacks {', '.join(missing)}")
        chosen = dict(values)
        for key in ("normalisation", "tags", "roles"):
            if key in chosen:
                chosen[key] = tuple(chosen[key])
        return cls(**chosen | {"representation": _build(values["representation"])})


def _build(entry: Mapping[str, Any]) -> Representation:
    """Build the representation that an entry ``{"name", "params"}`` describes."""
    if not isinstance(entry, Mapping) or set(entry) != {"name", "params"}:
        raise ModelError(f"the model's representation is {entry!r}; expected name and params")
    params = {key: _frozen(value) for key, value in entry["params"].items()}
    try:
        return build(entry["name"], params)
    except ParameterError as error:
        raise ModelError(f"the model's representation cannot be built: {error}") from error


def _plain(value: Any) -> Any:
    """Turn tuples into lists and NumPy numbers into Python's, all the way down."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def _frozen(value: Any) -> Any:
    """Turn lists into tuples, all the way down."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
