"""A flow from noise to images, in pixels: flow matching with a network that predicts the image.

Straight paths (Lipman et al. 2023, arXiv 2210.02747; Liu, Gong and Liu 2023, arXiv 2209.03003).
The network says which clean image a noisy one comes from; its error is weighted as that of the
velocity (Li and He 2025, arXiv 2511.13720, "x-prediction with v-loss"). No autoencoder stands
before it, so its samples are not held to what a decoder can reconstruct.
"""

from typing import Any

import keras
from keras import layers, ops

from bench.interfaces import Batch, Loss, Scalars, Tensor
from bench.models.flow import FREQUENCIES, time_features
from bench.models.images import SIZE, convolution, image_shape, to_unit

EMBEDDED = 128  # units of the layers that read the time
GROUPS = 8  # of channels that are normalised together
LEAST_LEFT = 0.05  # of the path: the velocity's weight, 1 / (1 - t)^2, is bounded by it


def denoiser(width: int, size: int = SIZE) -> keras.Model:
    """Build the network: a noisy image and its time to the clean image, both in [-1, 1].

    A U-Net on patches of 2 by 2 pixels: one residual block at a half and at a quarter of the
    image's size on the way down and on the way up, and one between. The time gives each block a
    scale and a shift (Dhariwal and Nichol 2021, arXiv 2105.05233, section 3.1).

    Parameters
    ----------
    width : int
        Channels at half the size; twice as many at a quarter. A multiple of 8.
    size : int
        Pixels a side. Where 4 does not divide it, a border is added, and cut off at the end.

    Returns
    -------
    keras.Model
        From images (n, size, size, 1) and time features (n, 9), see
        `flow.time_features`.
    """
    noisy = keras.Input(image_shape(size))
    time = keras.Input((1 + 2 * FREQUENCIES,))
    known = layers.Dense(EMBEDDED, activation="silu")(time)
    known = layers.Dense(EMBEDDED, activation="silu")(known)
    border = -size % 4
    before, after = border // 2, border - border // 2
    image = layers.ZeroPadding2D(((before, after),) * 2)(noisy) if border else noisy

    half = layers.Conv2D(width, 4, strides=2, padding="same")(image)
    half = _block(half, known, width)
    quarter = layers.Conv2D(2 * width, 3, strides=2, padding="same")(half)
    for _ in range(2):
        quarter = _block(quarter, known, 2 * width)
    up = layers.Conv2D(width, 3, padding="same")(layers.UpSampling2D()(quarter))
    up = _block(layers.Concatenate()([up, half]), known, width)
    up = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(up))
    patches = layers.Conv2D(
        4, 3, padding="same", kernel_initializer="zeros", dtype="float32", name="patches"
    )(up)
    side = (size + border) // 2
    clean = layers.Reshape((side, side, 2, 2), dtype="float32")(patches)
    clean = layers.Permute((1, 3, 2, 4), dtype="float32")(clean)
    clean = layers.Reshape(image_shape(2 * side), dtype="float32")(clean)
    if border:
        clean = layers.Cropping2D(((before, after),) * 2, dtype="float32")(clean)
    return keras.Model([noisy, time], clean, name="denoiser")


def _block(state: Tensor, known: Tensor, channels: int) -> Tensor:
    """Add a residual block, with the time's scale and shift after the second normalisation."""
    inner = layers.Activation("silu")(layers.GroupNormalization(GROUPS)(state))
    inner = convolution(channels, 3)(inner)
    inner = layers.GroupNormalization(GROUPS)(inner)
    scale, shift = (
        layers.Reshape((1, 1, channels))(layers.Dense(channels, kernel_initializer="zeros")(known))
        for _ in range(2)
    )
    inner = layers.Add()([inner, layers.Multiply()([inner, scale]), shift])
    inner = layers.Activation("silu")(inner)
    inner = convolution(channels, 3, kernel_initializer="zeros")(inner)
    if state.shape[-1] != channels:
        state = convolution(channels, 1)(state)
    return layers.Add()([state, inner])


