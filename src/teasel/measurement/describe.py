"""What would be measured, without an image: the columns of a table and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from teasel.errors import ParameterError
from teasel.measurement.families import PREFIXES, choose_families
from teasel.measurement.features import Family
from teasel.measurement.scene import Scene
from teasel.measurement.table import Feature

__all__ = ["describe"]


def describe(
    families: Sequence[str | Family] | None = None,
    *,
    channels: Sequence[str] = ("channel0",),
    ndim: int = 2,
    nuclei: bool = False,
    unit: str = "um",
) -> tuple[Feature, ...]:
    """List the features that `measure` gives, in the order of its columns.

    Parameters
    ----------
    families : sequence of str or Family, optional
        Families of features, by name or with parameters of their own; all if not given.
    channels : sequence of str
        Names of the channels.
    ndim : int
        2 for planes, 3 for volumes.
    nuclei : bool
        Whether nuclei are measured along with cells.
    unit : str
        ``"um"``, or ``"px"`` where the voxel size is not known.

    Raises
    ------
    ParameterError
        If there is no such family, or `ndim` is neither 2 nor 3.

    Examples
    --------
    >>> describe(["intensity"], channels=["DAPI"])[0].name
    'Intensity_IntegratedIntensity_DAPI'
    """
    if ndim not in (2, 3):
        raise ParameterError(f"ndim is {ndim}; expected 2 for planes or 3 for volumes")
    chosen = choose_families(families)
    found = []
    for compartment in ("cell", "nucleus", "cytoplasm") if nuclei else ("object",):
        scene = Scene(ndim, tuple(channels), (1.0,) * ndim, unit, compartment)
        for family in chosen:
            if compartment in family.compartments:
                found += [
                    replace(feature, name=PREFIXES[compartment] + feature.name, compartment=compartment)
                    for feature in family.features(scene)
                ]
    return tuple(found)
