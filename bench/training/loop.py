"""The training loop: epochs, validation, progress, timing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pandas as pd

from bench.config import Fit
from bench.interfaces import Figures, Progress
from bench.store.provenance import peak_memory_mib, usable_cores
from bench.training import backend, carry, checkpoints, statistics
from bench.training.objective import Objective

MOST_STEPS_A_CALL = 25  # keeps progress bars moving and Ctrl-C answered


class DivergedError(RuntimeError):
    """A loss stopped being a finite number."""


@dataclass(frozen=True)
class Record:
    """Record of a training.

    Attributes
    ----------
    history : DataFrame
        One row an epoch: `epoch`, each scalar's mean, `validation_<scalar>`, `seconds`.
    cost : dict
        Parameters, epochs, steps, seconds, throughput with the first, compiling call apart, peak
        memory of the process, on how many cores it ran and with how many replicas.
    """

    history: pd.DataFrame
    cost: Figures


def steps(images: int, fit: Fit) -> int:
    """Steps of a whole training, which a learning-rate schedule must know.

    Parameters
    ----------
    images : int
        Training images.
    fit : Fit
        The training.

    Returns
    -------
    int
        Steps.
    """
    return fit.epochs * steps_per_epoch(images, fit.batch_size)


def part_of(progress: Progress, part: int, parts: int) -> Progress:
    """Make a progress that reports one of several trainings as a part of the whole.

    Parameters
    ----------
    progress : callable
        Progress of the whole.
    part : int
        Which training it is, from 0.
    parts : int
        How many there are.

    Returns
    -------
    callable
        Progress of that training.
    """
    return lambda done, words: progress((part + done) / parts, f"{part + 1}/{parts}: {words}")


def joined_history(records: Sequence[Record], label: str) -> pd.DataFrame:
    """Histories of successive trainings, one below the other, numbered from 1 in column `label`.

    Parameters
    ----------
    records : sequence of Record
        Of the trainings, in order.
    label : str
        Name of the column that numbers them.

    Returns
    -------
    DataFrame
        One row an epoch.
    """
    return pd.concat(
        [record.history.assign(**{label: k}) for k, record in enumerate(records, start=1)],
        ignore_index=True,
    )


def total_cost(records: Sequence[Record]) -> Figures:
    """Cost of successive trainings as one: sums, and throughput over all their warm steps."""
    costs = [record.cost for record in records]
    warm = sum(c["milliseconds_per_step"] * c["steps"] for c in costs)
    taken = sum(c["steps"] for c in costs)
    together = {key: sum(c[key] for c in costs) for key in ("parameters", "epochs", "seconds")}
    return {
        **costs[-1],
        **together,
        "steps": taken,
        "compile_seconds": sum(c["compile_seconds"] for c in costs),
        "images_per_second": 1000 * costs[0]["batch_size"] * taken / warm,
        "milliseconds_per_step": warm / taken,
        "peak_memory_mib": max(c["peak_memory_mib"] for c in costs),
    }


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Whole batches in an epoch; a partial one is left out, since it would compile anew.

    Parameters
    ----------
    images : int
        Images of an epoch.
    batch_size : int
        Images of a step.

    Returns
    -------
    int
        Steps.

    Raises
    ------
    ValueError
        If there is not one whole batch.
    """
    if images < batch_size:
        raise ValueError(
            f"A batch of {batch_size} does not fit into {images} training images. "
            "Nothing can be trained; lower batch_size or raise train_limit."
        )
    return images // batch_size


