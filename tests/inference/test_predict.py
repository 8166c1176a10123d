from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from teasel.errors import Cancelled, ParameterError
from teasel.inference import predict
from teasel.inference.predict import spans
from tests.oracle import oracle
from tests.synthetic import discs


@given(cells=st.integers(1, 60), tile=st.integers(3, 20), halo=st.integers(0, 4))
def test_spans_cover_an_axis_once_and_keep_away_from_inner_edges(cells, tile, halo):
    length, tile, halo = 16 * cells, 16 * (tile + 2 * halo), 16 * halo
    found = spans(length, tile, halo, 16)
    assert found[0][1] == 0
    assert found[-1][2] == length
    for (_, _, last), (_, first, _) in pairwise(found):
        assert last == first
    for start, first, last in found:
        assert start % 16 == first % 16 == last % 16 == 0
        assert 0 <= start <= first < last <= min(start + tile, length)
        assert first == 0 or first - start >= halo
        assert last == length or start + tile - last >= halo


def image_of_discs(shape=(300, 410)):
    labels = discs(shape, 30, 9, seed=1)
    return (labels > 0).astype(np.float32)[None]


def test_fields_do_not_depend_on_tiles():
    model = oracle()
    image = image_of_discs()
    whole = predict(model, image, tile_px=1024)
    tiled = predict(model, image, tile_px=160)
    for name in ("foreground", "boundary", "centre"):
        np.testing.assert_allclose(tiled[name], whole[name], err_msg=name)
    assert whole["rays"].shape == (32, 75, 103)


def test_progress_reaches_the_end_and_can_stop_the_work():
    seen = []
    predict(oracle(), image_of_discs(), tile_px=160, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] > 1

    def stop(done, total):
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        predict(oracle(), image_of_discs(), tile_px=160, progress=stop)


def test_a_tile_that_is_all_halo_is_refused():
    with pytest.raises(ParameterError, match="more than 96"):
        predict(oracle(), image_of_discs(), tile_px=96)
