import numpy as np
import pytest

from teasel.training.adapt.restyle import restyled
from teasel.training.adapt.target import Target, View
from tests.synthetic import discs, render
from tests.training.test_crops import item


def target(dark):
    labels = discs((128, 128), 8, 8, 3)
    image = render(labels, 3)[None].astype(np.float32)
    image = image.max() - image if dark else image
    view = View("a", image, labels.astype(np.uint32), np.ones(8, np.float32), (labels > 0).astype(np.float32), 1.0)
    return Target([view], 0.8, [], [image], 16.0, 0.2, 0.0, 0.01, 1.0)


@pytest.mark.parametrize("dark", [False, True])
def test_objects_of_restyled_scenes_are_as_dark_or_bright_as_those_of_the_images(dark):
    scene = item(0)
    before = scene.image.copy()
    (lesson,) = restyled([scene], target(dark), seed=0)
    inside = lesson.labels > 0
    assert bool(lesson.image[0][inside].mean() < lesson.image[0][~inside].mean()) is dark
    assert np.array_equal(scene.image, before)