def train(
    objectives: Sequence[Objective],
    data: Mapping[str, np.ndarray],
    *,
    fit: Fit,
    seed: int,
    validation: Mapping[str, np.ndarray] | None = None,
    exact_curves: bool = False,
    progress: Progress | None = None,
) -> Record:
    """Train for a number of epochs; the weights are those after the last one.

    At the end, averaged weights take their place where the optimiser keeps them, and normalisation
    statistics are estimated anew for the final weights (`statistics.reestimator`).

    Within `carry.carrying` a training goes on where an earlier one stopped; within
    `checkpoints.kept_in` one that was interrupted goes on after its last kept epoch.

    Parameters
    ----------
    objectives : sequence of Objective
        Applied in turn at each step; the first one's loss is evaluated on the validation data.
    data, validation : mapping of str to ndarray
        Arrays whose first axis is the images.
    fit : Fit
        Epochs and batch size; the learning rate is the optimisers' own.
    seed : int
        Order of the images.
    exact_curves : bool
        Whether normalisation statistics are re-estimated before each validation too, and not only
        at the end. It changes no training; it matters where an epoch has fewer steps than the
        moving averages remember.
    progress : callable, optional
        Called with the share that is done and the latest loss.

    Returns
    -------
    Record
        History and cost.

    Raises
    ------
    DivergedError
        If a logged scalar is not finite; the message names the epoch and the scalar.
    """
    compiler = backend.steps()
    run = compiler.compile_training(objectives, data, backend.replicas())
    epochs, batch_size = fit.epochs, fit.batch_size
    evaluate = _evaluation(compiler, objectives[0], validation, batch_size)
    reestimate = statistics.reestimator(
        objectives, data, batch_size=batch_size, seed=seed, compiled=exact_curves
    )
    images = len(next(iter(data.values())))
    per_epoch = steps_per_epoch(images, batch_size)
    most = min(
        MOST_STEPS_A_CALL, max(1, per_epoch // 2)
    )  # at least one call after the compiling one
    chunk = max(n for n in range(1, most + 1) if per_epoch % n == 0)
    order, states = np.random.default_rng(seed), carry.current()
    before = states.restore(objectives) if states is not None else 0
    checkpoint = checkpoints.next_training() if states is None else None
    done = checkpoint.restore(objectives) if checkpoint is not None else checkpoints.Trained()
    for _ in range(before + len(done.rows)):
        order.permutation(images)  # the images come in another order than they came before
    if len(done.rows) < epochs:
        done.compiling.append(len(done.calls))
    for epoch in range(len(done.rows) + 1, epochs + 1):
        began = time.perf_counter()
        batches = order.permutation(images)[: per_epoch * batch_size].reshape(-1, batch_size)
        logs = []
        for start in range(0, per_epoch, chunk):
            call_began = time.perf_counter()
            logs.append(run(batches[start : start + chunk]))
            done.calls.append(time.perf_counter() - call_began)
            _check(logs[-1], epoch)
            if progress is not None:
                share = (epoch - 1 + (start + chunk) / per_epoch) / epochs
                progress(share, f"epoch {epoch}/{epochs}, loss {logs[-1]['loss']:.4f}")
        row = {str(name): value for name, value in pd.DataFrame(logs).mean().items()}
        if evaluate is not None:
            if exact_curves:
                reestimate()
            row |= {f"validation_{name}": value for name, value in evaluate().items()}
        done.rows.append({"epoch": epoch, **row, "seconds": time.perf_counter() - began})
        if checkpoint is not None:
            checkpoint.keep(objectives, done, last=epoch == epochs)
    if states is not None:
        states.keep(objectives, before + epochs)
    for objective in objectives:
        # where the optimiser averages weights, the average takes their place
        objective.optimizer.finalize_variable_values(objective.trainable)
    began = time.perf_counter()
    reestimate()
    cost = _cost(objectives, done, epochs=epochs, chunk=chunk, batch_size=batch_size)
    cost["seconds"] += time.perf_counter() - began
    return Record(pd.DataFrame(done.rows), cost)


def _evaluation(
    compiler: ModuleType,
    objective: Objective,
    validation: Mapping[str, np.ndarray] | None,
    batch_size: int,
) -> Callable[[], dict[str, float]] | None:
    if validation is None:
        return None
    evaluate = compiler.compile_evaluation(
        objective.loss, (*objective.trains, *objective.uses), validation
    )
    count = len(next(iter(validation.values())))
    whole = steps_per_epoch(count, batch_size) * batch_size
    batches = np.arange(whole).reshape(-1, batch_size)
    return lambda: evaluate(batches)


def _check(log: Mapping[str, float], epoch: int) -> None:
    for name, value in log.items():
        if not np.isfinite(value):
            raise DivergedError(
                f"Training diverged: {name} became {value} in epoch {epoch}. The cell is kept as "
                "failed; a lower learning_rate or float32 precision is the usual remedy."
            )


def _cost(
    objectives: Sequence[Objective],
    done: checkpoints.Trained,
    *,
    epochs: int,
    chunk: int,
    batch_size: int,
) -> Figures:
    """Throughput over all calls but those that compiled."""
    calls, compiling = done.calls, done.compiling
    warm = [call for k, call in enumerate(calls) if k not in compiling] or calls
    step_seconds = float(np.mean(warm)) / chunk
    parameters = {id(v): int(np.prod(v.shape)) for o in objectives for v in o.trainable}
    return {
        "parameters": sum(parameters.values()),
        "epochs": epochs,
        "steps": len(calls) * chunk,
        "batch_size": batch_size,
        "seconds": float(np.sum(calls)),
        "compile_seconds": sum(max(0.0, calls[k] - step_seconds * chunk) for k in compiling),
        "images_per_second": batch_size / step_seconds,
        "milliseconds_per_step": 1000 * step_seconds,
        "peak_memory_mib": peak_memory_mib(),
        "precision": backend.precision(),
        "backend": backend.name(),
        "cores": len(usable_cores()),
        "replicas": backend.replicas(),
    }
