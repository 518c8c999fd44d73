from . import (
    classification,
    embedding,
    failures,
    generation,
    manifolds,
    neighbourhoods,
    neighbours,
    power,
    stability,
    statistics,
)

__all__ = [
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
]
