from . import (
    autoencoder,
    flow,
    gan,
    handed_in,
    images,
    neighbour,
    normalisation,
    stacked,
    vae,
)

__all__ = [
    "autoencoder",
    "flow",
    "gan",
    "handed_in",
    "images",
    "neighbour",
    "normalisation",
    "stacked",
    "vae",
]
