"""Searches over hyperparameters, with KerasTuner's oracles.

The modules that `__init__.pyi` lists load when first used: KerasTuner needs Keras, planning and
reporting do not.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
