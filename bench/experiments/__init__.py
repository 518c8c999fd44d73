"""The experiments, in the order of the report: a new one is a file and a line here."""

from bench.experiments.definition import Experiment
from bench.experiments.fashion_classifier import experiment as fashion_classifier
from bench.experiments.fashion_embedding import experiment as fashion_embedding
from bench.experiments.fashion_generation import experiment as fashion_generation
from bench.experiments.mnist_classifier import experiment as mnist_classifier
from bench.experiments.speedruns import fashion_speedrun, mnist_speedrun
from bench.experiments.training_speed import experiment as training_speed

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        mnist_classifier,
        fashion_embedding,
        fashion_generation,
        fashion_classifier,
        mnist_speedrun,
        fashion_speedrun,
        training_speed,
    )
}
# What `run-all` runs: the answers to the assignment.
ASSIGNED = [name for name, experiment in EXPERIMENTS.items() if not experiment.timed]
