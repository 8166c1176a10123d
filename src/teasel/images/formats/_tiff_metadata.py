"""What TIFF dialects say about voxel size and channels: OME, ImageJ, LSM, STK, and plain resolution tags."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

from teasel.geometry import VoxelSize
from teasel.images.units import in_micrometres, plausible

__all__ = ["Facts", "read_facts"]


@dataclass(frozen=True)
class Facts:
    """What a dialect says of one series."""

    voxel_size_um: VoxelSize = field(default_factory=VoxelSize)
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_facts(tif: Any, index: int) -> Facts:
    """Read what the file says of series `index`, from the dialect it is written in."""
    kind = tif.series[index].kind
    if kind == "ome" and tif.ome_metadata:
        return _from_ome(tif.ome_metadata, index)
    if kind == "imagej" and tif.imagej_metadata:
        return _from_imagej(tif.imagej_metadata, tif.series[index].keyframe)
    if kind == "lsm" and tif.lsm_metadata:
        return _from_lsm(tif.lsm_metadata)
    if kind == "stk" and tif.stk_metadata:
        return _from_stk(tif.stk_metadata)
    return _from_tags(tif.series[index].keyframe)


def _from_ome(xml: str, index: int) -> Facts:
    """Read Pixels and Channel of image `index`; micrometres where no unit is given, as the schema says."""
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        return Facts(notes=(f"the OME metadata is no valid XML ({error}): pixel size and channel names not known",))
    images = [e for e in root if e.tag.endswith("}Image") or e.tag == "Image"]
    pixels = next((e for e in images[index] if e.tag.endswith("Pixels")), None) if index < len(images) else None
    if pixels is None:
        return Facts()
    sizes = {
        a.lower(): in_micrometres(_number(pixels.get(f"PhysicalSize{a}")), pixels.get(f"PhysicalSize{a}Unit", "um"))
        for a in "ZYX"
    }
    channels = [e for e in pixels if e.tag.endswith("Channel")]
    names = tuple(e.get("Name") or e.get("Fluor") or "" for e in channels)
    return Facts(VoxelSize(**sizes), names if any(names) else ())


def _from_imagej(meta: dict[str, Any], page: Any) -> Facts:
    """Read ImageJ's unit, spacing and resolution; without a unit the numbers mean pixels."""
    unit, spacing = meta.get("unit"), meta.get("spacing")
    y, x = (in_micrometres(size, unit) for size in _tag_sizes(page))
    notes: tuple[str, ...] = ()
    if unit and str(unit).lower() in ("inch", "in") and not plausible(x):
        notes = ("the unit is the inch, a printer's resolution: ignored",)
        x = y = None
    facts = Facts(VoxelSize(in_micrometres(spacing, unit), y, x), notes=notes)
    labels = meta.get("Labels")
    n = meta.get("channels", 1)
    if isinstance(labels, list) and n > 1 and len(labels) == n and all(isinstance(v, str) for v in labels):
        facts = replace(facts, channel_names=tuple(labels))
    return facts


def _from_lsm(meta: dict[str, Any]) -> Facts:
    sizes = {a: in_micrometres(meta.get(f"VoxelSize{a.upper()}"), "m") for a in "zyx"}
    names = (meta.get("ChannelColors") or {}).get("ColorNames", [])
    return Facts(VoxelSize(**sizes), tuple(str(n) for n in names))


def _from_stk(meta: dict[str, Any]) -> Facts:
    unit = meta.get("CalibrationUnits", "um")
    y, x = (in_micrometres(_number(meta.get(f"{a}Calibration")), unit) for a in "YX")
    distances = meta.get("ZDistance")
    z = _number(distances[0]) if distances is not None and len(distances) else None
    if not meta.get("SpatialCalibration", True):
        y = x = None
    return Facts(VoxelSize(in_micrometres(z, unit), y, x))


def _from_tags(page: Any) -> Facts:
    """Take the resolution tags for a pixel size only if they say a unit and a microscope could have it."""
    unit = {2: "inch", 3: "cm"}.get(int(page.tags.valueof(296, 2)))
    y, x = (in_micrometres(size, unit) for size in _tag_sizes(page))
    if y is None or x is None:
        return Facts()
    if not (plausible(y) and plausible(x)):
        return Facts(
            notes=(f"resolution tag of {x:g} um per pixel ignored: a printer's resolution, not a microscope's",)
        )
    return Facts(VoxelSize(None, y, x), notes=(f"pixel size {x:g} um taken from the resolution tag ({unit})",))


def _tag_sizes(page: Any) -> tuple[float | None, float | None]:
    """Return the edge lengths (y, x) of a pixel in the unit of the resolution tags."""
    sizes = []
    for code in (283, 282):
        value = page.tags.valueof(code)
        sizes.append(value[1] / value[0] if value is not None and value[0] and value[1] else None)
    return sizes[0], sizes[1]


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
