from . import (
    classification,
    embedding,
    failures,
    generation,
    intervals,
    manifolds,
    neighbourhoods,
    neighbours,
    power,
    significance,
    stability,
    verdicts,
)

__all__ = [
    "classification",
    "embedding",
    "failures",
    "generation",
    "intervals",
    "manifolds",
    "neighbourhoods",
    "neighbours",
    "power",
    "significance",
    "stability",
    "verdicts",
]
