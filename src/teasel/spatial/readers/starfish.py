"""starfish: decoded spots as CSV, and decoded intensity tables as netCDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from teasel.errors import FormatError
from teasel.geometry import VoxelSize
from teasel.spatial.codebook import is_blank_name
from teasel.spatial.readers._base import Reader, header_of, make_spots, read_table, take
from teasel.spatial.spots import Spots

__all__ = ["Starfish"]

_NEEDED = ("target", "x", "y")
_MARKS = {"passes_thresholds", "distance", "radius", "xc", "intensity"}
_COLUMNS = {
    "target": "gene",
    "distance": "distance",
    "passes_thresholds": "passes",
    "intensity": "intensity",
    "radius": "radius_px",
    "z": "plane",
    "cell_id": "vendor_cell",
}
_HDF5 = b"\x89HDF\r\n\x1a\n"


class Starfish(Reader):
    """Coordinates in pixels; ``xc``, ``yc`` (physical units) say the voxel size where they are.

    References
    ----------
    starfish, "DecodedIntensityTable" and "DecodedSpots": https://spacetx-starfish.readthedocs.io
    """

    name: ClassVar[str] = "starfish"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz", ".nc", ".netcdf")
    priority: ClassVar[int] = 5

    def sniff(self, path: Path) -> bool:
        """Know it by its columns, or by what an HDF5 file holds."""
        if path.suffix in (".nc", ".netcdf"):
            with path.open("rb") as file:
                return file.read(8) == _HDF5
        names = set(header_of(path))
        return set(_NEEDED) <= names and len(names & _MARKS) >= 2

    def read(self, path: Path, voxel_size_um: VoxelSize | None) -> Spots:
        """Read spots; what passed no threshold is kept, and marked in ``passes``."""
        import pandas

        wanted = [*_COLUMNS, "xc", "yc", "zc"]
        if path.suffix in (".nc", ".netcdf"):
            table = pandas.DataFrame(_from_netcdf(path, [*_NEEDED, *wanted]))
        else:
            table = read_table(path, _NEEDED, wanted)
        notes = []
        if voxel_size_um is None:
            voxel_size_um = _voxel_size(table)
            if voxel_size_um.known("yx"):
                notes.append(f"voxel size from physical coordinates, as if they were um: {voxel_size_um.x:g} along x")
        spots = make_spots(table, ("y", "x"), _COLUMNS, voxel_size_um=voxel_size_um, notes=notes)
        changed = {"blank": np.array([is_blank_name(str(gene)) for gene in spots["gene"]], bool)}
        if "passes" in spots.columns and spots["passes"].dtype.kind not in "biu":
            changed["passes"] = np.char.lower(spots["passes"].astype(str)) == "true"
        return spots.with_columns(**changed)


def _from_netcdf(path: Path, wanted: list[str]) -> dict[str, Any]:
    """Return the coordinates along features; intensities summed over rounds and channels."""
    import h5py
    import pandas

    found: dict[str, Any] = {}
    with h5py.File(path) as file:
        missing = [name for name in _NEEDED if name not in file]
        if missing:
            raise FormatError(f"{path.name} has no variable {missing[0]!r}; no decoded intensity table of starfish")
        n = len(file["x"])
        for name in wanted:
            if name in file and file[name].shape == (n,):
                found[name] = take(pandas.Series(file[name][:].tolist()))
        tables = [item for item in file.values() if isinstance(item, h5py.Dataset) and item.ndim == 3]
        for item in tables:
            if item.shape[0] == n:
                found["intensity"] = np.nansum(item[:], axis=(1, 2))
    return found


def _voxel_size(table: Any) -> VoxelSize:
    """Find micrometres per pixel by a line through both kinds of coordinates."""
    sizes: dict[str, float] = {}
    for axis in "yx":
        if f"{axis}c" in table and len(table) > 1 and np.ptp(table[axis]) > 0:
            slope = float(np.polyfit(table[axis].to_numpy(float), table[f"{axis}c"].to_numpy(float), 1)[0])
            if slope > 0:
                sizes[axis] = float(f"{slope:.6g}")
    return VoxelSize(**sizes)
