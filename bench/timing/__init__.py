"""How fast the training is: contenders side by side, ceilings, arithmetic, growth.

The modules load when first used: planning and reporting need no deep-learning framework.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["ceilings", "contenders", "flops", "growth", "interleave", "networks", "request"],
)
