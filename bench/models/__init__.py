"""Networks in Keras 3, one file a family; a backend's own functions only in `normalisation`.

The modules that `__init__.pyi` lists load when first used: planning and reporting need no
deep-learning framework.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
