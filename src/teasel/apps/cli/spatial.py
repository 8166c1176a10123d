"""``teasel spatial``: raw rounds to genes in cells, and the transcripts of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from teasel.apps.cli.console import ProgressLine
from teasel.errors import ParameterError

if TYPE_CHECKING:
    from teasel.geometry import VoxelSize

__all__ = ["add_to"]

_STEPS = ("aligning", "learning", "refining", "decoding", "placing in cells", "stitching")
_APART_PX = 0.75  # median step between molecules that two fields show, from which positions are doubted

spatial = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)

Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the result goes.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]


@spatial.callback()
def _spatial() -> None:
    """Go from raw rounds to genes in cells; read the transcripts of other programs.

    \b
    Examples:
      teasel spatial recipe > recipe.toml
      teasel spatial run recipe.toml -o results
      teasel spatial check detected_transcripts.csv mosaic.tif
      teasel spatial assign transcripts.csv cells.labels.tif -o cells.h5ad
    """


@spatial.command()
def run(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="Recipe file, .toml.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Where results go; the recipe's output if not given."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Remove what an earlier run left there.")] = False,
    quiet: Quiet = False,
) -> None:
    """Align, decode, place in cells, count, report. A run that was stopped or killed goes on where it was.

    \b
    Examples:
      teasel spatial run recipe.toml
      teasel spatial run recipe.toml -o elsewhere --overwrite
    """
    from teasel.spatial.chain import read_recipe, run_recipe

    wanted = read_recipe(recipe)
    target = output or (wanted.path(wanted.output) if wanted.output else None)
    if target is None:
        raise ParameterError(f'{recipe} names no folder for the results; add a line output = "...", or give -o')
    line = ProgressLine(quiet=quiet)

    def draw(step: str, done: int, total: int) -> None:
        line.draw((_STEPS.index(step) + done / max(total, 1)) / len(_STEPS), f"{step}: {done} of {total}")

    try:
        summary = run_recipe(wanted, target, overwrite=overwrite, progress=draw)
    finally:
        line.clear()
    if not quiet:
        _print_summary(summary)
        print(f"{target / 'cells.h5ad'} holds cells x genes; {target / 'report.html'} shows how it went")


@spatial.command()
def recipe() -> None:
    """Print a recipe to start from.

    \b
    Examples:
      teasel spatial recipe > recipe.toml
    """
    from teasel.spatial.chain import EXAMPLE

    print(EXAMPLE, end="")


@spatial.command()
def check(
    spots: Annotated[Path, typer.Argument(metavar="SPOTS", help="Transcripts or spots of any known program.")],
    image: Annotated[
        Path | None, typer.Argument(metavar="IMAGE", help="The image they were found in, or labels of cells.")
    ] = None,
    pixel_size: Annotated[float | None, typer.Option(metavar="UM", help="Micrometres per pixel of the image.")] = None,
    channel: Annotated[str | None, typer.Option(help="Channel of the image: number from 0, or name.")] = None,
    labels: Annotated[bool, typer.Option("--labels", help="IMAGE holds labels of cells, not fluorescence.")] = False,
    reader: Annotated[str | None, typer.Option(help="Which reader to use, if the content does not say.")] = None,
) -> None:
    """Say what a file of transcripts holds, and whether it fits its image: shifts, flips, exchanged axes.

    \b
    Examples:
      teasel spatial check transcripts.parquet
      teasel spatial check detected_transcripts.csv mosaic_DAPI.tif --pixel-size 0.108
      teasel spatial check spots.csv nuclei.labels.tif --labels
    """
    import numpy as np

    from teasel.spatial.readers import check_against_image
    from teasel.spatial.readers.parts import join_notes, stream_spots
    from teasel.spatial.spots import Spots

    count, genes, notes, places = 0, set[str](), [], []
    for part in stream_spots(spots, reader=reader, voxel_size_um=_size(pixel_size)):
        count += len(part)
        genes.update(np.unique(part["gene"]).tolist() if "gene" in part.columns else ())
        notes.append(part.notes)
        if image is not None:
            places.append(part.positions_px)
    print(f"{spots}: {count} spots, {part.ndim}D; columns: {', '.join(part.columns) or 'none'}")
    if "gene" in part.columns:
        print(f"  {len(genes)} genes")
    for note in join_notes(notes):
        print(f"  note: {note}")
    if image is not None:
        everything = Spots(np.concatenate(places), voxel_size_um=part.voxel_size_um)
        fit = check_against_image(everything, _read_image(image, channel, labels), band=not labels)
        print(f"  {fit.words()}")


@spatial.command()
def assign(
    spots: Annotated[Path, typer.Argument(metavar="SPOTS", help="Transcripts of any known program, with genes.")],
    labels: Annotated[Path, typer.Argument(metavar="LABELS", help="Label image of cells or nuclei.")],
    output: Output,
    method: Annotated[
        str, typer.Option(help="labels (under the spot), nearest (within the radius), or refine (by expression).")
    ] = "refine",
    radius: Annotated[float, typer.Option(metavar="PX", help="How far a cell reaches from its label, in pixels.")] = 20,
    pixel_size: Annotated[float | None, typer.Option(metavar="UM", help="Micrometres per pixel of the labels.")] = None,
    max_memory: Annotated[float, typer.Option(metavar="GB", help="Refuse what would take more.")] = 8.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output if it is there.")] = False,
) -> None:
    """Give transcripts to cells, and count them: cells x genes as AnnData.

    \b
    Examples:
      teasel spatial assign spots.csv nuclei.labels.tif -o cells.h5ad
      teasel spatial assign transcripts.parquet cells.labels.tif -o cells.h5ad --method labels
    """
    from teasel.images import atomic_path
    from teasel.labels import read_labels
    from teasel.spatial.assign import Refinement, cell_table, count_parts, nearest_cells, refine_cells
    from teasel.spatial.readers import read_molecules, stream_spots

    if method not in ("labels", "nearest", "refine"):
        raise ParameterError(f"--method is {method!r}; expected labels, nearest or refine")
    if output.exists() and not overwrite:
        raise ParameterError(f"{output} is there already; give another name, or --overwrite")
    cells_image, size = read_labels(labels), _size(pixel_size)
    if method == "labels":
        table = count_parts(stream_spots(spots, voxel_size_um=size), cells_image)
    else:
        found = read_molecules(spots, voxel_size_um=size)
        places = found.positions_px[:, -cells_image.ndim :]
        if method == "nearest":
            cells = nearest_cells(places, cells_image, radius)
        else:
            settings = Refinement(radius_px=radius, max_memory_gb=max_memory)
            cells = refine_cells(places, found.genes, cells_image, settings)
        table = cell_table(
            cells, found.genes, found.names, cells_image, blank=found.blank, voxel_size_um=found.voxel_size_um
        )
    with atomic_path(output) as temporary:
        table.write_h5ad(temporary)
    left = table.uns["unassigned"]
    print(
        f"{output}: {table.n_obs} cells x {table.n_vars} genes, {int(table.obs['n_counts'].sum())} molecules in cells, "
        f"{left['spots']} ({100 * left['share']:.1f} %) in none"
    )


@spatial.command()
def imc(
    source: Annotated[Path, typer.Argument(metavar="RAW", help="Raw file of imaging mass cytometry: .mcd or .txt.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where images go; made if need be.")],
    hot_pixels: Annotated[
        float, typer.Option(metavar="COUNTS", help="Take away pixels that exceed all neighbours by more; 0 for none.")
    ] = 50.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace images that are there.")] = False,
) -> None:
    """Write each acquisition of a raw file as an OME-TIFF with named channels.

    \b
    Examples:
      teasel spatial imc slide.mcd -o images
      teasel spatial imc roi_1.txt -o images --hot-pixels 0
    """
    from teasel.images import save_image
    from teasel.spatial.imc import read_imc, remove_hot_pixels

    output.mkdir(parents=True, exist_ok=True)
    for one in read_imc(source):
        target = output / f"{source.stem}_{one.name.replace('/', '_')}.ome.tif"
        if target.exists() and not overwrite:
            raise ParameterError(f"{target} is there already; give another folder, or --overwrite")
        image = one.image.read()
        if hot_pixels > 0:
            image = remove_hot_pixels(image, hot_pixels)
        names = [
            f"{metal} {label}" if label != metal else metal
            for metal, label in zip(one.metals, one.targets, strict=True)
        ]
        save_image(target, image, axes="cyx", voxel_size_um=one.image.voxel_size_um, channel_names=names)
        print(f"{target}: {image.shape[2]} x {image.shape[1]} pixels, {len(names)} channels")
        for note in one.notes:
            print(f"  note: {note}")


def _print_summary(summary: dict[str, Any]) -> None:
    for one in summary["fields"]:
        left, drift = one["residual_in_molecules_px"], one["largest_shift_px"]
        residual = "" if left is None else f", {left:.2f} px left by molecules"
        print(f"field {one['field']}: drift up to {drift:.1f} px{residual}, {one['molecules']} molecules")
    for block, found in summary["blocks"].items():
        rate = "no blanks, so no error rate"
        if found["fdr"] is not None:
            low, high = found["fdr_interval"]
            rate = f"{100 * found['fdr']:.1f} % false (95 %: {100 * low:.1f} to {100 * high:.1f})"
        print(f"block {block}: {found['genes']} molecules of genes, {found['blanks']} of blanks; {rate}")
        if found["one_blank"] is not None and found["one_blank"] > summary["requested_fdr"]:
            print(
                f"  note: one call of a blank alone is {100 * found['one_blank']:.1f} %: that "
                f"{100 * summary['requested_fdr']:g} % are met cannot be told from so few calls"
            )
    if "stitched" in summary:
        twice = summary["stitched"]
        print(
            f"stitched: {twice['molecules_seen_twice']} molecules and {twice['cells_seen_twice']} cells were seen twice"
        )
        for pair in twice["overlaps"]:
            if pair["apart_px"] is not None and max(map(abs, pair["apart_px"])) > _APART_PX:
                names, off = " and ".join(pair["fields"]), ", ".join(f"{step:.1f}" for step in pair["apart_px"])
                print(f"  note: fields {names} are {off} px (y, x) off; check their positions")
    cells = summary["cells"]
    print(f"{cells['n']} cells; {cells['unassigned']} molecules ({100 * cells['unassigned_share']:.1f} %) in none")


def _size(pixel_size: float | None) -> VoxelSize | None:
    from teasel.geometry import VoxelSize

    return None if pixel_size is None else VoxelSize(y=pixel_size, x=pixel_size)


def _read_image(path: Path, channel: str | None, labels: bool) -> Any:
    """Read what spots are checked against."""
    if labels:
        from teasel.labels import read_labels

        return read_labels(path) > 0
    from teasel.images import open_image

    image = open_image(path)
    if "c" not in image.axes:
        return image.read()
    if channel is None:
        raise ParameterError(f"{path} has {image.sizes['c']} channels; say which with --channel")
    if channel not in image.channel_names and not channel.isdigit():
        raise ParameterError(f"{path} has no channel {channel!r}; it has: {', '.join(image.channel_names)}")
    return image.read(c=image.channel_names.index(channel) if channel in image.channel_names else int(channel))


def add_to(app: typer.Typer) -> None:
    """Add this command to the app."""
    app.add_typer(spatial, name="spatial")
