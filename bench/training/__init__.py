"""Training: loops, schedules, augmentation, and the backend.

The modules load when first used: planning and reporting need no deep-learning framework.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "augment",
        "backend",
        "greedy",
        "loop",
        "muon",
        "objective",
        "predict",
        "schedule",
        "statistics",
        "supervised",
        "views",
    ],
)
