"""Labels at tile 256 against tile 2048, on mosaics of validation images large enough to have seams."""

from __future__ import annotations

from benchmarks import record, scores
from benchmarks.datasets import FLUORESCENCE, load_sets
from benchmarks.methods import ACCURATE, load_methods
from benchmarks.mosaics import join_by_size

SMALL_PX, LARGE_PX = 256, 2048
THRESHOLDS = (0.5, 0.95)


def main() -> None:
    """Compare the labels of two tile sizes, with nothing else set."""
    options = record.parser(__doc__ or "")
    options.add_argument("--side", type=int, default=2304, help="pixels of a mosaic along y and x (default 2304)")
    options.add_argument("--mosaics", type=int, default=3, help="most mosaics per set (default 3)")
    options.set_defaults(sets=list(FLUORESCENCE))
    arguments = options.parse_args()
    result, rows = {}, []
    sets = load_sets(arguments.data, arguments.sets)
    for method in load_methods(arguments.methods, ACCURATE, arguments.threads):
        for name, cases in sets.items():
            images = join_by_size(cases, arguments.side)[: arguments.mosaics]
            small = [method(image, "yx", tile_px=SMALL_PX) for image in images]
            large = [method(image, "yx", tile_px=LARGE_PX) for image in images]
            pairs = zip(large, small, strict=True)
            pooled = scores.count(((a.labels, b.labels) for a, b in pairs), THRESHOLDS).sum(axis=0)
            precision = scores.average_precision(pooled)
            result[f"{method.name} {name}"] = {
                "mosaics": len(images),
                "objects": int(sum(len(a.scores) for a in large)),
                **{f"AP@{t}": float(p) for t, p in zip(THRESHOLDS, precision, strict=True)},
                "diameter_px": [[a.diameter_px, b.diameter_px] for a, b in zip(large, small, strict=True)],
            }
            rows.append([method.name, *list(result[f"{method.name} {name}"].values())[:4], name])
    path = record.save(arguments.results, "tiles", arguments, {"side_px": arguments.side, "methods": result})
    print(record.table(rows, ("method", "mosaics", "objects", "AP@0.5", "AP@0.95", "set")), f"\n{path}")


if __name__ == "__main__":
    main()
