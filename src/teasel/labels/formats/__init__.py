"""Label images in files: one file per format, each a pair of ``read`` and ``write``.

`teasel.labels.read_labels` and `teasel.labels.write_labels` choose among them by suffix.
"""

__all__: list[str] = []
