"""Codewords: time and memory for a million spots, whether requested error rates are met, and a real MERFISH run."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import record
from teasel.spatial.chain import Assigning, Decoding, Images, SpatialRecipe, run_recipe
from teasel.spatial.decoders import build_decoder
from teasel.spatial.fdr import blank_estimate, calibrate, call_features
from teasel.spatial.register import Registration
from teasel.spatial.simulation.codes import random_codebook, simulate_vectors

DECODERS = ("mixture", "pixel", "nearest")
REQUESTED = (0.01, 0.05, 0.10)
SCENES = {"easy": (0.3, 0.15), "usual": (0.3, 0.25), "much junk": (0.6, 0.25), "noisy": (0.5, 0.4)}
BITS = ((0, 1), (0, 0), (1, 0), (1, 1), (2, 1), (2, 0), (3, 1), (3, 0), (4, 0), (4, 1), (5, 1), (5, 0))
BITS += ((6, 1), (6, 0), (7, 0), (7, 1))


def main() -> None:
    """Measure speed in processes of their own, then error rates, then the real run."""
    options = record.parser(__doc__ or "")
    options.add_argument("--spots", type=int, default=1_000_000, help="how many spots are decoded")
    options.add_argument("--starfish-python", type=Path, help="interpreter that has starfish; without it, left out")
    options.add_argument(
        "--parts", nargs="+", choices=tuple(_PARTS), default=list(_PARTS), help="what is measured anew"
    )
    options.add_argument("--measure", help="(used by itself) decoder to time in this process")
    arguments = options.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.spots)))
        return
    content = _earlier(arguments.results)
    for part in arguments.parts:
        content[part] = _PARTS[part](arguments)
        content["commits"][part] = record.commit()
        print()
    content["spots"] = arguments.spots
    print(record.save(arguments.results, "decoding", arguments, content))


def _earlier(folder: Path) -> dict[str, Any]:
    """Return what an earlier run measured, and at which commit; parts that are not measured again stay."""
    path = folder / "decoding.json"
    if not path.exists():
        return {"commits": {}}
    found = json.loads(path.read_text("utf-8"))
    parts = {name: found[name] for name in _PARTS if name in found}
    return {"commits": {name: found["commit"] for name in parts} | found.get("commits", {}), **parts}


def _speed(arguments: Any) -> list[dict[str, Any]]:
    speed = [{"decoder": name, **_in_new_process(name, arguments.spots)} for name in DECODERS]
    if arguments.starfish_python:
        speed.append({"decoder": "starfish decode_metric", **_starfish(arguments.starfish_python, arguments.spots)})
    keys = ("decoder", "seconds", "cpu_seconds", "peak_gb", "right")
    print(record.table([[one[key] for key in keys] for one in speed], [f"{arguments.spots} spots", *keys[1:]]))
    return speed


def _error_rates(arguments: Any) -> list[dict[str, Any]]:
    rates = [rate for name in DECODERS for scene in SCENES for rate in error_rates(name, scene)]
    keys = ("decoder", "scene", "requested", "true", "held_out", "genes")
    print(record.table([[one[key] for key in keys] for one in rates], keys))
    return rates


def _merfish(arguments: Any) -> list[dict[str, Any]]:
    real = [merfish(arguments.data, name, requested) for name in DECODERS for requested in REQUESTED]
    keys = ("decoder", "requested", "genes", "blanks", "estimate", "residual_px")
    print(record.table([[one[key] for key in keys] for one in real], keys))
    return real


def _merfish_held_out(arguments: Any) -> list[dict[str, Any]]:
    held = [held_out_merfish(arguments.data, name) for name in DECODERS]
    header = ["MERFISH, blanks held out", "requested", "genes", "blanks", "estimate and 95 %"]
    rows = [
        [one["decoder"], *(row[key] for key in ("requested", "genes", "blanks", "interval"))]
        for one in held
        for row in one["held_out"]
    ]
    print(record.table(rows, header))
    return held


_PARTS = {
    "speed": _speed,
    "error_rates": _error_rates,
    "merfish": _merfish,
    "merfish_held_out": _merfish_held_out,
}


def measure(name: str, n: int) -> dict[str, Any]:
    """Learn from and decode n vectors of 140 words; peak memory includes the vectors."""
    import resource

    book = random_codebook(70, 70)
    vectors, truth = _vectors(book, n)
    decoder = build_decoder(name)
    began, cpu = time.perf_counter(), time.process_time()
    decoded = decoder.decode(vectors, book, decoder.fit(vectors[:: max(n // 40_000, 1)], book))
    return {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "right": float((decoded.word == truth)[truth >= 0].mean()),
    }


def _vectors(book: Any, n: int) -> tuple[Any, Any]:
    """Return n vectors, 100,000 at most of them different."""
    vectors, truth = simulate_vectors(book, min(100_000, n))
    rows = np.arange(n) % len(truth)
    return vectors[rows], truth[rows]


def error_rates(name: str, scene: str) -> list[dict[str, Any]]:
    """Request error rates, and compare with the truth and with the half of the blanks that was held out."""
    junk, noise = SCENES[scene]
    book = random_codebook(70, 70)
    vectors, truth = simulate_vectors(book, 100_000, junk=junk, noise=noise, seed=3)
    decoder = build_decoder(name, {"max_distance": 1.4} if name == "pixel" else {})
    decoded = decoder.decode(vectors, book, decoder.fit(vectors[::4], book))
    called = decoded.word >= 0
    known = call_features(decoded.score, decoded.distance, decoded.intensity)
    rows = []
    for rate in _rates(known, decoded.word, called, book.blank):
        requested, genes, held_out = rate
        wrong = float((decoded.word[genes] != truth[genes]).mean())
        rows.append(
            {"decoder": name, "scene": scene, "requested": requested, "true": wrong, "held_out": held_out["estimate"]}
            | {"genes": int(genes.sum())}
        )
    return rows


def _rates(known: Any, word: Any, called: Any, blank_words: Any) -> Any:
    """Give, for each request, the calls of genes taken, and what blanks held out say, both halves in turn."""
    blank = called & blank_words[word]
    numbers = np.flatnonzero(blank_words)
    n_genes = int((~blank_words).sum())
    for requested in REQUESTED:
        n_calls, n_hits, genes = 0, 0, called & False
        for half in (numbers[::2], numbers[1::2]):
            held = called & np.isin(word, half)
            learn = called & ~held
            found = calibrate(known[learn], blank[learn], gene_words=n_genes, blank_words=len(numbers) - len(half)).fdr(
                known
            )
            genes = called & ~blank & (found <= requested)
            n_calls, n_hits = n_calls + int(genes.sum()), n_hits + int((held & (found <= requested)).sum())
        told = blank_estimate(n_calls, n_hits, gene_words=n_genes, blank_words=len(numbers) // 2)
        interval = [told.fdr, told.low, told.high]
        yield requested, genes, {"genes": n_calls, "blanks": n_hits, "estimate": told.fdr, "interval": interval}


def merfish(data: Path, name: str, requested: float) -> dict[str, Any]:
    """Run the chain on the two fields of MERlin's test data."""
    with tempfile.TemporaryDirectory(prefix="merfish") as folder:
        summary = run_recipe(_recipe(data, name, requested), Path(folder) / "out")
    block = summary["blocks"]["main"]
    left = [one["residual_in_molecules_px"] for one in summary["fields"]]
    return {
        "decoder": name,
        "requested": requested,
        "genes": block["genes"],
        "blanks": block["blanks"],
        "estimate": block["fdr"],
        "interval": block["fdr_interval"],
        "residual_px": max(left),
        "patches_px": [one["residual_px"] for one in summary["fields"]],
    }


