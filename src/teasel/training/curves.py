"""The learning curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from teasel.errors import MissingDependency
from teasel.images.atomic import atomic_path

__all__ = ["draw_curves"]


def draw_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draw training loss and validation scores over steps into a PNG.

    Parameters
    ----------
    history : sequence of dict
        Rows with ``step``, ``loss`` and any other values in [0, 1], as `fit` collects them.
    path : Path
        The PNG to write.

    Raises
    ------
    MissingDependency
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependency(
            'drawing learning curves needs matplotlib; install it with: pip install "teasel[train]"'
        ) from error
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in history]
    left.plot(steps, [row["loss"] for row in history], marker="o", markersize=3)
    left.set(xlabel="step", ylabel="training loss")
    for key, title in (("ap50", "IoU 0.5"), ("ap75", "IoU 0.75"), ("ap90", "IoU 0.9")):
        rows = [row for row in history if key in row]
        right.plot([r["step"] for r in rows], [r[key] for r in rows], marker="o", markersize=3, label=title)
    right.set(xlabel="step", ylabel="validation AP", ylim=(0, 1))
    right.legend(frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
