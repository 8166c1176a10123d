import numpy as np
import pytest

from teasel.labels import read_labels
from teasel.labels.metrics.matching import average_precision
from teasel.representations import build


@pytest.mark.slow
def test_real_nuclei_are_polyhedra(shared_data):
    """What stars can do at best on nuclei of an ovule: encoded without error and read back."""
    labels = read_labels(shared_data / "gonuclear_ovule_nuclei/labels/1135.tif").astype(np.int32)
    spacing = (0.2837, 0.1268, 0.1268)
    star = build("star", {})
    fields = {name: np.nan_to_num(field) for name, field in star.encode(labels, spacing).items()}
    found = star.decode(fields, spacing).labels
    assert average_precision([labels], [found], [0.5])[0] > 0.95
