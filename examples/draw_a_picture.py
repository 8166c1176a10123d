"""Draw an image beside the outlines that were found in it: the picture in the README.

``python examples/draw_a_picture.py docs/images/demo.jpg`` writes it.
"""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image as Picture
from skimage.data import immunohistochemistry

import teasel
from teasel.apps.cli.overlay import draw_overlay, stretch_contrast
from teasel.images import open_image

CROP = (slice(0, 320), slice(192, 512))
ENLARGED = 2


def main() -> None:
    """Segment the whole image, and draw a part of it twice: as it is, and with outlines."""
    target = sys.argv[1] if len(sys.argv) > 1 else "demo.jpg"
    image = immunohistochemistry()
    labels = teasel.segment(image).labels
    part = image[CROP]
    outlined = draw_overlay(open_image(part), labels[CROP], shortest_px=ENLARGED * max(part.shape))
    plain = stretch_contrast(part).repeat(ENLARGED, 0).repeat(ENLARGED, 1)
    gap = np.full((plain.shape[0], 8, 3), 255, np.uint8)
    Picture.fromarray(np.hstack([plain, gap, outlined])).save(target, quality=88)


if __name__ == "__main__":
    main()
