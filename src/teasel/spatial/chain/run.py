"""A recipe carried out, field after field, each step kept, so that memory stays bounded and a killed run goes on."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, ParameterError
from teasel.images import atomic_path
from teasel.spatial.assign import cell_table
from teasel.spatial.chain import steps
from teasel.spatial.chain.inputs import Inputs
from teasel.spatial.chain.progress import Ledger, Step
from teasel.spatial.chain.recipe import SpatialRecipe
from teasel.spatial.chain.summary import summarise
from teasel.spatial.chain.tables import join_tables
from teasel.spatial.chain.whole import Whole
from teasel.spatial.decoders import Decoder, build_decoder
from teasel.spatial.fdr import Calibration
from teasel.spatial.fields import decode_field, sample_vectors
from teasel.spatial.spots import Spots

__all__ = ["run_recipe"]

_LEARN_FIELDS = 20
_CALIBRATION_CALLS = 300_000
_CALL_COLUMNS = ("word", "score", "distance", "intensity", "area_px")
_KEPT_COLUMNS = ("gene", "block", "blank", "cell", "error", "fdr", "score", "distance", "intensity", "area_px")
_log = logging.getLogger(__name__)


def run_recipe(
    recipe: SpatialRecipe, output: Path, *, overwrite: bool = False, progress: Step | None = None
) -> dict[str, Any]:
    """Go from raw rounds to cells and genes.

    Parameters
    ----------
    recipe : SpatialRecipe
        What to do.
    output : pathlib.Path
        Folder of the results; made if need be. What is done there already by the same recipe is not done again.
    overwrite : bool
        Remove what is there first.
    progress : callable, optional
        Called with the name of the step, how many fields are done, and how many there are.

    Returns
    -------
    dict
        The summary that ``summary.json`` holds: alignment, calls, error rates, cells.

    Raises
    ------
    ParameterError
        If the folder holds the results of another recipe.
    DataError
        If rounds cannot be aligned within the bounds, or nothing can be decoded; the message names the field.

    Notes
    -----
    Results: ``cells.h5ad`` (cells x genes), ``transcripts/<field>`` (molecules with gene, cell and error), ``labels/``,
    ``stitched/<field>`` (where the recipe says where fields lie: molecules on the grid of the whole, each once),
    ``summary.json``, ``report.html``; ``work/`` holds what has been done so far. One field is in memory at a time.
    """
    if overwrite and output.exists():
        _remove_results(output)
    inputs = Inputs(recipe)
    ledger = Ledger(output, inputs.digest())
    run = _Run(recipe, inputs, ledger, progress or (lambda step, done, total: None))
    run.each_field("aligning", run.align)
    run.learn()
    if recipe.decode.refine:
        run.each_field("refining", run.refine)
    run.each_field("decoding", run.decode)
    calibrations = run.calibrate()
    run.each_field("placing in cells", lambda field: run.place(field, calibrations))
    whole = None
    if recipe.stitch.positions:
        whole = Whole(recipe, inputs, ledger)
        whole.run(run.progress)
    join_tables(inputs, ledger, whole)
    return summarise(recipe, inputs, ledger)


class _Run:
    """What the steps share: recipe, images, the folder, and who hears of progress."""

    def __init__(self, recipe: SpatialRecipe, inputs: Inputs, ledger: Ledger, progress: Step) -> None:
        self.recipe, self.inputs, self.ledger, self.progress = recipe, inputs, ledger, progress
        self.decoder: Decoder = build_decoder(recipe.decode.decoder, recipe.decode.parameters)
        book = inputs.codebook
        self.blocks = [block for block in book.block_names if not book.is_sequential(block)]

    def each_field(self, name: str, work: Any) -> None:
        """Do a step for every field."""
        total = len(self.inputs.fields)
        self.progress(name, 0, total)
        for done, field in enumerate(self.inputs.fields):
            work(field)
            self.progress(name, done + 1, total)

    def align(self, field: str) -> None:
        """Align the rounds of a field."""
        path = self.ledger.path("align", field, ".json")
        if not path.exists():
            alignments = steps.align_field(self.inputs, self.recipe, field)
            self.ledger.write_json(path, steps.pack_alignments(self.inputs, alignments))

    def learn(self) -> None:
        """Learn scales and noise from vectors of some fields, spread evenly."""
        path = self.ledger.folder / "work" / "fit.npz"
        if path.exists() or not self.blocks:
            return
        fields = self.inputs.fields
        chosen = sorted(set(np.linspace(0, len(fields) - 1, min(len(fields), _LEARN_FIELDS)).astype(int).tolist()))
        share = max(self.recipe.decode.sample // len(chosen), 1)
        vectors: dict[str, list[NDArray[np.float32]]] = {block: [] for block in self.blocks}
        for done, k in enumerate(chosen):
            self.progress("learning", done, len(chosen))
            ready = self.read(fields[k], refined=False)
            for block in self.blocks:
                bits = self.inputs.codebook.bits_of(block)
                vectors[block].append(sample_vectors(ready[bits], self.decoder, share, self.recipe.prepare))
        book = self.inputs.codebook
        fits = {block: self.decoder.fit(np.concatenate(vectors[block]), book.block(block)) for block in self.blocks}
        self.ledger.write_arrays(path, **steps.pack_fit(fits))
        self.progress("learning", len(chosen), len(chosen))

    def read(self, field: str, *, refined: bool) -> NDArray[np.float32]:
        """Read a field, aligned as well as is known."""
        packed = self.ledger.read_json(self.ledger.path("align", field, ".json"))
        offsets = None
        if refined:
            offsets = np.array(self.ledger.read_json(self.ledger.path("bits", field, ".json"))["offsets_px"])
        return steps.read_field(self.inputs, self.recipe, field, packed, offsets)

    def find(self, ready: NDArray[np.float32]) -> Spots:
        """Decode a field that is in memory."""
        path = self.ledger.folder / "work" / "fit.npz"
        fits = steps.unpack_fit(self.ledger.read_arrays(path)) if self.blocks else {}
        return decode_field(ready, self.inputs.codebook, self.decoder, fits, self.recipe.prepare)

    def refine(self, field: str) -> None:
        """Align the bits of a field once more, by its own molecules."""
        path = self.ledger.path("bits", field, ".json")
        if path.exists():
            return
        ready = self.read(field, refined=False)
        calls = self.find(ready)
        offsets, found = steps.bit_offsets(ready, calls, self.inputs.codebook)
        content: dict[str, Any] = {"offsets_px": offsets.tolist()}
        if found is not None:
            content |= {
                "residual_px": found.rms_px(),
                "colour_px": found.colour_px.tolist(),
                "round_px": found.round_px.tolist(),
                "n_spots": found.n_spots.tolist(),
            }
        self.ledger.write_json(path, content)

    def decode(self, field: str) -> None:
        """Find the molecules of a field, good and bad."""
        path = self.ledger.path("calls", field, ".npz")
        if path.exists():
            return
        ready = self.read(field, refined=self.recipe.decode.refine)
        calls = self.find(ready)
        _, found = steps.bit_offsets(ready, calls, self.inputs.codebook)
        left = np.array(float("nan") if found is None else found.rms_px())
        columns = {name: calls[name] for name in _CALL_COLUMNS}
        self.ledger.write_arrays(path, positions_px=calls.positions_px, residual_px=left, **columns)

    def calls(self, field: str) -> Spots:
        """Read the molecules of a field back."""
        arrays = self.ledger.read_arrays(self.ledger.path("calls", field, ".npz"))
        book, word = self.inputs.codebook, arrays["word"]
        columns = {name: arrays[name] for name in _CALL_COLUMNS}
        columns |= {"gene": np.array(book.names)[word], "block": np.array(book.blocks)[word], "blank": book.blank[word]}
        return Spots(arrays["positions_px"], columns, self.inputs.voxel_size_um(field))

    def calibrate(self) -> dict[str, Calibration | None]:
        """Learn error rates from the calls of all fields, the same number of each at most."""
        share = max(_CALIBRATION_CALLS // len(self.inputs.fields), 1)
        parts = []
        for field in self.inputs.fields:
            calls = self.calls(field)
            if len(calls) > share:
                calls = calls.take(np.linspace(0, len(calls) - 1, share).astype(int))
            parts.append(calls)
        pooled = Spots.concatenate(parts)
        if not len(pooled):
            raise DataError("no molecule was found in any field; check the channels of images.bits, and the codebook")
        book = self.inputs.codebook
        found = {block: steps.calibrate_block(pooled, book, block) for block in book.block_names}
        if self.recipe.decode.fdr < 1 and self.blocks and all(found[block] is None for block in self.blocks):
            raise ParameterError(
                "the codebook has no blanks that were called, so an error rate cannot be met; set decode.fdr = 1 to "
                "keep every call, or add blanks to the codebook"
            )
        return found

    def place(self, field: str, calibrations: dict[str, Calibration | None]) -> None:
        """Keep the good molecules of a field, and give them to cells."""
        suffix = f".{self.recipe.table}"
        target, table_path = self.ledger.result("transcripts", field, suffix), self.ledger.path("cells", field, ".h5ad")
        if table_path.exists() and target.exists():
            return
        calls = self.calls(field)
        error, rate = np.full(len(calls), np.nan), np.full(len(calls), np.nan)
        for block, calibration in calibrations.items():
            mine = np.flatnonzero(calls["block"] == block)
            if calibration is not None and len(mine):
                features = steps.features_of(calls, mine)
                error[mine], rate[mine] = calibration.error(features), calibration.fdr(features)
        kept = calls.with_columns(error=error, fdr=rate).take(~(rate > self.recipe.decode.fdr))
        labels_path = self.ledger.result("labels", field, ".tif")
        labels = self.labels(field, labels_path)
        kept = kept.with_columns(cell=steps.assign_field(kept, labels, self.recipe))
        book = self.inputs.codebook
        table = cell_table(
            kept["cell"],
            kept["word"],
            book.names,
            labels,
            blank=book.blank,
            voxel_size_um=kept.voxel_size_um,
        )
        Spots(kept.positions_px, {name: kept[name] for name in _KEPT_COLUMNS}, kept.voxel_size_um).save(target)
        with atomic_path(table_path) as temporary:
            table.write_h5ad(temporary)

    def labels(self, field: str, path: Path) -> NDArray[Any]:
        """Read the labels of a field, or find and keep them."""
        from teasel.labels import read_labels, write_labels

        if path.exists():
            return read_labels(path)
        labels = steps.field_labels(self.inputs, self.recipe, field)
        write_labels(path, labels, voxel_size_um=self.inputs.voxel_size_um(field))
        return labels


def _remove_results(output: Path) -> None:
    """Remove what a run wrote, and nothing else."""
    if not (output / "recipe.json").exists():
        raise ParameterError(f"{output} holds no results of a recipe; nothing is removed. Give another folder with -o")
    for name in ("work", "transcripts", "labels", "pictures", "stitched"):
        shutil.rmtree(output / name, ignore_errors=True)
    for name in ("recipe.json", "cells.h5ad", "summary.json", "report.html"):
        (output / name).unlink(missing_ok=True)
