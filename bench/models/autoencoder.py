"""Plain autoencoders: a dense one for two-dimensional maps, a convolutional one for generation."""

from collections.abc import Sequence

import keras
from keras import layers

from bench.interfaces import Batch, Loss, Scalars
from bench.models.images import SIZE, convolution, cross_entropy, image_shape, to_unit
from bench.models.normalisation import normalised


def dense_encoder(hidden: Sequence[int], latent: int, size: int = SIZE) -> keras.Model:
    """Dense layers to a **linear** bottleneck: no unit can die, no quadrant is closed.

    Parameters
    ----------
    hidden : sequence of int
        Units of the hidden layers, from the image inwards.
    latent : int
        Units of the bottleneck.
    size : int
        Pixels a side.

    Returns
    -------
    keras.Model
        From images (n, size, size, 1) to codes (n, latent).
    """
    image = keras.Input(image_shape(size))
    code = layers.Flatten()(image)
    for units in hidden:
        code = layers.Dense(units, activation="gelu")(code)
    code = layers.Dense(latent, dtype="float32", name="bottleneck")(code)
    return keras.Model(image, code, name="encoder")


def dense_decoder(hidden: Sequence[int], latent: int, size: int = SIZE) -> keras.Model:
    """Mirror the dense encoder; pixels by a sigmoid.

    Parameters
    ----------
    hidden : sequence of int
        Units of the encoder's hidden layers, outermost first.
    latent : int
        Size of the code.
    size : int
        Pixels a side.

    Returns
    -------
    keras.Model
        From codes (n, latent) to pixels (n, size, size, 1).
    """
    code = keras.Input((latent,))
    image = code
    for units in reversed(hidden):
        image = layers.Dense(units, activation="gelu")(image)
    image = layers.Dense(size * size, activation="sigmoid", dtype="float32")(image)
    image = layers.Reshape(image_shape(size), dtype="float32")(image)
    return keras.Model(code, image, name="decoder")


def convolutional_encoder(width: int, outputs: int, size: int = SIZE) -> keras.Model:
    """Two strided convolutions and a dense layer: an image to `outputs` values, linear.

    Parameters
    ----------
    width : int
        Channels of the second convolution; the first has half as many.
    outputs : int
        Values of the code.
    size : int
        Pixels a side.

    Returns
    -------
    keras.Model
        From images (n, size, size, 1) to (n, outputs).
    """
    image = keras.Input(image_shape(size))
    code = image
    for filters in (width // 2, width):
        code = normalised(convolution(filters, 4, strides=2)(code))
    code = layers.Dense(outputs, dtype="float32")(layers.Flatten()(code))
    return keras.Model(image, code, name="encoder")


def convolutional_decoder(width: int, latent: int, size: int = SIZE) -> keras.Model:
    """Mirror the convolutional encoder; pixels by a sigmoid.

    Parameters
    ----------
    width : int
        Channels of the smallest maps, a quarter of the image's size; half as many on the next.
    latent : int
        Values of the code.
    size : int
        Pixels a side. Where 4 does not divide it, what is too much is cut off.

    Returns
    -------
    keras.Model
        From codes (n, latent) to pixels (n, size, size, 1).
    """
    start = -(-size // 4)
    code = keras.Input((latent,))
    image = layers.Dense(start * start * width, use_bias=False)(code)
    image = normalised(image)
    image = layers.Reshape((start, start, width))(image)
    image = layers.Conv2DTranspose(width // 2, 4, strides=2, padding="same", use_bias=False)(image)
    image = normalised(image)
    image = layers.Conv2DTranspose(
        1, 4, strides=2, padding="same", activation="sigmoid", dtype="float32"
    )(image)
    if surplus := 4 * start - size:
        before = surplus // 2
        image = layers.Cropping2D(((before, surplus - before),) * 2, dtype="float32")(image)
    return keras.Model(code, image, name="decoder")


def reconstruction_loss(encoder: keras.Model, decoder: keras.Model) -> Loss:
    """Bernoulli cross-entropy between images and their reconstructions, nats a pixel.

    Parameters
    ----------
    encoder, decoder : keras.Model
        From images to codes, and back.

    Returns
    -------
    callable
        `loss(batch, training)`, as `training.objective.Objective` takes it.
    """

    def loss(batch: Batch, training: bool) -> Scalars:
        images = to_unit(batch["images"])
        restored = decoder(encoder(images, training=training), training=training)
        return {"loss": cross_entropy(images, restored)}

    return loss
