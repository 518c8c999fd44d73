"""Exercise 5: classification of Fashion-MNIST with a stacked autoencoder.

The method is that of `stacked_classifier`; the reference row is the handed-in network, its encoder
trained by `fashion_embedding`, with the dense head on top.
"""

from bench import models, training
from bench.experiments.definition import Cell, Experiment
from bench.experiments.stacked_classifier import add_variants, evaluated, fit_classifier
from bench.store import Result

experiment = Experiment(
    name="fashion_classifier",
    dataset="fashion_mnist",
    exercise="5",
    title="Classification of Fashion-MNIST with a stacked autoencoder",
)


@experiment.variant(
    settings=("assignment",), needs=("fashion_embedding/assignment",), repeated=True
)
def assignment(cell: Cell) -> Result:
    """Train the handed-in classifier: no augmentation, no smoothing, no weight decay."""
    training.backend.prepare(cell.precision, cell.seed)
    trained = cell.needs["fashion_embedding/assignment"].model_path("encoder")
    network = models.assignment.classifier(training.predict.load(trained))
    plain = training.augment.Augmentation()
    record = fit_classifier(cell, network, cell.settings.assignment, plain)
    return evaluated(cell, network, record, flip_averaging=False)


add_variants(experiment)
