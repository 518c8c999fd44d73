from . import (
    autoencoder,
    flow,
    gan,
    handed_in,
    images,
    neighbour,
    normalisation,
    pixel_flow,
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
    "pixel_flow",
    "stacked",
    "vae",
]
