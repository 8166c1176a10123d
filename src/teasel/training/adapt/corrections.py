"""What somebody says about an image, dense or sparse, and how it becomes one label image with -1 for "not said"."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from teasel.errors import DataError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DECISIONS", "Correction", "read_corrections"]

DECISIONS = ("accept", "reject")
"""What may be decided about a predicted object."""


@dataclass(frozen=True)
class Correction:
    """One image and everything that is known about its objects.

    Parameters
    ----------
    name : str
        Name of the image.
    image : ndarray, shape (c, y, x)
        Pixels as they are in the file; c is 1, 3 for a colour picture, or 2 for a cell and its nucleus.
    labels : ndarray of int, shape (y, x), optional
        Outlined objects above 0, background 0, -1 where nothing is said.
    verified : ndarray of bool, shape (y, x), optional
        Where everything has been looked at: there 0 is background, elsewhere nothing is said. An object that lies in
        it with half of its pixels or more counts whole.
    background : ndarray of bool, shape (y, x), optional
        Scribbles on what is surely background.
    points : ndarray of float, shape (n, 2)
        Middles (y, x) of objects that have no outline yet, in pixels.
    decisions : dict of int to str
        For labels that are a prediction: ``"accept"`` or ``"reject"`` for single objects. Others stay open.
    source : str
        The image, slide or well that it is a part of, if there may be several: they teach or judge together.

    Notes
    -----
    Labels alone are dense: their 0 is background. As soon as `verified`, `background`, `points` or `decisions` are
    given, 0 is background only where that is said.

    Examples
    --------
    >>> labels = np.array([[1, 1, 0, 2, 2, 0]])
    >>> image = np.zeros((1, 1, 6))
    >>> Correction("a", image, labels, decisions={1: "accept", 2: "reject"}).known().tolist()
    [[1, 1, -1, 0, 0, -1]]
    """

    name: str
    image: NDArray[np.generic]
    labels: NDArray[np.integer] | None = None
    verified: NDArray[np.bool_] | None = None
    background: NDArray[np.bool_] | None = None
    points: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    decisions: Mapping[int, str] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or not 1 <= self.image.shape[0] <= 3:
            raise ShapeError(f"{self.name}: the image has shape {self.image.shape}; expected (c, y, x), c from 1 to 3")
        for what in ("labels", "verified", "background"):
            value = getattr(self, what)
            if value is not None and value.shape != self.image.shape[1:]:
                raise ShapeError(
                    f"{self.name}: {what} has shape {value.shape}, the image {self.image.shape[1:]}; "
                    "both must lie on the same pixels"
                )
        size = np.array(self.image.shape[1:])
        outside = (self.points < -0.5) | (self.points > size - 0.5)
        if outside.any():
            raise DataError(f"{self.name}: the point {self.points[outside.any(1)][0].tolist()} lies outside the image")
        unknown = sorted(set(self.decisions.values()) - set(DECISIONS))
        if unknown:
            raise DataError(f"{self.name}: decision {unknown[0]!r}; expected accept or reject")
        if self.decisions and self.labels is None:
            raise DataError(f"{self.name}: decisions need the predicted labels they are about")
        present = set() if self.labels is None else set(np.unique(self.labels).tolist())
        absent = sorted(set(self.decisions) - present)
        if absent:
            raise DataError(f"{self.name}: decision about object {absent[0]}, which the labels do not have")

    @property
    def is_dense(self) -> bool:
        """Whether the labels alone say everything."""
        sparse = self.verified is not None or self.background is not None or len(self.points) or self.decisions
        return not sparse

    def known(self) -> NDArray[np.int32]:
        """Return one label image: objects above 0, background 0, -1 where nothing is said; points aside."""
        shape = self.image.shape[1:]
        labels = np.full(shape, -1, np.int32) if self.labels is None else self.labels.astype(np.int32)
        if self.is_dense:
            return labels
        said = np.zeros(shape, bool) if self.verified is None else self.verified
        kept = self._kept(labels, said)
        known = np.where(kept[np.maximum(labels, 0)] & (labels > 0), labels, np.where((labels == 0) & said, 0, -1))
        for label, decision in self.decisions.items():
            if decision == "reject":
                known[labels == label] = 0
        if self.background is not None:
            known[self.background] = 0
        return known.astype(np.int32)

    def within(self, image: NDArray[np.generic], corner: tuple[int, int]) -> Correction:
        """Say the same about a larger image that this one is a part of; around it nothing is said.

        Parameters
        ----------
        image : ndarray, shape (c, y, x)
            The larger image.
        corner : tuple of int
            Where in it this image begins, (y, x).

        Raises
        ------
        DataError
            If the larger image does not show this one there.
        """
        box = tuple(slice(c, c + n) for c, n in zip(corner, self.image.shape[1:], strict=True))
        if not np.array_equal(image[(slice(None), *box)], self.image):
            raise DataError(
                f"{self.name}: its surroundings do not show it at y {corner[0]}, x {corner[1]}; "
                "leave both as teasel suggest wrote them, or delete the folder surroundings"
            )

        def place(part: NDArray[Any] | None, around: int) -> NDArray[Any] | None:
            if part is None:
                return None
            whole = np.full(image.shape[1:], around, part.dtype)
            whole[box] = part
            return whole

        labels = None if self.labels is None else self.labels.astype(np.int32)
        return replace(
            self,
            image=image,
            labels=place(labels, -1 if self.is_dense else 0),
            verified=place(self.verified, 0),
            background=place(self.background, 0),
            points=self.points + np.array(corner, float),
        )

    def _kept(self, labels: NDArray[np.int32], said: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say for each label whether it is an object that somebody stands for."""
        n = int(labels.max(initial=0))
        if self.decisions:
            kept = np.zeros(n + 1, bool)
            kept[[label for label, decision in self.decisions.items() if decision == "accept"]] = True
        elif self.verified is None:
            kept = np.ones(n + 1, bool)  # outlines, with scribbles or points beside them
        else:
            kept = np.zeros(n + 1, bool)
        if self.verified is not None and n:
            flat = np.maximum(labels, 0).ravel()
            area, inside = np.bincount(flat, minlength=n + 1), np.bincount(flat, said.ravel(), n + 1)
            kept |= (2 * inside >= area) & (area > 0)
            for label in self.decisions:
                kept[label] = self.decisions[label] == "accept"
        kept[0] = False
        return kept


