"""The generative adversarial network: relativistic pairs, both gradient penalties.

Huang et al., "The GAN is dead; long live the GAN!", 2024, arXiv 2501.05441: the relativistic
pairing loss with zero-centred gradient penalties on real (R1) and generated (R2) images. The
penalties are approximated by finite differences (Lin et al. 2025, arXiv 2501.08316, equation 4),
so that no second derivative is needed and the loss stays the same on every backend.

The generator is the decoder that the autoencoders have (`models.autoencoder`), so that a GAN and a
VAE differ in how they are trained alone.
"""

from collections.abc import Callable

import keras
from keras import layers, ops

from bench.interfaces import Batch, Loss, Scalars, Tensor
from bench.models.images import SIZE, image_shape, to_unit

PROBE = 0.05  # standard deviation of the noise that probes the discriminator's slope
PROBED = 4  # one image in so many is probed: the slope is a mean, and probing costs a forward pass


def discriminator(width: int, size: int = SIZE) -> keras.Model:
    """Build the discriminator: images to one logit; no normalisation, the penalties need none.

    Parameters
    ----------
    width : int
        Channels of the first convolution; the second has twice as many.
    size : int
        Pixels a side.

    Returns
    -------
    keras.Model
        The network.
    """
    image = keras.Input(image_shape(size))
    code = image
    for filters in (width, 2 * width):
        code = layers.Conv2D(filters, 4, strides=2, padding="same")(code)
        code = layers.LeakyReLU(0.2)(code)
    logit = layers.Dense(1, dtype="float32")(layers.Flatten()(code))
    return keras.Model(image, logit, name="discriminator")


def losses(
    generate: keras.Model,
    discriminate: keras.Model,
    codes: int | Callable[[Batch], Tensor],
    gradient_penalty: float,
    random: keras.random.SeedGenerator,
) -> tuple[Loss, Loss]:
    """Return the losses of the discriminator and of the generator.

    Parameters
    ----------
    generate, discriminate : keras.Model
        The two players.
    codes : int or callable
        Size of fresh codes from N(0, 1); or, for a prior that was fitted before, `codes(batch)`
        gives a code for each image of a batch.
    gradient_penalty : float
        gamma: weight of half the mean squared slope at real and at generated images.
    random : keras.random.SeedGenerator
        For codes and probing noise.

    Returns
    -------
    discriminator, generator : callable
        Their losses.

    Notes
    -----
    `discriminator_wins` is the share of pairs in which the real image gets the higher logit: one
    half where the two cannot be told apart, 1 where the discriminator saturates.
    """

    def pair(batch: Batch, training_generator: bool) -> tuple[Tensor, Tensor]:
        real = to_unit(batch["images"])
        drawn = (
            codes(batch)
            if callable(codes)
            else keras.random.normal((ops.shape(real)[0], codes), seed=random)
        )
        return real, generate(drawn, training=training_generator)

    def slope(images: Tensor, logits: Tensor) -> Tensor:
        """Mean squared directional slope, estimated at one random point near some images."""
        images, logits = images[::PROBED], logits[::PROBED]
        noise = PROBE * keras.random.normal(ops.shape(images), seed=random)
        return ops.mean(ops.square(discriminate(images + noise) - logits)) / PROBE**2

    def discriminator_loss(batch: Batch, training: bool) -> Scalars:
        real, fake = pair(batch, training)
        fake = ops.stop_gradient(fake)
        logits_real, logits_fake = discriminate(real), discriminate(fake)
        adversarial = ops.mean(ops.softplus(logits_fake - logits_real))
        penalty = slope(real, logits_real) + slope(fake, logits_fake)
        return {
            "loss": adversarial + 0.5 * gradient_penalty * penalty,
            "discriminator_loss": adversarial,
            "penalty": penalty,
            "discriminator_wins": ops.mean(ops.cast(logits_real > logits_fake, "float32")),
        }

    def generator_loss(batch: Batch, training: bool) -> Scalars:
        real, fake = pair(batch, training)
        adversarial = ops.mean(ops.softplus(discriminate(real) - discriminate(fake)))
        return {"loss": adversarial, "generator_loss": adversarial}

    return discriminator_loss, generator_loss
