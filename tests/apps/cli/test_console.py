"""The progress line."""

from __future__ import annotations

import io

import pytest

from teasel.apps.cli.console import BatchConsole, ProgressLine, format_duration
from teasel.apps.cli.jobs import Job


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def attach(monkeypatch):
    """Put a terminal in place of standard error; called in the test, since pytest sets the stream anew there."""

    def attach() -> Terminal:
        stream = Terminal()
        monkeypatch.setattr("sys.stderr", stream)
        return stream

    return attach


def test_shows_share_and_time_left(attach, monkeypatch):
    terminal = attach()
    clock = iter([100.0, 110.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    ProgressLine().draw(0.25, "image 1 of 4")
    assert "[######------------------]  25 % 30 s left image 1 of 4" in terminal.getvalue()


def test_is_wiped_before_other_words(attach):
    terminal = attach()
    line = ProgressLine()
    line.draw(0.5, "half")
    line.clear()
    assert terminal.getvalue().endswith("\r")


def test_nothing_where_there_is_no_terminal(capsys):
    line = ProgressLine()
    line.draw(1, "all")
    line.clear()
    assert capsys.readouterr().err == ""


def test_quiet(attach):
    terminal = attach()
    ProgressLine(quiet=True).draw(1, "all")
    assert terminal.getvalue() == ""


def test_share_counts_all_images(attach, tmp_path):
    terminal = attach()
    console = BatchConsole()
    console.started(2)
    job = Job("a", tmp_path / "a.tif")
    console.failed(job, ValueError("bad"))
    console.begun(job)
    console.advanced(1, 1)
    assert "image 2 of 2: a.tif" in terminal.getvalue()


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (59.6, "1 min 00 s"), (7322, "2 h 02 min")])
def test_durations(seconds, words):
    assert format_duration(seconds) == words
