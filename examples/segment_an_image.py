"""Find the nuclei in one image, and look at them as numbers.

Run it: ``python examples/segment_an_image.py`` takes an image that scikit-image carries;
``python examples/segment_an_image.py cells.tif`` takes yours.
"""

from __future__ import annotations

import sys

import numpy as np
from skimage.data import immunohistochemistry

import teasel


def main() -> None:
    """Segment, and say how many, how large, how sure."""
    image = sys.argv[1] if len(sys.argv) > 1 else immunohistochemistry()
    result = teasel.segment(image, model="nuclei")
    print(f"{len(result.scores)} objects; typical diameter {result.diameter_px or 0:.1f} px, {result.diameter_source}")

    table = result.objects
    whole = ~table["touches_border"]
    sure = table["score"] > 0.5
    areas = table["area_px"][whole & sure]
    print(f"{len(areas)} are whole and rather right than wrong")
    if len(areas):
        low, middle, high = np.percentile(areas, (25, 50, 75))
        print(f"area: median {middle:.0f} px, half of them between {low:.0f} and {high:.0f}")


if __name__ == "__main__":
    main()
