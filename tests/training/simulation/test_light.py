"""Light does in the simulation what it does in the microscope."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from teasel.training.simulation.layouts import Layout
from teasel.training.simulation.shapes import Shape
from teasel.training.simulation.stained import Fluorescence
from teasel.training.simulation.unstained import BrightField, InterferenceContrast, PhaseContrast

ROUND = Layout(
    diameter_px=(36.0, 40.0), cover=(0.3, 0.4), clumping=(0.0, 0.0), shape=Shape(waviness=0.02), round_share=(0.0, 0.0)
)


def ring(inside, near, far):
    """Background between two distances from the cells."""
    distance = ndimage.distance_transform_edt(~inside)
    return (distance > near) & (distance <= far)


@pytest.mark.parametrize("seed", range(4))
def test_phase_contrast_is_dark_in_cells_with_a_bright_halo(seed):
    rng = np.random.default_rng(seed)
    anatomy = ROUND.draw(192, rng)
    light = PhaseContrast(negative=0.0, halo=(0.15, 0.2), debris=0.0)
    image = ndimage.gaussian_filter(light.render(anatomy, rng)[0], 1)
    inside = anatomy.labels > 0
    far = image[ring(inside, 25, 1000)].mean()
    assert image[ndimage.binary_erosion(inside, iterations=3)].mean() < far
    assert image[ring(inside, 2, 5)].mean() > far


def test_negative_phase_contrast_is_the_other_way_round():
    rng = np.random.default_rng(0)
    anatomy = ROUND.draw(192, rng)
    image = PhaseContrast(negative=1.0, halo=(0.15, 0.2), debris=0.0).render(anatomy, rng)[0]
    assert image[anatomy.labels > 0].mean() > image[ring(anatomy.labels > 0, 15, 1000)].mean()


def test_thick_round_cells_turn_bright():
    rng = np.random.default_rng(3)
    anatomy = replace(ROUND, round_share=(1.0, 1.0)).draw(192, rng)
    image = PhaseContrast(negative=0.0, debris=0.0).render(anatomy, rng)[0]
    assert image[anatomy.labels > 0].max() > 2 * np.median(image[anatomy.labels == 0])


def test_interference_contrast_lights_opposite_sides_differently():
    rng = np.random.default_rng(1)
    anatomy = ROUND.draw(192, rng)
    image = InterferenceContrast().render(anatomy, rng)[0]
    y, x = np.mgrid[:192, :192]
    middle = np.array(ndimage.center_of_mass(anatomy.labels > 0, anatomy.labels, range(1, anatomy.count + 1)))
    middle = np.vstack([[0, 0], middle])[anatomy.labels]  # (y, x, 2)
    rim = ndimage.binary_dilation(anatomy.rim > 0, iterations=3) & (anatomy.labels > 0)
    turn = np.arctan2((y - middle[..., 0])[rim], (x - middle[..., 1])[rim])
    wave = image[rim] - image[rim].mean()
    assert np.hypot((wave * np.cos(turn)).mean(), (wave * np.sin(turn)).mean()) > 0.15 * wave.std()


def test_bright_field_shows_fringes_of_the_sign_of_the_defocus():
    anatomy = ROUND.draw(192, np.random.default_rng(2))
    plain = BrightField(defocus=(1.0, 1.0), absorption=(0.0, 0.0), slope=0.0, dust=0.0)
    images = [replace(plain, beyond=b).render(anatomy, np.random.default_rng(2))[0] for b in (0.0, 1.0)]
    inside = anatomy.labels > 0
    edge = inside & ~ndimage.binary_erosion(inside, iterations=3)
    contrast = [image[edge].mean() - image[ring(inside, 0, 3)].mean() for image in images]
    assert contrast[0] * contrast[1] < 0


def test_membranes_shine_at_borders_and_nuclei_in_their_channel():
    rng = np.random.default_rng(5)
    anatomy = Layout(cover=(1.4, 1.5), round_share=(0.0, 0.0), without_nucleus=(0.0, 0.0)).draw(192, rng)
    cell, nucleus = Fluorescence(membrane=(0.95, 0.95), haze=(0.0, 0.0), ghosts=0.0).render(anatomy, rng)
    rim, middle = anatomy.rim > 0, anatomy.depth > 0.5
    assert cell[rim].mean() > 1.5 * cell[middle].mean()
    inside = anatomy.nuclear_depth > 0.2
    assert nucleus[inside].mean() > 2 * nucleus[(anatomy.labels > 0) & (anatomy.nuclear_depth == 0)].mean()


def test_layouts_follow_their_settings():
    covered = [
        (replace(ROUND, cover=(c, c)).draw(256, np.random.default_rng(0)).labels > 0).mean() for c in (0.1, 0.5, 1.5)
    ]
    assert covered[0] < 0.2 < covered[1] < 0.7 < covered[2]
    long = replace(ROUND, shape=Shape(elongation=(4.0, 4.0)), warp=(0.0, 0.0)).draw(256, np.random.default_rng(0))
    from skimage.measure import regionprops

    ratio = [
        p.axis_major_length / p.axis_minor_length
        for p in regionprops(long.labels)
        if min(p.bbox[:2]) > 0 and max(p.bbox[2:]) < 256
    ]
    assert 2.5 < np.median(ratio) < 5
