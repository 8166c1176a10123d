"""What every decoder does, whoever wrote it."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders import build_decoder, decoders
from teasel.spatial.simulation.codes import random_codebook, simulate_vectors

BOOK = random_codebook(30, 30)
NAMES = sorted(decoders())


@pytest.fixture(scope="module")
def easy():
    return simulate_vectors(BOOK, 3000, junk=0.1, noise=0.08, dropout=0.0, seed=1)


@pytest.mark.parametrize("name", NAMES)
def test_easy_vectors_are_read_right(name, easy):
    vectors, truth = easy
    decoder = build_decoder(name)
    found = decoder.decode(vectors, BOOK, decoder.fit(vectors, BOOK))
    real = truth >= 0
    assert (found.word[real] == truth[real]).mean() > 0.97
    assert found.score[found.word >= 0].min() >= 0
    assert found.score.max() <= 1
    # what is no molecule is trusted less
    assert np.median(found.score[real]) > np.median(found.score[~real]) + 0.05


@pytest.mark.parametrize("name", NAMES)
def test_same_input_same_output_and_input_unchanged(name, easy):
    vectors = easy[0].copy()
    decoder = build_decoder(name)
    first = decoder.decode(vectors, BOOK, decoder.fit(vectors, BOOK))
    second = decoder.decode(vectors, BOOK, decoder.fit(vectors, BOOK))
    assert np.array_equal(vectors, easy[0])
    assert np.array_equal(first.word, second.word)
    assert np.array_equal(first.score, second.score)


@pytest.mark.parametrize("name", NAMES)
def test_each_vector_is_read_by_itself(name, easy):
    vectors = easy[0]
    decoder = build_decoder(name)
    fit = decoder.fit(vectors, BOOK)
    whole = decoder.decode(vectors, BOOK, fit)
    parts = [decoder.decode(vectors[start : start + 700], BOOK, fit) for start in range(0, len(vectors), 700)]
    assert np.array_equal(whole.word, np.concatenate([part.word for part in parts]))
    assert np.allclose(whole.score, np.concatenate([part.score for part in parts]), atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_scale_of_a_bit_does_not_matter(name, easy):
    vectors = easy[0]
    decoder = build_decoder(name)
    other = vectors * np.linspace(0.2, 5, BOOK.n_bits).astype(np.float32)
    first = decoder.decode(vectors, BOOK, decoder.fit(vectors, BOOK))
    second = decoder.decode(other, BOOK, decoder.fit(other, BOOK))
    assert (first.word == second.word).mean() > 0.995


@pytest.mark.parametrize("name", NAMES)
def test_edge_cases(name):
    decoder = build_decoder(name)
    vectors, _ = simulate_vectors(BOOK, 500, seed=2)
    fit = decoder.fit(vectors, BOOK)
    assert len(decoder.decode(np.zeros((0, BOOK.n_bits)), BOOK, fit).word) == 0
    dark = decoder.decode(np.zeros((2, BOOK.n_bits)), BOOK, fit)
    assert (dark.word == -1).all() or (dark.score < 0.01).all()
    with pytest.raises(ShapeError, match="16 bits"):
        decoder.decode(np.zeros((3, 5)), BOOK, fit)
    unseen = vectors.copy()
    unseen[:, 3] = 0
    with pytest.raises(DataError, match="'bit4' is 0 in every vector"):
        decoder.fit(unseen, BOOK)
    with pytest.raises(DataError, match="no vectors"):
        decoder.fit(np.zeros((0, BOOK.n_bits)), BOOK)


@pytest.mark.parametrize("name", NAMES)
def test_words_of_any_weight(name):
    book = Codebook.of({"a": "1110000000", "b": "0001111100", "c": "0000000011", "d": "1001001010"})
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=800)
    vectors = book.words[truth] * rng.uniform(50, 150, (800, 1)) + rng.uniform(0, 8, (800, 10))
    decoder = build_decoder(name)
    found = decoder.decode(vectors, book, decoder.fit(vectors, book))
    assert (found.word == truth).mean() > 0.97


def test_unknown_names_and_parameters():
    with pytest.raises(ParameterError, match="no decoder 'pixels'; did you mean 'pixel'"):
        build_decoder("pixels")
    with pytest.raises(ParameterError, match="has no parameter 'treshold'"):
        build_decoder("nearest", {"treshold": 0.3})
