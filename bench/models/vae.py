"""The variational autoencoder.

Kingma and Welling, "Auto-encoding variational Bayes", 2013, arXiv 1312.6114.
"""

from typing import Any

import keras
from keras import ops

from bench.models.autoencoder import convolutional_decoder, convolutional_encoder
from bench.models.images import to_unit

ACTIVE_VARIANCE = 0.01  # a unit is active if its mean varies more (Burda et al. 2016, 1509.00519)
WARM_UP = 0.2  # share of the steps over which the KL term's weight rises


def encoder(width: int, latent: int) -> keras.Model:
    """Build the encoder: images to mean and log-variance side by side, (n, 2 * latent)."""
    return convolutional_encoder(width, 2 * latent)


def decoder(width: int, latent: int) -> keras.Model:
    """Build the decoder: codes (n, latent) to pixel probabilities (n, 28, 28, 1)."""
    return convolutional_decoder(width, latent)


def mean_encoder(encode: keras.Model) -> keras.Model:
    """Cut an encoder down to the mean: the code that stands for an image."""
    latent = encode.output_shape[-1] // 2
    dense = encode.layers[-1]
    mean = keras.layers.Dense(latent, dtype="float32", name="mean")
    network = keras.Model(encode.input, mean(dense.input), name="mean_encoder")
    kernel, bias = dense.get_weights()
    mean.set_weights([kernel[:, :latent], bias[:latent]])
    return network


def mean_and_log_variance(output: Any) -> tuple[Any, Any]:
    """Split an encoder's output; the log-variance is kept within [-10, 10]."""
    mean, log_variance = ops.split(output, 2, axis=-1)
    return mean, ops.clip(log_variance, -10.0, 10.0)


def kl_per_unit(mean: Any, log_variance: Any) -> Any:
    """KL of N(mean, variance) from N(0, 1) for each image and unit, nats (appendix B)."""
    return 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)


def negative_elbo(
    encode: keras.Model,
    decode: keras.Model,
    random: keras.random.SeedGenerator,
    *,
    beta: float,
    free_bits: float,
    step: Any,
    steps: int,
) -> Any:
    """Loss: reconstruction error plus weighted KL, nats an image (equation 10, one sample).

    Parameters
    ----------
    encode, decode : keras.Model
        See `encoder` and `decoder`.
    random : keras.random.SeedGenerator
        The noise of the reparameterisation.
    beta : float
        Weight of the KL term after a linear warm-up over the first fifth of `steps` (beta-VAE:
        Higgins et al. 2017; warm-up: Bowman et al. 2016, arXiv 1511.06349).
    free_bits : float
        KL that a unit may use, mean over the batch, before it is charged, nats (Kingma et al.
        2016, arXiv 1606.04934).
    step : keras.Variable
        The optimiser's count of steps.
    steps : int
        Steps of the whole training.

    Returns
    -------
    callable
        `loss(batch, training)`; outside training the unweighted bound is evaluated, so that
        validation figures of different settings can be compared.
    """

    def loss(batch: Any, training: bool) -> dict[str, Any]:
        images = to_unit(batch["images"])
        mean, log_variance = mean_and_log_variance(encode(images, training=training))
        noise = keras.random.normal(ops.shape(mean), seed=random) if training else 0.0
        code = mean + ops.exp(0.5 * log_variance) * noise
        pixels = ops.binary_crossentropy(images, decode(code, training=training))
        reconstruction = ops.mean(ops.sum(pixels, axis=(1, 2, 3)))
        units = ops.mean(kl_per_unit(mean, log_variance), axis=0)
        kl = ops.sum(units)
        if not training:
            return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}
        weight = beta * ops.minimum(1.0, ops.cast(step, "float32") / (WARM_UP * steps))
        charged = ops.sum(ops.maximum(units, free_bits))
        return {
            "loss": reconstruction + weight * charged,
            "reconstruction": reconstruction,
            "kl": kl,
        }

    return loss
