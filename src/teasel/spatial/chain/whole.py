"""The fields of a run stitched: which molecules and cells are counted, and where they lie on the whole."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from teasel.spatial.assign.counts import PairCounter
from teasel.spatial.chain.inputs import Inputs
from teasel.spatial.chain.progress import Ledger, Step
from teasel.spatial.chain.recipe import SpatialRecipe
from teasel.spatial.chain.stitch import Place, keep_cells, neighbours, read_places, same_cells, same_molecules
from teasel.spatial.spots import Spots

__all__ = ["Whole"]

_HELD = 8  # fields whose molecules are in memory together


class Whole:
    """Stitch the fields of a run, a pair at a time.

    A cell that two fields show is the one that has more pixels, as the other is cut by a border; molecules of the
    other go to it. Of a molecule that two fields show, the one in a cell that is kept stays, or else that nearer to the
    centre of its field, or that of the earlier field. Nothing depends on the order of work.

    Parameters
    ----------
    recipe : SpatialRecipe
        With ``stitch.positions``.
    inputs : Inputs
        Fields and codebook.
    ledger : Ledger
        Where the results of each field are.
    """

    def __init__(self, recipe: SpatialRecipe, inputs: Inputs, ledger: Ledger) -> None:
        self.recipe, self.inputs, self.ledger = recipe, inputs, ledger
        size = inputs.voxel_size_um(inputs.fields[0])
        origins = read_places(recipe.path(recipe.stitch.positions), inputs.fields, size.x if size.known("yx") else None)
        self.places = [Place(origins[field], self._shape(field)) for field in inputs.fields]
        self.size = size
        self.numbers = {name: k for k, name in enumerate(inputs.codebook.names)}
        self.molecules = lru_cache(maxsize=_HELD)(self._molecules)

    def run(self, progress: Step) -> None:
        """Write ``stitched/<field>`` and ``work/stitch.json``."""
        target = self.ledger.folder / "work" / "stitch.json"
        if target.exists():
            return
        (self.ledger.folder / "stitched").mkdir(exist_ok=True)
        near = neighbours(self.places, self.recipe.stitch.merge_px)
        stands = self._stands(near)
        dropped = [np.zeros(len(self.molecules(k)), bool) for k in range(len(self.places))]
        overlaps = []
        for done, (a, b) in enumerate(near):
            progress("stitching", done, len(near))
            overlaps.append(self._drop(a, b, dropped, stands))
        for k, field in enumerate(self.inputs.fields):
            self._write(k, field, dropped[k], stands)
        content = {
            "overlaps": overlaps,
            "molecules_seen_twice": int(sum(one.sum() for one in dropped)),
            "cells_seen_twice": len(stands),
            "stands": [[*cell, *other] for cell, other in sorted(stands.items())],
        }
        self.ledger.write_json(target, content)
        progress("stitching", len(near), len(near))

    def table(self, joined: Any) -> Any:
        """Return the table of all fields without the cells that another one stands for, counted anew."""
        from scipy.sparse import csr_matrix

        left_out = {
            (f, label) for f, label, *_ in self.ledger.read_json(self.ledger.folder / "work" / "stitch.json")["stands"]
        }
        number = {field: k for k, field in enumerate(self.inputs.fields)}
        keys = list(zip(joined.obs["field"].map(number).astype(int), joined.obs["label"].astype(int), strict=True))
        kept = joined[[key not in left_out for key in keys]].copy()
        row = {key: k + 1 for k, key in enumerate(key for key in keys if key not in left_out)}
        counter, total = PairCounter(), np.zeros(len(self.numbers), np.int64)
        for field in self.inputs.fields:
            calls = Spots.open(self._path(field))
            words = self._words(calls)
            cells = [row.get((int(f), int(c)), 0) for f, c in zip(calls["cell_field"], calls["cell"], strict=True)]
            counter.add(np.array(cells, np.uint32), words)
            total += np.bincount(words, minlength=len(total))
        counts = counter.result(len(self.numbers))
        spread = csr_matrix(
            (np.ones(len(counts.cells), np.int64), (counts.cells.astype(np.int64) - 1, np.arange(len(counts.cells)))),
            shape=(kept.n_obs, len(counts.cells)),
        )
        matrix = (spread @ counts.matrix()).tocsr()
        blank = self.inputs.codebook.blank
        genes = np.array([self.numbers[name] for name in kept.var_names])
        kept.X = matrix[:, genes].astype(np.float32)
        kept.obs["n_counts"] = np.asarray(matrix[:, genes].sum(axis=1)).ravel().astype(np.int64)
        kept.obs["n_blank"] = np.asarray(matrix[:, np.flatnonzero(blank)].sum(axis=1)).ravel().astype(np.int64)
        left = total - counts.of_gene
        kept.var["n_unassigned"] = left[genes]
        origin = np.array([self.places[number[field]].origin_px[::-1] for field in kept.obs["field"]])
        scale = np.array([self.size.x, self.size.y], float) if kept.uns["spatial_unit"] == "um" else np.ones(2)
        kept.obsm["spatial"][:, :2] += origin * scale
        kept.uns["unassigned"] = {
            "spots": int(left[genes].sum()),
            "share": float(left[genes].sum() / max(total[genes].sum(), 1)),
            "blanks": int(left[blank].sum()),
        }
        kept.uns.pop("unassigned_by_field", None)
        return kept

    def _stands(self, near: list[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
        """Find the cells that are dropped, and which one stands for each."""
        pairs, sizes = [], {}
        for a, b in near:
            one, other = (self._labels(self.inputs.fields[k]) for k in (a, b))
            step = np.round(self.places[b].origin_px - self.places[a].origin_px).astype(int)
            for first, second in same_cells(one, other, (int(step[0]), int(step[1]))):
                pairs.append(((a, first), (b, second)))
                sizes[a, first], sizes[b, second] = int((one == first).sum()), int((other == second).sum())
        return keep_cells(pairs, sizes)

    def _drop(
        self,
        a: int,
        b: int,
        dropped: list[NDArray[np.bool_]],
        stands: dict[tuple[int, int], tuple[int, int]],
    ) -> dict[str, Any]:
        """Mark what two fields show twice, and say how well their positions fit."""
        fields, margin = (a, b), self.recipe.stitch.merge_px
        tables, rows, places = [self.molecules(k) for k in fields], [], []
        for k, other, table in zip(fields, fields[::-1], tables, strict=True):
            at = self._at(k, table)
            beside = self.places[other]
            low, high = beside.origin_px - margin, beside.origin_px + beside.shape + margin
            rows.append(np.flatnonzero(((at[:, -2:] >= low) & (at[:, -2:] <= high)).all(axis=1)))
            places.append(at[rows[-1]])
        words = [self._words(table.take(chosen)) for table, chosen in zip(tables, rows, strict=True)]
        twins = same_molecules(places[0], places[1], words[0], words[1], margin)
        for i, j in twins.rows.tolist():
            ranks = []
            for k, table, chosen, row, at in zip(fields, tables, rows, (i, j), places, strict=True):
                cell = int(table["cell"][chosen[row]])
                away = float(np.linalg.norm(at[row][-2:] - self.places[k].centre_px))
                ranks.append((cell == 0, (k, cell) in stands, round(away, 6), k))
            loser = 1 if ranks[0] < ranks[1] else 0
            dropped[fields[loser]][rows[loser][(i, j)[loser]]] = True
        middle = np.median(twins.apart_px, axis=0).tolist() if len(twins.rows) else None
        names = self.inputs.fields
        return {"fields": [names[a], names[b]], "molecules": len(twins.rows), "apart_px": middle}

    def _write(
        self, k: int, field: str, dropped: NDArray[np.bool_], stands: dict[tuple[int, int], tuple[int, int]]
    ) -> None:
        """Write the molecules of a field that are kept, on the grid of the whole."""
        table = self.molecules(k).take(np.flatnonzero(~dropped))
        owner = [stands.get((k, cell), (k, cell)) if cell else (k, 0) for cell in table["cell"].astype(int).tolist()]
        cells = np.array(owner, np.int64).reshape(-1, 2)
        moved = Spots(self._at(k, table), table.columns, self.size)
        moved.with_columns(cell_field=cells[:, 0], cell=cells[:, 1], field=np.full(len(table), field)).save(
            self._path(field)
        )

    def _at(self, k: int, table: Spots) -> NDArray[np.float64]:
        """Return positions on the grid of the whole."""
        at = table.positions_px.copy()
        at[:, -2:] += self.places[k].origin_px
        return at

    def _words(self, table: Spots) -> NDArray[np.int64]:
        return np.array([self.numbers[gene] for gene in table["gene"].tolist()], np.int64)

    def _molecules(self, k: int) -> Spots:
        return Spots.open(self.ledger.result("transcripts", self.inputs.fields[k], f".{self.recipe.table}"))

    def _labels(self, field: str) -> NDArray[Any]:
        from teasel.labels import read_labels

        return read_labels(self.ledger.result("labels", field, ".tif"))

    def _shape(self, field: str) -> tuple[int, int]:
        height, width = self._labels(field).shape[-2:]
        return int(height), int(width)

    def _path(self, field: str) -> Path:
        return self.ledger.result("stitched", field, f".{self.recipe.table}")
