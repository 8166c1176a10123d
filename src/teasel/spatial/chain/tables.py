"""The tables of all fields as one."""

from __future__ import annotations

from typing import Any

import numpy as np

from teasel.images import atomic_path
from teasel.spatial.chain.inputs import Inputs
from teasel.spatial.chain.progress import Ledger
from teasel.spatial.chain.whole import Whole

__all__ = ["join_tables"]


def join_tables(inputs: Inputs, ledger: Ledger, whole: Whole | None = None) -> None:
    """Write ``cells.h5ad``: the cells of all fields, named ``<field>:<label>``, and what was left over in each.

    Fields that were stitched are counted as one whole.
    """
    target = ledger.folder / "cells.h5ad"
    if target.exists():
        return
    import anndata
    import pandas

    tables, left = [], {}
    for field in inputs.fields:
        table = anndata.read_h5ad(ledger.path("cells", field, ".h5ad"))
        left[field] = table.uns["unassigned"]
        table.obs_names = [f"{field}:{label}" for label in table.obs["label"]]
        table.obs["field"] = field
        tables.append(table)
    joined = anndata.concat(tables, join="outer", merge=None)
    joined.obs["field"] = pandas.Categorical(joined.obs["field"], categories=list(inputs.fields))
    joined.var["n_unassigned"] = np.sum([table.var["n_unassigned"].to_numpy() for table in tables], axis=0)
    joined.uns = _uns(tables, left)
    if whole is not None:
        joined = whole.table(joined)
    with atomic_path(target) as temporary:
        joined.write_h5ad(temporary)


def _uns(tables: list[Any], left: dict[str, Any]) -> dict[str, Any]:
    """Add what was left over up, and keep it by field."""
    spots = sum(int(one["spots"]) for one in left.values())
    total = spots + sum(int(table.obs["n_counts"].sum()) for table in tables)
    first = tables[0].uns
    return {
        "unassigned": {
            "spots": spots,
            "share": spots / max(total, 1),
            "blanks": sum(int(one["blanks"]) for one in left.values()),
        },
        "unassigned_by_field": {field: int(one["spots"]) for field, one in left.items()},
        "spatial_unit": first["spatial_unit"],
    }
