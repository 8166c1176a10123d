"""StarDist's polygons: its geometry, judged by StarDist where it is installed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from teasel.errors import DataError, FormatError, ShapeError
from teasel.labels import keep_largest, read_labels, relabel, write_labels
from teasel.labels.formats import stardist
from tests.synthetic import discs, random_labels, touching

LABELS = {"touching": relabel(keep_largest(touching((90, 100), 3)))[0], "discs": discs((80, 90), 9, 9, 0)}


def reference_distances(labels: np.ndarray, point: np.ndarray, n_rays: int) -> np.ndarray:
    """One step after another along each ray."""
    found = []
    for angle in 2 * np.pi * np.arange(n_rays) / n_rays:
        direction = np.array([np.sin(angle), np.cos(angle)])
        step = 0
        inside = True
        while inside:
            step += 1
            at = np.rint(point + step * direction).astype(int)
            within = (at >= 0).all() and (at < labels.shape).all()
            inside = within and labels[tuple(at)] == labels[tuple(point)]
        found.append(step - (1 - 0.5 / np.abs(direction).max()))
    return np.array(found)


@pytest.mark.parametrize("n_rays", [3, 32])
def test_rays_end_at_the_border(n_rays):
    labels = random_labels((40, 50), 8, 2)
    found = stardist.polygons(labels, n_rays=n_rays)
    np.testing.assert_array_equal(found["labels"], np.unique(labels)[1:])
    for label, point, coord in zip(found["labels"], found["points"], found["coord"], strict=True):
        assert labels[tuple(point)] == label
        length = np.hypot(*(coord - point[:, None]))
        np.testing.assert_allclose(length, reference_distances(labels, point, n_rays), atol=1e-4)


@pytest.mark.parametrize("suffix", [".stardist.npz", ".stardist.json"])
@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_round_trip_is_close(tmp_path, labels, suffix):
    scores = np.linspace(0.1, 1, int(labels.max()))
    write_labels(tmp_path / f"a{suffix}", labels, scores=scores)
    back = read_labels(tmp_path / f"a{suffix}")
    assert back.shape == labels.shape
    for label in range(1, int(labels.max()) + 1):
        mine, theirs = labels == label, back == label
        assert (mine & theirs).sum() / (mine | theirs).sum() > (0.75 if mine.sum() > 20 else 0.3)
    assert (back == labels).mean() > 0.97
    first = (tmp_path / f"a{suffix}").read_bytes()
    write_labels(tmp_path / f"a{suffix}", labels, scores=scores)
    assert (tmp_path / f"a{suffix}").read_bytes() == first


def test_the_higher_score_wins():
    square = np.array([[0, 0, 4, 4], [0, 4, 4, 0]], float)
    content = {"coord": np.stack([square, square + 2]), "prob": [0.9, 0.5]}
    drawn = stardist.draw(content, (8, 8))
    assert drawn[3, 3] == 1
    assert drawn[6, 6] == 2
    assert stardist.draw(content | {"prob": [0.5, 0.9]}, (8, 8))[3, 3] == 2
    np.testing.assert_array_equal(np.unique(stardist.draw(content | {"labels": [7, 300]}, (8, 8))), [0, 7, 300])


def test_details_of_stardist_itself(tmp_path):
    """``details`` has coord, points and prob only: the shape must be given, and objects are 1 .. n."""
    found = stardist.polygons(LABELS["discs"])
    content = {key: found[key] for key in ("coord", "points", "prob")}
    np.savez(tmp_path / "a.stardist.npz", **content)
    with pytest.raises(FormatError, match="height and width"):
        read_labels(tmp_path / "a.stardist.npz")
    assert read_labels(tmp_path / "a.stardist.npz", shape=LABELS["discs"].shape).max() == LABELS["discs"].max()
    polyhedra = {"dist": [[1.0]], "coord": [[[1.0]], [[2.0]]], "shape": [3, 3]}
    (tmp_path / "b.stardist.json").write_text(json.dumps(polyhedra))
    with pytest.raises(FormatError, match="polyhedra"):
        read_labels(tmp_path / "b.stardist.json")
    with pytest.raises(DataError, match="2 scores for 9"):
        write_labels(tmp_path / "c.stardist.npz", LABELS["discs"], scores=[1, 2])
    with pytest.raises(ShapeError, match="planes"):
        stardist.polygons(np.ones((2, 2, 2), int))


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_as_stardist_itself_draws_and_measures(tmp_path, labels):
    geometry = pytest.importorskip("stardist.geometry", reason="needs StarDist, as a judge")
    write_labels(tmp_path / "a.stardist.npz", labels, scores=np.linspace(1, 0.1, int(labels.max())))
    stored = np.load(tmp_path / "a.stardist.npz")
    points, coord = stored["points"], stored["coord"]
    dist = geometry.star_dist(labels, 32)[points[:, 0], points[:, 1]]
    np.testing.assert_allclose(geometry.dist_to_coord(dist, points), coord, atol=1e-3)
    drawn = geometry.polygons_to_label(dist, points, labels.shape, prob=stored["prob"])
    assert (drawn != read_labels(tmp_path / "a.stardist.npz")).mean() < 2e-3  # corners rounded to float32 otherwise
    order = np.argsort(stored["prob"], kind="stable")
    exact = geometry.polygons_to_label_coord(coord[order], labels.shape, order)
    np.testing.assert_array_equal(exact, read_labels(tmp_path / "a.stardist.npz"))
