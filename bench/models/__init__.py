"""Networks in Keras 3, one file a family; a backend's own functions only in `normalisation`.

The modules load when first used: planning and reporting need no deep-learning framework.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "handed_in",
        "autoencoder",
        "flow",
        "gan",
        "images",
        "neighbour",
        "normalisation",
        "stacked",
        "vae",
    ],
)
