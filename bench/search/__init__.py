"""Searches over hyperparameters, with KerasTuner's oracles.

The module loads when first used: KerasTuner needs Keras, planning and reporting do not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submodules=["gain", "oracles", "trials", "tuner"]
)