def held_out_merfish(data: Path, name: str) -> dict[str, Any]:
    """Learn error rates from half of the real blanks, and look at the other half."""
    with tempfile.TemporaryDirectory(prefix="merfish") as folder:
        output = Path(folder) / "out"
        run_recipe(_recipe(data, name, 1.0), output)
        parts = [dict(np.load(path)) for path in sorted((output / "work").glob("*.calls.npz"))]
    from teasel.spatial.codebook_files import read_codebook

    blank = read_codebook(data / "merlin_merfish_test" / "codebook.json").blank
    word, *columns = (
        np.concatenate([part[key] for part in parts]) for key in ("word", "score", "distance", "intensity", "area_px")
    )
    rates = _rates(call_features(*columns), word, np.ones(len(word), bool), blank)
    return {"decoder": name, "calls": len(word), "held_out": [{"requested": at} | held for at, _, held in rates]}


def _recipe(data: Path, name: str, requested: float) -> SpatialRecipe:
    folder = (data / "merlin_merfish_test").resolve()
    images = Images(str(folder / "images" / "test_{field}_{round}.tif"), BITS, align=2, axes="cyx", pixel_size_um=0.108)
    decode = Decoding(str(folder / "codebook.json"), name, requested)
    return SpatialRecipe(
        images, decode, dataclasses.replace(Registration(), max_residual_px=1.0), assign=Assigning("field")
    )


def _in_new_process(name: str, spots: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.decoding", "--measure", name, "--spots", str(spots)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=record.CHECKOUT)
    return json.loads(done.stdout)


def _starfish(python: Path, spots: int) -> dict[str, Any]:
    """Let starfish decode the same vectors, on the same scales."""
    book = random_codebook(70, 70)
    vectors, truth = _vectors(book, spots)
    scales = build_decoder("pixel").fit(vectors[:: max(spots // 40_000, 1)], book)["scales"]
    with tempfile.TemporaryDirectory(prefix="starfish") as folder:
        files = [Path(folder) / f"{name}.npy" for name in ("vectors", "words", "truth")]
        for path, array in zip(files, (vectors / scales, book.words.astype(np.uint8), truth), strict=True):
            np.save(path, array.astype(np.float32) if path.stem == "vectors" else array)
        script = Path(__file__).parent / "peers" / "starfish_decode.py"
        command = [str(python), str(script), *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
