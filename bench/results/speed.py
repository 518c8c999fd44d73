"""Results of the timed experiments."""

from typing import Annotated

import pandas as pd

from bench.results.held import Columns, Cost, Holding, NotNegative, Part, Share


class SprintMetrics(Part):
    """Duration of a training that was planned for one accuracy."""

    accuracy: Share
    target: float
    seconds: NotNegative
    warm_up_seconds: float
    training: Cost


class SprintTables(Part):
    """Accuracy on validation images over time."""

    curve: Annotated[pd.DataFrame, Columns("epoch", "validation_accuracy", "seconds")]


class Sprint(Holding):
    """The shortest training to an accuracy."""

    metrics: SprintMetrics
    tables: SprintTables


class OverPlain(Part):
    """How much faster than plain Keras, with the interval over the rounds."""

    mean: float
    low: float | None = None
    high: float | None = None


class Contender(Part):
    """Figures of one contender; of a ceiling only its rate."""

    rate: float | None = None
    precision: str | None = None
    images_per_second: float | None = None
    slowest: float | None = None
    fastest: float | None = None
    first_seconds: float | None = None
    peak_memory_mib: float | None = None
    gflops: float | None = None
    of_ceiling: float | None = None
    over_plain: OverPlain | None = None


class ThroughputMetrics(Part):
    """Contenders by network; beside them the operations that an image takes."""

    networks: dict[str, dict[str, int | Contender]]


class ThroughputTables(Part):
    """Every timed call."""

    rounds: Annotated[pd.DataFrame, Columns("contender", "round", "seconds", "value", "network")]


class Throughput(Holding):
    """Training side by side."""

    metrics: ThroughputMetrics
    tables: ThroughputTables


class QualityMetrics(Part):
    """Test accuracy by contender, and how far they are apart."""

    accuracy_of: dict[str, float]
    gap: float


class Quality(Holding):
    """Comparison of the fast loop's accuracy with that of plain Keras."""

    metrics: QualityMetrics


class PowerLaw(Part):
    """An exponent with its interval; see `bench.timing.growth`."""

    exponent: float
    low: float
    high: float


class GrowthMetrics(Part):
    """Exponents by what grows."""

    exponents: dict[str, PowerLaw]


class TrainingGrowthTables(Part):
    """Seconds, rates and memory by size."""

    growth: Annotated[
        pd.DataFrame, Columns("axis", "size", "seconds", "images_per_second", "peak_memory_mib")
    ]


class TrainingGrowth(Holding):
    """How the cost of training grows."""

    metrics: GrowthMetrics
    tables: TrainingGrowthTables


class MapGrowthTables(Part):
    """Seconds by size."""

    growth: Annotated[pd.DataFrame, Columns("axis", "size", "seconds")]


class MapGrowth(Holding):
    """How the cost of maps and their scores grows."""

    metrics: GrowthMetrics
    tables: MapGrowthTables
