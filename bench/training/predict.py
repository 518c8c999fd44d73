"""Loading and application of trained networks."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np

import bench.models.normalisation  # noqa: F401  registers a layer that stored networks name

BATCH = 500


def images_to(network: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Apply a network to uint8 images (n, size, size); float32 result, first axis n.

    Parameters
    ----------
    network : keras.Model
        From images (n, size, size, 1) in [0, 1].
    pixels : ndarray of uint8, shape (n, size, size)
        Images.

    Returns
    -------
    ndarray of float32
        The network's outputs; n is the first axis.
    """
    return codes_to(network, pixels[..., None].astype("float32") / 255.0)


def codes_to(network: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Apply a network to arrays in batches; float32 result.

    Parameters
    ----------
    network : keras.Model
        The network.
    inputs : ndarray
        Its inputs; n is the first axis.

    Returns
    -------
    ndarray of float32
        Its outputs; n is the first axis.
    """
    return np.asarray(network.predict(inputs, batch_size=BATCH, verbose=0), dtype="float32")


def load(path: Path) -> keras.Model:
    """Load a `.keras` file in safe mode: no code stored in it is run."""
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def architecture(networks: Mapping[str, keras.Model]) -> list[dict[str, object]]:
    """List the layers of networks: part, name, type, output shape (images apart), parameters."""
    rows = []
    for part, network in networks.items():
        for layer in _flat(network):
            shape = getattr(layer, "output", None)
            rows.append(
                {
                    "part": part,
                    "name": layer.name,
                    "type": type(layer).__name__,
                    "output_shape": list(shape.shape[1:]) if shape is not None else [],
                    "parameters": int(layer.count_params()),
                }
            )
    return rows


def _flat(network: keras.Model) -> list[keras.Layer]:
    found: list[keras.Layer] = []
    for layer in network.layers:
        found += _flat(layer) if isinstance(layer, keras.Model) else [layer]
    return [layer for layer in found if not isinstance(layer, keras.layers.InputLayer)]
