"""Network that learns the places of a neighbour embedding, and returns the most likely one.

A network that regresses on the positions of a t-SNE map answers with their mean, which lies between
the groups wherever it is in doubt. Here it gives a density over the map, as a mixture of Gaussians
around fixed anchors (mixture density network: Bishop 1994, NCRG/94/004), and an image's place is
the density's mode: in doubt it takes a side.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import layers, ops

from bench.interfaces import Batch, Loss, Scalars, Tensor
from bench.models.images import cross_entropy, to_unit


@keras.saving.register_keras_serializable("latent_lab")
class Mode(layers.Layer):
    """The mode of a density over a map: logits (n, anchors) to positions (n, d).

    The highest of the anchors, and from there one mean-shift step (Comaniciu and Meer, "Mean
    shift: a robust approach toward feature space analysis", IEEE TPAMI 24, 2002, equation 17).

    Parameters
    ----------
    anchors : int
        How many anchors there are.
    dimensions : int
        Of the map.
    bandwidth : float
        Standard deviation of the kernel around each anchor, in the map's units.
    """

    def __init__(self, anchors: int, dimensions: int, bandwidth: float, **settings: object) -> None:
        super().__init__(**settings)
        self.count, self.dimensions, self.bandwidth = anchors, dimensions, bandwidth
        self.anchors = self.add_weight(
            shape=(anchors, dimensions), initializer="zeros", trainable=False, name="anchors"
        )

    def call(self, logits: Tensor) -> Tensor:
        """Find the mode for each row of logits."""
        share = ops.softmax(ops.cast(logits, "float32"))
        kernel = gaussian_kernel(self.anchors, self.anchors, self.bandwidth)
        peak = ops.argmax(ops.matmul(share, kernel), axis=-1)
        weight = share * ops.take(kernel, peak, axis=0)
        total = ops.sum(weight, axis=-1, keepdims=True)
        return ops.matmul(weight, ops.cast(self.anchors, "float32")) / total

    def get_config(self) -> dict[str, object]:
        """Return the settings; the anchors are weights."""
        own = {
            "anchors": self.count,
            "dimensions": self.dimensions,
            "bandwidth": self.bandwidth,
        }
        return {**super().get_config(), **own}


def gaussian_kernel(a: Tensor, b: Tensor, bandwidth: float) -> Tensor:
    """Unnormalised Gaussian kernel between points (n, d) and (m, d), shape (n, m).

    Parameters
    ----------
    a : tensor, shape (n, d)
        Points.
    b : tensor, shape (m, d)
        Points.
    bandwidth : float
        Standard deviation of the kernel.

    Returns
    -------
    tensor, shape (n, m)
        Values from 0 to 1.
    """
    a, b = ops.cast(a, "float32"), ops.cast(b, "float32")
    squared = ops.sum(ops.square(a[:, None] - b[None]), axis=-1)
    return ops.exp(-squared / (2.0 * bandwidth**2))


def density_network(encoders: Sequence[keras.Model], anchors: int) -> keras.Model:
    """Stack encoders and a dense layer: images (n, size, size, 1) to logits (n, anchors).

    Parameters
    ----------
    encoders : sequence of keras.Model
        Stages, outermost first.
    anchors : int
        Number of anchors.

    Returns
    -------
    keras.Model
        The network.
    """
    image = keras.Input(encoders[0].input_shape[1:])
    code = image
    for encoder in encoders:
        code = encoder(code)
    logits = layers.Dense(anchors, dtype="float32", name="logits")(layers.Flatten()(code))
    return keras.Model(image, logits, name="density_network")


def placing_network(density: keras.Model, anchors: np.ndarray, bandwidth: float) -> keras.Model:
    """Put the mode on top of a trained density network: images to positions (n, d).

    Parameters
    ----------
    density : keras.Model
        See `density_network`.
    anchors : ndarray of float, shape (m, d)
        Places of the anchors.
    bandwidth : float
        Of the kernel around each anchor.

    Returns
    -------
    keras.Model
        The network.
    """
    count, dimensions = anchors.shape
    mode = Mode(count, dimensions, bandwidth, name="mode", dtype="float32")
    placed = mode(density.output)
    mode.anchors.assign(anchors)
    return keras.Model(density.input, placed, name="encoder")


def density_loss(density: keras.Model, anchors: np.ndarray, bandwidth: float) -> Loss:
    """Cross-entropy between the kernel around an image's position and the network's density.

    Parameters
    ----------
    density : keras.Model
        From images to logits.
    anchors : ndarray of float32, shape (anchors, d)
        Fixed points of the map.
    bandwidth : float
        Standard deviation of the kernel, in the map's units.

    Returns
    -------
    callable
        `loss(batch, training)` with the uint8 `images` and the `positions` (n, d) of a batch.
    """

    def loss(batch: Batch, training: bool) -> Scalars:
        logits = density(to_unit(batch["images"]), training=training)
        near = gaussian_kernel(batch["positions"], anchors, bandwidth)
        target = near / (ops.sum(near, axis=-1, keepdims=True) + 1e-12)
        return {"loss": ops.mean(ops.categorical_crossentropy(target, logits, from_logits=True))}

    return loss


def decoding_loss(decoder: keras.Model) -> Loss:
    """Bernoulli cross-entropy of `images` decoded from given `positions`, nats a pixel."""

    def loss(batch: Batch, training: bool) -> Scalars:
        restored = decoder(batch["positions"], training=training)
        return {"loss": cross_entropy(to_unit(batch["images"]), restored)}

    return loss
