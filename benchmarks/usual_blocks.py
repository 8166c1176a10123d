"""What blocks do to the usual recipe: independent blocks with a margin, joined where their objects overlap.

    python -m benchmarks.usual_blocks

Each method segments a synthetic volume whole, and in blocks with a margin of 16 voxels whose overlapping objects are
joined; the table says how far the second is from the first (variation of information in bits; 0 is the same). Teasel's
exact blocks (`exact_blocks`) are compared in the same way.
"""

from __future__ import annotations

import tempfile
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.record import parser, save, table
from benchmarks.synthetic_volumes import FAR, NEAR, make_affinities, make_labels, write_zarr
from teasel.agglomeration import Agglomeration, region_graph, supervoxels
from teasel.inference.volume import AffinitySource, Recipe, agglomerate_volume
from teasel.labels.metrics import variation_of_information
from teasel.representations.kernels.mutex import partition

MARGIN = 16


def usual_recipe(affinities: NDArray[np.uint8], method: Any, edge: int, rule: str) -> NDArray[np.int64]:
    """Segment blocks with a margin independently, then join objects that overlap in the margins."""
    shape = affinities.shape[1:]
    whole = np.zeros(shape, np.int64)
    pieces, count = [], 0
    for start in product(*(range(0, n, edge) for n in shape)):
        wide = tuple(slice(max(0, a - MARGIN), min(n, a + edge + MARGIN)) for a, n in zip(start, shape, strict=True))
        labels = method(affinities[(slice(None), *wide)]).astype(np.int64)
        labels[labels > 0] += count
        count = max(count, int(labels.max()))
        core = tuple(slice(a - w.start, min(a + edge, n) - w.start) for a, w, n in zip(start, wide, shape, strict=True))
        place = tuple(slice(a, min(a + edge, n)) for a, n in zip(start, shape, strict=True))
        whole[place] = labels[core]
        pieces.append((wide, labels))
    first = np.arange(count + 1)
    for (one, ones), (two, twos) in combinations(pieces, 2):
        shared = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(one, two, strict=True))
        if all(s.start < s.stop for s in shared):
            for a, b in _matches(_cut(ones, one, shared), _cut(twos, two, shared), rule):
                _join(first, a, b)
    roots = np.array([_root(first, i) for i in range(count + 1)])
    return roots[whole]


def _cut(labels: NDArray[np.int64], own: tuple[slice, ...], box: tuple[slice, ...]) -> NDArray[np.int64]:
    return labels[tuple(slice(b.start - o.start, b.stop - o.start) for b, o in zip(box, own, strict=True))]


def _matches(ones: NDArray[np.int64], twos: NDArray[np.int64], rule: str) -> list[tuple[int, int]]:
    """Pairs of objects of two blocks that are joined, from what both say about the voxels they share."""
    both = (ones > 0) & (twos > 0)
    pairs, n = np.unique(np.stack([ones[both], twos[both]], 1), axis=0, return_counts=True)
    if not len(pairs):
        return []
    area, other = np.bincount(ones.ravel()), np.bincount(twos.ravel())
    if rule == "IoU > 0.5":
        keep = n > 0.5 * (area[pairs[:, 0]] + other[pairs[:, 1]] - n)
    else:  # each object with the one that covers most of it
        order = np.lexsort((n, pairs[:, 1]))
        keep = np.zeros(len(pairs), bool)
        keep[order[np.r_[np.flatnonzero(np.diff(pairs[order, 1])), len(order) - 1]]] = True
    return [(int(a), int(b)) for a, b in pairs[keep]]


def _root(first: NDArray[np.int64], node: int) -> int:
    while first[node] != node:
        first[node] = first[first[node]]
        node = int(first[node])
    return node


def _join(first: NDArray[np.int64], a: int, b: int) -> None:
    a, b = _root(first, a), _root(first, b)
    first[max(a, b)] = min(a, b)


def mean_agglomeration(affinities: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Segment an array alone: supervoxels, then mean affinity to 0.5."""
    labels = supervoxels(np.ascontiguousarray(affinities[:3]))
    graph = region_graph(labels, np.ascontiguousarray(affinities[:3]), NEAR)
    return Agglomeration().build(graph).cut(0.5)[np.searchsorted(graph.ids, labels)]


def mutex_watershed(affinities: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Segment an array alone: mutex watershed on voxels."""
    strength = affinities.copy()
    strength[3:] = 255 - strength[3:]
    mask = np.ones(affinities.shape[1:], bool)
    return partition(strength, list(NEAR + FAR), mask, n_attractive=3).astype(np.int64)


def usual_table(size: int) -> list[dict[str, Any]]:
    """Compare the usual recipe in blocks with itself on the whole volume."""
    rows = []
    labels = make_labels((size,) * 3)
    for kind in ("easy", "hard"):
        affinities = make_affinities(labels, kind, far=True)
        for name, method in (("mutex watershed", mutex_watershed), ("mean agglomeration", mean_agglomeration)):
            whole = method(affinities)
            if method is mean_agglomeration:
                rows += exact_rows(affinities, whole, kind)
            for edge, rule in product((64, 32), ("IoU > 0.5", "most overlap")):
                blocks = usual_recipe(affinities, method, edge, rule)
                voi = variation_of_information(whole + (whole.min() == 0), blocks + (blocks.min() == 0))
                rows.append({"affinities": kind, "method": name, "block": edge, "rule": rule, "voi": voi.total})
                print(f"{kind} {name} block {edge} {rule}: VOI {voi.total:.3f}", flush=True)
    return rows


def exact_rows(affinities: NDArray[np.uint8], whole: NDArray[np.int64], kind: str) -> list[dict[str, Any]]:
    """Compare the exact blocks with the whole volume."""
    import zarr

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "affinities.zarr")
        write_zarr(path, affinities[:3])
        for edge in (64, 32):
            out = Path(folder) / f"{edge}.ome.zarr"
            agglomerate_volume(Recipe(AffinitySource(path), threshold=0.5), out, block=(edge,) * 3)
            found = np.asarray(zarr.open_group(out, mode="r")["0"][...], np.int64)
            voi = variation_of_information(whole, found)
            rows.append({"affinities": kind, "method": "exact blocks", "block": edge, "rule": "none", "voi": voi.total})
    return rows


def main() -> None:
    """Run all, print the table, write the JSON."""
    options = parser(__doc__.splitlines()[0])
    options.add_argument("--size", type=int, default=128, help="edge of the volume (default 128)")
    arguments = options.parse_args()
    rows = usual_table(arguments.size)
    header = ["affinities", "method", "block", "rule", "VOI to its own whole"]
    print(table([list(row.values()) for row in rows], header))
    save(arguments.results, "usual_blocks", arguments, {"size": arguments.size, "margin": MARGIN, "rows": rows})


if __name__ == "__main__":
    main()
