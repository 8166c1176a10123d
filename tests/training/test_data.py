import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from teasel.errors import AxesError, DataError, InputNotFound, ShapeError
from teasel.training.data import find_pairs, median_diameter, read_items


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(array).save(path)


IMAGE = np.random.default_rng(0).integers(0, 255, (30, 40)).astype(np.uint8)
LABELS = np.zeros((30, 40), np.uint8)
LABELS[5:15, 5:15] = 3


def test_folders_of_images_and_labels(tmp_path):
    for name in "abc":
        write(tmp_path / f"images/{name}.png", IMAGE)
        write(tmp_path / f"labels/{name}.png", LABELS)
    write(tmp_path / "images/lonely.png", IMAGE)
    (tmp_path / "split.csv").write_text("id,split\na,train\nb,val\nc,train\n")
    assert [(p.image.stem, p.split) for p in find_pairs(tmp_path)] == [("a", "train"), ("b", "val"), ("c", "train")]


@pytest.mark.parametrize("ending", ["_labels", ".labels", "_masks", "_cp_masks", "-mask", "_seg"])
def test_images_beside_their_labels(tmp_path, ending):
    write(tmp_path / "cell one.png", IMAGE)
    write(tmp_path / f"cell one{ending}.png", LABELS)
    (pair,) = find_pairs(tmp_path)
    assert (pair.image.name, pair.labels.stem) == ("cell one.png", f"cell one{ending}")


def test_the_split_by_name_is_stable_and_holds_out_a_tenth(tmp_path):
    for i in range(200):
        write(tmp_path / f"images/{i}.png", IMAGE[:2, :2])
        write(tmp_path / f"labels/{i}.png", LABELS[:2, :2])
    first = [p.split for p in find_pairs(tmp_path)]
    assert first == [p.split for p in find_pairs(tmp_path)]
    assert 10 <= first.count("val") <= 30


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(InputNotFound, match="nowhere"):
        find_pairs(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"a_labels\.tif"):
        find_pairs(tmp_path)


def test_items_are_normalised_and_measured(tmp_path):
    write(tmp_path / "a.png", IMAGE)
    write(tmp_path / "a_labels.png", LABELS)
    write(tmp_path / "b.png", np.stack([IMAGE, IMAGE, 255 - IMAGE], -1))
    write(tmp_path / "c.png", np.stack([IMAGE] * 3, -1))
    write(tmp_path / "c_labels.png", LABELS)
    write(tmp_path / "b_labels.png", LABELS)
    grey, colour, saved_in_colour = read_items(find_pairs(tmp_path), "set")
    assert (grey.name, grey.image.shape, colour.image.shape) == ("set/a", (1, 30, 40), (3, 30, 40))
    assert saved_in_colour.image.shape == (1, 30, 40)
    assert np.percentile(grey.image, (1, 99.8)) == pytest.approx([0, 1], abs=1e-6)
    assert grey.diameter_px == pytest.approx(2 * np.sqrt(100 / np.pi))


def test_sizes_that_differ_are_an_error(tmp_path):
    write(tmp_path / "a.png", IMAGE)
    write(tmp_path / "a_labels.png", LABELS[:20])
    with pytest.raises(ShapeError, match=r"a\.png has \(30, 40\) pixels, .*a_labels\.png has \(20, 40\)"):
        list(read_items(find_pairs(tmp_path), "set"))


def test_no_objects_have_no_diameter():
    assert np.isnan(median_diameter(np.zeros((5, 5), np.int32)))
    assert median_diameter(np.ones((6, 6, 6), np.int32)) == pytest.approx((6 * 216 / np.pi) ** (1 / 3))


def two_channels(path, axes_named, last=False):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.stack([IMAGE, 7 * (LABELS > 0).astype(np.uint8) + IMAGE % 3])
    named = {"imagej": True, "metadata": {"axes": "CYX"}} if axes_named else {"photometric": "minisblack"}
    tifffile.imwrite(path, np.moveaxis(pixels, 0, -1) if last else pixels, **named)


@pytest.mark.parametrize(("axes_named", "last"), [(True, False), (False, False), (False, True)])
def test_channels_with_roles_are_read_in_order_and_normalised_apart(tmp_path, axes_named, last):
    two_channels(tmp_path / "a.tif", axes_named, last)
    write(tmp_path / "a_labels.png", LABELS)
    (item,) = read_items(find_pairs(tmp_path), "set", roles=("cell", "nucleus", "cell"))
    assert item.image.shape == (2, 30, 40)
    np.testing.assert_allclose(np.percentile(item.image, (1, 99.8), axis=(1, 2)), [[0, 0], [1, 1]], atol=1e-5)
    assert item.image[1][LABELS > 0].mean() > 2 * item.image[1][LABELS == 0].mean()
    if not axes_named:
        with pytest.raises(AxesError, match="--axes"):
            list(read_items(find_pairs(tmp_path), "set"))


def test_an_image_may_show_the_first_role_alone_but_no_more_than_there_are(tmp_path):
    write(tmp_path / "a.png", IMAGE)
    write(tmp_path / "a_labels.png", LABELS)
    (item,) = read_items(find_pairs(tmp_path), "set", roles=("cell", "nucleus"))
    assert item.image.shape == (1, 30, 40)
    write(tmp_path / "a.png", np.stack([IMAGE, IMAGE, 255 - IMAGE], -1))
    with pytest.raises(ShapeError, match="3 channels, the roles are cell, nucleus"):
        list(read_items(find_pairs(tmp_path), "set", roles=("cell", "nucleus")))
