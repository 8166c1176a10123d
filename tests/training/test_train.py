import json
from dataclasses import replace

import numpy as np
import tifffile

from teasel import load_model, segment
from teasel.training import train
from tests.synthetic import discs, render
from tests.training.test_loop import TINY


def test_folders_become_a_model_that_segments(tmp_path):
    for i in range(6):
        labels = discs((96, 96), 6, 10, seed=i)
        for part, array in (("images", (1000 * render(labels, i)).clip(0).astype(np.uint16)), ("labels", labels)):
            (tmp_path / "data" / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(tmp_path / "data" / part / f"{i}.tif", array.astype(np.uint16))
    rows = "\n".join(f"{i},{'val' if i > 3 else 'train'}" for i in range(6))
    (tmp_path / "data" / "split.csv").write_text(f"id,split\n{rows}\n")
    config = replace(TINY, widths=(8, 12, 16), blocks=(1, 1, 1), steps=60, validate_every=30, learning_rate=5e-3)

    folder = train(config, [tmp_path / "data"], tmp_path / "discs")

    model = load_model(folder)
    assert model.spec.training["sets"] == {"data": {"training_images": 4, "validation_images": 2}}
    assert model.spec.scores["data"]["images"] == 2
    card = (folder / "README.md").read_text()
    assert "60 steps" in card
    assert "| data | 4 | 2 |" in card
    assert len(json.loads((tmp_path / "discs/history.json").read_text())) == 2
    assert (tmp_path / "discs/curves.png").read_bytes()[:4] == b"\x89PNG"
    found = segment(tmp_path / "data/images/5.tif", folder)
    assert found.labels.shape == (96, 96)
    assert found.labels.max() > 0


def test_a_model_that_predicts_no_sizes_is_scored_with_them_given(tmp_path, capfd):
    for i in range(3):
        labels = discs((96, 96), 6, 10, seed=i)
        for part, array in (("images", (1000 * render(labels, i)).clip(0)), ("labels", labels)):
            (tmp_path / "data" / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(tmp_path / "data" / part / f"{i}.tif", array.astype(np.uint16))
    (tmp_path / "data" / "split.csv").write_text("id,split\n0,train\n1,train\n2,val\n")
    config = replace(
        TINY, representation="semantic", widths=(8, 12, 16), blocks=(1, 1, 1), steps=40, learning_rate=5e-3
    )

    folder = train(config, [tmp_path / "data"], tmp_path / "discs")

    assert load_model(folder).spec.scores["data"]["images"] == 1
    assert "the median diameter of each given" in (folder / "README.md").read_text()
    assert "initializer" not in "".join(capfd.readouterr())


def test_images_of_a_cell_and_its_nucleus_train_a_model_that_takes_both_or_one(tmp_path):
    for i in range(3):
        labels = discs((96, 96), 6, 10, seed=i)
        inner = np.where(render(labels, i) > 0.8, labels, 0)
        image = np.stack([1000 * render(labels, i), 500 * render(inner, i + 9)]).clip(0).astype(np.uint16)
        for part, array in (("images", image), ("labels", labels.astype(np.uint16))):
            (tmp_path / "data" / part).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(tmp_path / "data" / part / f"{i}.tif", array, photometric="minisblack")
    (tmp_path / "data" / "split.csv").write_text("id,split\n0,train\n1,train\n2,val\n")
    config = replace(
        TINY, roles=("cell", "nucleus", "cell"), in_channels=3, widths=(8, 12, 16), blocks=(1, 1, 1), steps=60
    )

    folder = train(replace(config, learning_rate=5e-3), [tmp_path / "data"], tmp_path / "discs")

    assert load_model(folder).spec.roles == ("cell", "nucleus", "cell")
    path = tmp_path / "data/images/2.tif"
    both = segment(path, folder, axes="cyx", cell=0, nucleus=1, diameter_px=20)
    assert both.nuclei is not None
    assert segment(path, folder, axes="cyx", cell=0, diameter_px=20).nuclei is None
