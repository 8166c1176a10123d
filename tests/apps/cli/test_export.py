"""The command ``teasel export``."""

from __future__ import annotations

import json
import threading
from urllib.request import urlopen

import numpy as np
import pytest

from teasel.apps.cli.serving import serve_folder
from teasel.geometry import VoxelSize
from teasel.labels import write_labels


@pytest.fixture
def labels(tmp_path):
    values = np.zeros((20, 30, 40), np.uint16)
    values[4:12, 5:20, 6:30] = 3
    write_labels(tmp_path / "labels.tif", values, VoxelSize(z=0.3, y=0.1, x=0.1))
    return tmp_path / "labels.tif"


def test_surfaces_and_centre_lines_of_a_stack(teasel, labels, tmp_path):
    pytest.importorskip("zmesh")
    out = tmp_path / "out"
    result = teasel("export", str(labels), "-o", str(out), "--to", "obj,swc", "--scheduler", "none")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}: obj, swc\n"
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*")) == ["obj/3.obj", "swc/3.swc"]
    again = teasel("export", str(labels), "-o", str(out), "--to", "obj", "--scheduler", "none")
    assert again.exit_code == 2
    assert "is there already" in again.stderr


def test_a_plane_as_a_layer(teasel, tmp_path):
    pytest.importorskip("tensorstore")
    values = np.zeros((300, 400), np.uint8)
    values[5:60, 7:90] = 2
    write_labels(tmp_path / "plane.tif", values, VoxelSize(y=0.5, x=0.5))
    out = tmp_path / "out"
    result = teasel("export", str(tmp_path / "plane.tif"), "-o", str(out), "--to", "layer", "--scheduler", "none")
    assert result.exit_code == 0, result.output
    info = json.loads((out / "segmentation" / "info").read_text("utf-8"))
    assert [scale["size"] for scale in info["scales"]] == [[400, 300, 1], [200, 150, 1]]
    assert json.loads((out / "neuroglancer.json").read_text("utf-8"))["layout"] == "xy"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no --output"),
        (["-o", "out"], "nothing to export"),
        (["-o", "out", "--serve"], "no neuroglancer.json"),
        (["LABELS", "-o", "out", "--to", "stl"], "expected out of layer"),
        (["LABELS", "-o", "out", "--segments", "a"], "--segments"),
    ],
)
def test_what_is_missing_is_said(teasel, labels, words, message):
    result = teasel("export", *(str(labels) if word == "LABELS" else word for word in words))
    assert result.exit_code in (1, 2)
    assert message in result.stderr


def test_pages_from_elsewhere_may_read_what_is_served(tmp_path):
    (tmp_path / "7:0").write_text("{}", "utf-8")
    with serve_folder(tmp_path, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with urlopen(f"http://localhost:{server.server_address[1]}/7:0") as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert answer.read() == b"{}"
        server.shutdown()
