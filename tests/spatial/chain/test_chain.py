"""From raw rounds to genes in cells: right, the same after a kill, in bounded memory, and clear about mistakes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import anndata
import numpy as np
import pytest
import tifffile

from teasel.errors import DataError, FormatError, InputNotFound, ParameterError
from teasel.spatial.chain import EXAMPLE, read_recipe, run_recipe
from teasel.spatial.codebook_files import write_codebook
from teasel.spatial.simulation.codes import random_codebook
from teasel.spatial.simulation.rounds import RoundsScene, simulate_rounds
from teasel.spatial.spots import Spots

SCENE = RoundsScene(height_px=160, width_px=160, photons=600, clutter=15)
RECIPE = """
[images]
pattern = "images/{{field}}_{{round}}.tif"
axes = "cyx"
align = 2
nuclei = 3
pixel_size_um = 0.2

[decode]
codebook = "codebook.csv"
decoder = "{decoder}"
fdr = {fdr}

[assign]
method = "{method}"
labels = "nuclei/{{field}}.tif"

[assign.refinement]
radius_px = 24
decay_px = 6
"""


def write_experiment(folder, n_fields=2, scene=SCENE, **words):
    book = random_codebook(40, 40)
    bits = [[int(r), int(c)] for r, c in zip(book.rounds, book.channels, strict=True)]
    for name in ("images", "nuclei"):
        (folder / name).mkdir(parents=True)
    truths = []
    for field in range(n_fields):
        made = simulate_rounds(book, scene, field=field)
        for number, image in enumerate(made.images):
            tifffile.imwrite(folder / "images" / f"f{field}_{number}.tif", image, photometric="minisblack")
        tifffile.imwrite(folder / "nuclei" / f"f{field}.tif", made.tissue.nuclei.astype(np.uint16))
        truths.append(made)
    write_codebook(folder / "codebook.csv", book)
    text = RECIPE.format(**{"decoder": "mixture", "fdr": 0.05, "method": "refine"} | words)
    (folder / "recipe.toml").write_text(text.replace("align = 2", f"align = 2\nbits = {bits}"))
    return folder / "recipe.toml", truths, book


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    return write_experiment(tmp_path_factory.mktemp("experiment"))


@pytest.fixture(scope="module")
def results(experiment, tmp_path_factory):
    heard = []
    output = tmp_path_factory.mktemp("whole") / "out"
    summary = run_recipe(read_recipe(experiment[0]), output, progress=lambda *words: heard.append(words))
    return output, summary, heard


def test_drift_is_found_to_a_fifth_of_a_pixel(experiment, results):
    for field, truth in enumerate(experiment[1]):
        rows = json.loads((results[0] / "work" / f"f{field}.align.json").read_text())["rounds"]
        found = np.array([row["shift_px"] for row in rows])
        assert np.abs(found - truth.drift_px).max() <= 0.2
    assert all(one["residual_in_molecules_px"] < 0.2 for one in results[1]["fields"])


def test_molecules_are_found_and_the_requested_error_is_met(experiment, results):
    from scipy.spatial import cKDTree

    n_true = n_right = n_called = 0
    for field, truth in enumerate(experiment[1]):
        calls = Spots.open(results[0] / "transcripts" / f"f{field}.csv")
        calls = calls.take(~calls["blank"].astype(bool))
        names = np.array(experiment[2].names)[truth.word]
        inside = ((truth.tissue.positions_px > 8) & (truth.tissue.positions_px < 151)).all(axis=1)
        near = cKDTree(truth.tissue.positions_px).query_ball_point(calls.positions_px, 2.0)
        right = [any(names[k] == gene for k in ks) for ks, gene in zip(near, calls["gene"], strict=True)]
        n_true, n_right, n_called = n_true + inside.sum(), n_right + sum(right), n_called + len(calls)
    assert n_right > 0.6 * n_true
    assert 1 - n_right / n_called < 0.05 * 1.5
    block = results[1]["blocks"]["main"]
    assert block["fdr"] <= 0.05
    assert block["genes"] == n_called


def test_the_table_holds_every_molecule(experiment, results):
    table = anndata.read_h5ad(results[0] / "cells.h5ad")
    assert table.shape == (sum(int(truth.tissue.nuclei.max()) for truth in experiment[1]), 40)
    molecules = sum(one["molecules"] for one in results[1]["fields"])
    assert int(table.X.sum()) + table.uns["unassigned"]["spots"] == molecules
    assert table.var["n_unassigned"].sum() == table.uns["unassigned"]["spots"]
    assert table.obs_names[0] == "f0:1"
    assert table.uns["spatial_unit"] == "um"
    nuclei = experiment[1][0].tissue.nuclei
    yy, xx = np.nonzero(nuclei == 5)
    assert np.allclose(table["f0:5"].obsm["spatial"][0], [0.2 * xx.mean(), 0.2 * yy.mean()])
    right = 0
    for field, truth in enumerate(experiment[1]):
        calls = Spots.open(results[0] / "transcripts" / f"f{field}.csv")
        from scipy.spatial import cKDTree

        near = cKDTree(truth.tissue.positions_px).query(calls.positions_px)[1]
        right += int((truth.tissue.cell[near] == calls["cell"]).sum())
    assert right > 0.6 * molecules


def test_progress_and_report(results):
    output, _, heard = results
    assert list(dict.fromkeys(step for step, _, _ in heard)) == [
        "aligning",
        "learning",
        "refining",
        "decoding",
        "placing in cells",
    ]
    assert heard[-1] == ("placing in cells", 2, 2)
    page = (output / "report.html").read_text("utf-8")
    assert page.count("<img") == 4
    assert 'src="http' not in page
    assert "main" in page


def contents(output):
    """All results, without the time they were made."""
    table = anndata.read_h5ad(output / "cells.h5ad")
    texts = {path.name: path.read_bytes() for path in sorted((output / "transcripts").iterdir())}
    texts["summary"] = (output / "summary.json").read_bytes()
    return texts, table.X.toarray().tolist(), table.obs.to_csv(), table.var.to_csv()


def test_a_run_that_was_killed_goes_on_and_ends_the_same(experiment, results, tmp_path):
    program = (
        "import sys\nfrom pathlib import Path\nfrom teasel.spatial.chain import read_recipe, run_recipe\n"
        "run_recipe(read_recipe(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    output = tmp_path / "out"
    command = [sys.executable, "-c", program, str(experiment[0]), str(output)]
    for mark in ("f0.align.json", "f0.calls.npz"):
        running = subprocess.Popen(command)
        until = time.monotonic() + 120
        while not (output / "work" / mark).exists() and running.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        assert running.returncode == -signal.SIGKILL
        assert not (output / "summary.json").exists()
    kept = (output / "work" / "f0.calls.npz").stat().st_mtime_ns
    run_recipe(read_recipe(experiment[0]), output)
    assert (output / "work" / "f0.calls.npz").stat().st_mtime_ns == kept  # what was done was not done again
    assert contents(output) == contents(results[0])


@pytest.mark.slow
def test_memory_does_not_depend_on_the_number_of_fields(tmp_path):
    """Peak memory of runs over 2 and 6 large fields, each in a process of its own."""
    resource = pytest.importorskip("resource")
    del resource
    program = (
        "import resource, sys\nfrom pathlib import Path\nfrom teasel.spatial.chain import read_recipe, run_recipe\n"
        "run_recipe(read_recipe(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    large = RoundsScene(height_px=320, width_px=320, photons=600, clutter=5, molecules_per_cell=2)
    _, truths, book = write_experiment(tmp_path / "one", 1, large, decoder="pixel", method="labels", fdr=1)
    del truths, book
    peaks = {}
    for n_fields in (2, 6):
        folder = tmp_path / str(n_fields)
        shutil.copytree(tmp_path / "one", folder)
        recipe = folder / "recipe.toml"
        for path in [*(folder / "images").iterdir(), *(folder / "nuclei").iterdir()]:
            for field in range(1, n_fields):
                shutil.copy(path, path.with_name(path.name.replace("f0", f"f{field}")))
        done = subprocess.run(
            [sys.executable, "-c", program, str(recipe), str(folder / "out")],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks[n_fields] = int(done.stdout)
    assert peaks[6] < 1.05 * peaks[2]


def test_results_of_another_recipe_are_not_mixed(experiment, results, tmp_path):
    other = experiment[0].with_name("other.toml")
    other.write_text(experiment[0].read_text().replace("fdr = 0.05", "fdr = 0.1"))
    with pytest.raises(ParameterError, match="holds results of another recipe"):
        run_recipe(read_recipe(other), results[0])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not remove")
    with pytest.raises(ParameterError, match="nothing is removed"):
        run_recipe(read_recipe(experiment[0]), tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("align = 2", "alihn = 2", "unknown key 'images.alihn'; did you mean 'align'"),
        ("fdr = 0.05", 'fdr = "low"', "decode.fdr is 'low'; expected float"),
        ("fdr = 0.05", "fdr = 5", r"decode.fdr is 5.0; expected a share"),
        ('codebook = "codebook.csv"', "", "lacks the key 'decode.codebook'"),
        ('method = "refine"', 'method = "magic"', "expected refine, nearest, labels or field"),
        ('decoder = "mixture"', 'decoder = "mixtur"', "no decoder 'mixtur'; did you mean 'mixture'"),
        ("[assign.refinement]", "[assign.refinment]", "unknown key 'assign.refinment'"),
        ("bits = [[0, 0], ", "bits = [", "has 15 entries, the codebook 16 bits"),
    ],
)
def test_mistakes_in_a_recipe_are_named(experiment, tmp_path, before, after, words):
    text = experiment[0].read_text()
    assert before in text
    wrong = experiment[0].with_name("wrong.toml")
    wrong.write_text(text.replace(before, after))
    with pytest.raises(ParameterError, match=words):
        run_recipe(read_recipe(wrong), tmp_path / "out")


def test_missing_files_and_bounds(experiment, tmp_path):
    with pytest.raises(InputNotFound, match="teasel spatial recipe"):
        read_recipe(tmp_path / "none.toml")
    (tmp_path / "broken.toml").write_text("[images")
    with pytest.raises(FormatError, match="no TOML"):
        read_recipe(tmp_path / "broken.toml")
    text = experiment[0].read_text()
    wrong = experiment[0].with_name("bounds.toml")
    wrong.write_text(text + "\n[register]\nmax_drift_px = 0.5\n")
    with pytest.raises(DataError, match=r"field f0: round \d against round 0: .* the bound is 0.5 px"):
        run_recipe(read_recipe(wrong), tmp_path / "out")
    wrong.write_text(text.replace("images/", "pictures/"))
    with pytest.raises(InputNotFound, match="no file fits the pattern"):
        run_recipe(read_recipe(wrong), tmp_path / "out2")


def test_the_example_is_a_recipe(tmp_path):
    (tmp_path / "recipe.toml").write_text(EXAMPLE)
    assert read_recipe(tmp_path / "recipe.toml").assign.refinement.radius_px == 40.0


def test_the_whole_way_in_three_dimensions(tmp_path):
    """Planes of a stack: the same field, five planes thick, molecules in the middle one."""
    recipe, truths, book = write_experiment(tmp_path, 1, method="nearest", decoder="nearest")
    fade = np.exp(-((np.arange(5) - 2) ** 2) / 2.0)[:, None, None]
    for number, image in enumerate(truths[0].images):
        base = np.percentile(image, 10, axis=(1, 2), keepdims=True)[:, None]
        stack = (image[:, None] - base) * fade + base
        tifffile.imwrite(tmp_path / "images" / f"f0_{number}.tif", stack.clip(0).astype(np.uint16))
    recipe.write_text(recipe.read_text().replace('axes = "cyx"', 'axes = "czyx"'))
    summary = run_recipe(read_recipe(recipe), tmp_path / "out")
    calls = Spots.open(tmp_path / "out" / "transcripts" / "f0.csv")
    assert calls.ndim == 3
    assert summary["blocks"]["main"]["genes"] > 0.3 * len(truths[0].word)
    assert np.abs(np.median(calls.positions_px[:, 0]) - 2) < 0.5
    del book


def merfish_recipe(decoder):
    """The recipe of the page on spatial transcriptomics."""
    page = Path(__file__).parents[3] / "docs" / "spatial.md"
    (text,) = [one for one in re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.S) if "test_{field}" in one]
    return text.replace('decoder = "mixture"', f'decoder = "{decoder}"')


@pytest.mark.parametrize(("decoder", "at_least"), [("pixel", 90), ("mixture", 80), ("nearest", 65)])
def test_a_real_merfish_run(shared_data, tmp_path, decoder, at_least):
    folder = shared_data / "merlin_merfish_test"
    for name in ("images", "codebook.json"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "recipe.toml").write_text(merfish_recipe(decoder))
    summary = run_recipe(read_recipe(tmp_path / "recipe.toml"), tmp_path / "out")
    block = summary["blocks"]["main"]
    assert block["genes"] >= at_least  # 40 at the same estimate by a plain decoder
    assert block["fdr"] <= 0.05
    assert block["one_blank"] == pytest.approx(1 / block["genes"])  # 70 words of either kind
    assert all(one["residual_in_molecules_px"] <= 0.2 for one in summary["fields"])


def test_the_drift_of_a_real_run_agrees_with_another_channel(shared_data):
    """The stain of the cells, imaged in every round, against the beads."""
    from teasel.spatial.register import Registration, register_rounds

    folder = shared_data / "merlin_merfish_test" / "images"
    differences = []
    for field in range(2):
        images = [tifffile.imread(folder / f"test_{field}_{number}.tif") for number in range(8)]
        beads = register_rounds([image[2] for image in images], Registration(max_residual_px=1))
        stain = register_rounds([image[3] for image in images], Registration(background_px=8))
        differences += [np.subtract(a.shift_px, b.shift_px) for a, b in zip(beads, stain, strict=True)]
        assert max(one.residual_px for one in stain) <= 0.2
    assert np.sqrt(np.mean(np.square(differences))) <= 0.2


def test_the_command(experiment, results, tmp_path, capsys):
    from typer.testing import CliRunner

    from teasel.apps.cli.app import app

    runner = CliRunner()
    again = runner.invoke(app, ["spatial", "run", str(experiment[0]), "-o", str(results[0])])
    assert again.exit_code == 0
    assert "block main:" in again.stdout
    assert "report.html" in again.stdout
    transcripts = results[0] / "transcripts" / "f0.csv"
    table = tmp_path / "cells.h5ad"
    labels = experiment[0].parent / "nuclei" / "f0.tif"
    plain = Spots.open(transcripts)
    text = "gene,y,x\n" + "".join(
        f"{g},{y},{x}\n" for g, (y, x) in zip(plain["gene"], plain.positions_px.tolist(), strict=True)
    )
    (tmp_path / "spots.csv").write_text(text)
    done = runner.invoke(app, ["spatial", "assign", str(tmp_path / "spots.csv"), str(labels), "-o", str(table)])
    assert done.exit_code == 0, done.output
    assert anndata.read_h5ad(table).n_obs == int(experiment[1][0].tissue.nuclei.max())
    for method in ("labels", "nearest"):
        options = ["-o", str(tmp_path / f"{method}.h5ad"), "--method", method]
        done = runner.invoke(app, ["spatial", "assign", str(tmp_path / "spots.csv"), str(labels), *options])
        assert done.exit_code == 0, done.output
    counts = [anndata.read_h5ad(tmp_path / f"{name}.h5ad").X.sum() for name in ("labels", "nearest")]
    assert 0 < counts[0] < counts[1]
    checked = runner.invoke(app, ["spatial", "check", str(tmp_path / "spots.csv"), str(labels), "--labels"])
    assert "fit" in checked.stdout
    assert runner.invoke(app, ["spatial", "recipe"]).stdout == EXAMPLE
    assert isinstance(Path(table), Path)
    del capsys
