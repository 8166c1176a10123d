from dataclasses import replace

import numpy as np
import pytest

from teasel.errors import ParameterError
from teasel.images import open_image
from teasel.inference.channels import choose_channels
from tests.oracle import oracle

ONE = oracle().spec
TWO = replace(ONE, name="cells", roles=("cell", "nucleus", "cell"))
NAMED = replace(open_image(np.zeros((3, 8, 9), np.uint8), axes="cyx"), channel_names=("CD45", "DAPI", "Ki67"))
GREY = open_image(np.zeros((8, 9), np.uint8))


def colour(red, green, blue):
    return open_image(np.stack([red, green, blue], -1).astype(np.uint8))


RAMP = np.add.outer(np.arange(8), np.arange(9))


def test_channels_are_chosen_by_name_and_by_number():
    assert choose_channels(NAMED, TWO, None, {"cell": "CD45", "nucleus": "DAPI"})[0] == (0, 1)
    assert choose_channels(NAMED, TWO, None, {"cell": 2, "nucleus": "1"})[0] == (2, 1)
    assert choose_channels(NAMED, TWO, "Ki67", {"nucleus": 0})[0] == (2, 0)
    assert choose_channels(NAMED, TWO, None, {"cell": 1, "nucleus": None})[0] == (1,)
    assert choose_channels(NAMED, ONE, "DAPI")[0] == (1,)


def test_a_single_channel_is_no_choice():
    assert choose_channels(GREY, TWO) == ((), ())
    assert choose_channels(GREY, TWO, None, {"cell": "0"}) == ((), ())


def test_nothing_is_guessed():
    with pytest.raises(ParameterError, match=r"0 \(CD45\), 1 \(DAPI\), 2 \(Ki67\); choose with --cell .*--nucleus"):
        choose_channels(NAMED, TWO)
    with pytest.raises(ParameterError, match="choose with --cell"):
        choose_channels(NAMED, TWO, None, {"nucleus": "DAPI"})
    with pytest.raises(ParameterError, match="choose with --cell"):
        choose_channels(colour(RAMP, RAMP[::-1], RAMP * 2), TWO)


def test_a_picture_without_colours_needs_no_choice_and_says_so():
    channels, notes = choose_channels(colour(RAMP, RAMP, RAMP), TWO)
    assert channels == (0,)
    assert "grey" in notes[0]
    channels, notes = choose_channels(colour(RAMP * 0, RAMP, RAMP * 0), TWO)
    assert channels == (1,)
    assert "green" in notes[0]


@pytest.mark.parametrize(
    ("image", "spec", "channel", "asked", "message"),
    [
        (NAMED, TWO, None, {"cell": "CD8"}, r"no channel 'CD8'; the image has 0 \(CD45\)"),
        (NAMED, TWO, None, {"cell": 0, "nucleus": 3}, "no channel 3"),
        (NAMED, TWO, None, {"cell": 1, "nucleus": "DAPI"}, "both channel 1"),
        (NAMED, TWO, 0, {"cell": 0}, "--channel and --cell are the same"),
        (NAMED, ONE, None, {"cell": 0}, "model 'oracle' looks at one channel"),
        (GREY, TWO, None, {"nucleus": 0}, "as nucleus; the image has one channel"),
        (GREY, TWO, None, {"cell": "DAPI"}, "as cell; the image has one channel"),
        (GREY, ONE, 2, {}, "channel 2 asked for"),
        (NAMED, replace(TWO, roles=("a", "b", "a")), None, {"cell": 0}, "has no 'cell'; it tells apart a, b"),
    ],
)
def test_what_cannot_be_is_said(image, spec, channel, asked, message):
    with pytest.raises(ParameterError, match=message):
        choose_channels(image, spec, channel, asked)
