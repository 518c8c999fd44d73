"""The variational autoencoder.

Kingma and Welling, "Auto-encoding variational Bayes", 2013, arXiv 1312.6114.

The reconstruction error is the Bernoulli cross-entropy of grey pixels. For values between 0 and 1
this is no normalised likelihood: the density that it stands for does not integrate to one, and the
bound and its importance-weighted estimate, in nats, compare VAEs with this same error and nothing
else (continuous Bernoulli: Loaiza-Ganem and Cunningham 2019, arXiv 1907.06845).
"""

import keras
import numpy as np
from keras import ops
from scipy.special import logsumexp

from bench.interfaces import Batch, Loss, Scalars, Tensor
from bench.models.autoencoder import convolutional_decoder, convolutional_encoder
from bench.models.images import SIZE, to_unit

ACTIVE_VARIANCE = 0.01  # a unit is active if its mean varies more (Burda et al. 2016, 1509.00519)
WARM_UP = 0.2  # share of the steps over which the KL term's weight rises
EVALUATION_SEEDS = (101, 102, 103)  # of the codes that evaluation draws: a draw of each
LEAST_PROBABILITY = 1e-7  # of a pixel, as in Keras's cross-entropy


def encoder(width: int, latent: int, size: int = SIZE) -> keras.Model:
    """Build the encoder: images to mean and log-variance side by side, (n, 2 * latent).

    Parameters
    ----------
    width : int
        See `autoencoder.convolutional_encoder`.
    latent : int
        Size of the code.
    size : int
        Pixels a side.

    Returns
    -------
    keras.Model
        The network.
    """
    return convolutional_encoder(width, 2 * latent, size)


def decoder(width: int, latent: int, size: int = SIZE) -> keras.Model:
    """Build the decoder: codes (n, latent) to pixel probabilities (n, size, size, 1).

    Parameters
    ----------
    width : int
        See `autoencoder.convolutional_encoder`.
    latent : int
        Size of the code.
    size : int
        Pixels a side.

    Returns
    -------
    keras.Model
        The network.
    """
    return convolutional_decoder(width, latent, size)


def mean_encoder(encode: keras.Model) -> keras.Model:
    """Cut an encoder down to the mean: the code that stands for an image."""
    latent = encode.output_shape[-1] // 2
    dense = encode.layers[-1]
    mean = keras.layers.Dense(latent, dtype="float32", name="mean")
    network = keras.Model(encode.input, mean(dense.input), name="mean_encoder")
    kernel, bias = dense.get_weights()
    mean.set_weights([kernel[:, :latent], bias[:latent]])
    return network


def mean_and_log_variance(output: Tensor) -> tuple[Tensor, Tensor]:
    """Split an encoder's output; the log-variance is kept within [-10, 10]."""
    mean, log_variance = ops.split(output, 2, axis=-1)
    return mean, ops.clip(log_variance, -10.0, 10.0)


