"""What each decoder is good for."""

from __future__ import annotations

import numpy as np

from teasel.spatial.codebook import Codebook
from teasel.spatial.decoders import Mixture, Nearest, PixelVector, fit_scales
from teasel.spatial.decoders.nearest import _by_bits, _reference
from teasel.spatial.decoders.scale import unit_words
from teasel.spatial.fdr import calibrate
from teasel.spatial.simulation.codes import random_codebook, simulate_vectors

BOOK = random_codebook(70, 70)


def test_one_wrong_bit_is_corrected_and_two_are_refused():
    book = Codebook.of({"a": "111100000000", "b": "000011110000", "c": "000000001111"})
    ones = {"scales": np.ones(12)}
    one_missing, two_missing = book.words.astype(float), book.words.astype(float)
    one_missing[:, [0, 4, 8]] = 0
    assert Nearest(max_errors=1).decode(one_missing, book, ones).word.tolist() == [0, 1, 2]
    two_missing[:, [0, 1, 4, 5, 8, 9]] = 0
    assert Nearest(max_errors=1).decode(two_missing, book, ones).word.tolist() == [-1, -1, -1]
    assert Nearest().decode(two_missing, book, ones).word.tolist() == [0, 1, 2]  # distance 8 corrects three


def test_words_by_bits_agree_with_the_reference():
    vectors, _ = simulate_vectors(BOOK, 400, noise=0.4, seed=5)
    word, _ = _by_bits(vectors, BOOK, 0.4)
    assert np.array_equal(word, _reference(vectors, BOOK, 0.4))


def test_scales_are_recovered():
    rng = np.random.default_rng(0)
    truth = np.exp(rng.normal(0, 0.7, 16))
    word = rng.integers(BOOK.n_words, size=5000)
    vectors = BOOK.words[word] * rng.uniform(20, 60, (5000, 1)) * np.exp(rng.normal(0, 0.1, (5000, 16)))
    scales = fit_scales((vectors + rng.uniform(0, 3, vectors.shape)) * truth, BOOK)
    ratio = scales / truth
    assert ratio.std() / ratio.mean() < 0.05


def test_the_mixture_finds_more_true_molecules_at_the_same_error():
    vectors, truth = simulate_vectors(BOOK, 20_000, junk=0.4, noise=0.25, seed=7)
    found = {}
    for decoder in (Mixture(), PixelVector(max_distance=1.4), Nearest()):
        decoded = decoder.decode(vectors, BOOK, decoder.fit(vectors, BOOK))
        called = decoded.word >= 0
        score = np.clip(decoded.score[called], 1e-9, 1 - 1e-9)
        known = np.column_stack(
            [np.log(score / (1 - score)), decoded.distance[called], np.log(decoded.intensity[called])]
        )
        blank = BOOK.blank[decoded.word[called]]
        rate = calibrate(known, blank, gene_words=70, blank_words=70).fdr(known)
        taken = ~blank & (rate <= 0.05)
        found[decoder.name] = int((decoded.word[called] == truth[called])[taken].sum())
    assert found["mixture"] > 1.05 * found["pixel"]
    assert found["mixture"] > 1.05 * found["nearest"]


def test_posteriors_of_the_mixture_are_probabilities():
    vectors, truth = simulate_vectors(BOOK, 20_000, junk=0.4, noise=0.25, seed=8)
    decoded = Mixture().decode(vectors, BOOK, Mixture().fit(vectors, BOOK))
    right = decoded.word == truth
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 0.99)):
        some = (decoded.score >= low) & (decoded.score < high)
        assert abs(right[some].mean() - decoded.score[some].mean()) < 0.15


def test_the_mixture_is_the_same_as_sums_of_logs_one_by_one():
    """The likelihood by matrix products against the plain formula."""
    from teasel.spatial.decoders.mixture import _log_parts

    vectors, _ = simulate_vectors(BOOK, 500, seed=9)
    fit = Mixture(n_strata=2, n_iterations=3).fit(vectors, BOOK)
    scaled = vectors / fit["scales"]
    length = np.linalg.norm(scaled, axis=1)
    direction = scaled / length[:, None]
    got, _ = _log_parts(direction, np.log(length), BOOK, fit)
    row = 17
    stratum = int(np.searchsorted(fit["edges"], np.log(length[row])))
    for k in (0, 50, 139):
        total = np.log(fit["shares"][0] / BOOK.n_words)
        total += -0.5 * ((np.log(length[row]) - fit["length"][0]) / fit["length"][1]) ** 2 - np.log(fit["length"][1])
        for b in range(16):
            on = BOOK.words[k, b]
            mean = fit["on_mean"][b] * unit_words(BOOK)[k, b] if on else fit["off_mean"][stratum, b]
            sd = fit["on_sd" if on else "off_sd"][stratum, b]
            total += -0.5 * ((direction[row, b] - mean) / sd) ** 2 - np.log(sd)
        assert abs(got[row, k] - total) < 1e-6 * max(1, abs(total))
