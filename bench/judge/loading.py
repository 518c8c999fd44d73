"""Loading of the shipped judge."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench import models, training
from bench.errors import UserError

if TYPE_CHECKING:
    import keras

FILE = Path(__file__).with_name("fashion_mnist.keras")
# Of the shipped file; the accuracy is on the test images, as `recipe.py` measured it.
SHA256 = "4a2c7ffdc953ec1a56bdcc1f3ede291f035c78627791d9521fe9e543bc659fe7"
ACCURACY = 0.9324


@dataclass(frozen=True)
class Judge:
    """The judge with its features and predictions.

    Attributes
    ----------
    network : keras.Model
        From images (n, size, size, 1) in [0, 1] to logits.
    """

    network: "keras.Model"

    @cached_property
    def _both(self) -> "keras.Model":
        import keras

        features = models.stacked.features_of(self.network).output
        return keras.Model(self.network.input, [features, self.network.output])

    def look(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return features and predicted classes of images.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (n, size, size)
            The images.

        Returns
        -------
        features : ndarray of float32, shape (n, 64)
            Features from which the classes follow.
        classes : ndarray of int64, shape (n,)
            The most probable class of each image.
        """
        unit = pixels[..., None].astype("float32") / 255.0
        batch = training.predict.BATCH
        features, logits = self._both.predict(unit, batch_size=batch, verbose=0)
        return np.asarray(features, dtype="float32"), np.asarray(logits).argmax(axis=1)


def load(path: Path = FILE, sha256: str = SHA256) -> Judge:
    """Load the shipped network.

    Parameters
    ----------
    path : Path
        A `.keras` file.
    sha256 : str
        The hash that it must have.

    Returns
    -------
    Judge
        The network.

    Raises
    ------
    UserError
        If the file is not the one that this code knows: figures would be on another scale.
    """
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if found != sha256:
        raise UserError(
            f"{path}: expected SHA-256 {sha256}, got {found}. Distances in its features could not "
            "be compared with any other run's. Restore the file with `git checkout -- bench/judge`."
        )
    return Judge(training.predict.load(path))
