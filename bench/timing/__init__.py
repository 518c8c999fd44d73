"""How fast the training is: contenders side by side, ceilings, arithmetic, growth.

The modules that `__init__.pyi` lists load when first used: planning and reporting need no
deep-learning framework.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
