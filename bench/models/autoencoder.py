"""Plain autoencoders: a dense one for two-dimensional maps, a convolutional one for generation."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from bench.models.images import IMAGE, convolution, cross_entropy, to_unit
from bench.models.normalisation import normalised


def dense_encoder(hidden: Sequence[int], latent: int) -> keras.Model:
    """Dense layers to a **linear** bottleneck: no unit can die, no quadrant is closed."""
    image = keras.Input(IMAGE)
    code = layers.Flatten()(image)
    for units in hidden:
        code = layers.Dense(units, activation="gelu")(code)
    code = layers.Dense(latent, dtype="float32", name="bottleneck")(code)
    return keras.Model(image, code, name="encoder")


def dense_decoder(hidden: Sequence[int], latent: int) -> keras.Model:
    """Mirror the dense encoder; pixels by a sigmoid."""
    code = keras.Input((latent,))
    image = code
    for units in reversed(hidden):
        image = layers.Dense(units, activation="gelu")(image)
    image = layers.Dense(28 * 28, activation="sigmoid", dtype="float32")(image)
    return keras.Model(code, layers.Reshape(IMAGE, dtype="float32")(image), name="decoder")


def convolutional_encoder(width: int, outputs: int) -> keras.Model:
    """Two strided convolutions and a dense layer: 28x28x1 to `outputs` values, linear."""
    image = keras.Input(IMAGE)
    code = image
    for filters in (width // 2, width):
        code = normalised(convolution(filters, 4, strides=2)(code))
    code = layers.Dense(outputs, dtype="float32")(layers.Flatten()(code))
    return keras.Model(image, code, name="encoder")


def convolutional_decoder(width: int, latent: int) -> keras.Model:
    """Mirror the convolutional encoder; pixels by a sigmoid."""
    code = keras.Input((latent,))
    image = layers.Dense(7 * 7 * width, use_bias=False)(code)
    image = normalised(image)
    image = layers.Reshape((7, 7, width))(image)
    image = layers.Conv2DTranspose(width // 2, 4, strides=2, padding="same", use_bias=False)(image)
    image = normalised(image)
    image = layers.Conv2DTranspose(
        1, 4, strides=2, padding="same", activation="sigmoid", dtype="float32"
    )(image)
    return keras.Model(code, image, name="decoder")


def reconstruction_loss(encoder: keras.Model, decoder: keras.Model) -> Any:
    """Bernoulli cross-entropy between images and their reconstructions, nats a pixel."""

    def loss(batch: Any, training: bool) -> dict[str, Any]:
        images = to_unit(batch["images"])
        restored = decoder(encoder(images, training=training), training=training)
        return {"loss": cross_entropy(images, restored)}

    return loss
