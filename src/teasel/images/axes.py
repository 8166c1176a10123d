"""From the axes a file has to the axes of the house: name, ask, reorder, drop alpha."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

from teasel.errors import AxesError
from teasel.geometry import AXES, check_axes
from teasel.images.formats._base import Found
from teasel.images.lazy import View

__all__ = ["arrange", "name_axes"]

_MEANING = {"t": "times", "c": "channels", "z": "planes in z", "y": "rows", "x": "columns"}


def name_axes(found: Found, axes: str | None, name: str) -> Found:
    """Give each dimension its letter: the caller's, or the file's where that is clear.

    Parameters
    ----------
    found : Found
        What a format opened.
    axes : str or None
        The caller's letters, one per dimension in the order of the file; dimensions of length 1 may be left
        out, and so may the colours.
    name : str
        Name of the source, for messages.

    Raises
    ------
    AxesError
        If the axes are ambiguous, with the choices; or if the caller's do not fit.
    """
    if axes is not None:
        return _named_by_caller(found, axes.lower(), name)
    singles = [d for d, n in enumerate(found.data.shape) if n == 1 and found.axes[d] not in "yxs"]
    found = _drop(found, singles if found.data.ndim - len(singles) >= 2 else [])
    rest = found.axes.replace("?", "").replace("s", "c")
    if len(found.axes) == 2 and found.axes == "??":
        return replace(found, axes="yx")
    if "?" in found.axes or not {"y", "x"} <= set(found.axes) or len(set(rest)) != len(rest):
        raise AxesError(_choices(found, name))
    return found


def arrange(found: Found) -> tuple[Found, bool]:
    """Bring the axes into the order of the house, and say whether c are colours (alpha is dropped)."""
    notes, limits = found.notes, {}
    is_rgb = "s" in found.axes
    if is_rgb:
        at = found.axes.index("s")
        if found.data.shape[at] == 4:
            limits[at] = 3
            notes += ("alpha channel dropped",)
    letters = found.axes.replace("s", "c")
    axes = "".join(a for a in AXES if a in letters)
    order = [letters.index(a) for a in axes]
    data = found.data if order == sorted(order) and not limits else View(found.data, order, limits=limits)
    levels = tuple(tuple(min(s[d], limits.get(d, s[d])) for d in order) for s in found.levels)
    return replace(found, data=data, axes=axes, notes=notes, levels=levels), is_rgb


def _named_by_caller(found: Found, axes: str, name: str) -> Found:
    """Take the caller's letters, for all dimensions or for those longer than 1."""
    long = [d for d, n in enumerate(found.data.shape) if n > 1 or found.axes[d] in "yxs"]
    if len(axes) == found.data.ndim - found.axes.count("s") and "s" in found.axes and "c" not in axes:
        at = found.axes.index("s")
        axes = axes[:at] + "c" + axes[at:]
    elif len(axes) not in (found.data.ndim, len(long)):
        raise AxesError(
            f"{name} has {found.data.ndim} dimensions, shape {found.data.shape}; axes {axes!r} name "
            f"{len(axes)}. Give one letter out of {AXES!r} for each dimension"
        )
    elif len(axes) < found.data.ndim:
        found = _drop(found, [d for d in range(found.data.ndim) if d not in long])
    check_axes(axes, found.data.ndim)
    said = found.axes.replace("s", "c")
    notes = found.notes
    if "?" not in said and said != axes:
        notes += (f"axes {axes!r} as you say; the file says {said!r}",)
    colour = "s" in found.axes and axes[found.axes.index("s")] == "c"
    named = axes.replace("c", "s") if colour else axes
    names = found.channel_names if "c" in said and said.index("c") == axes.find("c") else ()
    return replace(found, axes=named, notes=notes, channel_names=names)


def _drop(found: Found, dimensions: list[int]) -> Found:
    """Drop dimensions of length 1, and keep in a note what their channel was called."""
    if not dimensions:
        return found
    stay = [d for d in range(found.data.ndim) if d not in dimensions]
    notes, names = found.notes, found.channel_names
    if names and any(found.axes[d] == "c" for d in dimensions):
        notes, names = (*notes, f"the one channel is called {names[0]!r}"), ()
    return replace(
        found,
        data=View(found.data, stay),
        axes="".join(found.axes[d] for d in stay),
        levels=tuple(tuple(shape[d] for d in stay) for shape in found.levels),
        notes=notes,
        channel_names=names,
    )


def _choices(found: Found, name: str) -> str:
    """Write the message for axes that have more than one reading."""
    shape = found.data.shape
    readings = _readings(found)
    lines = [
        f"  --axes {axes}   ({', '.join(f'{n} {_MEANING[a]}' for a, n in zip(axes, shape, strict=True))})"
        for axes in readings
    ]
    if not lines:
        return f"{name} has {len(shape)} dimensions, shape {shape}, and no reading as {AXES!r}"
    return (
        f"{name} does not say what its {len(shape)} dimensions of shape {shape} are. "
        f'Say which, on the command line or as axes="{readings[0]}":\n' + "\n".join(lines)
    )


def _readings(found: Found) -> list[str]:
    """List the sensible ways to name the dimensions, the likeliest first."""
    known = found.axes.replace("s", "c")
    if len(set(known.replace("?", ""))) != len(known.replace("?", "")):
        known = "?" * len(known)
    fits = _fill(known, found.data.shape)
    if "s" not in found.axes and found.data.shape[-1] <= 4:  # perhaps colours that the file calls x
        fits = [axes for axes in _fill("?" * len(known), found.data.shape) if axes.endswith("c")] + fits
    return list(dict.fromkeys(fits))[:8]


def _fill(known: str, shape: tuple[int, ...]) -> list[str]:
    """List the ways to put letters in place of each ``?``."""
    open_letters = [a for a in "zctyx" if a not in known]
    fits = []
    for letters in permutations(open_letters, known.count("?")):
        rest = iter(letters)
        axes = "".join(next(rest) if a == "?" else a for a in known)
        if {"y", "x"} <= set(axes) and _sensible(axes, shape):
            fits.append(axes)
    return fits


def _sensible(axes: str, shape: tuple[int, ...]) -> bool:
    """Keep y just before x, c last only if short, and t first but for c."""
    sizes = dict(zip(axes, shape, strict=True))
    if "yx" not in axes or axes.index("x") < len(axes) - 1 - axes.endswith("c"):
        return False
    if axes.endswith("c") and sizes["c"] > 4:
        return False
    others = axes.replace("yx", "")
    return "t" not in others or others[0] == "t"
