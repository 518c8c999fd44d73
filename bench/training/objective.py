"""Objectives: a loss with its networks and optimiser."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import keras

from bench.interfaces import Loss


@dataclass(frozen=True)
class Objective:
    """A loss, the networks that it trains, and the optimiser.

    A training step applies its objectives in turn: one for a classifier or an autoencoder, two for
    a GAN.

    Attributes
    ----------
    loss : callable
        `loss(batch, training)` gives scalars by name; the one named `loss` is minimised, the others
        are logged.
    trains : sequence of keras.Model
        The networks whose trainable variables the optimiser changes.
    optimizer : keras.optimizers.Optimizer
        Its learning rate may be a schedule.
    uses : sequence of keras.Model
        Further networks that the loss calls.
    random : keras.random.SeedGenerator, optional
        The loss's own source of randomness.
    """

    loss: Loss
    trains: Sequence[keras.Model]
    optimizer: keras.optimizers.Optimizer
    uses: Sequence[keras.Model] = field(default=())
    random: keras.random.SeedGenerator | None = None

    @property
    def trainable(self) -> list[keras.Variable]:
        """Variables that the optimiser changes."""
        return [v for network in self.trains for v in network.trainable_variables]

    @property
    def state(self) -> list[keras.Variable]:
        """Every variable that a step may read or change, the optimiser's own apart."""
        variables = [v for network in (*self.trains, *self.uses) for v in network.variables]
        return variables + ([self.random.state] if self.random is not None else [])


def variables(objectives: Sequence[Objective]) -> list[keras.Variable]:
    """Return every variable that a training step may read or change, each once.

    Optimisers must be built.
    """
    every = [v for o in objectives for v in (*o.state, *o.optimizer.variables)]
    return list({id(variable): variable for variable in every}.values())


def random(seed: int) -> keras.random.SeedGenerator:
    """Make the source of randomness for one training."""
    return keras.random.SeedGenerator(seed)
