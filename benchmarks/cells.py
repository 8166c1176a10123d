"""Whole cells, nothing set: the model `cells` with and without the nuclear channel, beside classical pipelines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import teasel
from benchmarks import record, scores
from scripts.cell_sets import FIRST_HELD_OUT_SEED, read_cell_sets
from teasel.labels import pair_nuclei
from teasel.models import Model
from teasel.training.data import Item

COLUMNS = ("AP@0.5", "AP@0.75", "AP@0.9", "F1@0.5")
Labels = NDArray[np.integer]


def main() -> None:
    """Score every way of finding cells on every set that was never trained on."""
    options = record.parser(__doc__ or "")
    options.add_argument("--model", default="cells", help="model of whole cells, by name or folder")
    options.add_argument("--scenes", type=int, default=1, help="held-out scenes per style (default 1, at most 3)")
    arguments = options.parse_args()
    cells = teasel.load_model(arguments.model, threads=arguments.threads)
    nuclei = teasel.load_model("nuclei", threads=arguments.threads)
    items = read_cell_sets(Path(arguments.data), training=False).validation
    sets: dict[str, list[Item]] = {}
    for item in items:
        name, _, rest = item.name.partition("/")
        if name.startswith("simulated") and int(rest.split("-")[-1]) >= FIRST_HELD_OUT_SEED + arguments.scenes:
            continue
        if not arguments.sets or name in arguments.sets:
            sets.setdefault(name, []).append(item)
    result, rows = {}, []
    for name, members in sets.items():
        ways = find_all(cells, nuclei, members)
        truth = [item.labels for item in members]
        counts = {way: scores.count(zip(truth, found, strict=True)) for way, found in ways.items()}
        methods = {way: scores.summary(one) for way, one in counts.items()}
        result[name] = {
            "images": len(members),
            "objects": int(sum(len(np.unique(t[t > 0])) for t in truth)),
            "methods": methods,
            "minus cells alone": {
                way: scores.difference(one, counts["cells"]) for way, one in counts.items() if way != "cells"
            },
        }
        for way, summary in methods.items():
            rows.append([name, len(members), way, *(summary[column] for column in COLUMNS)])
    path = record.save(arguments.results, "cells", arguments, {"model": cells.digest, "sets": result})
    print(record.table(rows, ("set", "n", "method", *COLUMNS)), f"\n{path}")


def find_all(cells: Model, nuclei: Model, members: list[Item]) -> dict[str, list[Labels]]:
    """Find the cells of some images in every way that their channels allow."""
    ways: dict[str, list[Labels]] = {}

    def add(way: str, labels: Labels) -> None:
        ways.setdefault(way, []).append(labels)

    for item in members:
        alone = teasel.segment(item.image[:1], cells, axes="cyx").labels
        add("cells", alone)
        add("cells, size given", teasel.segment(item.image[:1], cells, axes="cyx", diameter_px=_size(item)).labels)
        if len(item.image) == 1:
            add("threshold + watershed", classical(item.image[0]))
            continue
        both = teasel.segment(item.image, cells, axes="cyx", cell=0, nucleus=1, nuclei_model=nuclei)
        assert both.nuclei is not None
        add("cells + nuclei", both.labels)
        add("cells + nuclei, cells split by nuclei", split_by_nuclei(both.labels, both.nuclei))
        found = teasel.segment(item.image[1:], nuclei, axes="cyx").labels
        add("nuclei grown by watershed", grown(item.image[0], found))
        add("cells alone, paired after", pair_nuclei(found, alone).cells)
    return ways


def _size(item: Item) -> float:
    """Return the true diameter; a usual one for an image without cells."""
    return item.diameter_px if np.isfinite(item.diameter_px) else 32.0


def classical(image: NDArray[np.float32]) -> Labels:
    """Find cells as textbooks do: threshold of the local variation, filled, cut along the distance to the border."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_otsu
    from skimage.morphology import remove_small_objects
    from skimage.segmentation import watershed

    smooth = ndimage.gaussian_filter(image, 1)
    spread = np.sqrt(np.maximum(ndimage.gaussian_filter(smooth**2, 3) - ndimage.gaussian_filter(smooth, 3) ** 2, 0))
    value = np.log(spread + 1e-3)
    inside = ndimage.binary_fill_holes(value > threshold_otsu(value))
    inside = remove_small_objects(ndimage.binary_opening(inside, iterations=2), max_size=64)
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(inside), 2)
    peaks = peak_local_max(distance, min_distance=8, labels=inside.astype(int))
    seeds = np.zeros(image.shape, int)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels: Labels = watershed(-distance, seeds, mask=inside)
    return labels


def grown(image: NDArray[np.float32], nuclei: Labels) -> Labels:
    """Grow nuclei over the cells' stain, as CellProfiler's secondary objects: watershed inside Otsu's threshold."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu
    from skimage.segmentation import watershed

    smooth = ndimage.gaussian_filter(image, 1)
    inside = (smooth > threshold_otsu(smooth)) | (nuclei > 0)
    labels: Labels = watershed(-smooth, nuclei.astype(int), mask=inside)
    return labels


def split_by_nuclei(cells: Labels, nuclei: Labels) -> Labels:
    """Cut each cell with several nuclei between them, along the line of equal distance."""
    from skimage.segmentation import watershed

    labels = cells.astype(np.int64)
    inside = (nuclei > 0) & (cells > 0)
    pairs = np.unique(np.stack([cells[inside], nuclei[inside]]), axis=1)
    for cell in np.flatnonzero(np.bincount(pairs[0].astype(int)) > 1):
        mask = cells == cell
        parts = watershed(np.zeros(cells.shape), np.where(mask, nuclei, 0).astype(int), mask=mask)
        labels[mask] = parts[mask] + cells.max() + labels.max()
    return labels


if __name__ == "__main__":
    main()
