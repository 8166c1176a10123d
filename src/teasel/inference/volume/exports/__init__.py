"""Label volumes for other programs, block by block: layers for Neuroglancer, meshes, skeletons.

Takes a label image of any size, and its image, as files; gives a folder (`export_volume`) of precomputed layers that
Neuroglancer, cloud-volume and tensorstore read, meshes (OBJ, PLY) and skeletons (SWC). The volume is never held whole,
what is written does not depend on the blocks, and a run that was killed goes on.
"""

from __future__ import annotations

from teasel.inference.volume.exports.export import export_volume
from teasel.inference.volume.exports.job import TARGETS, Export
from teasel.inference.volume.exports.state import link_of
from teasel.inference.volume.file import VolumeFile

__all__ = ["TARGETS", "Export", "VolumeFile", "export_volume", "link_of"]
