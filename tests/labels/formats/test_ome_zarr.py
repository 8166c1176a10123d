"""Labels in OME-Zarr 0.4 and 0.5: alone and beside their image, valid for ome-zarr-models."""

from __future__ import annotations

import json

import numpy as np
import pytest

from teasel.errors import DataError, FormatError, ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.images import open_image, write_multiscale
from teasel.labels import read_labels, read_voxel_size, write_labels
from tests.labels.formats.test_contract import many, nested
from tests.synthetic import random_labels

SIZE = VoxelSize(z=2.0, y=0.5, x=0.25)


def models(version):
    pytest.importorskip("ome_zarr_models")
    if version == "0.4":
        from ome_zarr_models.v04.image import Image
        from ome_zarr_models.v04.image_label import ImageLabel
        from ome_zarr_models.v04.labels import Labels
    else:
        from ome_zarr_models.v05.image import Image
        from ome_zarr_models.v05.image_label import ImageLabel
        from ome_zarr_models.v05.labels import Labels
    return Image, ImageLabel, Labels


CASES = {
    "plane": nested(),
    "stack": random_labels((3, 40, 41), 5, 0),
    "series": np.ones((2, 1, 8, 9), int),
    "many": many(),
    "empty": np.zeros((5, 6), int),
}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("labels", CASES.values(), ids=CASES)
def test_alone(tmp_path, version, labels):
    zarr = pytest.importorskip("zarr")
    size = SIZE if labels.ndim > 2 else VoxelSize(y=0.5, x=0.25)
    write_labels(tmp_path / "a.zarr", labels, size, version=version)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.zarr"), np.squeeze(labels))
    assert read_voxel_size(tmp_path / "a.zarr") == size
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    assert group.metadata.zarr_format == (2 if version == "0.4" else 3)
    assert group["0"].dtype.kind == "u"
    _, image_label, _ = models(version)
    found = image_label.from_zarr(group)
    assert found.attributes is not None
    for level in group.arrays():
        assert set(np.unique(level[1][:])) <= set(np.unique(labels)) | {0}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_beside_their_image(tmp_path, version):
    zarr = pytest.importorskip("zarr")
    pixels = np.zeros((2, 300, 310), np.uint16)
    write_multiscale(tmp_path / "a.zarr", pixels, axes="cyx", voxel_size_um=SIZE, version=version)
    labels = np.pad(nested(), ((0, 280), (0, 286)))
    write_labels(tmp_path / "a.zarr/labels/cells", labels)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.zarr"), labels)
    np.testing.assert_array_equal(read_labels(tmp_path / "a.zarr/labels/cells"), labels)
    assert read_voxel_size(tmp_path / "a.zarr/labels/cells") == VoxelSize(y=0.5, x=0.25)
    assert open_image(tmp_path / "a.zarr", scene="image").shape == (2, 300, 310)
    write_labels(tmp_path / "a.zarr/labels/nuclei", labels)
    with pytest.raises(FormatError, match=r"2 sets of labels: labels/cells, labels/nuclei"):
        read_labels(tmp_path / "a.zarr")
    image, image_label, all_labels = models(version)
    group = zarr.open_group(tmp_path / "a.zarr", mode="r")
    image.from_zarr(group)
    assert sorted(_names(all_labels.from_zarr(group["labels"]))) == ["cells", "nuclei"]
    image_label.from_zarr(group["labels/cells"])


def _names(found):
    attributes = found.attributes
    return getattr(attributes, "ome", attributes).labels


def test_errors(tmp_path):
    write_multiscale(tmp_path / "a.zarr", np.zeros((8, 8), np.uint16), axes="yx")
    write_labels(tmp_path / "a.zarr/labels/cells", np.eye(8, dtype=int))
    with pytest.raises(ParameterError, match="there already"):
        write_labels(tmp_path / "a.zarr/labels/cells", np.eye(8, dtype=int))
    with pytest.raises(ShapeError, match=r"pixels of a\.zarr"):
        write_labels(tmp_path / "a.zarr/labels/other", np.eye(9, dtype=int))
    with pytest.raises(ParameterError, match="version of its image"):
        write_labels(tmp_path / "a.zarr/labels/other", np.eye(8, dtype=int), version="0.4")
    with pytest.raises(FormatError, match="no OME-Zarr image"):
        write_labels(tmp_path / "b.zarr/labels/cells", np.eye(8, dtype=int))
    with pytest.raises(ParameterError, match=r"0\.3"):
        write_labels(tmp_path / "c.zarr", np.eye(8, dtype=int), version="0.3")
    with pytest.raises(DataError, match="-1"):
        write_labels(tmp_path / "c.zarr", -np.eye(8, dtype=int))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zarr"]
    listed = json.loads((tmp_path / "a.zarr/labels/zarr.json").read_text())["attributes"]["ome"]["labels"]
    assert listed == ["cells"]
