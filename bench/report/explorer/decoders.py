"""Stored decoders of two-dimensional maps, read without a deep-learning framework.

A decoder is a chain of plain layers. It is read from its `.keras` file as data (nothing of it is
executed), checked, and packed so that a page can evaluate it (`templates/decoder.js`).
"""

import base64
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.special import erf

from bench.interfaces import JsonObject
from bench.store.arrays import refuse_bytes

TOLERANCE = 8e-4  # of a pixel between 0 and 1; with rounding in the page at most 1e-3
# Keras names a layer's weights by its class and a running number.
WEIGHTED = {"Dense": "dense", "Conv2D": "conv2d", "BatchNormalization": "batch_normalization"}
HALF = 65504.0  # the largest number of 16 bits
FITTED, CHECKED = 24, 31  # places a side for which matrices are reduced, and compared
LIMITS = (3e-3, 1e-3, 3e-4)  # of what a reduced layer may be off, before its activation
RANKS = 16  # steps in which ranks are tried
LARGE = 2**13  # numbers of a matrix that may be stored in 16 bits
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
    "sigmoid": lambda x: 1 / (1 + np.exp(-np.clip(x, -80, 80))),
    "tanh": np.tanh,
}


class UnsupportedError(ValueError):
    """The page cannot evaluate such a network."""


@dataclass(frozen=True)
class Layer:
    """One step of a decoder.

    Attributes
    ----------
    kind : {"dense", "conv", "scale", "up", "reshape", "activation"}
        What it does.
    activation : str
        Applied to what it gives; see `ACTIVATIONS`.
    shape : tuple of int
        Of its output, for ``reshape``; how often each pixel is repeated, for ``up``.
    weights : tuple of ndarray
        ``dense``: (inputs, units) and (units,); ``conv``: (height, width, inputs, filters) and
        (filters,); ``scale``: factor and shift of each channel.
    """

    kind: str
    activation: str = "linear"
    shape: tuple[int, ...] = ()
    weights: tuple[np.ndarray, ...] = ()


def read_decoder(path: Path) -> list[Layer]:
    """Read a decoder from its `.keras` file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    list of Layer
        From code to image.

    Raises
    ------
    UnsupportedError
        If it is no chain of the layers that a page can evaluate.
    """
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        weights = BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as stored:
        return list(_layers(config["config"]["layers"], stored))


def _layers(described: Sequence[JsonObject], stored: h5py.File) -> Iterator[Layer]:
    counts: dict[str, int] = {}
    before = ""
    for row in described:
        kind, config = row["class_name"], row["config"]
        if kind != "InputLayer" and _inputs(row) != [before]:
            raise UnsupportedError(f"{config['name']} does not follow {before} alone")
        before = config["name"]
        own: tuple[np.ndarray, ...] = ()
        if kind in WEIGHTED:
            number = counts.get(kind, 0)
            counts[kind] = number + 1
            group = stored["layers"][WEIGHTED[kind] + (f"_{number}" if number else "")]["vars"]
            # what an HDF5 file says to hold need not be in it
            refuse_bytes(sum(each.nbytes for each in group.values()))
            own = tuple(np.asarray(group[str(k)], dtype="float32") for k in range(len(group)))
        if kind != "InputLayer":
            yield _layer(kind, config, own)


def _inputs(row: JsonObject) -> list[str]:
    nodes = row.get("inbound_nodes") or []
    tensors = [each for node in nodes for each in node["args"]]
    return [each["config"]["keras_history"][0] for each in tensors]


def _layer(kind: str, config: JsonObject, weights: tuple[np.ndarray, ...]) -> Layer:
    activation = config.get("activation", "linear")
    plain = config.get("data_format", "channels_last") == "channels_last"
    if activation not in ACTIVATIONS or not plain:
        raise UnsupportedError(f"{config['name']}: {activation}, {config.get('data_format')}")
    if kind == "Dense" and config["use_bias"]:
        return Layer("dense", activation, weights=weights)
    if kind == "Conv2D" and config["use_bias"] and _same_size(config):
        return Layer("conv", activation, weights=weights)
    if kind == "BatchNormalization" and config["center"] and config["scale"]:
        gamma, beta, mean, variance = weights
        factor = gamma / np.sqrt(variance + config["epsilon"])
        return Layer("scale", weights=(factor, beta - mean * factor))
    if kind == "UpSampling2D" and config["interpolation"] == "nearest":
        return Layer("up", shape=tuple(config["size"]))
    if kind == "Reshape":
        return Layer("reshape", shape=tuple(config["target_shape"]))
    if kind == "Activation":
        return Layer("activation", activation)
    raise UnsupportedError(f"{config['name']}: {kind} with these settings")


def _same_size(config: JsonObject) -> bool:
    same = {"strides": [1, 1], "dilation_rate": [1, 1], "groups": 1, "padding": "same"}
    return all(config[name] == value for name, value in same.items())


def decode(layers: Sequence[Layer], codes: np.ndarray) -> np.ndarray:
    """Decode places of a map by dense layers.

    Parameters
    ----------
    layers : sequence of Layer
        A decoder; layers that only shape the image are passed over.
    codes : ndarray of shape (n, 2)
        Places.

    Returns
    -------
    ndarray of shape (n, pixels)
        Images, from 0 to 1.
    """
    values = codes.astype("float32")
    for layer in layers:
        if layer.kind == "dense":
            kernel, bias = layer.weights
            values = values @ kernel + bias
        values = ACTIVATIONS[layer.activation](values)
    return values


