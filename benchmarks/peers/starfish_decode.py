"""Decode vectors with starfish; started by the interpreter of an environment that has it (needs nothing of Teasel).

    pip install starfish                     # in an environment of its own
    that-python starfish_decode.py vectors.npy words.npy

`vectors.npy` is (n, n_bits), scaled; `words.npy` (n_words, n_bits) of 0 and 1. Prints one line of JSON: seconds, CPU
seconds, peak memory, and how many vectors got the word that ``truth.npy``, if given, says.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def main() -> None:
    """Build the tables starfish wants, then time ``Codebook.decode_metric``."""
    import resource

    import pandas
    from starfish.core.codebook.codebook import Codebook
    from starfish.core.intensity_table.intensity_table import IntensityTable
    from starfish.core.types import Axes, Features, SpotAttributes

    vectors, words = np.load(sys.argv[1]), np.load(sys.argv[2])
    n, n_bits = vectors.shape
    rounds = n_bits // 2
    book = Codebook.from_numpy([f"w{k}" for k in range(len(words))], rounds, 2, words.reshape(-1, rounds, 2))
    places = pandas.DataFrame(
        {Axes.X.value: np.arange(n), Axes.Y.value: 0, Axes.ZPLANE.value: 0, Features.SPOT_RADIUS: 1}
    )
    table = IntensityTable.from_spot_data(
        vectors.reshape(n, rounds, 2).astype(np.float32), SpotAttributes(places), np.arange(rounds), np.arange(2)
    )
    began, cpu = time.perf_counter(), time.process_time()
    decoded = book.decode_metric(table, max_distance=0.5167, min_intensity=0.0, norm_order=2)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    right = None
    if len(sys.argv) > 3:
        names = np.array([f"w{k}" for k in range(len(words))])
        truth = np.load(sys.argv[3])
        right = float((decoded["target"].values[truth >= 0] == names[truth[truth >= 0]]).mean())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_gb": peak, "right": right}))


if __name__ == "__main__":
    main()
