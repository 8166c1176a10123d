"""Labels in the formats of other programs: time there and back, what is kept, and the areas that ImageJ measures."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from roifile import ImagejRoi
from skimage.measure import find_contours

from benchmarks import record
from benchmarks.datasets import load_sets
from teasel.labels import contours, keep_largest, read_labels, relabel, trace_borders, write_labels

FORMATS = (".tif", ".zarr", ".zip", ".geojson", ".geojson.gz", ".coco.json", "_cp_outlines.txt", ".stardist.npz")
JAR = Path("/usr/share/java/ij.jar")
MEASURE = """
import ij.gui.Roi; import ij.io.RoiDecoder; import ij.process.*; import java.io.*; import java.util.zip.*;
public class Measure {
  public static void main(String[] a) throws Exception {
    ImageProcessor image = new ByteProcessor(Integer.parseInt(a[1]), Integer.parseInt(a[2]));
    ZipInputStream zip = new ZipInputStream(new FileInputStream(a[0]));
    for (ZipEntry e; (e = zip.getNextEntry()) != null;) {
      Roi roi = new RoiDecoder(zip.readAllBytes(), e.getName()).getRoi();
      image.setRoi(roi);
      int area = ImageStatistics.getStatistics(image, 1, null).pixelCount;
      System.out.println(e.getName().replace(".roi", "") + " " + area);
    }
  }
}
"""


def main() -> None:
    """Time every format, then let ImageJ measure."""
    options = record.parser(__doc__ or "")
    options.add_argument("--objects", type=int, default=10_000, help="objects of the image that is timed")
    arguments = options.parse_args()
    labels = make_labels(arguments.objects)
    with tempfile.TemporaryDirectory(prefix="exchange") as folder:
        timed = {suffix: there_and_back(labels, Path(folder) / f"a{suffix}") for suffix in FORMATS}
        areas = measure_areas(arguments.data, Path(folder))
    result = {"objects": int(labels.max()), "shape": labels.shape, "formats": timed, "areas_in_imagej": areas}
    saved = record.save(arguments.results, "exchange", arguments, result)
    rows = [[suffix, *one.values()] for suffix, one in timed.items()]
    print(record.table(rows, ("format", "write CPU s", "read CPU s", "MB", "pixels kept")))
    rows = [[way, *one.values()] for way, one in areas.items()]
    print(record.table(rows, ("ROIs made by", "objects", "area exact", "mean error of the area")), f"\n{saved}")


def make_labels(n: int) -> np.ndarray:
    """Cells that touch, each in one piece, about 400 pixels each."""
    from scipy.spatial import cKDTree

    side = int(20 * np.sqrt(n))
    points = np.random.default_rng(0).uniform(0, side, (n, 2))
    grid = np.stack(np.indices((side, side)), -1).reshape(-1, 2)
    distance, cell = cKDTree(points).query(grid, distance_upper_bound=14)
    labels = np.where(np.isfinite(distance), cell + 1, 0).reshape(side, side)
    return relabel(keep_largest(labels))[0].astype(np.uint32)


def there_and_back(labels: np.ndarray, path: Path) -> dict[str, float]:
    """Write and read once, and compare."""
    start = time.process_time()
    write_labels(path, labels)
    written = time.process_time()
    back = read_labels(path, shape=labels.shape)
    read = time.process_time()
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return {
        "write_cpu_s": written - start,
        "read_cpu_s": read - written,
        "mb": sum(one.stat().st_size for one in files) / 1e6,
        "pixels_kept": float((back == labels).mean()),
    }


def measure_areas(data: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Let ImageJ measure real nuclei as ROIs that were made in several ways."""
    if not JAR.exists() or not shutil.which("javac"):
        return {}
    (folder / "Measure.java").write_text(MEASURE)
    subprocess.run(["javac", "-cp", JAR, "Measure.java"], cwd=folder, check=True)
    cases = [case.truth() for case in load_sets(data, ["bbbc039"])["bbbc039"][:10]]
    found = {}
    for way, write in WAYS.items():
        errors = np.concatenate([_errors(labels, write, folder) for labels in cases])
        found[way] = {
            "objects": len(errors), "exact": float((errors == 0).mean()), "mean_error": float(errors.mean())
        }  # fmt: skip
    return found


def _errors(labels: np.ndarray, write: Callable[[Path, np.ndarray], None], folder: Path) -> np.ndarray:
    """Return for each object the relative error of the area."""
    path = folder / "rois.zip"
    path.unlink(missing_ok=True)
    write(path, labels)
    height, width = map(str, labels.shape)
    command = ["java", "-Djava.awt.headless=true", "-cp", f"{JAR}:{folder}", "Measure", str(path), width, height]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    measured = {int(name): int(area) for name, area in (line.split() for line in said)}
    ids, areas = np.unique(labels[labels > 0], return_counts=True)
    return np.array([measured.get(int(label), 0) / area - 1 for label, area in zip(ids, areas, strict=True)])


def _as_points(path: Path, outlines: dict[int, np.ndarray | None]) -> None:
    """Write one ROI per outline of (x, y), as ``ImagejRoi.frompoints`` makes it."""
    with zipfile.ZipFile(path, "w") as archive:
        for label, points in outlines.items():
            if points is not None and len(points):
                archive.writestr(f"{label}.roi", ImagejRoi.frompoints(points).tobytes())


def as_border_pixels(path: Path, labels: np.ndarray) -> None:
    """As Cellpose 3.1 does: the pixels of the border, by OpenCV's chain of neighbours; up to four are left out."""
    borders: dict[int, Any] = {
        label: border[:, ::-1] if border is not None and len(border) > 4 else None
        for label, border in trace_borders(labels).items()
    }
    _as_points(path, borders)


def as_half_contours(path: Path, labels: np.ndarray) -> None:
    """The longest contour that scikit-image finds at 0.5."""
    found = {}
    for label in contours(labels):
        lines = find_contours(np.pad(labels == label, 1).astype(float), 0.5)
        found[label] = max(lines, key=len)[:, ::-1] - 1
    _as_points(path, found)


WAYS: dict[str, Callable[[Path, np.ndarray], None]] = {
    "Teasel": write_labels,
    "border pixels (Cellpose 3.1)": as_border_pixels,
    "find_contours at 0.5 (scikit-image)": as_half_contours,
}

if __name__ == "__main__":
    main()
