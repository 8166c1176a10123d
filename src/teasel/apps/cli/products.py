"""What can be written for each image beside labels, table and picture: nuclei, other formats, measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from teasel.errors import ParameterError

if TYPE_CHECKING:
    from teasel.apps.recipe import ExportOptions, MeasureOptions
    from teasel.models import Model
    from teasel.segment import Segmentation

__all__ = ["Exports", "Nuclei", "Product", "Tables"]


class Product(Protocol):
    """Files that are written for each image once its objects are found."""

    @property
    def name(self) -> str:
        """Under which the settings stand in ``run.json``."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything that changes what is written."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """How the names of the files end."""

    def write(self, segmentation: Segmentation, folder: Path, name: str) -> None:
        """Write the files of one image, each whole or not at all."""


class Nuclei:
    """The nuclei of each image, and which cell each lies in.

    Parameters
    ----------
    model : Model
        What finds them.
    """

    name = "nuclei"
    suffixes = (".nuclei.tif", ".nuclei.csv")

    def __init__(self, model: Model) -> None:
        self.settings = {"model": model.name, "digest": model.digest}

    def write(self, segmentation: Segmentation, folder: Path, name: str) -> None:
        """Write ``<name>.nuclei.tif`` and ``<name>.nuclei.csv``, a row per nucleus with the label of its cell."""
        from teasel.apps.cli.outputs import in_planes, write_table_of
        from teasel.images.atomic import atomic_path
        from teasel.labels import write_labels

        if segmentation.nuclei is None or segmentation.nuclei_objects is None:
            raise ParameterError(f"no nuclei were looked for in {name}; give their channel with --nucleus")
        labels, table = (folder / (name + suffix) for suffix in self.suffixes)
        write_labels(labels, in_planes(segmentation.nuclei, segmentation.image), segmentation.image.voxel_size_um)
        with atomic_path(table) as temporary:
            write_table_of(segmentation.nuclei_objects, segmentation.image, temporary)


class Exports:
    """The labels of each image once more, in the formats of other programs.

    Parameters
    ----------
    options : ExportOptions
        Which formats.
    """

    name = "export"

    def __init__(self, options: ExportOptions) -> None:
        self.settings = asdict(options)
        self.suffixes = tuple(f".labels{suffix}" for suffix in options.labels)

    def write(self, segmentation: Segmentation, folder: Path, name: str) -> None:
        """Write ``<name>.labels<suffix>`` for each format."""
        from teasel.labels import write_labels

        for suffix in self.suffixes:
            write_labels(folder / (name + suffix), segmentation.labels, segmentation.image.voxel_size_um)


class Tables:
    """The features of the objects of each image.

    Parameters
    ----------
    options : MeasureOptions
        Which families of features, and which formats of tables.
    """

    name = "measure"

    def __init__(self, options: MeasureOptions) -> None:
        self._options = options
        self.settings = asdict(options)
        self.suffixes = tuple(f".measurements{suffix}" for suffix in options.tables)

    def write(self, segmentation: Segmentation, folder: Path, name: str) -> None:
        """Write ``<name>.measurements<suffix>`` for each format."""
        from teasel.measurement import measure, write_table

        table = measure(
            segmentation,
            nuclei=segmentation.nuclei,
            families=self._options.families or None,
            channels=self._options.channels or None,
            z=segmentation.parameters.get("z"),
            name=name,
        )
        for suffix in self.suffixes:
            write_table(table, folder / (name + suffix))
