"""What several families of features are made of: many objects at once, whatever their number, in plain NumPy.

Loops run over rows, offsets or vertices, never over objects or voxels, so that ten thousand small cells cost no more
than ten large ones.
"""

__all__: list[str] = []
