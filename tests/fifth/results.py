"""What its variants hold."""

from bench.results.held import Holding, Images, Part, Share


class PrototypeMetrics(Part):
    """Figures of one prototype a class."""

    accuracy: Share
    test_images: int


class PrototypeArrays(Part):
    """The prototypes as images."""

    prototypes: Images


class Prototype(Holding):
    """A classifier by the nearest prototype."""

    metrics: PrototypeMetrics
    arrays: PrototypeArrays


class GainMetrics(Part):
    """By how much the accuracies differ, seed by seed."""

    gains: list[float]


class Gain(Holding):
    """The two prototypes compared."""

    metrics: GainMetrics
