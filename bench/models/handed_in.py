"""The networks of the handed-in report, layer for layer: the reference rows.

They are made for images of 28 by 28 pixels: the decoder's layers lead to no other size. All hidden
convolutions are ReLU with 'same' padding. What the report does not give is marked.
"""

import keras
from keras import layers

from bench.models.images import CLASSES, SIZE, image_shape
from bench.models.normalisation import BatchNormalization

LATENT = 2


def _convolution(filters: int, kernel: int) -> layers.Layer:
    return layers.Conv2D(filters, kernel, padding="same", activation="relu")


def _convolutional_part(image: keras.KerasTensor) -> keras.KerasTensor:
    """Rows 1 to 8 of the encoder's table, up to the 49 flattened values."""
    code = image
    for _ in range(2):
        code = _convolution(32, 3)(code)
    code = BatchNormalization()(layers.MaxPooling2D()(code))
    for kernel in (3, 3, 2):
        code = _convolution(32, kernel)(code)
    code = BatchNormalization()(layers.MaxPooling2D()(code))
    for filters in (16, 4, 1):
        code = _convolution(filters, 2)(code)
    return layers.Flatten(name="flattened")(code)


def encoder() -> keras.Model:
    """Build the encoder: 28x28x1 to two **ReLU** units."""
    image = keras.Input(image_shape(SIZE))
    code = layers.Dense(LATENT, activation="relu", dtype="float32")(_convolutional_part(image))
    return keras.Model(image, code, name="handed_in_encoder")


def decoder() -> keras.Model:
    """Build the decoder: two values to 28x28x1; the output layer is not given, so sigmoid."""
    code = keras.Input((LATENT,))
    image = layers.Reshape((2, 2, 1))(layers.Dense(4, activation="relu")(code))
    for filters in (4, 16):
        image = _convolution(filters, 2)(image)
    image = layers.UpSampling2D(7)(BatchNormalization()(image))
    for _ in range(3):
        image = _convolution(32, 3)(image)
    image = BatchNormalization()(BatchNormalization()(image))
    image = layers.UpSampling2D(2)(image)
    for _ in range(2):
        image = _convolution(32, 3)(image)
    image = layers.Conv2D(1, 3, padding="same")(image)
    image = layers.Activation("sigmoid", dtype="float32")(image)
    return keras.Model(code, image, name="handed_in_decoder")


def classifier(trained_encoder: keras.Model, classes: int = CLASSES) -> keras.Model:
    """Put a dense head on the trained encoder.

    The head is not given: one hidden layer of 128 ReLU units is taken, on the 49 flattened values
    (the two-unit bottleneck after them could not carry ten classes at the reported accuracy).

    Parameters
    ----------
    trained_encoder : keras.Model
        See `encoder`.
    classes : int
        Number of classes.

    Returns
    -------
    keras.Model
        From images (n, size, size, 1) to logits (n, classes).
    """
    features = trained_encoder.get_layer("flattened").output
    hidden = layers.Dense(128, activation="relu")(features)
    logits = layers.Dense(classes, dtype="float32", name="logits")(hidden)
    return keras.Model(trained_encoder.input, logits, name="handed_in_classifier")
