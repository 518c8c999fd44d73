"""Pure functions from NumPy arrays to numbers: no training, no files, no drawing.

`classification`, `embedding` (with `neighbourhoods`), `stability`, `generation` (with `manifolds`
and `neighbours`), `failures`, `statistics` and `power`. They import nothing else of this
project, and load when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "classification",
        "embedding",
        "failures",
        "generation",
        "manifolds",
        "neighbourhoods",
        "neighbours",
        "power",
        "stability",
        "statistics",
    ],
)
