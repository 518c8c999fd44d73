from . import (
    augment,
    backend,
    carry,
    greedy,
    loop,
    muon,
    objective,
    predict,
    schedule,
    statistics,
    supervised,
    views,
)

__all__ = [
    "augment",
    "backend",
    "carry",
    "greedy",
    "loop",
    "muon",
    "objective",
    "predict",
    "schedule",
    "statistics",
    "supervised",
    "views",
]