def kl_per_unit(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, variance) from N(0, 1) for each image and unit, nats (appendix B).

    Parameters
    ----------
    mean, log_variance : tensor, shape (n, latent)
        Of each image's code.

    Returns
    -------
    tensor, shape (n, latent)
        Nats.
    """
    return 0.5 * (ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)


def negative_elbo(
    encode: keras.Model,
    decode: keras.Model,
    random: keras.random.SeedGenerator,
    *,
    beta: float,
    free_bits: float,
    step: Tensor,
    steps: int,
) -> Loss:
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
        `loss(batch, training)`. Outside training it is the unweighted bound, so that validation
        figures of different settings can be compared: the mean over `EVALUATION_SEEDS` of the
        error with drawn codes. Every evaluation draws the same noise for the n-th image of a
        batch, so that two networks are compared on the same draws.
    """

    def evaluated(images: Tensor, mean: Tensor, log_variance: Tensor) -> Scalars:
        drawn = []
        for seed in EVALUATION_SEEDS:
            noise = keras.random.normal(ops.shape(mean), seed=seed)
            restored = decode(mean + ops.exp(0.5 * log_variance) * noise, training=False)
            drawn.append(ops.mean(reconstruction_nats(images, restored)))
        reconstruction = sum(drawn) / len(drawn)
        kl = ops.mean(ops.sum(kl_per_unit(mean, log_variance), axis=-1))
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def loss(batch: Batch, training: bool) -> Scalars:
        images = to_unit(batch["images"])
        mean, log_variance = mean_and_log_variance(encode(images, training=training))
        if not training:
            return evaluated(images, mean, log_variance)
        noise = keras.random.normal(ops.shape(mean), seed=random)
        code = mean + ops.exp(0.5 * log_variance) * noise
        reconstruction = ops.mean(reconstruction_nats(images, decode(code, training=True)))
        units = ops.mean(kl_per_unit(mean, log_variance), axis=0)
        weight = beta * ops.minimum(1.0, ops.cast(step, "float32") / (WARM_UP * steps))
        charged = ops.sum(ops.maximum(units, free_bits))
        return {
            "loss": reconstruction + weight * charged,
            "reconstruction": reconstruction,
            "kl": ops.sum(units),
        }

    return loss


def reconstruction_nats(images: Tensor, pixels: Tensor) -> Tensor:
    """Cross-entropy of each image (n, size, size, 1) and its reconstruction, nats.

    Parameters
    ----------
    images, pixels : tensor, shape (n, size, size, 1)
        Pixels and their probabilities, [0, 1].

    Returns
    -------
    tensor, shape (n,)
        Nats.
    """
    return ops.sum(ops.binary_crossentropy(images, pixels), axis=(1, 2, 3))


def log_likelihood(images: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Log p(x|z) of images (n, size, size) in [0, 1], given decoded codes, float64, nats.

    Parameters
    ----------
    images : ndarray, shape (n, size, size)
        Pixels, [0, 1].
    restored : ndarray, shape (n, size, size)
        Their probabilities.

    Returns
    -------
    ndarray of float64, shape (n,)
        Nats.
    """
    pixels = np.clip(restored.astype("float64"), LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)
    target = images.astype("float64")
    nats = target * np.log(pixels) + (1.0 - target) * np.log1p(-pixels)
    return np.asarray(nats.sum(axis=(1, 2)))


def log_density_ratio(codes: np.ndarray, mean: np.ndarray, log_variance: np.ndarray) -> np.ndarray:
    """Log p(z) - log q(z|x) of codes (n, latent) drawn from an encoder's Gaussian, nats.

    Parameters
    ----------
    codes : ndarray, shape (..., n, latent)
        Draws from the encoder's Gaussian.
    mean, log_variance : ndarray, shape (n, latent)
        Of that Gaussian.

    Returns
    -------
    ndarray of float64, shape (..., n)
        Nats.
    """
    drawn, centre, spread = (a.astype("float64") for a in (codes, mean, log_variance))
    # log(2 pi) stands in both densities and cancels
    of_encoder = -0.5 * (np.square(drawn - centre) * np.exp(-spread) + spread)
    return np.asarray((-0.5 * np.square(drawn) - of_encoder).sum(axis=-1))


def importance_weighted(log_weights: np.ndarray) -> np.ndarray:
    """Estimate log p(x) of each image: the log of the mean of its weights.

    Parameters
    ----------
    log_weights : ndarray, shape (samples, n)
        `log_likelihood` plus `log_density_ratio` of independent draws.

    Returns
    -------
    ndarray, shape (n,)
        Nats.

    Notes
    -----
    Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, arXiv
    1509.00519, equation 8: a lower bound that rises with the samples; with one it is the evidence
    lower bound. The largest log-weight is taken out before the exponential, so that none
    overflows.
    """
    return np.asarray(logsumexp(log_weights, axis=0) - np.log(len(log_weights)))