def matching_loss(network: keras.Model, random: keras.random.SeedGenerator) -> Loss:
    """Squared error of the velocity on straight paths from noise to the `images` of a batch.

    Times are drawn from the logistic-normal distribution (Esser et al. 2024, arXiv 2403.03206,
    section 3.1): the middle of the path is the hardest part.

    Parameters
    ----------
    network : keras.Model
        See `denoiser`.
    random : keras.random.SeedGenerator
        Source of the noise and of the times.

    Returns
    -------
    callable
        `loss(batch, training)`, as `training.objective.Objective` takes it.
    """

    def loss(batch: Batch, training: bool) -> Scalars:
        images = 2.0 * to_unit(batch["images"]) - 1.0
        count = ops.shape(images)[0]
        time = ops.sigmoid(keras.random.normal((count, 1), seed=random))
        noise = keras.random.normal(ops.shape(images), seed=random)
        share = ops.reshape(time, (-1, 1, 1, 1))
        between = (1.0 - share) * noise + share * images
        clean = network([between, time_features(time)], training=training)
        left = ops.maximum(1.0 - share, LEAST_LEFT)
        return {"loss": ops.mean(ops.square((clean - images) / left))}

    return loss


@keras.saving.register_keras_serializable("latent_lab")
class Sampler(layers.Layer):
    """Carry noise (n, size * size) along the flow to images (n, size, size, 1) in [0, 1].

    Heun's rule (Karras et al. 2022, arXiv 2206.00364, algorithm 1) with equal steps; the last step
    is the network's own clean image. It takes ``2 * steps - 1`` evaluations of the network; with
    one step it is a one-step generator.

    Parameters
    ----------
    network : keras.Model
        See `denoiser`.
    steps : int
        Steps from noise to image, 1 or more.
    """

    def __init__(self, network: keras.Model, steps: int, **settings: object) -> None:
        super().__init__(**settings)
        self.network, self.steps = network, steps

    def call(self, noise: Tensor, training: bool = False) -> Tensor:
        """Draw one image for each row of noise.

        Parameters
        ----------
        noise : tensor, shape (n, size * size)
            Draws from N(0, 1).
        training : bool
            Handed to the network.

        Returns
        -------
        tensor, shape (n, size, size, 1)
            Images, [0, 1].
        """
        shape = self.network.inputs[0].shape[1:]
        state = ops.reshape(ops.cast(noise, "float32"), (-1, *shape))
        for k in range(self.steps - 1):
            now, then = k / self.steps, (k + 1) / self.steps
            slope = self._velocity(state, now, training)
            ahead = state + (then - now) * slope
            slope = (slope + self._velocity(ahead, then, training)) / 2.0
            state = state + (then - now) * slope
        clean = self._clean(state, 1.0 - 1.0 / self.steps, training)
        return (clean + 1.0) / 2.0

    def _clean(self, state: Tensor, time: float, training: bool) -> Tensor:
        times = ops.zeros_like(state[:, 0, 0, :1]) + time
        return self.network([state, time_features(times)], training=training)

    def _velocity(self, state: Tensor, time: float, training: bool) -> Tensor:
        return (self._clean(state, time, training) - state) / (1.0 - time)

    def compute_output_shape(self, noise_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Shape of the images."""
        return (noise_shape[0], *self.network.inputs[0].shape[1:])

    def get_config(self) -> dict[str, object]:
        """Return the settings, the network with its layers among them."""
        network = keras.saving.serialize_keras_object(self.network)
        return {**super().get_config(), "network": network, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Sampler":
        """Build the layer again."""
        network = keras.saving.deserialize_keras_object(config.pop("network"))
        return cls(network, **config)


def generator(network: keras.Model, steps: int) -> keras.Model:
    """Wrap a network and its sampler as a generator.

    Parameters
    ----------
    network : keras.Model
        See `denoiser`.
    steps : int
        Steps of the sampler.

    Returns
    -------
    keras.Model
        From noise (n, size * size), drawn from N(0, 1), to images (n, size, size, 1) in [0, 1].
    """
    size = network.inputs[0].shape[1]
    noise = keras.Input((size * size,))
    return keras.Model(noise, Sampler(network, steps, dtype="float32")(noise), name="decoder")


def network_of(generator: keras.Model) -> keras.Model:
    """Return the network inside a generator; see `generator`."""
    return generator.layers[-1].network
