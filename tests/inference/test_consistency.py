import numpy as np
import pytest

from teasel.inference.consistency import VIEWS, Seen, consistency, look
from teasel.models import load_model
from teasel.training.data import normalise
from teasel.training.simulation.nuclei_scenes import simulate_nuclei


@pytest.mark.parametrize("name", ["turned", "brighter", "noisy"])
def test_labels_come_back_to_where_they_were(name):
    labels = np.arange(48 * 64, dtype=np.uint32).reshape(48, 64)
    view = VIEWS[name]
    changed = view.change(labels[None].astype(np.float32))
    if name == "turned":
        assert np.array_equal(view.undo(changed[0].astype(np.uint32), (48, 64)), labels)
    assert view.undo(np.zeros(changed.shape[1:], np.uint32), (48, 64)).shape == (48, 64)


@pytest.mark.parametrize("name", ["smaller", "larger"])
def test_scaled_labels_are_nearly_the_same(name):
    labels = np.zeros((60, 80), np.uint32)
    labels[10:40, 20:50] = 3
    view = VIEWS[name]
    changed = view.change(labels[None].astype(np.float32))
    assert changed.shape[1:] != (60, 80)
    back = view.undo(np.where(changed[0] > 1.5, 3, 0).astype(np.uint32), (60, 80))
    assert ((back == 3) == (labels == 3)).mean() > 0.97


def test_what_a_model_finds_in_a_clear_image_hardly_depends_on_the_view():
    model = load_model("nuclei-fast", threads=1)
    image, truth = simulate_nuclei("culture", size_px=160, seed=2)
    piece = normalise(image)
    seen = look(model, piece)
    assert isinstance(seen, Seen)
    assert len(seen.scores) == seen.labels.max() == pytest.approx(truth.max(), abs=2)
    before = piece.copy()
    found = consistency(model, piece, seen.labels)
    assert set(found) == set(VIEWS)
    assert min(found.values()) > 0.7
    assert np.array_equal(piece, before)
    rough = consistency(model, piece, np.zeros_like(seen.labels), ["turned"])
    assert rough == {"turned": 0.0}
