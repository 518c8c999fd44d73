"""Pure functions from NumPy arrays to numbers: no training, no files, no drawing.

The modules that `__init__.pyi` lists load when first used. They import nothing else of this
project.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