def packed(layers: Sequence[Layer], frame: tuple[float, float, float, float]) -> JsonObject:
    """Pack a decoder for the page, as small as the tolerance lets it be.

    Large matrices of dense layers are stored as 16-bit floats, and as products of two smaller
    ones, where the images then stay within `TOLERANCE` of the decoder's own at places other than
    those that the products were made for. All else is stored as 24-bit floats: those of 32 bits,
    rounded to their upper three bytes.

    Parameters
    ----------
    layers : sequence of Layer
        A decoder.
    frame : tuple of float
        Left, right, lower and upper limit of the places that it is to draw.

    Returns
    -------
    dict
        ``layers``: what each does, with shape and bytes a number of its weights; ``weights``: all
        of them, one after the other, as base64 of little-endian numbers.
    """
    if all(layer.kind in ("dense", "reshape", "activation") for layer in layers):
        others = places(frame, CHECKED)
        expected = decode(layers, others)
        for candidate in (*_products(layers, places(frame, FITTED)), layers):
            for halved in (LARGE, None):
                stored = candidate if halved is None else [_rounded(layer) for layer in candidate]
                if np.abs(decode(stored, others) - expected).max() <= TOLERANCE:
                    return _written(candidate, halved)
    return _written(layers, None)


def places(frame: tuple[float, float, float, float], side: int) -> np.ndarray:
    """Return a regular grid of places over a frame.

    Parameters
    ----------
    frame : tuple of float
        Left, right, lower and upper limit.
    side : int
        Places a side.

    Returns
    -------
    ndarray of shape (side * side, 2)
        The places.
    """
    left, right, low, high = frame
    across, up = np.linspace(left, right, side), np.linspace(low, high, side)
    return np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)


def _products(layers: Sequence[Layer], fitted: np.ndarray) -> Iterator[list[Layer]]:
    """Yield decoders whose large dense layers are products of two smaller ones, coarse ones first.

    What a layer gives for places of a plane lies near a space of few dimensions: that which the
    principal components of its values at `fitted` span.
    """
    parts: dict[int, tuple[np.ndarray, ...]] = {}
    values = fitted.astype("float32")
    for k, layer in enumerate(layers):
        if layer.kind == "dense":
            kernel, bias = layer.weights
            values = values @ kernel + bias
            if kernel.size >= LARGE:
                middle = values.mean(axis=0)
                centred = values - middle
                # of the square matrix: a tenth of the time of `svd` of the values
                axes = np.linalg.eigh(centred.T.astype("float64") @ centred).eigenvectors
                parts[k] = (middle, centred, axes[:, ::-1].astype("float32"))
        values = ACTIVATIONS[layer.activation](values)
    for limit in LIMITS:
        smaller: list[Layer] = []
        for k, layer in enumerate(layers):
            smaller += _product(layer, limit, *parts[k]) if k in parts else [layer]
        yield smaller


def _product(
    layer: Layer, limit: float, middle: np.ndarray, centred: np.ndarray, directions: np.ndarray
) -> list[Layer]:
    """Split a dense layer in two; the layer itself where that takes no less room."""
    kernel, bias = layer.weights
    rest = centred.copy()
    for rank in range(RANKS, kernel.size // sum(kernel.shape), RANKS):
        added = directions[:, rank - RANKS : rank]
        rest -= (centred @ added) @ added.T
        if np.abs(rest).max() <= limit:
            across = directions[:, :rank]
            first = Layer("dense", weights=(kernel @ across, (bias - middle) @ across))
            return [first, Layer("dense", layer.activation, weights=(across.T, middle))]
    return [layer]


def _rounded(layer: Layer) -> Layer:
    """Round large matrices to 16 bits."""
    return replace(
        layer,
        weights=tuple(
            w.clip(-HALF, HALF).astype("float16").astype("float32") if w.size >= LARGE else w
            for w in layer.weights
        ),
    )


def _written(layers: Sequence[Layer], halved: int | None) -> JsonObject:
    """Write layers and weights, arrays of at least `halved` numbers as 16-bit floats."""
    rows: list[JsonObject] = []
    data = BytesIO()
    for layer in layers:
        row: dict[str, Any] = {"kind": layer.kind, "activation": layer.activation}
        row |= {"shape": list(layer.shape), "weights": []}
        for array in layer.weights:
            half = halved is not None and array.size >= halved
            row["weights"].append({"shape": list(array.shape), "bytes": 2 if half else 3})
            data.write(array.astype("<f2").tobytes() if half else _three_bytes(array))
        rows.append(row)
    return {"layers": rows, "weights": base64.b64encode(data.getvalue()).decode()}


def _three_bytes(array: np.ndarray) -> bytes:
    """Round 32-bit floats to their upper three bytes, the lowest of them first."""
    whole = array.astype("<f4").reshape(-1).view("<u4").astype("u8") + 0x80
    return whole.astype("<u4").view("u1").reshape(-1, 4)[:, 1:].tobytes()
