"""The same networks in PyTorch, translated layer by layer from Keras, with the same weights.

Needs the extra `pytorch`; Keras only lends the layers' shapes and initial weights.
"""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import torch
from torch import nn

from bench.models.normalisation import BatchNormalization
from bench.timing import networks
from bench.timing.request import Request

ACTIVATIONS = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}


class Reshape(nn.Module):
    """Keras's channels-last reshape of a vector, as channels-first maps."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Shape (n, height * width * channels) to (n, channels, height, width)."""
        return values.reshape(-1, *self.shape).permute(0, 3, 1, 2)


class Flatten(nn.Module):
    """Channels-last order, so that the dense weights fit."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Shape (n, channels, height, width) to (n, height * width * channels)."""
        return maps.permute(0, 2, 3, 1).flatten(1)


def translate(model: keras.Model) -> nn.Sequential:
    """Translate a chain of Keras layers, weights included.

    Parameters
    ----------
    model : keras.Model
        A chain: each layer has one input. Models within it are unfolded.

    Raises
    ------
    NotImplementedError
        If a layer has no translation.
    """
    return nn.Sequential(*(part for layer in _chain(model) for part in _translated(layer)))


def training_call(asked: Request, images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """Make a call that trains once over the images, as in PyTorch's own tutorials.

    Parameters
    ----------
    asked : Request
        Network, precision and batch size.
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    labels : ndarray of int, shape (n,)
        Their classes.

    Returns
    -------
    callable
        Trains once over the images and gives the loss.
    """
    keras.utils.set_random_seed(1)
    timed = networks.build(asked.network, asked.scale, images.shape[1], asked.classes)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    half = asked.precision == "mixed_bfloat16"
    model = translate(timed.whole()).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), networks.LEARNING_RATE, weight_decay=0.01)
    pixels = torch.from_numpy(images)[:, None].to(device)
    wanted = torch.from_numpy(labels.astype("int64")).to(device)
    order = torch.Generator().manual_seed(1)

    def call() -> float:
        losses = []
        for rows in torch.randperm(len(pixels), generator=order).split(asked.batch_size):
            batch = (pixels[rows].float() / 255.0).to(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16, enabled=half):
                output = model(batch)
            output = output.float()
            if timed.labelled:
                loss = nn.functional.cross_entropy(output, wanted[rows])
            else:
                loss = nn.functional.binary_cross_entropy(output, batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    return call


def _chain(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _chain(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _translated(layer: keras.Layer) -> list[nn.Module]:
    for kind, translation in TRANSLATIONS.items():
        if type(layer) is kind:
            return translation(layer)
    raise NotImplementedError(f"{type(layer).__name__} has no translation to PyTorch yet.")


def _convolution(layer: keras.Layer) -> list[nn.Module]:
    kernel, stride = layer.kernel_size, layer.strides
    left, right, above, below = border = _strided_border(layer)
    even = left == right and above == below
    padding: str | int | tuple[int, int] = (
        "same" if stride == (1, 1) else (above, left) if even else 0
    )
    made = nn.Conv2d(
        layer.input.shape[-1], layer.filters, kernel, stride, padding, bias=layer.use_bias
    )
    filled = _filled(made, layer, (3, 2, 0, 1))
    return filled if padding else [nn.ZeroPad2d(border), *filled]


def _transposed(layer: keras.Layer) -> list[nn.Module]:
    kernel, stride = layer.kernel_size, layer.strides
    made = nn.ConvTranspose2d(
        layer.input.shape[-1], layer.filters, kernel, stride, _border(layer), bias=layer.use_bias
    )
    return _filled(made, layer, (3, 2, 0, 1))


def _strided_border(layer: keras.Layer) -> tuple[int, int, int, int]:
    """Zeros left, right, above and below, as TensorFlow's `same` adds them where strides skip."""
    if layer.padding == "valid":
        return 0, 0, 0, 0
    sides: list[int] = []
    for size, kernel, stride in zip(
        layer.input.shape[2:0:-1], layer.kernel_size[::-1], layer.strides[::-1], strict=True
    ):
        missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        sides += [missing // 2, missing - missing // 2]
    left, right, above, below = sides
    return left, right, above, below


def _border(layer: keras.Layer) -> tuple[int, int]:
    """Padding on either side; `same` splits evenly for the even differences that we use."""
    if layer.padding == "valid":
        return 0, 0
    down, across = (k - s for k, s in zip(layer.kernel_size, layer.strides, strict=True))
    return down // 2, across // 2


def _dense(layer: keras.Layer) -> list[nn.Module]:
    made = nn.Linear(layer.input.shape[-1], layer.units, bias=layer.use_bias)
    return _filled(made, layer, (1, 0))


def _filled(made: nn.Module, layer: keras.Layer, axes: tuple[int, ...]) -> list[nn.Module]:
    """Copy the weights over and append the activation."""
    kernel, *bias = layer.get_weights()
    with torch.no_grad():
        made.weight.copy_(torch.from_numpy(np.array(kernel.transpose(axes))))
        if bias:
            made.bias.copy_(torch.from_numpy(np.array(bias[0])))
    return [made, ACTIVATIONS[layer.activation.__name__]()]


def _normalisation(layer: keras.Layer) -> list[nn.Module]:
    channels, flat = layer.input.shape[-1], len(layer.input.shape) == 2
    kind = nn.BatchNorm1d if flat else nn.BatchNorm2d
    made = kind(channels, eps=layer.epsilon, momentum=1 - layer.momentum)
    parts = (made.weight, made.bias, made.running_mean, made.running_var)
    with torch.no_grad():
        for part, values in zip(parts, layer.get_weights(), strict=True):
            part.copy_(torch.from_numpy(np.array(values)))
    return [made]


def _cut(cropping: tuple[tuple[int, int], tuple[int, int]]) -> tuple[int, int, int, int]:
    """Negative padding, left, right, above and below: what is cut off."""
    (above, below), (left, right) = cropping
    return -left, -right, -above, -below


TRANSLATIONS: dict[type, Callable[[keras.Layer], list[nn.Module]]] = {
    keras.layers.Conv2D: _convolution,
    keras.layers.Conv2DTranspose: _transposed,
    keras.layers.Dense: _dense,
    keras.layers.BatchNormalization: _normalisation,
    BatchNormalization: _normalisation,
    keras.layers.Activation: lambda layer: [ACTIVATIONS[layer.activation.__name__]()],
    keras.layers.ReLU: lambda _: [nn.ReLU()],
    keras.layers.Dropout: lambda layer: [nn.Dropout(layer.rate)],
    keras.layers.MaxPooling2D: lambda layer: [nn.MaxPool2d(layer.pool_size)],
    keras.layers.UpSampling2D: lambda layer: [nn.Upsample(scale_factor=layer.size[0])],
    keras.layers.Flatten: lambda _: [Flatten()],
    keras.layers.Cropping2D: lambda layer: [nn.ZeroPad2d(_cut(layer.cropping))],
    keras.layers.Reshape: lambda layer: [Reshape(layer.target_shape)],
}
