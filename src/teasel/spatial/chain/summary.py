"""What came out of a run, in numbers, and the report that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from teasel.images import atomic_path
from teasel.spatial.chain.inputs import Inputs
from teasel.spatial.chain.progress import Ledger
from teasel.spatial.chain.recipe import SpatialRecipe
from teasel.spatial.chain.report import write_report
from teasel.spatial.fdr import blank_estimate
from teasel.spatial.spots import Spots

__all__ = ["summarise"]

_TOP = 20


def summarise(recipe: SpatialRecipe, inputs: Inputs, ledger: Ledger) -> dict[str, Any]:
    """Write ``summary.json`` and ``report.html``, and return the summary."""
    import anndata

    genes = np.zeros(inputs.codebook.n_words, np.int64)
    calls = {block: [0, 0] for block in inputs.codebook.block_names}
    fields = [_field_summary(inputs, ledger, recipe, field, genes, calls) for field in inputs.fields]
    table = anndata.read_h5ad(ledger.folder / "cells.h5ad", backed="r")
    counts = table.obs["n_counts"]
    order = np.argsort(-genes, kind="stable")[:_TOP]
    summary: dict[str, Any] = {
        "fields": fields,
        "decoder": recipe.decode.decoder,
        "requested_fdr": recipe.decode.fdr,
        "blocks": {block: _block_summary(inputs, block, *found) for block, found in calls.items()},
        "cells": {
            "n": int(table.n_obs),
            "median_molecules": float(np.median(counts)) if len(counts) else 0.0,
            "unassigned": int(table.uns["unassigned"]["spots"]),
            "unassigned_share": float(table.uns["unassigned"]["share"]),
        },
        "top_genes": [[inputs.codebook.names[k], int(genes[k])] for k in order.tolist() if genes[k]],
        "digest": inputs.digest(),
    }
    if recipe.stitch.positions:
        stitched = ledger.read_json(ledger.folder / "work" / "stitch.json")
        summary["stitched"] = {name: value for name, value in stitched.items() if name != "stands"}
    table.file.close()
    ledger.write_json(ledger.folder / "summary.json", summary)
    with atomic_path(ledger.folder / "report.html") as temporary:
        temporary.write_text(write_report(summary, recipe, inputs, ledger), "utf-8")
    return summary


def _field_summary(
    inputs: Inputs, ledger: Ledger, recipe: SpatialRecipe, field: str, genes: Any, calls: dict[str, list[int]]
) -> dict[str, Any]:
    """Say how one field went, and add its calls up."""
    packed = ledger.read_json(ledger.path("align", field, ".json"))["rounds"]
    spots = Spots.open(_transcripts(ledger, recipe, field))
    with np.load(ledger.path("calls", field, ".npz")) as arrays:
        left = float(arrays["residual_px"])
        candidates = len(arrays["word"])
    names = {name: k for k, name in enumerate(inputs.codebook.names)}
    called, count = np.unique(spots["gene"], return_counts=True)
    for gene, n in zip(called.tolist(), count.tolist(), strict=True):
        genes[names[gene]] += 0 if inputs.codebook.blank[names[gene]] else n
    blank = spots["blank"].astype(bool)
    for block, found in calls.items():
        mine = spots["block"] == block
        found[0] += int((mine & ~blank).sum())
        found[1] += int((mine & blank).sum())
    return {
        "field": field,
        "candidates": candidates,
        "molecules": int((~blank).sum()),
        "largest_shift_px": float(max(np.abs(row["shift_px"]).max() for row in packed)),
        "residual_px": [row["residual_px"] for row in packed],
        "residual_in_molecules_px": left if np.isfinite(left) else None,
    }


def _block_summary(inputs: Inputs, block: str, n_genes: int, n_blanks: int) -> dict[str, Any]:
    words = inputs.codebook.rows_of(block)
    blanks = int(inputs.codebook.blank[words].sum())
    n_gene_words = len(words) - blanks
    found = blank_estimate(n_genes, n_blanks, gene_words=n_gene_words, blank_words=blanks)
    known = np.isfinite(found.fdr)
    return {
        "gene_words": n_gene_words,
        "blank_words": blanks,
        "genes": n_genes,
        "blanks": n_blanks,
        "fdr": found.fdr if known else None,
        "fdr_interval": [found.low, found.high] if known else None,
        "one_blank": n_gene_words / (blanks * n_genes) if blanks and n_genes else None,
    }


def _transcripts(ledger: Ledger, recipe: SpatialRecipe, field: str) -> Path:
    return ledger.result("transcripts", field, f".{recipe.table}")
