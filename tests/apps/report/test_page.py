"""The report in a real browser: it opens offline, holds every section, prints, and says what is in the files."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from teasel.apps.report import ReportOptions, write_report

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
SECTIONS = ["attention", "distributions", "images", "uncertain", "table", "how", "model", "methods", "rules"]
ODD = "a <b>bold <i> &amp; \"quoted\" 'name' ü"


def test_it_opens_without_network_and_without_complaints(report, open_page):
    page = open_page(report)
    assert page.asked[0] == report.as_uri()
    assert all(one.startswith("data:") for one in page.asked[1:])
    assert page.complaints == []
    assert page.title() == "results"
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


def test_a_page_that_wants_the_network_is_refused_it(report, open_page):
    page = open_page(report)
    page.evaluate("() => { const i = new Image(); i.src = 'https://example.org/x.png'; document.body.append(i); }")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in words for words in page.complaints)


def test_every_section_is_there_and_linked(report, open_page):
    page = open_page(report)
    assert page.eval_on_selector_all("main > section", "all => all.map(one => one.id)") == SECTIONS
    targets = page.eval_on_selector_all("a[href^='#']", "all => all.map(one => one.hash.slice(1))")
    assert set(SECTIONS) <= set(targets)
    assert page.evaluate("ids => ids.filter(id => !document.getElementById(id))", targets) == []


def test_numbers_are_those_of_the_tables(report, open_page):
    page = open_page(report)
    facts = page.eval_on_selector_all(".facts > div", "all => all.map(one => one.innerText.split('\\n'))")
    named = {fact[0]: fact[1] for fact in facts}
    assert named["Images"] == "3"
    assert named["Objects"] == "72"
    rows = page.eval_on_selector_all("#table tbody tr", "all => all.map(row => row.cells[1].innerText.trim())")
    assert rows == ["24", "24", "24"]
    diameter = float(named["Median diameter"].removesuffix(" µm"))
    assert diameter == pytest.approx(9, rel=0.05)  # discs of radius 9 px at 0.5 um


def test_names_are_text_and_never_markup(report, open_page):
    page = open_page(report)
    assert page.locator("main b", has_text=re.compile("^bold")).count() == 0
    assert page.locator("#images figcaption b").all_inner_texts() == [ODD, "plain", "soft"]
    assert page.get_attribute(".shot:first-child img", "alt") == f"{ODD}, 24 objects, outlined"


def test_the_blurred_image_is_flagged_with_its_reason(report, open_page):
    page = open_page(report)
    rows = page.locator("#attention tbody tr").all_inner_texts()
    assert len(rows) == 1
    assert rows[0].startswith("soft")
    assert "out of focus" in rows[0]
    page.check("#flagged-only")
    assert page.locator(".shot:visible figcaption b").all_inner_texts() == ["soft"]


def test_outlines_can_be_taken_away(report, open_page):
    page = open_page(report)
    assert page.locator(".shot .outlines").first.is_visible()
    page.uncheck("#outlines")
    assert not page.locator(".shot .outlines").first.is_visible()
    assert page.locator(".shot img").first.is_visible()


def test_outlines_lie_on_the_objects(report, open_page):
    """Outlines are drawn where brightness changes: most of them between bright and dark pixels of the picture."""
    page = open_page(report)
    share = page.evaluate((HERE / "outlines.js").read_text("utf-8"))
    assert share[0] > 1000
    assert share[1] > 0.95


def test_outlines_lie_exactly_above_their_pictures(report, open_page):
    page = open_page(report)
    apart = page.eval_on_selector_all(
        ".picture",
        """all => all.map(one => [...one.querySelectorAll("img")].map(image => image.getBoundingClientRect()))
        .filter(([a, b]) => ["x", "y", "width", "height"].some(key => Math.abs(a[key] - b[key]) > 0.6)).length""",
    )
    assert apart == 0
    assert page.locator(".picture").count() == 13


def test_the_least_certain_objects_are_shown(report, open_page):
    page = open_page(report)
    scores = page.locator("#uncertain b").all_inner_texts()
    assert len(scores) == 10
    assert scores == sorted(scores)
    assert scores[0] == "Score 0.42"
    assert page.locator("#uncertain img").first.get_attribute("alt").startswith("Object 24 of ")


def test_the_table_sorts(report, open_page):
    page = open_page(report)
    page.click("#table thead th:nth-child(1) button")
    page.click("#table thead th:nth-child(1) button")
    assert page.locator("#table tbody th").all_inner_texts() == ["soft", "plain", ODD]
    assert page.get_attribute("#table thead th:nth-child(1)", "aria-sort") == "descending"


def test_what_can_be_copied(report, open_page):
    page = open_page(report)
    for button in page.locator("button.copy").all():
        assert button.is_visible()
        button.click()
        page.wait_for_function("one => one.textContent !== one.dataset.before", arg=button.element_handle())
    assert page.complaints == []


def test_the_methods_paragraph_has_the_numbers_of_the_run(report, open_page):
    record = json.loads((report.parent / "run.json").read_text("utf-8"))
    words = open_page(report).inner_text("#methods-text")
    assert f"Teasel {record['versions']['teasel']}" in words
    assert record["model"]["digest"][:12] in words
    assert "In 3 images, 72 objects were found (median 24 per image)." in words
    assert "24 px at which the network was trained" in words
    assert "(Ronneberger et al., 2015)" in words


def test_every_citation_of_the_methods_is_in_the_bibtex(report, open_page):
    page = open_page(report)
    entries = page.inner_text("#bibtex")
    for name, year in re.findall(r"\(([A-Z]\w+) et al\., (\d{4})\)", page.inner_text("#methods-text")):
        assert re.search(rf"@\w+{{{name.lower()}{year}", entries)
    assert entries.count("@") == entries.count("\n}")
    assert entries.count("{") == entries.count("}")
    assert entries.startswith("@software{teasel,")


def test_settings_versions_and_card(report, open_page):
    page = open_page(report)
    settings = page.inner_text("#how")
    assert "nuclei-fast" in settings
    assert "onnxruntime" in settings
    assert "teasel segment images -o results" in settings
    card = page.inner_text("#model")
    assert "Validation" in card
    assert page.locator("#model table").count() >= 2


def test_it_can_be_read_by_everyone(report, open_page):
    """Language, one h1, headings in order, names for pictures, plots, tables and controls, contrast of text."""
    page = open_page(report)
    assert page.get_attribute("html", "lang") == "en"
    levels = [
        int(level) for level in page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map(h => h.tagName[1])")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    unnamed = """all => all.filter(one => !(one.getAttribute("aria-label") || one.getAttribute("aria-hidden")
        || one.hasAttribute("alt") || one.closest("label") || one.textContent.trim())).length"""
    for kind in ("img", "svg", "input", "button", "a"):
        assert page.eval_on_selector_all(kind, unnamed) == 0, kind
    assert page.eval_on_selector_all("table th:not([scope])", "all => all.length") == 0
    assert page.evaluate((HERE / "contrast.js").read_text("utf-8")) == []


@pytest.mark.parametrize("width", [360, 800, 1400])
def test_it_fits_any_window(report, open_page, width):
    page = open_page(report, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints(report, open_page, tmp_path):
    page = open_page(report)
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    subprocess.run(["pdftotext", "-layout", tmp_path / "report.pdf", tmp_path / "report.txt"], check=True)
    text = (tmp_path / "report.txt").read_text("utf-8")
    for words in ("What needs a look", "For your paper", "@software{teasel", "Flags explained", "soft"):
        assert words in text
    assert "Show outlines" not in text
    assert re.search(r"\b1 ?/ ?\d", text)


def test_without_scripts_nothing_is_lost(report, open_page):
    page = open_page(report, java_script_enabled=False)
    assert page.locator("main > section").count() == len(SECTIONS)
    assert page.locator("#methods-text").is_visible()


def test_many_images_stay_small(make_run, fields, open_page):
    pixels, labels = fields(5, radius=6, size=80)
    folder = make_run({f"w{i:03d}": (pixels, labels) for i in range(45)})
    path = write_report(folder)
    assert path.stat().st_size < 45 * 60_000
    page = open_page(path)
    assert page.locator(".shot").count() == 45
    assert page.locator("#table tbody tr").count() == 45
    assert page.complaints == []


def test_wells_are_drawn(make_run, fields, open_page):
    names = ["A01_s1", "A01_s2", "B03_s1"]
    folder = make_run({name: fields(10 + 5 * i, seed=i) for i, name in enumerate(names)})
    page = open_page(write_report(folder, options=ReportOptions(title="Plate <7>")))
    assert page.title() == "Plate <7>"
    rows = page.locator("#wells tbody tr").all_inner_texts()
    assert [row.split()[:3] for row in rows] == [["A01", "2", "25"], ["B03", "1", "20"]]
    assert page.locator("#wells svg.plate").count() == 2


def test_a_run_without_objects(make_run, open_page):
    empty = np.full((64, 64), 100, np.uint16), np.zeros((64, 64), int)
    path = write_report(make_run({"nothing": empty}))
    page = open_page(path)
    assert page.complaints == []
    assert "no objects" in page.inner_text("#attention")
    assert page.locator("#uncertain").count() == 0
