"""Cellpose's outlines and its _seg.npy, judged by Cellpose where it is installed and by its documented layout."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from teasel.errors import DataError, FormatError
from teasel.labels import keep_largest, read_labels, relabel, trace_borders, write_labels
from tests.labels.formats.test_contract import simple
from tests.synthetic import discs, touching

LABELS = {
    "touching": relabel(keep_largest(touching((90, 100), 3)))[0],
    "discs": discs((80, 90), 9, 7, 0),
    "simple": simple(),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_outlines_hold_the_border_pixels(tmp_path, labels):
    write_labels(tmp_path / "a_cp_outlines.txt", labels)
    lines = (tmp_path / "a_cp_outlines.txt").read_text().splitlines()
    assert len(lines) == labels.max()
    padded = np.pad(labels, 1)
    for label, line in enumerate(lines, 1):
        border = np.array(line.split(","), int).reshape(-1, 2)[:, ::-1]
        own = padded == label
        inner = own[1:-1, 1:-1] & own[:-2, 1:-1] & own[2:, 1:-1] & own[1:-1, :-2] & own[1:-1, 2:]
        expected = {tuple(at) for at in np.argwhere((labels == label) & ~inner).tolist()}
        assert {tuple(at) for at in border.tolist()} == expected
        steps = np.abs(np.diff(border, axis=0, append=border[:1]))
        assert steps.max(initial=0) <= 1
    np.testing.assert_array_equal(read_labels(tmp_path / "a_cp_outlines.txt", shape=labels.shape), labels)


def test_pixels_that_meet_at_a_corner_are_one_piece():
    labels = np.zeros((6, 7), int)
    labels[1, 1] = labels[2, 2] = labels[3, 1] = labels[2, 3] = 5
    assert {tuple(at) for at in trace_borders(labels)[5].tolist()} == {(1, 1), (2, 2), (3, 1), (2, 3)}
    labels[5, 6] = 5
    assert trace_borders(labels)[5] is None
    ring = np.ones((3, 3), int)
    ring[1, 1] = 0
    assert trace_borders(ring)[1] is None


def test_what_outlines_cannot_say_is_an_error(tmp_path):
    ring = np.ones((5, 5), int)
    ring[2, 2] = 0
    with pytest.raises(DataError, match=r"holes or several pieces.*\.zip"):
        write_labels(tmp_path / "a_cp_outlines.txt", ring)
    with pytest.raises(DataError, match="renumber"):
        write_labels(tmp_path / "a_cp_outlines.txt", [[0, 3]])
    assert not list(tmp_path.iterdir())


def test_outlines_of_other_programs(tmp_path):
    path = tmp_path / "a_cp_outlines.txt"
    path.write_text("1,1,4,1,4,3,1,3\n\n0.0,5.0\n")
    expected = np.zeros((6, 6), int)
    expected[1:4, 1:5] = 1
    expected[5, 0] = 3  # the second line is empty: Cellpose leaves out its smallest objects
    np.testing.assert_array_equal(read_labels(path, shape=(6, 6)), expected)
    np.testing.assert_array_equal(read_labels(path, shape=(3, 3)), expected[:3, :3])
    for wrong in ("1,2,3", "1,x", "nan,1"):
        path.write_text(f"{wrong}\n")
        with pytest.raises(FormatError, match="line 1"):
            read_labels(path, shape=(6, 6))
    with pytest.raises(FormatError, match="height and width"):
        read_labels(path)


def save_seg(path: Path, masks: np.ndarray, **more: object) -> None:
    content = {
        "outlines": masks.astype(np.uint16),
        "masks": masks,
        "chan_choose": [0, 0],
        "ismanual": np.zeros(int(masks.max(initial=0)), bool),
        "filename": "image.tif",
        "flows": [np.zeros((1, *masks.shape, 3), np.uint8), []],
        "diameter": np.float32(30.0),
        **more,
    }
    np.save(path, content)


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_seg_is_read(tmp_path, labels):
    save_seg(tmp_path / "a_seg.npy", labels.astype(np.uint16), filename=tmp_path)
    np.testing.assert_array_equal(read_labels(tmp_path / "a_seg.npy"), labels)


@pytest.mark.parametrize("shape", [(5, 6), (2, 5, 6), (300, 300)], ids=["empty", "stack", "many"])
def test_seg_of_any_kind(tmp_path, shape):
    masks = np.zeros(shape, np.uint32)
    if shape == (300, 300):
        masks[:] = np.arange(1, 90001).reshape(shape)
    save_seg(tmp_path / "a_seg.npy", masks)
    np.testing.assert_array_equal(read_labels(tmp_path / "a_seg.npy"), masks)


class Mischief:
    def __reduce__(self):
        return (Path.touch, (Path("was-run"),))


def test_seg_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_seg(tmp_path / "a_seg.npy", np.ones((2, 2), np.uint16), flows=Mischief())
    with pytest.raises(FormatError, match="not opened"):
        read_labels(tmp_path / "a_seg.npy")
    assert not Path("was-run").exists()
    np.load("a_seg.npy", allow_pickle=True)
    assert Path("was-run").exists()  # it would have


def test_seg_without_masks(tmp_path):
    np.save(tmp_path / "a_seg.npy", {"outlines": 1})
    with pytest.raises(FormatError, match="masks"):
        read_labels(tmp_path / "a_seg.npy")
    np.save(tmp_path / "a_seg.npy", np.ones(3))
    with pytest.raises(FormatError, match="float64"):
        read_labels(tmp_path / "a_seg.npy")
    with pytest.raises(FormatError, match="only read"):
        write_labels(tmp_path / "b_seg.npy", [[1]])
    (tmp_path / "a_seg.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + pickle.dumps({}))
    with pytest.raises(FormatError, match="cannot be read"):
        read_labels(tmp_path / "a_seg.npy")


@pytest.mark.parametrize("labels", [LABELS["touching"], LABELS["discs"]], ids=["touching", "discs"])
def test_as_cellpose_itself_writes(tmp_path, labels):
    io = pytest.importorskip("cellpose.io", reason="needs Cellpose 3 or older, as a judge")
    outlines = pytest.importorskip("cellpose.utils").outlines_list(labels)
    io.outlines_to_text(str(tmp_path / "a"), outlines)
    left_out = [label for label, outline in enumerate(outlines, 1) if not len(outline)]  # up to four border pixels
    kept = np.where(np.isin(labels, left_out), 0, labels)
    np.testing.assert_array_equal(read_labels(tmp_path / "a_cp_outlines.txt", shape=labels.shape), kept)
    for (label, mine), theirs in zip(trace_borders(labels).items(), outlines, strict=True):
        if label not in left_out:
            assert {tuple(at) for at in mine[:, ::-1].tolist()} == {tuple(at) for at in theirs.tolist()}
    flows = [np.zeros((*labels.shape, 3), np.uint8), np.zeros((2, *labels.shape)), np.zeros(labels.shape)]
    io.masks_flows_to_seg(flows[0], labels, flows, str(tmp_path / "c.tif"))
    np.testing.assert_array_equal(read_labels(tmp_path / "c_seg.npy"), labels)
