"""Which channels of an image a model looks at: those asked for, and never a guess."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from teasel.errors import ParameterError
from teasel.images import Image
from teasel.models import ModelSpec
from teasel.models.roles import distinct

__all__ = ["Choice", "choose_channels", "listing"]

Choice = int | str | None


def choose_channels(
    image: Image, spec: ModelSpec, channel: Choice = None, asked: Mapping[str, Choice] | None = None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Choose the channels of an image that a model looks at.

    Parameters
    ----------
    image : Image
        The image.
    spec : ModelSpec
        The model.
    channel : int or str, optional
        The channel of the objects, by number from 0 or by name. For a model with roles it is the first role's.
    asked : mapping of str to int or str, optional
        A channel for each role of the model, such as ``{"cell": 0, "nucleus": "DAPI"}``; None where not given.

    Returns
    -------
    channels : tuple of int
        One per role that has a channel, or the one channel, or the three colours; empty for an image without channels.
    notes : tuple of str
        What was assumed.

    Raises
    ------
    ParameterError
        If the image has several channels and none is chosen, a choice does not exist, or the model has no such role.
    """
    given = {role: choice for role, choice in (asked or {}).items() if choice is not None}
    if not spec.roles:
        if given:
            options = " and ".join(f"--{role}" for role in given)
            raise ParameterError(
                f"model {spec.name!r} looks at one channel, chosen with --channel; {options} "
                "are for models that tell channels apart, such as 'cells'"
            )
        return _one_channel(image, channel)
    first, *others = distinct(spec.roles)
    unknown = [role for role in given if role not in spec.roles]
    if unknown:
        raise ParameterError(f"model {spec.name!r} has no {unknown[0]!r}; it tells apart {', '.join((first, *others))}")
    if channel is not None:
        if first in given:
            raise ParameterError(f"--channel and --{first} are the same for model {spec.name!r}; give one of them")
        given[first] = channel
    return _by_role(image, first, others, given)


def listing(image: Image) -> str:
    """List the channels of an image: numbers, and names where there are any."""
    return ", ".join(f"{i}" + (f" ({name})" if name else "") for i, name in enumerate(image.channel_names))


def _by_role(
    image: Image, first: str, others: list[str], given: Mapping[str, Choice]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return one channel for each role that is given; the first may be left out if there is no choice."""
    beside = [role for role in others if role in given]
    if "c" not in image.axes:
        if beside or given.get(first) not in (None, 0, "0"):
            role = (beside or [first])[0]
            raise ParameterError(
                f"channel {given[role]!r} asked for as {role}; the image has one channel, without a name"
            )
        return (), ()
    notes: tuple[str, ...] = ()
    if given.get(first) is None:
        found, notes = _only_light(image)
        if found is None:
            ways = " ".join(f"--{role}" for role in (first, *others))
            raise ParameterError(
                f"the image has {image.sizes['c']} channels: {listing(image)}; choose with --{first} (and, if there is "
                f"one, {ways.removeprefix(f'--{first} ')}; in Python {first}=, {'=, '.join(others)}=)"
            )
        chosen = [found]
    else:
        chosen = [_find(image, given[first])]
    chosen += [_find(image, given[role]) for role in beside]
    if len(set(chosen)) < len(chosen):
        raise ParameterError(f"{first} and {beside[0]} are both channel {chosen[0]}; the image has {listing(image)}")
    return tuple(chosen), notes


def _only_light(image: Image) -> tuple[int | None, tuple[str, ...]]:
    """Return the only channel, or the only one that says something; None if there are several."""
    if image.sizes["c"] == 1:
        return 0, ()
    if not image.is_rgb:
        return None, ()
    view = _reduced(image)
    lit = [c for c in range(3) if np.ptp(view[c]) > 0]
    if len(lit) == 1:
        name = image.channel_names[lit[0]]
        return lit[0], (f"only the {name} channel of the colour picture varies; it was used alone",)
    if len(lit) == 3 and np.array_equal(view[0], view[1]) and np.array_equal(view[0], view[2]):
        return 0, ("the colour picture is grey; one of its channels was used",)
    return None, ()


def _find(image: Image, choice: Choice) -> int:
    """Return the number of a channel given by number or by name."""
    names = image.channel_names
    if str(choice) in names:
        return names.index(str(choice))
    if str(choice).isdigit() and int(str(choice)) < image.sizes["c"]:
        return int(str(choice))
    raise ParameterError(f"no channel {choice!r}; the image has {listing(image)}")


def _one_channel(image: Image, channel: Choice) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Choose the channels of a model without roles: the one asked for, the only one, or the colours of a picture."""
    if "c" not in image.axes:
        if channel not in (None, 0, "0"):
            raise ParameterError(f"channel {channel!r} asked for; the image has one channel, without a name")
        return (), ()
    if channel is not None:
        return (_find(image, channel),), ()
    if image.sizes["c"] == 1:
        return (0,), ()
    if not image.is_rgb:
        raise ParameterError(
            f"the image has {image.sizes['c']} channels: {listing(image)}; choose one with --channel "
            "(channel= in Python)"
        )
    view = _reduced(image)
    lit = [c for c in range(3) if np.ptp(view[c]) > 0]
    if len(lit) == 1:
        name = image.channel_names[lit[0]]
        return (lit[0],), (f"only the {name} channel of the colour picture varies; it was used alone",)
    return (0, 1, 2), ()


def _reduced(image: Image) -> list[np.ndarray]:
    """Read a sparse sample of the three colours, from the first plane."""
    step = {a: slice(None, None, max(1, image.sizes[a] // 256)) for a in "yx"}
    rest = {a: 0 for a in image.axes if a not in "cyx"}
    return [image.read(c=c, **rest, **step) for c in range(3)]
