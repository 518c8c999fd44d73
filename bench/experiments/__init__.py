"""The experiments, in the order of the assignment: a new one is a file and a line here."""

from bench.experiments.definition import Experiment
from bench.experiments.fashion_classifier import experiment as fashion_classifier
from bench.experiments.fashion_embedding import experiment as fashion_embedding
from bench.experiments.fashion_generation import experiment as fashion_generation
from bench.experiments.mnist_classifier import experiment as mnist_classifier

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (mnist_classifier, fashion_embedding, fashion_generation, fashion_classifier)
}
