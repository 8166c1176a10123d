"""Networks: one architecture per file, in torch, for training and export.

A network takes an image batch ``(n, channel, [z,] y, x)`` and gives, for each head of a representation, the value
before its activation, on the head's own grid. Nothing here knows what the heads mean.
"""

__all__: list[str] = []
