"""The steps of a run, each for one field: align, decode, place in cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError
from teasel.spatial.assign import cells_at, nearest_cells, refine_cells
from teasel.spatial.chain.inputs import Inputs
from teasel.spatial.chain.recipe import SpatialRecipe
from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders import Fit
from teasel.spatial.fdr import Calibration, calibrate, call_features
from teasel.spatial.fields import prepare_stack
from teasel.spatial.register import Alignment, BitOffsets, Transform, measure_offsets, register_rounds, warp
from teasel.spatial.spots import Spots

__all__ = [
    "align_field",
    "assign_field",
    "bit_offsets",
    "calibrate_block",
    "features_of",
    "field_labels",
    "pack_alignments",
    "read_field",
]

_ENOUGH = 25  # calls from which bits are aligned once more
_TRUSTED = 0.05  # error rate of those


def align_field(inputs: Inputs, recipe: SpatialRecipe, field: str) -> list[Alignment]:
    """Align every round of a field to the first."""
    try:
        images = (inputs.plane(field, number, recipe.images.align) for number in inputs.rounds)
        return register_rounds(images, recipe.register)
    except DataError as error:
        raise DataError(f"field {field}: {error}") from error


def pack_alignments(inputs: Inputs, alignments: list[Alignment]) -> dict[str, Any]:
    """Return alignments as JSON can hold them."""
    rows = []
    for number, one in zip(inputs.rounds, alignments, strict=True):
        row: dict[str, Any] = {"round": int(number), "shift_px": list(one.shift_px)}
        row |= {"residual_px": _plain(one.residual_px), "correlation": one.correlation, "n_patches": one.n_patches}
        row |= {"matrix": one.transform.matrix.tolist(), "offset_px": one.transform.offset_px.tolist()}
        if one.transform.local is not None:
            row["local"] = {
                "nodes_px": [nodes.tolist() for nodes in one.transform.local.nodes_px],
                "shifts_px": one.transform.local.shifts_px.tolist(),
            }
        rows.append(row)
    return {"rounds": rows}


def unpack_transforms(packed: Mapping[str, Any]) -> dict[int, Transform]:
    """Return the transform of each round."""
    from teasel.spatial.register import LocalShifts

    found = {}
    for row in packed["rounds"]:
        local = None
        if "local" in row:
            nodes = tuple(np.array(one) for one in row["local"]["nodes_px"])
            local = LocalShifts(nodes, np.array(row["local"]["shifts_px"]))
        found[row["round"]] = Transform(np.array(row["matrix"]), np.array(row["offset_px"]), local)
    return found


def read_field(
    inputs: Inputs,
    recipe: SpatialRecipe,
    field: str,
    packed: Mapping[str, Any],
    offsets_px: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """Read a field's bits, aligned and made ready, (n_bits, [z,] y, x)."""
    transforms, book = unpack_transforms(packed), inputs.codebook
    stack: NDArray[np.float32] | None = None
    for bit in range(book.n_bits):
        plane = inputs.plane(field, int(book.rounds[bit]), int(book.channels[bit]))
        transform = transforms[int(book.rounds[bit])]
        if offsets_px is not None:
            transform = transform.moved_by(offsets_px[bit])
        if stack is None:
            stack = np.empty((book.n_bits, *plane.shape), np.float32)
        stack[bit] = warp(plane, transform)
    assert stack is not None
    return prepare_stack(stack, recipe.prepare)


def features_of(calls: Spots, rows: Any) -> NDArray[np.float64]:
    """Return what is known of some calls."""
    chosen = calls.take(rows)
    return call_features(chosen["score"], chosen["distance"], chosen["intensity"], chosen["area_px"])


def calibrate_block(calls: Spots, codebook: Codebook, block: str) -> Calibration | None:
    """Learn error rates from the calls of a block; None where it has no blanks, or no calls."""
    words = codebook.rows_of(block)
    blank_words = int(codebook.blank[words].sum())
    mine = np.flatnonzero(calls["block"] == block)
    if not blank_words or codebook.is_sequential(block) or not len(mine) or calls["blank"][mine].all():
        return None
    return calibrate(
        features_of(calls, mine),
        calls["blank"][mine],
        gene_words=len(words) - blank_words,
        blank_words=blank_words,
    )


def bit_offsets(
    ready: NDArray[np.float32], calls: Spots, codebook: Codebook
) -> tuple[NDArray[np.float64], BitOffsets | None]:
    """Measure by how much each bit is off, in the molecules that can be trusted; zeros where there are too few."""
    still = np.zeros((codebook.n_bits, ready.ndim - 1))
    trusted = np.zeros(len(calls), bool)
    for block in codebook.block_names:
        calibration = calibrate_block(calls, codebook, block)
        if calibration is not None:
            mine = np.flatnonzero(calls["block"] == block)
            trusted[mine] = calibration.fdr(features_of(calls, mine)) <= _TRUSTED
    trusted &= ~calls["blank"]
    if trusted.sum() < _ENOUGH:
        return still, None
    shows = codebook.words[calls["word"][trusted]]
    colours = np.unique(codebook.channels, return_inverse=True)[1]
    rounds = np.unique(codebook.rounds, return_inverse=True)[1]
    found = measure_offsets(ready, calls.positions_px[trusted], shows, rounds=rounds.tolist(), colours=colours.tolist())
    explained = found.round_px[rounds] + found.colour_px[colours]
    return np.where(np.isfinite(found.bit_px), explained, still), found


def field_labels(inputs: Inputs, recipe: SpatialRecipe, field: str) -> NDArray[Any]:
    """Return the labels of a field: read, segmented, or one for the whole field."""
    if recipe.assign.method == "field":
        shape = inputs.plane(field, inputs.rounds[0], recipe.images.align).shape
        return np.ones(shape, np.uint8)
    if recipe.assign.labels:
        from teasel.labels import read_labels

        return read_labels(recipe.path(recipe.assign.labels.replace("{field}", field)))
    from teasel.segment import segment

    image = inputs.plane(field, inputs.rounds[0], recipe.images.nuclei)
    if image.ndim == 3:
        image = image.max(axis=0)
    size = recipe.assign.diameter_px or None
    return segment(image, recipe.assign.model, diameter_px=size).labels


def assign_field(calls: Spots, labels: NDArray[Any], recipe: SpatialRecipe) -> NDArray[np.uint32]:
    """Return the cell of each molecule; the plane of labels stands for every z."""
    positions = calls.positions_px if labels.ndim == calls.ndim else calls.positions_px[:, -2:]
    method, settings = recipe.assign.method, recipe.assign.refinement
    if method in ("labels", "field"):
        return cells_at(positions, labels)
    if method == "nearest":
        return nearest_cells(positions, labels, settings.radius_px)
    return refine_cells(positions, calls["word"], labels, settings)


def pack_fit(fits: Mapping[str, Fit]) -> dict[str, NDArray[Any]]:
    """Return what decoders learnt as arrays with one name each."""
    return {f"{block}/{name}": np.asarray(value) for block, fit in fits.items() for name, value in fit.items()}


def unpack_fit(arrays: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
    """Undo `pack_fit`."""
    fits: dict[str, dict[str, NDArray[Any]]] = {}
    for key, value in arrays.items():
        block, _, name = key.rpartition("/")
        fits.setdefault(block, {})[name] = value
    return fits


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None