def read_corrections(folder: str | Path, *, channels: Sequence[int | str] = ()) -> list[Correction]:
    """Read corrections from a folder.

    Parameters
    ----------
    folder : path
        With ``images/`` and, each optional and with equal file stems, ``labels/`` (any label file), ``verified/`` and
        ``background/`` (masks; 0 is no), ``points/`` (CSV with columns y, x) and ``decisions/`` (CSV with columns
        label, decision). Decisions without labels are about ``predicted/``, as ``teasel suggest`` writes it; so are
        ``surroundings/`` and ``index.csv``, with which crops are seen within the image that they were cut from.
    channels : sequence of int or str
        In images with several channels the one that holds the objects, by number from 0 or by name; for models that
        tell channels apart the nucleus' second.

    Returns
    -------
    list of Correction
        Images about which something is said, sorted by name.

    Raises
    ------
    InputNotFound
        If the folder or its ``images/`` does not exist.
    DataError
        If nothing is said about any image, or a table cannot be read.
    ShapeError, ParameterError
        If something does not fit its image, or the channel is not clear.
    """
    from teasel.training.adapt.folder import find_statements

    found = [statement.read(channels) for statement in find_statements(Path(folder))]
    if not found:
        raise DataError(
            f"nothing is said about the images in {folder}; expected files in labels/, points/ or decisions/ "
            "with the names of the images"
        )
    return found
