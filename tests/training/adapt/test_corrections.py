import numpy as np
import pytest
import tifffile

from teasel.errors import AxesError, DataError, InputNotFound, ParameterError, ShapeError
from teasel.training.adapt import Correction, read_corrections

IMAGE = np.zeros((1, 8, 12), np.uint16)


def labels():
    array = np.zeros((8, 12), np.uint16)
    array[1:4, 1:4] = 1
    array[1:4, 6:9] = 2
    array[5:8, 9:12] = 3
    return array


def mask(*boxes):
    array = np.zeros((8, 12), bool)
    for y, x in boxes:
        array[y, x] = True
    return array


def test_labels_alone_say_everything():
    known = Correction("a", IMAGE, labels()).known()
    assert np.array_equal(known, labels())


def test_outside_the_verified_region_nothing_is_said():
    said = mask((slice(0, 5), slice(0, 8)))
    known = Correction("a", IMAGE, labels(), verified=said).known()
    assert (known[labels() == 1] == 1).all()
    assert (known[labels() == 2] == 2).all()  # two thirds of it lie inside: it counts whole
    assert (known[labels() == 3] == -1).all()
    assert (known[said & (labels() == 0)] == 0).all()
    assert (known[~said & (labels() == 0)] == -1).all()


def test_scribbles_are_background_and_the_rest_is_open():
    scribble = mask((slice(6, 7), slice(0, 6)))
    known = Correction("a", IMAGE, labels(), background=scribble).known()
    assert (known[scribble] == 0).all()
    assert (known[labels() > 0] == labels()[labels() > 0]).all()
    assert (known[(labels() == 0) & ~scribble] == -1).all()


def test_decisions_about_predicted_objects():
    known = Correction("a", IMAGE, labels(), decisions={1: "accept", 2: "reject"}).known()
    assert (known[labels() == 1] == 1).all()
    assert (known[labels() == 2] == 0).all()
    assert (known[labels() == 3] == -1).all()
    assert (known[labels() == 0] == -1).all()


def test_a_rejected_object_is_background_in_a_verified_region_too():
    known = Correction("a", IMAGE, labels(), verified=np.ones((8, 12), bool), decisions={2: "reject"}).known()
    assert set(np.unique(known)) == {0, 1, 3}


def test_what_does_not_fit_is_said():
    with pytest.raises(ShapeError, match=r"verified has shape \(3, 3\)"):
        Correction("a", IMAGE, labels(), verified=np.ones((3, 3), bool))
    with pytest.raises(ShapeError, match="c from 1 to 3"):
        Correction("a", np.zeros((4, 8, 12)), labels())
    with pytest.raises(DataError, match=r"\[20.0, 3.0\] lies outside"):
        Correction("a", IMAGE, points=np.array([[20.0, 3.0]]))
    with pytest.raises(DataError, match="'maybe'; expected accept or reject"):
        Correction("a", IMAGE, labels(), decisions={1: "maybe"})
    with pytest.raises(DataError, match="object 9"):
        Correction("a", IMAGE, labels(), decisions={9: "accept"})
    with pytest.raises(DataError, match="need the predicted labels"):
        Correction("a", IMAGE, decisions={1: "accept"})


def folder_of(tmp_path, **parts):
    for part, files in parts.items():
        (tmp_path / part).mkdir()
        for name, content in files.items():
            path = tmp_path / part / name
            if isinstance(content, str):
                path.write_text(content, encoding="utf-8")
            else:
                tifffile.imwrite(path, content)
    return tmp_path


def test_a_folder_with_every_kind_of_statement(tmp_path):
    images = {f"{name}.tif": IMAGE[0] for name in "abcde"}
    folder = folder_of(
        tmp_path,
        images=images,
        labels={"a.tif": labels(), "b.labels.tif": labels()},
        verified={"b.tif": mask((slice(0, 5), slice(0, 5))).astype(np.uint8)},
        predicted={"c.tif": labels(), "e.tif": labels()},
        decisions={"c.csv": "label,decision\n1,accept\n2,Reject\n3,\n"},
        points={"d.csv": "y,x\n2,2.5\n6,10\n"},
    )
    a, b, c, d = read_corrections(folder)  # nobody looked at e: a prediction alone says nothing
    assert (a.name, b.name, c.name, d.name) == ("a", "b", "c", "d")
    assert a.is_dense
    assert b.verified.sum() == 25
    assert c.decisions == {1: "accept", 2: "reject"}
    assert d.points.tolist() == [[2, 2.5], [6, 10]]
    assert d.labels is None
    assert a.image.shape == (1, 8, 12)


def test_a_folder_without_statements_is_an_error(tmp_path):
    with pytest.raises(InputNotFound, match="images"):
        read_corrections(tmp_path)
    folder_of(tmp_path, images={"a.tif": IMAGE[0]}, predicted={"a.tif": labels()})
    with pytest.raises(DataError, match="nothing is said"):
        read_corrections(tmp_path)


def test_tables_without_their_columns(tmp_path):
    folder_of(tmp_path, images={"a.tif": IMAGE[0]}, points={"a.csv": "row,column\n1,2\n"})
    with pytest.raises(DataError, match="expected y, x"):
        read_corrections(tmp_path)


def test_channels_and_stacks(tmp_path):
    two = np.stack([IMAGE[0], IMAGE[0] + 7])
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(tmp_path / "labels/a.tif", labels())
    tifffile.imwrite(tmp_path / "images/a.tif", two, imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(ParameterError, match="2 channels"):
        read_corrections(tmp_path)
    (one,) = read_corrections(tmp_path, channels=[1])
    assert (one.image == 7).all()
    with pytest.raises(ParameterError, match="no channel '5'"):
        read_corrections(tmp_path, channels=["5"])
    tifffile.imwrite(tmp_path / "images/a.tif", two, imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(AxesError, match="single planes"):
        read_corrections(tmp_path)


def test_around_an_image_nothing_is_said():
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 99, (1, 20, 30))
    verified = np.zeros((6, 6), bool)
    verified[:3] = True
    plain = np.zeros((6, 6), np.int32)
    plain[1:3, 1:3] = 5
    for more in ({}, {"verified": verified}, {"points": np.array([[4.0, 2.0]])}, {"background": verified}):
        small = Correction("a", whole[:, 10:16, 4:10], plain, source="slide", **more)
        large = small.within(whole, (10, 4))
        known = large.known()
        assert np.array_equal(known[10:16, 4:10], small.known())
        assert (np.delete(known, range(10, 16), 0) == -1).all()
        assert (np.delete(known, range(4, 10), 1) == -1).all()
        assert np.array_equal(large.points, small.points + np.array([10, 4]))
        assert large.source == "slide"


def test_surroundings_that_show_something_else_are_an_error():
    whole = np.random.default_rng(0).integers(0, 99, (1, 20, 30))
    with pytest.raises(DataError, match="do not show it at y 9, x 4"):
        Correction("a", whole[:, 10:16, 4:10], np.ones((6, 6), np.int32)).within(whole, (9, 4))
