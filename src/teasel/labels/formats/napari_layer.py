"""Labels as napari's layer data: a plain tuple ``(data, options, "labels")``, as its readers give and writers take.

Nothing of napari is imported. The form is that of https://napari.org (LayerData tuples).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from teasel.errors import FormatError, ShapeError
from teasel.geometry import VoxelSize
from teasel.labels.check import check_labels

__all__ = ["LayerData", "from_layer", "to_layer"]

LayerData = tuple[Any, dict[str, Any], str]
_AXES = {2: "yx", 3: "zyx", 4: "tzyx"}


def to_layer(
    labels: ArrayLike,
    voxel_size_um: VoxelSize | None = None,
    *,
    name: str = "labels",
    axes: str | None = None,
    objects: Mapping[str, ArrayLike] | None = None,
) -> LayerData:
    """Describe a label image as napari's layer data.

    Parameters
    ----------
    labels : array_like of int, shape ([t,] [z,] y, x)
        0 background.
    voxel_size_um : VoxelSize, optional
        Micrometres per voxel. Axes that are not known get the scale 1, and the layer no unit.
    name : str
        Name of the layer.
    axes : str, optional
        What the dimensions are; ``"yx"``, ``"zyx"`` and ``"tzyx"`` if not given.
    objects : mapping of str to array_like, shape (n,), optional
        Columns with something about each object, one of them ``label``: shown when the mouse is over it.

    Returns
    -------
    tuple
        ``(data, options, "labels")``, for ``napari.layers.Layer.create(*layer)``.

    Raises
    ------
    ShapeError
        If the axes do not fit, or the columns differ in length.
    FormatError
        If `objects` lacks ``label``.

    Examples
    --------
    >>> data, options, kind = to_layer([[0, 1]], VoxelSize(y=0.5, x=0.5))
    >>> kind, options["scale"], options["units"]
    ('labels', (0.5, 0.5), ('um', 'um'))
    """
    array = check_labels(labels)
    axes = axes or _AXES.get(array.ndim, "")
    if len(axes) != array.ndim:
        raise ShapeError(f"labels have shape {array.shape} and axes {axes!r}; expected a letter for each dimension")
    size = voxel_size_um or VoxelSize()
    scale = tuple((getattr(size, axis) or 1.0) if axis in "zyx" else 1.0 for axis in axes)
    options: dict[str, Any] = {"name": name, "scale": scale}
    if size.known("".join(axis for axis in axes if axis in "zyx")):
        options["units"] = tuple("um" if axis in "zyx" else "pixel" for axis in axes)
    if objects is not None:
        options["features"] = _features(objects)
    options["metadata"] = {"axes": axes}
    return array, options, "labels"


def from_layer(layer: LayerData) -> tuple[NDArray[np.integer], VoxelSize]:
    """Take labels and voxel size out of napari's layer data.

    Parameters
    ----------
    layer : tuple
        ``(data, options, "labels")``; data of several resolutions are a list, of which the first is taken.

    Returns
    -------
    labels : ndarray of int
    voxel_size_um : VoxelSize
        From the scale, where ``units`` says that it is in micrometres.

    Raises
    ------
    FormatError
        If the layer is of another kind.
    """
    data, options, kind = layer
    if kind != "labels":
        raise FormatError(f"the layer {options.get('name', '')!r} is of kind {kind!r}; expected 'labels'")
    array = check_labels(np.asarray(data[0] if isinstance(data, list | tuple) else data))
    axes = options.get("metadata", {}).get("axes", _AXES.get(array.ndim, ""))
    units = [str(unit).lower() for unit in options.get("units") or ()]
    if len(units) != array.ndim or len(axes) != array.ndim:
        return array, VoxelSize()
    known = zip(axes, units, options.get("scale", (1.0,) * array.ndim), strict=True)
    metres = ("um", "µm", "micrometer", "micron")
    return array, VoxelSize(**{axis: float(s) for axis, unit, s in known if axis in "zyx" and unit in metres})


def _features(objects: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    """Return the columns with ``index``, by which napari finds the row of a label."""
    columns = {key: np.asarray(column) for key, column in objects.items()}
    if "label" not in columns:
        raise FormatError(f"the columns {', '.join(columns)} lack 'label', by which napari finds the object")
    if len({len(column) for column in columns.values()}) > 1:
        raise ShapeError(f"columns have lengths { {key: len(column) for key, column in columns.items()} }")
    return {"index": columns["label"], **columns}
