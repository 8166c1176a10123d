"""What can be written for each image beside labels, table and picture: nuclei, other formats, measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def check(self) -> None:
        """Raise if what is asked for cannot be written at all, before anything is done."""

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

    def check(self) -> None:
        """Nothing can be wrong: the model is loaded."""

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

    def check(self) -> None:
        """Raise FormatError if labels cannot be written in a format, before anything is done."""
        from tempfile import TemporaryDirectory

        from teasel.labels import write_labels

        with TemporaryDirectory() as place:
            for suffix in self.suffixes:
                write_labels(Path(place) / f"check{suffix}", [[0, 1], [0, 0]])

    def write(self, segmentation: Segmentation, folder: Path, name: str) -> None:
        """Write ``<name>.labels<suffix>`` for each format; nuclei too where a format keeps them (GeoJSON)."""
        from teasel.apps.cli.outputs import in_planes
        from teasel.labels import write_labels

        planes = in_planes(segmentation.labels, segmentation.image)
        for suffix in self.suffixes:
            labels = segmentation.labels if suffix.endswith(".npy") else planes
            nuclei = segmentation.nuclei if ".geojson" in suffix else None
            write_labels(folder / (name + suffix), labels, segmentation.image.voxel_size_um, nuclei=nuclei)


class Tables:
    """The features of the objects of each image, and one table of all of them.

    Parameters
    ----------
    options : MeasureOptions
        Which families of features and channels, and which formats of the one table.
    """

    name = "measure"
    suffixes = (".measurements.csv", ".measurements.csv-metadata.json")

    def __init__(self, options: MeasureOptions) -> None:
        self._options = options
        self.settings = {"families": list(options.families), "channels": list(options.channels)}

    def check(self) -> None:
        """Raise ParameterError if there is no such format or family, before anything is done."""
        from teasel.measurement import measure
        from teasel.measurement.tables import is_table_path

        for suffix in self._options.tables:
            if suffix != ".zarr" and not is_table_path(f"table{suffix}"):
                raise ParameterError(f"no table is kept in {suffix!r} files; expected .csv, .xlsx, .parquet or .h5ad")
        measure([[0, 1], [0, 0]], [[0, 1], [0, 0]], families=self._options.families or None, axes="yx")

    def write(self, segmentation: Segmentation, folder: Path, name: str) -> None:
        """Write ``<name>.measurements.csv`` and the description of its columns."""
        from teasel.measurement import measure
        from teasel.measurement.tables import write_table

        table = measure(
            segmentation,
            nuclei=segmentation.nuclei,
            families=self._options.families or None,
            channels=self._options.channels or None,
            z=segmentation.parameters.get("z"),
            name=segmentation.image.source.name if segmentation.image.source else name,
        )
        write_table(table, folder / f"{name}{self.suffixes[0]}")

    def gather(self, folder: Path, names: Sequence[str]) -> list[Path]:
        """Write ``measurements<suffix>`` for each format: the tables of all images under each other.

        Plate, well and field are added if the name of every image says its well.

        Raises
        ------
        ShapeError
            If the pixel size of some images is known and of others not, or some are volumes.
        """
        from teasel.measurement import Measurements
        from teasel.measurement.plates import add_wells, find_well
        from teasel.measurement.tables import read_table, write_table

        table = Measurements.concatenate(
            [read_table(folder / f"{name}{self.suffixes[0]}") for name in names], fill=True
        )
        images = set(map(str, table.objects["image"]))
        if images and all(map(find_well, images)):
            table = add_wells(table)
        paths = [folder / f"measurements{suffix}" for suffix in self._options.tables]
        for path in paths:
            write_table(table, path)
        return paths
