"""Runs to report on, with known contents, and a real browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from teasel.apps.cli.jobs import Job
from teasel.apps.cli.outputs import describe_result, write_results
from teasel.apps.cli.record import RunRecord
from teasel.apps.report import write_report
from teasel.geometry import VoxelSize
from teasel.images import open_image, save_image
from teasel.inference.objects import tabulate
from teasel.models.package import read_package
from teasel.models.zoo import find_model
from teasel.segment import Segmentation
from tests.synthetic import discs, render

MODEL = "nuclei-fast"
ODD = "a <b>bold <i> &amp; \"quoted\" 'name' ü"


@pytest.fixture(scope="session")
def model_facts() -> dict:
    """What a record says about the shipped model."""
    package = read_package(find_model(MODEL))
    digest = package.digests["weights.onnx"]
    return {
        "name": MODEL, "version": package.spec.version, "digest": digest, "backend": "onnx", "precision": "f32",
        "threads": 1,
    }  # fmt: skip


@pytest.fixture
def make_run(tmp_path, model_facts):
    """Write a folder of results as `teasel segment` does, from images and labels that are given."""

    def make(images: dict[str, tuple[np.ndarray, np.ndarray]], *, um: float | None = 0.5, **extra) -> Path:
        return write_run(tmp_path, model_facts, images, um, **extra)

    return make


@pytest.fixture(scope="module")
def report(tmp_path_factory, model_facts) -> Path:
    """A report on three images, one of them blurred, one with a name that is markup."""
    sharp = [field(24, seed=seed) for seed in range(3)]
    blurred = ndimage.gaussian_filter(sharp[2][0], 5), sharp[2][1]
    images = {"plain": sharp[0], ODD: sharp[1], "soft": blurred}
    return write_report(write_run(tmp_path_factory.mktemp("report"), model_facts, images, 0.5))


def write_run(
    place: Path, facts: dict, images: dict[str, tuple[np.ndarray, np.ndarray]], um: float | None, **extra
) -> Path:
    """Write images and results, and return the folder of the results."""
    folder = place / "results"
    (place / "images").mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    record = RunRecord(folder, facts, {"model": MODEL, **extra}, ["segment", "images", "-o", "results"])
    for name, (pixels, labels) in images.items():
        source = place / "images" / f"{name.replace('/', '_')}.tif"
        axes = "yxc" if pixels.ndim == 3 and pixels.shape[2] == 3 else "tyx" if pixels.ndim == 3 else "yx"
        save_image(source, pixels, axes=axes, voxel_size_um=VoxelSize(y=um, x=um))
        segmentation = as_segmentation(source, labels)
        job = Job(name, source)
        record.begin(job)
        write_results(segmentation, folder, name)
        record.finish(job, describe_result(segmentation), 0.5)
    record.status = "complete"
    record.save()
    return folder


def as_segmentation(source: Path, labels: np.ndarray) -> Segmentation:
    """Labels as `teasel.segment` gives them, scores falling with the label."""
    image = open_image(source)
    labels = labels.astype(np.uint32)
    n = int(labels.max())
    scores = np.linspace(0.95, 0.42, n, dtype=np.float32)
    sizes = np.bincount(labels.ravel())[1:]
    return Segmentation(
        labels=labels,
        scores=scores,
        objects=tabulate(labels, scores),
        image=image,
        diameter_px=float(np.median(2 * np.sqrt(sizes / np.pi))) if n else None,
        diameter_source="estimated" if n else "not found",
        model_name=MODEL,
        model_digest="",
        notes=image.notes,
    )


def field(n: int = 24, radius: float = 9, seed: int = 0, size: int = 260) -> tuple[np.ndarray, np.ndarray]:
    """A sharp, evenly lit image of discs, and its labels."""
    labels = discs((size, size), n, radius, seed)
    return (4000 * render(labels, seed) + 200).clip(0, 65535).astype(np.uint16), labels


@pytest.fixture
def fields():
    """Makes images of discs with their labels."""
    return field


@pytest.fixture(scope="session")
def browser():
    """Real Chromium, without a window and without a network."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
        arguments += ["--disable-background-networking", "--disable-component-update"]
        opened = started.chromium.launch(executable_path=program, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser):
    """Open a file; gives the page, with what it asked for and complained about in `requests` and `complaints`."""
    pages = []

    def open_file(path: Path, **options):
        page = browser.new_page(**options)
        pages.append(page)
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_file
    for page in pages:
        page.close()


def read_record(folder: Path) -> dict:
    """The record of a run."""
    return json.loads((folder / "run.json").read_text("utf-8"))
