"""From an image to labels with a network: tiles on a fixed grid, affinities stored once, blocks that leave no trace."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from teasel.agglomeration import Agglomeration
from teasel.errors import DataError, ModelError, ParameterError
from teasel.inference.volume import segment_volume
from teasel.inference.volume.predicting import TILE, PredictJob, measure_range
from teasel.inference.volume.waves import Serial

SHAPE = (40, 60, 150)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch = pytest.importorskip("torch")
    from teasel.models.spec import ModelSpec
    from teasel.networks.anisotropic import Anisotropic
    from teasel.representations.affinity import Affinity
    from teasel.training.export import export_model

    representation = Affinity(method="connected", merge_threshold=0.55)
    heads = [{"name": h.name, "channels": h.channels, "stride": 1} for h in representation.heads(3)]
    params = {"in_channels": 1, "heads": heads, "widths": [4, 6], "steps": [[1, 2, 2], [2, 2, 2]], "blocks": 1}
    torch.manual_seed(0)
    spec = ModelSpec(
        "tiny", "Test.", representation, {"name": "anisotropic", "params": params},
        ndim=3, in_channels=1, divisor=4, halo_px=16,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("models") / "tiny"
    image = np.random.default_rng(0).random((1, 36, 36, 36)).astype(np.float32)
    network = Anisotropic(1, heads, widths=(4, 6)).eval()
    return export_model(folder, network, spec, test_image=image, card="# tiny\n\n## Validation\n\nNone.\n")


@pytest.fixture(scope="module")
def foreground_model(tmp_path_factory):
    torch = pytest.importorskip("torch")
    from teasel.models.spec import ModelSpec
    from teasel.networks.anisotropic import Anisotropic
    from teasel.representations.semantic import Semantic
    from teasel.training.export import export_model

    heads = [{"name": "foreground", "channels": 1, "stride": 1}]
    params = {"in_channels": 1, "heads": heads, "widths": [4, 6], "steps": [[1, 2, 2], [2, 2, 2]], "blocks": 1}
    torch.manual_seed(3)
    spec = ModelSpec(
        "blobs", "Test.", Semantic(foreground_threshold=0.63, min_area_px=5),
        {"name": "anisotropic", "params": params}, ndim=3, in_channels=1, divisor=4, halo_px=16,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("models") / "blobs"
    image = np.random.default_rng(0).random((1, 36, 36, 36)).astype(np.float32)
    network = Anisotropic(1, heads, widths=(4, 6)).eval()
    return export_model(folder, network, spec, test_image=image, card="# blobs\n\n## Validation\n\nNone.\n")


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    values = np.random.default_rng(1).integers(0, 255, SHAPE, dtype=np.uint8)
    path = tmp_path_factory.mktemp("image") / "volume.zarr"
    array = zarr.create_array(path, shape=SHAPE, dtype="u1", chunks=(16, 16, 16), dimension_names=["z", "y", "x"])
    array[...] = values
    return path


class StopAfter(Serial):
    """Runs so many tasks, then fails; remembers which."""

    def __init__(self, n, memory=1 << 30):
        super().__init__(memory)
        self.left, self.ran = n, []

    def run(self, task, job, keys, advance, *, batch=1):
        for key in keys:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            self.ran.append((task.__name__, key))
            task(job, key)
            advance(1)


def test_a_stopped_run_goes_on_and_blocks_leave_no_trace(model, image, tmp_path, hash_files):
    calls = []
    small = segment_volume(
        image, tmp_path / "a.ome.zarr", model, runner=Serial(1 << 30), progress=lambda *c: calls.append(c)
    )
    fractions = [done / total for done, total in calls]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    first = StopAfter(5)
    out = tmp_path / "other" / "a.ome.zarr"
    out.parent.mkdir()
    with pytest.raises(KeyboardInterrupt):
        segment_volume(image, out, model, runner=first)
    second = StopAfter(10**6, memory=8 << 30)
    segment_volume(image, out, model, runner=second)
    assert not set(first.ran) & set(second.ran)
    one, other = zarr.open_group(small, mode="r"), zarr.open_group(out, mode="r")
    np.testing.assert_array_equal(one["0"][...], other["0"][...])
    np.testing.assert_array_equal(one["agglomeration/supervoxels"][...], other["agglomeration/supervoxels"][...])
    details = dict(other.attrs)["teasel"]
    assert dict(details["recipe"]["origin"])["model"] == "tiny"
    assert details["threshold"] == 0.55


def test_tiles_give_what_the_network_gives_of_the_whole(model, image, tmp_path):
    from teasel.models import load_model

    runner = StopAfter(4)  # 2 x 1 x 2 tiles
    out = tmp_path / "a.ome.zarr"
    with pytest.raises(KeyboardInterrupt):
        segment_volume(image, out, model, runner=runner)
    assert [task for task, _ in runner.ran] == ["predict_tile"] * 4
    found = np.asarray(zarr.open_array(f"{out}.work/prediction.zarr", mode="r")[...])
    values = np.asarray(zarr.open_array(image, mode="r")[...], np.float32)
    job = PredictJob(str(model), str(image), None, None, None, 0, 1, str(tmp_path))
    low, high = measure_range(job, (1.0, 99.8))
    around = [(16, 16), (32, 32), (32, 34)]  # as tiles see the volume's end: mirrored
    padded = np.pad((values - low) / (high - low), around, mode="symmetric")
    expected = load_model(model).run(padded[None, None].astype(np.float32))["affinity"][0]
    expected = np.floor(expected[:, 16:56, 32:92, 32:182] * 255 + 0.5)
    assert found.shape == (12, *SHAPE)
    assert (np.abs(found.astype(int) - expected) <= 1).all()  # rounding at the last bit
    assert TILE[0] < SHAPE[0]
    assert TILE[2] < SHAPE[2]


def test_what_is_no_volume_or_no_model_of_volumes_is_refused(model, image, tmp_path):
    with pytest.raises(ModelError, match="block by block from affinities"):
        segment_volume(image, tmp_path / "a.ome.zarr", "nuclei")
    np.save(tmp_path / "flat.npy", np.zeros((20, 30, 40), np.uint8))
    with pytest.raises(DataError, match="every voxel looked at is 0"):
        segment_volume(tmp_path / "flat.npy", tmp_path / "a.ome.zarr", model, axes="zyx")
    np.save(tmp_path / "two.npy", np.zeros((2, 20, 30, 40), np.uint8))
    with pytest.raises(ParameterError, match="2 channels; choose one"):
        segment_volume(tmp_path / "two.npy", tmp_path / "a.ome.zarr", model, axes="czyx")
    with pytest.raises(ParameterError, match="no channel 5"):
        segment_volume(tmp_path / "two.npy", tmp_path / "a.ome.zarr", model, axes="czyx", channel=5)


def test_the_main_path_says_where_volumes_go(model):
    import teasel

    with pytest.raises(ParameterError, match="segment_volume"):
        teasel.segment(np.zeros((64, 64), np.uint8), str(model))


def test_a_foreground_gives_its_connected_pieces_whatever_the_blocks(foreground_model, image, tmp_path, hash_files):
    from scipy import ndimage

    outs = [
        segment_volume(image, tmp_path / f"{n}.ome.zarr", foreground_model, runner=Serial(n << 30), threshold=t)
        for n, t in ((1, None), (8, 0.63))
    ]
    assert hash_files(outs[0]) == hash_files(outs[1])
    stop = StopAfter(4)
    with pytest.raises(KeyboardInterrupt):
        segment_volume(image, tmp_path / "c.ome.zarr", foreground_model, runner=stop)
    boundaries = np.asarray(zarr.open_array(tmp_path / "c.ome.zarr.work/prediction.zarr", mode="r")[...])
    pieces, _ = ndimage.label(255 - boundaries >= np.ceil(0.63 * 255))
    sizes = np.bincount(pieces.ravel())
    kept = np.flatnonzero(sizes >= 5)[1:]
    assert len(kept) > 1000
    lookup = np.zeros(len(sizes), int)
    lookup[kept] = np.arange(1, len(kept) + 1)  # scipy numbers by first voxels, too
    np.testing.assert_array_equal(zarr.open_group(outs[0], mode="r")["0"][...], lookup[pieces])
    assert not (outs[0] / "agglomeration").exists()
    with pytest.raises(ParameterError, match="connected pieces are the objects; got the method Agglomeration"):
        segment_volume(image, tmp_path / "d.ome.zarr", foreground_model, method=Agglomeration())
