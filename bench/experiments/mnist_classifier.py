"""Exercise 3: classification of MNIST with a stacked autoencoder.

The method is that of `stacked_classifier`; the handed-in network for MNIST did not survive, so
there is no reference row.
"""

from bench.experiments.definition import Experiment
from bench.experiments.stacked_classifier import add_variants

experiment = Experiment(
    name="mnist_classifier",
    dataset="mnist",
    exercise="3",
    title="Classification of MNIST with a stacked autoencoder",
)
add_variants(experiment)
