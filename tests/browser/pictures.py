"""How far two pictures of a page are from each other, whatever fonts a machine has.

Both are made coarse first, so that what counts is where lines, areas and text are, and not how
single letters are drawn.
"""

from pathlib import Path

import numpy as np
from PIL import Image

#: Of a coarse picture, in pixels.
WIDTH = 240
#: Grey levels, of 255, from which on two pixels differ.
NOTICEABLE = 40


def coarse(picture: Image.Image) -> Image.Image:
    """A picture of :data:`WIDTH` in grey."""
    height = max(1, round(picture.height * WIDTH / picture.width))
    return picture.convert("L").resize((WIDTH, height), Image.Resampling.BOX)


def difference(one: Path, other: Path) -> float:
    """The fraction of coarse pixels that differ; 1 if the pictures have other proportions."""
    first, second = (coarse(Image.open(file)) for file in (one, other))
    if abs(first.height - second.height) > 0.04 * first.height:
        return 1.0
    second = second.resize(first.size)
    levels = [np.asarray(picture, dtype=int) for picture in (first, second)]
    return float(np.mean(np.abs(levels[0] - levels[1]) > NOTICEABLE))
