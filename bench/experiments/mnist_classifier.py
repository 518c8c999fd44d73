"""Exercise 3: classification of MNIST with a stacked autoencoder.

The method is that of `stacked_classifier`; the handed-in network for MNIST did not survive, so
there is no reference row.
"""

from bench.declarations import declared
from bench.experiments.definition import Experiment
from bench.experiments.stacked_classifier import add_variants

experiment = Experiment(declared("mnist_classifier"))
add_variants(experiment)
