from . import (
    augment,
    backend,
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
