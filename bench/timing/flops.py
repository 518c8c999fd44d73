"""Arithmetic operations of a network, counted from its layers."""

from math import prod

import keras
from keras import layers

PASSES = 3  # forward, gradient of the inputs, gradient of the weights: each as much again
UNCOUNTED = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)


def forward_flops(model: keras.Model) -> int:
    """Count floating-point operations of one image's way through a network.

    Parameters
    ----------
    model : keras.Model
        With known sizes but for the batch; models within it are unfolded.

    Returns
    -------
    int
        Two for each multiplication with addition of the convolutions, transposed convolutions and
        dense layers. Biases, activations, pooling and normalisation are left out: they are below
        a hundredth.

    Raises
    ------
    NotImplementedError
        If a layer has weights and no rule: it would be counted as nothing.

    Notes
    -----
    A convolution meets each weight once at each output position, its transpose once at each input
    position: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016,
    arXiv 1603.07285, chapters 2 and 4. Positions in the padding are counted too, as is usual.
    """
    return sum(_flops(layer) for layer in model.layers)


def training_flops(model: keras.Model) -> int:
    """Count operations of one image's share of a training step: three times forward.

    Notes
    -----
    Each layer's backward pass has two products of the forward one's size: Kaplan et al., "Scaling
    laws for neural language models", 2020, arXiv 2001.08361, section 2.1.
    """
    return PASSES * forward_flops(model)


def _flops(layer: keras.layers.Layer) -> int:
    if isinstance(layer, keras.Model):
        return forward_flops(layer)
    if isinstance(layer, layers.Conv2DTranspose):
        return 2 * prod(layer.kernel.shape) * prod(layer.input.shape[1:-1])
    if isinstance(layer, layers.Conv2D | layers.Dense):
        return 2 * prod(layer.kernel.shape) * prod(layer.output.shape[1:-1])
    if layer.weights and not isinstance(layer, UNCOUNTED):
        raise NotImplementedError(
            f"{type(layer).__name__} {layer.name} has weights and no rule to count its operations. "
            "Nothing was counted; add a rule to bench/timing/flops.py."
        )
    return 0
