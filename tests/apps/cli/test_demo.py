"""`teasel demo`."""

from __future__ import annotations


def test_writes_everything_and_says_where(teasel, tmp_path):
    for _ in range(2):  # again, over its own results
        result = teasel("demo", "-o", tmp_path / "demo")
        assert result.exit_code == 0, result.output
        assert "objects" in result.stdout
        assert str(tmp_path / "demo") in result.stdout
        assert "teasel segment" in result.stdout
        for name in ("ihc.labels.tif", "ihc.objects.csv", "ihc.overlay.png", "run.json"):
            assert (tmp_path / "demo" / name).is_file()
            assert name in result.stdout
