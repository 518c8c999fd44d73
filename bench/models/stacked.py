"""The stacked autoencoder: greedy denoising stages, and the classifier built on them.

Vincent et al., "Stacked denoising autoencoders", JMLR 11, 2010: each stage learns to undo the
corruption of its own input, the code of the stage below; then the whole is fine-tuned with labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
from keras import layers, ops

from bench.interfaces import Batch, Loss, Scalars, Tensor
from bench.models.images import CLASSES, SIZE, convolution, image_shape, to_unit
from bench.models.normalisation import normalised


@dataclass(frozen=True)
class Stack:
    """Encoders from the image inwards, and the decoder of each.

    Attributes
    ----------
    encoders : sequence of keras.Model
        Stage k maps the code of stage k - 1 (the image, for the first) to half its size.
    decoders : sequence of keras.Model
        Stage k maps its code back to the input of its encoder.
    """

    encoders: Sequence[keras.Model]
    decoders: Sequence[keras.Model]

    def encode(self, images: Tensor, depth: int, training: bool = False) -> Tensor:
        """Code of the first `depth` stages for images (n, size, size, 1).

        Parameters
        ----------
        images : tensor, shape (n, size, size, 1)
            Pixels, [0, 1].
        depth : int
            Number of stages; all if there are fewer.
        training : bool
            Whether the stages run as in training.

        Returns
        -------
        tensor
            Maps of the last of these stages.
        """
        for encoder in self.encoders[:depth]:
            images = encoder(images, training=training)
        return images

    def reconstruct(self, images: Tensor) -> Tensor:
        """Images (n, size, size, 1) through all encoders and back through all decoders."""
        code = self.encode(images, len(self.encoders))
        for decoder in reversed(self.decoders):
            code = decoder(code, training=False)
        return code


def build(widths: Sequence[int], size: int = SIZE) -> Stack:
    """Build untrained stages, each of which halves the size (28 -> 14 -> 7 -> 3).

    Parameters
    ----------
    widths : sequence of int
        Channels of each stage, outermost first.
    size : int
        Pixels a side of an image.

    Returns
    -------
    Stack
        The stages.

    Raises
    ------
    ValueError
        If images are too small for so many stages.
    """
    if size >> len(widths) == 0:
        raise ValueError(
            f"widths: expected at most {size.bit_length() - 1} stages for images of {size} pixels "
            f"a side, got {len(widths)}; no network was built. Each stage halves the size: leave "
            "out the last ones."
        )
    encoders, decoders = [], []
    shape: Sequence[int] = image_shape(size)
    for stage, width in enumerate(widths, start=1):
        encoder = _first_encoder(shape, width) if stage == 1 else _encoder(shape, width, stage)
        encoders.append(encoder)
        decoders.append(_decoder(encoder.output_shape[1:], shape, stage))
        shape = encoder.output_shape[1:]
    return Stack(encoders, decoders)


def _first_encoder(shape: Sequence[int], width: int) -> keras.Model:
    """One convolution: from one channel it costs little even at full size."""
    image = keras.Input(shape)
    code = normalised(layers.MaxPooling2D()(convolution(width, 3)(image)))
    return keras.Model(image, code, name="encoder_1")


def _encoder(shape: Sequence[int], width: int, stage: int) -> keras.Model:
    """Two convolutions; pooling comes before normalisation, which costs as much on a processor."""
    below = keras.Input(shape)
    code = normalised(layers.MaxPooling2D()(convolution(width, 3)(below)))
    code = normalised(convolution(width, 3)(code))
    return keras.Model(below, code, name=f"encoder_{stage}")


def _decoder(shape: Sequence[int], target: Sequence[int], stage: int) -> keras.Model:
    """One transposed convolution: the weaker the decoder, the more its encoder must learn."""
    code = keras.Input(shape)
    odd = target[0] % 2
    image = layers.Conv2DTranspose(
        target[-1],
        3 if odd else 4,
        strides=2,
        padding="valid" if odd else "same",
        activation="sigmoid" if stage == 1 else "relu",
        dtype="float32",
    )(code)
    return keras.Model(code, image, name=f"decoder_{stage}")


def denoising_loss(
    stack: Stack, stage: int, corruption: float, random: keras.random.SeedGenerator
) -> Loss:
    """Loss of one greedy stage: squared error of its clean input, from its corrupted one.

    Parameters
    ----------
    stack : Stack
        The stages below `stage` are only read.
    stage : int
        From 1.
    corruption : float
        Share of the inputs set to zero (masking noise).
    random : keras.random.SeedGenerator
        Which ones.

    Returns
    -------
    callable
        `loss(batch, training)` with the uint8 `images` of a batch.
    """
    encoder, decoder = stack.encoders[stage - 1], stack.decoders[stage - 1]

    def loss(batch: Batch, training: bool) -> Scalars:
        clean = ops.stop_gradient(stack.encode(to_unit(batch["images"]), stage - 1))
        seen = clean
        if training:
            kept = keras.random.uniform(ops.shape(clean), seed=random) >= corruption
            seen = clean * ops.cast(kept, clean.dtype)
        restored = decoder(encoder(seen, training=training), training=training)
        error = ops.square(ops.cast(clean, "float32") - restored)
        return {"loss": ops.mean(error)}

    return loss


def classifier(
    encoders: Sequence[keras.Model], pooling: str, dropout: float = 0.0, classes: int = CLASSES
) -> keras.Model:
    """Stack encoders, pool their maps, and put a dense layer of logits on top.

    Parameters
    ----------
    encoders : sequence of keras.Model
        Trained or not; they become part of the classifier and change with it.
    pooling : {'average', 'max', 'flat'}
        How the last maps become a vector.
    dropout : float
        Share of that vector dropped in training.
    classes : int
        Number of logits.

    Returns
    -------
    keras.Model
        From images (n, size, size, 1) to logits (n, classes).
    """
    pool = {
        "average": layers.GlobalAveragePooling2D,
        "max": layers.GlobalMaxPooling2D,
        "flat": layers.Flatten,
    }[pooling]
    image = keras.Input(encoders[0].input_shape[1:])
    code = image
    for encoder in encoders:
        code = encoder(code)
    features = pool(name="features")(code)
    features = layers.Dropout(dropout)(features)
    logits = layers.Dense(classes, dtype="float32", name="logits")(features)
    return keras.Model(image, logits, name="stacked_classifier")


def classification_loss(
    network: keras.Model,
    augment: Callable[[Tensor, keras.random.SeedGenerator], Tensor],
    label_smoothing: float,
    random: keras.random.SeedGenerator,
) -> Loss:
    """Cross-entropy of the labels, with the accuracy logged beside it.

    Parameters
    ----------
    network : keras.Model
        From images (n, size, size, 1) to logits (n, classes).
    augment : Augmentation
        Applied in training only.
    label_smoothing : float
        Weight of the uniform distribution in the targets, in training only.
    random : keras.random.SeedGenerator
        For the augmentation.

    Returns
    -------
    callable
        `loss(batch, training)`, as `training.objective.Objective` takes it.
    """
    classes = network.output_shape[-1]

    def loss(batch: Batch, training: bool) -> Scalars:
        images = to_unit(batch["images"])
        if training:
            images = augment(images, random)
        logits = network(images, training=training)
        smoothing = label_smoothing if training else 0.0
        target = ops.one_hot(ops.cast(batch["labels"], "int32"), classes)
        target = (1.0 - smoothing) * target + smoothing / classes
        entropy = ops.categorical_crossentropy(target, logits, from_logits=True)
        right = ops.equal(
            ops.cast(ops.argmax(logits, -1), "int32"), ops.cast(batch["labels"], "int32")
        )
        return {"loss": ops.mean(entropy), "accuracy": ops.mean(ops.cast(right, "float32"))}

    return loss


def features_of(network: keras.Model) -> keras.Model:
    """Cut a classifier off at the vector that its logits are made from."""
    return keras.Model(network.input, network.get_layer("features").output, name="features")


def linear_probe(size: int, classes: int = CLASSES) -> keras.Model:
    """Standardise codes (n, size) and map them to logits by one linear layer.

    Parameters
    ----------
    size : int
        Size of the codes.
    classes : int
        Number of classes.

    Returns
    -------
    keras.Model
        From codes (n, size) to logits (n, classes).
    """
    code = keras.Input((size,))
    standard = layers.BatchNormalization(center=False, scale=False)(code)
    return keras.Model(code, layers.Dense(classes, name="logits")(standard), name="linear_probe")


def probe_loss(probe: keras.Model) -> Loss:
    """Cross-entropy of the labels from the `codes` of a batch."""

    def loss(batch: Batch, training: bool) -> Scalars:
        logits = probe(batch["codes"], training=training)
        labels = ops.cast(batch["labels"], "int32")
        entropy = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return {"loss": ops.mean(entropy)}

    return loss
