"""Exports: the same whatever the blocks, and what readers that are not ours find in them."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import zarr

from teasel.errors import ParameterError, ShapeError
from teasel.geometry import VoxelSize
from teasel.inference.volume.exports import Export, VolumeFile, export_volume
from teasel.labels import write_labels

SPACING = (0.04, 0.008, 0.01)
BIG = 2**31 + 5
NM = np.array([10.0, 8.0, 40.0])


def make_labels():
    z, y, x = np.mgrid[:70, :90, :80]
    labels = np.zeros((70, 90, 80), np.uint32)
    labels[(z - 35) ** 2 + (y - 40) ** 2 + (x - 30) ** 2 < 20**2] = 7
    labels[(abs(z - 10) < 4) & (abs(y - 20) < 4)] = 9  # a rod along x, cut by both ends
    labels[50:60, 70:80, 50:70] = BIG
    return labels


@pytest.fixture(scope="module")
def labels():
    return make_labels()


@pytest.fixture(scope="module")
def file(labels, tmp_path_factory) -> VolumeFile:
    path = tmp_path_factory.mktemp("labels") / "labels.zarr"
    write_labels(path, labels, VoxelSize(**dict(zip("zyx", SPACING, strict=True))))
    return VolumeFile(str(path))


@pytest.fixture(scope="module")
def shapes(file, tmp_path_factory) -> list[Path]:
    """Surfaces and centre lines, in one block and in many."""
    pytest.importorskip("zmesh")
    folder = tmp_path_factory.mktemp("shapes")
    export = Export(file, targets=("obj", "ply", "swc"))
    return [export_volume(export, folder / str(i), block=block) for i, block in enumerate([(70, 90, 80), (31, 17, 31)])]


@pytest.fixture(scope="module")
def layers(file, labels, tmp_path_factory) -> list[Path]:
    """Everything for Neuroglancer, in one block and in many."""
    pytest.importorskip("zmesh")
    pytest.importorskip("tensorstore")
    folder = tmp_path_factory.mktemp("layers")
    image = zarr.create_array(
        folder / "image.zarr",
        shape=(2, *labels.shape),
        dtype="u2",
        chunks=(1, 32, 32, 32),
        dimension_names=list("czyx"),
    )
    image[1] = labels % 251
    export = Export(file, VolumeFile(str(folder / "image.zarr"), 1), ("layer", "meshes", "skeletons"))
    return [export_volume(export, folder / str(i), block=block) for i, block in enumerate([(70, 90, 80), (31, 17, 31)])]


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def volume_and_middle(points, faces):
    """Return what a closed surface encloses, and its centroid."""
    corners = points[faces].astype(float)
    volumes = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    return volumes.sum(), (corners.sum(1) / 4 * volumes[:, None]).sum(0) / volumes.sum()


def check_surface(points, faces, labels, number, unit):
    """Compare a surface with its voxels, which reach from their number to the next."""
    where = np.argwhere(labels == number)
    volume, middle = volume_and_middle(points, faces)
    assert volume == pytest.approx(len(where) * np.prod(unit), rel=0.02)
    np.testing.assert_allclose(middle, (where.mean(0) + 0.5)[::-1] * unit, atol=unit.max() / 10)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0).all()  # closed: no seam between blocks


def test_blocks_leave_no_trace_in_surfaces_and_centre_lines(shapes):
    one, other = map(files_of, shapes)
    assert set(one) == {f"{kind}/{n}.{kind}" for kind in ("obj", "ply", "swc") for n in (7, 9, BIG)}
    assert one == other


@pytest.mark.parametrize("number", [7, 9, BIG])
def test_surfaces_lie_around_their_voxels(shapes, labels, number):
    lines = (shapes[0] / "obj" / f"{number}.obj").read_text("ascii").splitlines()
    points = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    faces = np.array([[p.split("/")[0] for p in f.split()[1:4]] for f in lines if f.startswith("f ")], int) - 1
    check_surface(points, faces, labels, number, NM / 1000)


def test_all_faces_are_kept_when_asked_for(file, labels, tmp_path):
    pytest.importorskip("zmesh")
    counts = {}
    for fewer in (1, 8):
        out = export_volume(Export(file, targets=("obj",), segments=(7,), fewer_faces=fewer), tmp_path / str(fewer))
        assert [p.name for p in (out / "obj").iterdir()] == ["7.obj"]
        counts[fewer] = (out / "obj" / "7.obj").read_text("ascii").count("\nf ")
    assert counts[1] > 5 * counts[8]


def test_a_centre_line_runs_along_its_rod_and_parents_come_first(shapes):
    rows = np.loadtxt(shapes[0] / "swc" / "9.swc")
    assert (rows[:, 6] < rows[:, 0]).all()
    assert (rows[:, 6] == -1).sum() == 1
    np.testing.assert_allclose(rows[:, 3], 10.5 * 0.008 * 2 - 0.004, atol=1e-6)  # y: rows 17 to 23
    np.testing.assert_allclose(rows[:, 4], 10.5 * 0.04, atol=1e-6)
    assert np.ptp(rows[:, 2]) == pytest.approx(0.73, abs=0.03)  # 0.8 micrometres less both caps
    assert rows[:, 5].max() == pytest.approx(0.032, abs=1e-6)  # four voxels of 8 nm


def test_small_objects_are_left_out_and_unknown_ones_are_an_error(file, labels, tmp_path):
    pytest.importorskip("zmesh")
    least = int((labels == 9).sum()) + 1
    out = export_volume(Export(file, targets=("swc",), min_voxels=least), tmp_path / "a")
    assert [p.name for p in (out / "swc").iterdir()] == ["7.swc"]
    with pytest.raises(ParameterError, match="no object 8"):
        export_volume(Export(file, targets=("swc",), segments=(7, 8)), tmp_path / "b")


def test_a_run_that_was_stopped_goes_on(file, shapes, tmp_path):
    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > 0.55 * total:
            raise Stop

    export = Export(file, targets=("obj", "ply", "swc"))
    with pytest.raises(Stop):
        export_volume(export, tmp_path / "a", block=(31, 17, 31), progress=stop)
    assert not (tmp_path / "a").exists()
    with pytest.raises(ParameterError, match="fewer_faces"):
        export_volume(Export(file, targets=("obj",), fewer_faces=2), tmp_path / "a")
    assert files_of(export_volume(export, tmp_path / "a", block=(31, 17, 31))) == files_of(shapes[0])
    assert os.listdir(tmp_path) == ["a"]


def test_what_cannot_be_is_said(file, tmp_path):
    with pytest.raises(ParameterError, match="out of layer, meshes"):
        Export(file, targets=("stl",))
    with pytest.raises(ParameterError, match="lie beside a layer"):
        export_volume(Export(file, targets=("meshes",)), tmp_path / "a")
    np.save(tmp_path / "a.npy", np.ones((3, 4, 5), np.uint8))
    with pytest.raises(ShapeError, match="expected the same"):
        export_volume(Export(file, VolumeFile(str(tmp_path / "a.npy"))), tmp_path / "a")
    with pytest.raises(ParameterError, match="--voxel-size"):
        export_volume(Export(VolumeFile(str(tmp_path / "a.npy"))), tmp_path / "a")


def test_blocks_leave_no_trace_in_layers(layers):
    one, other = map(files_of, layers)
    assert one.keys() == other.keys()
    assert one == other


def decode_chunk(data: bytes, shape: tuple[int, int, int]) -> np.ndarray:
    """Decode a chunk (x, y, z) of one channel as Neuroglancer documents compressed_segmentation with 64 bits."""
    words = np.frombuffer(data, "<u4")[struct.unpack_from("<I", data)[0] :]
    counts = [-(-n // 8) for n in shape]
    found = np.zeros(shape, np.uint64)
    for number in range(int(np.prod(counts))):
        block = np.unravel_index(number, counts, order="F")
        table, bits = int(words[2 * number]) & 0xFFFFFF, int(words[2 * number]) >> 24
        start = int(words[2 * number + 1])
        for place in range(512):
            at = tuple(
                int(8 * b + o) for b, o in zip(block, np.unravel_index(place, (8, 8, 8), order="F"), strict=True)
            )
            if any(i >= n for i, n in zip(at, shape, strict=True)):
                continue
            word, shift = divmod(place * bits, 32)
            index = (int(words[start + word]) >> shift) & ((1 << bits) - 1) if bits else 0
            low, high = words[table + 2 * index : table + 2 * index + 2]
            found[at] = int(low) | int(high) << 32
    return found


def test_a_chunk_is_what_neuroglancer_documents(layers, labels):
    folder = layers[0] / "segmentation"
    info = json.loads((folder / "info").read_text("utf-8"))
    scale = info["scales"][0]
    assert info["type"] == "segmentation"
    assert (scale["encoding"], scale["size"], scale["resolution"]) == (
        "compressed_segmentation",
        [80, 90, 70],
        list(NM),
    )
    chunk = decode_chunk((folder / scale["key"] / "64-80_64-90_0-64").read_bytes(), (16, 26, 64))
    np.testing.assert_array_equal(chunk.transpose(2, 1, 0), labels[:64, 64:90, 64:80])
    image = json.loads((layers[0] / "image" / "info").read_text("utf-8"))
    raw = (layers[0] / "image" / image["scales"][0]["key"] / "0-64_0-64_64-70").read_bytes()
    values = np.frombuffer(raw, "<u2").reshape((64, 64, 6), order="F")
    np.testing.assert_array_equal(values.transpose(2, 1, 0), labels[64:, :64, :64] % 251)


def test_meshes_and_skeletons_beside_the_layer(layers, labels):
    folder = layers[0] / "segmentation"
    info = json.loads((folder / "info").read_text("utf-8"))
    manifest = json.loads((folder / info["mesh"] / f"{BIG}:0").read_text("utf-8"))
    data = (folder / info["mesh"] / manifest["fragments"][0]).read_bytes()
    n = struct.unpack_from("<I", data)[0]
    points, faces = np.frombuffer(data, "<f4", 3 * n, 4).reshape(-1, 3), np.frombuffer(data, "<u4", -1, 4 + 12 * n)
    check_surface(points, faces.reshape(-1, 3).astype(int), labels, BIG, NM)
    data = (folder / info["skeletons"] / "9").read_bytes()
    n, m = struct.unpack_from("<II", data)
    assert len(data) == 8 + 12 * n + 8 * m + 4 * n
    assert m == n - 1
    assert np.frombuffer(data, "<f4", 3 * n, 8).reshape(-1, 3)[:, 2] == pytest.approx(420)


def test_the_first_view_shows_what_is_there(layers):
    state = json.loads((layers[0] / "neuroglancer.json").read_text("utf-8"))
    assert [layer["type"] for layer in state["layers"]] == ["image", "segmentation"]
    assert state["layers"][1]["segments"] == ["7", "9", str(BIG)]
    assert state["dimensions"] == {"x": [1e-8, "m"], "y": [8e-9, "m"], "z": [4e-8, "m"]}


def test_smaller_scales_take_every_second_voxel_of_labels_and_means_of_the_image(tmp_path):
    tensorstore = pytest.importorskip("tensorstore")
    rng = np.random.default_rng(0)
    values = rng.integers(0, 200, (1, 300, 530), dtype=np.uint8)
    for name in ("labels", "image"):
        array = zarr.create_array(tmp_path / name, shape=values.shape, dtype="u1", chunks=(1, 99, 99))
        array[...] = values
        array.attrs["_"] = 0
    files = [VolumeFile(str(tmp_path / name), voxel_size=(1.0, 0.5, 0.5)) for name in ("labels", "image")]
    out = export_volume(Export(files[0], files[1], ("layer",)), tmp_path / "out", block=(1, 64, 128))

    def read(layer: str, level: int):
        spec = {"driver": "neuroglancer_precomputed", "kvstore": f"file://{out / layer}/", "scale_index": level}
        return tensorstore.open(spec, open=True).result()[..., 0].read().result().transpose(2, 1, 0)

    np.testing.assert_array_equal(read("segmentation", 0), values)
    np.testing.assert_array_equal(read("segmentation", 1), values[:, ::2, ::2])
    np.testing.assert_array_equal(
        read("image", 1), np.rint(values.reshape(1, 150, 2, 265, 2).mean((2, 4))).astype(np.uint8)
    )
    assert json.loads((out / "image" / "info").read_text("utf-8"))["scales"][1]["resolution"] == [
        1000.0,
        1000.0,
        1000.0,
    ]


def test_cloud_volume_reads_all_of_it(layers, labels):
    cloudvolume = pytest.importorskip("cloudvolume", reason="cloud-volume is not installed")
    volume = cloudvolume.CloudVolume(f"file://{layers[0] / 'segmentation'}", progress=False)
    np.testing.assert_array_equal(np.asarray(volume[:, :, :])[..., 0].transpose(2, 1, 0), labels)
    found = volume.mesh.get(7)
    mesh = found[7] if isinstance(found, dict) else found
    check_surface(mesh.vertices, mesh.faces.astype(int), labels, 7, NM)
    assert volume.skeleton.get(9).cable_length() == pytest.approx(730)
