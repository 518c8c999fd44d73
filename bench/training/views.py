"""Views of test images, over which a classifier's predictions are averaged."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass(frozen=True)
class Views:
    """Which views of an image are classified together, by the mean of the predictions.

    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition",
    2015, arXiv 1409.1556, section 4.2, call it multi-crop evaluation.

    Attributes
    ----------
    shift : int
        Where not 0, also the image moved so many pixels up, down, left and right: five views. What
        comes in is black.
    mirrored : bool
        Also the mirror image of each.
    """

    shift: int = 0
    mirrored: bool = False

    def of(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """Make the views of images (n, height, width), each of the same shape."""
        height, width = images.shape[1:]
        border = (self.shift, self.shift)
        padded = np.pad(images, ((0, 0), border, border))
        for down, across in MOVES if self.shift else MOVES[:1]:
            top, left = self.shift * (1 - down), self.shift * (1 - across)
            view = padded[:, top : top + height, left : left + width]
            yield view
            if self.mirrored:
                yield view[:, :, ::-1]
