"""Error rates by blanks: the formula, and that a requested rate is met on truth and on blanks held out."""

from __future__ import annotations

import numpy as np
import pytest

from teasel.errors import DataError, ParameterError, ShapeError
from teasel.spatial.decoders import build_decoder, decoders
from teasel.spatial.fdr import blank_estimate, calibrate, call_features
from teasel.spatial.simulation.codes import random_codebook, simulate_vectors


def test_the_formula():
    found = blank_estimate(1000, 50, gene_words=100, blank_words=50)
    assert found.fdr == pytest.approx((50 / 50) / (1000 / 100))
    assert found.low < found.fdr < found.high
    assert blank_estimate(10, 50, gene_words=10, blank_words=5).fdr == 1.0
    assert np.isnan(blank_estimate(10, 0, gene_words=10, blank_words=0).fdr)
    assert blank_estimate(100, 0, gene_words=10, blank_words=10).high == pytest.approx(3.689 / 100, rel=1e-3)


def features(decoded):
    return call_features(decoded.score, decoded.distance, decoded.intensity)


@pytest.mark.parametrize("name", sorted(decoders()))
def test_a_requested_rate_is_met_on_truth_and_on_blanks_held_out(name):
    book = random_codebook(70, 70)
    vectors, truth = simulate_vectors(book, 100_000, junk=0.3, noise=0.25, seed=3)
    decoder = build_decoder(name, {"max_distance": 1.4} if name == "pixel" else {})
    decoded = decoder.decode(vectors, book, decoder.fit(vectors[::5], book))
    called = decoded.word >= 0
    blank = called & book.blank[decoded.word]
    held_out = np.zeros(book.n_words, bool)
    held_out[np.flatnonzero(book.blank)[::2]] = True
    held = called & held_out[decoded.word]
    learn = called & ~held
    found = calibrate(features(decoded)[learn], blank[learn], gene_words=70, blank_words=35)
    rate = found.fdr(features(decoded))
    for requested in (0.01, 0.05, 0.10):
        genes = called & ~blank & (rate <= requested)
        true_rate = (decoded.word[genes] != truth[genes]).mean()
        on_held_out = blank_estimate(
            int(genes.sum()), int((held & (rate <= requested)).sum()), gene_words=70, blank_words=35
        ).fdr
        assert requested / 1.5 <= true_rate <= requested * 1.5
        assert requested / 1.5 <= on_held_out <= requested * 1.5


def test_errors_fall_with_rank_and_are_calibrated():
    rng = np.random.default_rng(0)
    true = rng.random(20_000) < 0.6
    feature = np.where(true, rng.normal(2, 1, 20_000), rng.normal(0, 1, 20_000))
    is_blank = ~true & (rng.random(20_000) < 0.5)  # false calls hit as many words of blanks as of genes
    found = calibrate(feature[:, None], is_blank, gene_words=50, blank_words=50)
    assert (np.diff(found.knots) >= 0).all()
    assert (np.diff(found.errors) <= 1e-12).all()
    assert (np.diff(found.running) <= 1e-12).all()
    error = found.error(feature[:, None])
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.6)):
        some = ~is_blank & (error >= low) & (error < high)
        assert abs((~true[some]).mean() - error[some].mean()) < 0.04


def test_what_cannot_be_calibrated_is_said():
    with pytest.raises(ParameterError, match="no blank words"):
        calibrate(np.zeros((3, 1)), np.zeros(3, bool), gene_words=5, blank_words=0)
    with pytest.raises(DataError, match="no gene was called"):
        calibrate(np.zeros((3, 1)), np.ones(3, bool), gene_words=5, blank_words=5)
    with pytest.raises(DataError, match="NaN"):
        calibrate(np.full((3, 1), np.nan), np.zeros(3, bool), gene_words=5, blank_words=5)
    with pytest.raises(ShapeError):
        calibrate(np.zeros((3, 1)), np.zeros(4, bool), gene_words=5, blank_words=5)


def test_without_any_false_call_all_are_taken():
    found = calibrate(np.arange(10.0)[:, None], np.zeros(10, bool), gene_words=5, blank_words=5)
    assert (found.fdr(np.arange(10.0)[:, None]) == 0).all()
