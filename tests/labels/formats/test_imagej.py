"""ROIs and TIFF as ImageJ itself sees them: area and pixels, name, calibration."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from teasel.geometry import VoxelSize
from teasel.labels import write_labels
from tests.labels.formats.test_contract import CASES, many
from tests.synthetic import random_labels

JAR = Path("/usr/share/java/ij.jar")
JUDGE = """
import ij.ImagePlus; import ij.gui.Roi; import ij.io.*; import ij.process.*;
import java.io.*; import java.util.zip.*;
public class Judge {
  static void rois(String path, int width, int height) throws Exception {
    ImageProcessor image = new ByteProcessor(width, height);
    ZipInputStream zip = new ZipInputStream(new FileInputStream(path));
    for (ZipEntry e; (e = zip.getNextEntry()) != null;) {
      Roi roi = new RoiDecoder(zip.readAllBytes(), e.getName()).getRoi();
      image.setRoi(roi);
      System.out.println(roi.getName() + " " + ImageStatistics.getStatistics(image, 1, null).pixelCount);
    }
  }
  static void pixels(String path) throws Exception {
    ImagePlus image = new Opener().openImage(path);
    ij.measure.Calibration c = image.getCalibration();
    System.out.println(image.getBitDepth() + " " + image.getNSlices() + " " + image.getNFrames() + " " + c.getUnit()
      + " " + c.pixelWidth + " " + c.pixelHeight + " " + c.pixelDepth);
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(path + ".values")));
    for (int i = 1; i <= image.getStackSize(); i++) {
      ImageProcessor plane = image.getStack().getProcessor(i);
      for (int j = 0; j < plane.getPixelCount(); j++) out.writeFloat(plane.getf(j));
    }
    out.close();
  }
  public static void main(String[] a) throws Exception {
    if (a.length == 3) rois(a[0], Integer.parseInt(a[1]), Integer.parseInt(a[2])); else pixels(a[0]);
  }
}
"""


@pytest.fixture(scope="module")
def imagej(tmp_path_factory):
    """Run ImageJ on a file and return what it says."""
    if not JAR.exists() or not shutil.which("javac"):
        pytest.skip("needs ImageJ (Debian package libij-java) and a Java compiler")
    folder = tmp_path_factory.mktemp("judge")
    (folder / "Judge.java").write_text(JUDGE)
    subprocess.run(["javac", "-cp", JAR, "Judge.java"], cwd=folder, check=True)

    def run(*words: object) -> list[str]:
        command = ["java", "-Djava.awt.headless=true", "-cp", f"{JAR}:{folder}", "Judge", *map(str, words)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()

    return run


@pytest.mark.parametrize("case", [*(name for name in CASES if name != "empty"), "many"])
def test_rois_have_the_area_of_their_pixels(tmp_path, imagej, case):
    labels = many() if case == "many" else CASES[case]
    write_labels(tmp_path / "a.zip", labels)
    said = dict(line.split() for line in imagej(tmp_path / "a.zip", labels.shape[1], labels.shape[0]))
    counts = np.bincount(labels.ravel())
    assert {int(name): int(area) for name, area in said.items()} == {
        int(label): int(counts[label]) for label in np.flatnonzero(counts) if label
    }


@pytest.mark.parametrize(
    ("labels", "bits"),
    [
        (CASES["nested"], 16),
        (many(), 32),
        (random_labels((3, 20, 21), 5, 1), 8),
        (many()[:40, :40][None, None].repeat(2, 0).repeat(3, 1) + 70000, 32),
        (CASES["empty"], 8),
    ],
    ids=["16 bit", "beyond 65535", "stack", "series of stacks", "empty"],
)
def test_tiff_has_the_same_labels_and_calibration(tmp_path, imagej, labels, bits):
    size = VoxelSize(z=2.0 if labels.ndim > 2 else None, y=0.5, x=0.5)
    write_labels(tmp_path / "a.tif", labels, size)
    (line,) = imagej(tmp_path / "a.tif")
    depth, slices, frames, unit, width, height, spacing = line.split()
    assert int(depth) == bits
    assert (int(frames), int(slices)) == (1, 1, *labels.shape[:-2])[-2:]
    assert unit in ("um", "µm", "micron")
    assert (float(width), float(height)) == (0.5, 0.5)
    if labels.ndim > 2:
        assert float(spacing) == 2.0
    seen = np.fromfile(tmp_path / "a.tif.values", ">f4").reshape(labels.shape)
    np.testing.assert_array_equal(seen, labels)
