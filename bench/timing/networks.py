"""The convolutional networks whose training is timed, and the optimiser that all share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras

from bench import models, training

WIDTHS = (32, 64, 128)
CODE_WIDTH, LATENT = 48, 16
LEARNING_RATE = 1e-3


@dataclass(frozen=True)
class Timed:
    """A network with the loss that its training minimises.

    Attributes
    ----------
    parts : sequence of keras.Model
        Applied one after the other.
    labelled : bool
        Whether labels are the target (cross-entropy); else the images themselves.
    """

    parts: Sequence[keras.Model]
    labelled: bool

    def whole(self) -> keras.Model:
        """One model from image to output."""
        image = self.parts[0].input
        output = image
        for part in self.parts:
            output = part(output)
        return keras.Model(image, output)

    def compiled(self) -> keras.Model:
        """A copy with Keras's own layers, for plain `fit`; training it leaves `parts` alone."""
        whole = self.whole()
        model = keras.models.clone_model(whole, clone_function=_keras_own, recursive=True)
        model.set_weights(whole.get_weights())
        crossed = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(
            optimizer=optimizer(),
            loss=crossed if self.labelled else "binary_crossentropy",
            metrics=["accuracy"] if self.labelled else [],
        )
        return model

    def objective(self) -> training.objective.Objective:
        """What our loop minimises."""
        if self.labelled:
            loss = models.stacked.classification_loss(
                self.parts[0], training.augment.Augmentation(), 0.0, training.objective.random(1)
            )
        else:
            loss = models.autoencoder.reconstruction_loss(*self.parts)
        return training.objective.Objective(loss, self.parts, optimizer())


def _keras_own(layer: keras.Layer) -> keras.Layer:
    ours = isinstance(layer, models.normalisation.BatchNormalization)
    kind = keras.layers.BatchNormalization if ours else type(layer)
    return kind.from_config(layer.get_config())


def optimizer() -> keras.optimizers.Optimizer:
    """Make the optimiser that every contender uses."""
    return keras.optimizers.AdamW(LEARNING_RATE, weight_decay=0.01)


def build(name: str, scale: float = 1.0, size: int = 28, classes: int = 10) -> Timed:
    """Build a network from random weights.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    scale : float
        Multiplies its channels.
    size : int
        Pixels a side of an image.
    classes : int
        Number of classes.

    Returns
    -------
    Timed
        The network with its loss and optimiser.
    """
    return NETWORKS[name](scale, size, classes)


def _classifier(scale: float, size: int, classes: int) -> Timed:
    encoders = models.stacked.build([int(scale * width) for width in WIDTHS], size).encoders
    return Timed([models.stacked.classifier(encoders, "flat", classes=classes)], labelled=True)


def _handed_in(scale: float, size: int, classes: int) -> Timed:
    del scale, size, classes  # the handed-in network is what it is
    return Timed([models.handed_in.encoder(), models.handed_in.decoder()], labelled=False)


def _autoencoder(scale: float, size: int, classes: int) -> Timed:
    del classes
    width = int(scale * CODE_WIDTH)
    encoder = models.autoencoder.convolutional_encoder(width, LATENT, size)
    decoder = models.autoencoder.convolutional_decoder(width, LATENT, size)
    return Timed([encoder, decoder], labelled=False)


NETWORKS: dict[str, Callable[[float, int, int], Timed]] = {
    "classifier": _classifier,
    "handed_in": _handed_in,
    "autoencoder": _autoencoder,
}
