"""scikit-learn's digits, 8 x 8 pixels: a third data set, added by this file and one line.

They come with scikit-learn (Alpaydin and Kaynak, 1998); nothing is downloaded.
"""

from dataclasses import dataclass

import numpy as np

from bench.data import idx
from bench.data.definition import FILES, DatasetInfo

TRAINING = 1200  # images; the other 597 are the test set


def arrays():
    """Return training images and labels, test images and labels."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    labels = bunch.target.astype(np.uint8)
    return images[:TRAINING], labels[:TRAINING], images[TRAINING:], labels[TRAINING:]


@dataclass(frozen=True)
class Bundled:
    """The route to the digits: they are made where they are asked for."""

    name: str = "scikit-learn's own digits"
    remote: bool = False
    asked_for: bool = False

    def gather(self, files, workspace, progress):
        made = dict(zip(FILES, arrays(), strict=True))
        for file in files:
            path = workspace / file
            path.write_bytes(idx.encode(made[file]))
            yield file, path


INFO = DatasetInfo(
    name="digits",
    title="Small digits",
    class_names=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    size=8,
    files={
        "train-images-idx3-ubyte": (
            "38350182fd5d51bc584de3c750dbb6ee113dba5c500cda68d137aa1036181695"
        ),
        "train-labels-idx1-ubyte": (
            "2a460a5cd0cfd1848fa04a26b2c906aa8336c71a90f29c34926d6199b044914d"
        ),
        "t10k-images-idx3-ubyte": (
            "e4b9309bd85042d5f41dc9b9246269e1e826de9a04c52391749293a42fea14f6"
        ),
        "t10k-labels-idx1-ubyte": (
            "380b80cb1d4687cf7597b7660f6130e38c1bb6d1f936165854d667476fde6639"
        ),
    },
    sources=(Bundled(),),
)
