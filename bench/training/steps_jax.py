"""Training steps on JAX: a `lax.scan` over batches of device-resident data."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import jax
import jax.numpy as jnp
import keras
import numpy as np

from bench.interfaces import Batch, Loss, Scalars, Tensor
from bench.training.objective import Objective

Log = dict[str, float]
Values = list[jax.Array]
Resident = dict[str, jax.Array]
Stepped = tuple[Values, Scalars]
Step = Callable[[Values, Resident, jax.Array], Stepped]


def most_replicas() -> int:
    """One replica of a network: XLA divides the work by itself."""
    return 1


def compile_training(
    objectives: Sequence[Objective], data: Mapping[str, np.ndarray], replicas: int = 1
) -> Callable[[np.ndarray], Log]:
    """Compile several training steps into one call.

    Parameters
    ----------
    objectives : sequence of Objective
        Applied in turn at each step.
    data : mapping of str to ndarray
        The whole training set, first axis the images; it stays on the device.
    replicas : int
        Not used: XLA divides the work by itself.

    Returns
    -------
    callable
        Takes indices of shape (steps, batch) and gives each scalar's mean over the steps.
    """
    del replicas
    resident = {name: jnp.asarray(array) for name, array in data.items()}
    for objective in objectives:
        objective.optimizer.build(objective.trainable)
    variables = _unique(v for o in objectives for v in (*o.state, *o.optimizer.variables))
    place = {id(variable): position for position, variable in enumerate(variables)}

    def apply(objective: Objective, values: Values, batch: Batch) -> Stepped:
        def loss_of(trainable: Values) -> tuple[Tensor, tuple[Scalars, Values]]:
            now = list(values)
            for variable, value in zip(objective.trainable, trainable, strict=True):
                now[place[id(variable)]] = value
            scope = keras.StatelessScope(state_mapping=zip(variables, now, strict=True))
            with scope:
                scalars = objective.loss(batch, True)
            after = [scope.get_current_value(variable) for variable in variables]
            after = [new if new is not None else old for new, old in zip(after, now, strict=True)]
            return scalars["loss"], (scalars, after)

        trainable = [values[place[id(v)]] for v in objective.trainable]
        gradients, (scalars, values) = jax.grad(loss_of, has_aux=True)(trainable)
        optimizer = objective.optimizer
        own = [values[place[id(v)]] for v in optimizer.variables]
        trainable, own = optimizer.stateless_apply(own, gradients, trainable)
        changed = zip((*objective.trainable, *optimizer.variables), (*trainable, *own), strict=True)
        for variable, value in changed:
            values[place[id(variable)]] = value
        return values, scalars

    def step(values: Values, resident: Resident, rows: jax.Array) -> Stepped:
        batch = {name: array[rows] for name, array in resident.items()}
        logged: Scalars = {}
        for objective in objectives:
            values, scalars = apply(objective, values, batch)
            logged |= scalars
        return values, logged

    run = _repeated(step)

    def call(indices: np.ndarray) -> Log:
        before = [variable.value for variable in variables]
        after, logged = run(before, resident, jnp.asarray(indices, jnp.int32))
        for variable, value in zip(variables, after, strict=True):
            variable.assign(value)
        return _means(logged)

    return call


def compile_evaluation(
    loss: Loss, uses: Sequence[keras.Model], data: Mapping[str, np.ndarray]
) -> Callable[[np.ndarray], Log]:
    """Compile the same loop without training: `loss(batch, False)` averaged over the batches.

    Parameters
    ----------
    loss : callable
        See `training.objective.Objective`.
    uses : sequence of keras.Model
        The networks that the loss calls.
    data : mapping of str to ndarray
        What it is evaluated on; it stays on the device.

    Returns
    -------
    callable
        Takes indices of shape (steps, batch) and gives each scalar's mean over the steps.
    """
    resident = {name: jnp.asarray(array) for name, array in data.items()}
    variables = _unique(v for network in uses for v in network.variables)

    def step(values: Values, resident: Resident, rows: jax.Array) -> Stepped:
        batch = {name: array[rows] for name, array in resident.items()}
        with keras.StatelessScope(state_mapping=zip(variables, values, strict=True)):
            return values, loss(batch, False)

    run = _repeated(step)

    def call(indices: np.ndarray) -> Log:
        values = [variable.value for variable in variables]
        return _means(run(values, resident, jnp.asarray(indices, jnp.int32))[1])

    return call


def compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Leave a function as it is: what changes variables in place cannot be compiled by JAX."""
    return function


def _repeated(step: Step) -> Step:
    """Compile a step to run over several rows of indices; scalars come back one a step."""
    if jax.default_backend() == "cpu":
        # XLA runs convolutions inside a loop on one slow thread of a processor: call each step
        compiled = jax.jit(step)

        def looped(values: Values, resident: Resident, indices: jax.Array) -> Stepped:
            logs = []
            for rows in indices:
                values, logged = compiled(values, resident, rows)
                logs.append(logged)
            return values, {name: jnp.stack([log[name] for log in logs]) for name in logs[0]}

        return looped

    @jax.jit
    def scanned(values: Values, resident: Resident, indices: jax.Array) -> Stepped:
        return jax.lax.scan(lambda now, rows: step(now, resident, rows), values, indices)

    return scanned


def _means(logged: Scalars) -> Log:
    return {
        name: float(jnp.mean(jnp.asarray(value, jnp.float32))) for name, value in logged.items()
    }


def _unique(variables: Iterable[keras.Variable]) -> list[keras.Variable]:
    return list({id(variable): variable for variable in variables}.values())
