"""Conversion between stored pixels and the inputs of networks."""

import keras
import numpy as np
from keras import ops

from bench.interfaces import Tensor

SIZE, CLASSES = 28, 10  # of MNIST and Fashion-MNIST: what networks have if nothing else is said


def image_shape(size: int = SIZE) -> tuple[int, int, int]:
    """Shape of what networks see of a grey image with so many pixels a side."""
    return (size, size, 1)


def to_unit(pixels: Tensor | np.ndarray) -> Tensor:
    """Scale uint8 pixels (n, size, size) to floats (n, size, size, 1) in [0, 1], on the device."""
    return ops.expand_dims(ops.cast(pixels, "float32"), -1) / 255.0


def to_pixels(images: Tensor | np.ndarray) -> np.ndarray:
    """Turn images (n, size, size, 1), or (n, size, size), in [0, 1] into uint8 (n, size, size)."""
    array = np.asarray(images, dtype="float32")
    array = array[..., 0] if array.ndim == 4 else array
    return np.clip(np.rint(array * 255.0), 0, 255).astype(np.uint8)


def cross_entropy(target: Tensor, output: Tensor) -> Tensor:
    """Bernoulli cross-entropy of images in [0, 1], mean over pixels, nats.

    Parameters
    ----------
    target : tensor
        Pixels, [0, 1].
    output : tensor
        Probabilities, of the same shape.

    Returns
    -------
    tensor
        A scalar.
    """
    return ops.mean(ops.binary_crossentropy(target, ops.cast(output, "float32")))


def convolution(filters: int, kernel: int, **settings: object) -> keras.layers.Layer:
    """Make a 'same' convolution without bias: normalisation follows it.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel : int
        Pixels a side of the kernel.
    **settings
        Further settings of `keras.layers.Conv2D`.

    Returns
    -------
    keras.layers.Layer
        The layer.
    """
    return keras.layers.Conv2D(
        filters,
        kernel,
        padding="same",
        use_bias=False,
        **{"kernel_initializer": "he_normal", **settings},
    )
