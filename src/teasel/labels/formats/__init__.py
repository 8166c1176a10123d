"""Label images in files: one file per format, each a pair of ``read`` and ``write``.

`teasel.labels.read_labels` and `teasel.labels.write_labels` choose among them by the end of the name. A format has
``SUFFIXES`` (or ``matches``, where a folder is known by what is in it), ``read(path)`` or, for outlines that do not say
how large their image is, ``read(path, shape)``, and ``write(path, labels, voxel_size_um)``. ``TAKES`` names what else
``write`` can keep: nuclei, parents, scores, the version of the format. `napari_layer` is a format without a file.
"""

__all__: list[str] = []
