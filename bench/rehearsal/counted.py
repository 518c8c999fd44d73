"""The training loop of a rehearsal: two steps of each training, and the work of a whole one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.config import Fit
from bench.rehearsal.shortened import Sizes
from bench.training import backend, loop
from bench.training.objective import Objective

if TYPE_CHECKING:
    import jax

    from bench.training import steps_jax

STEPS = 2  # the first compiles


@dataclass(frozen=True)
class Counted:
    """One training of a rehearsal.

    Attributes
    ----------
    parameters, batch_size, epochs, steps : int
        Of the whole training; trainable parameters.
    step_seconds : float
        Of a step after the first, here.
    operations : float or None
        Floating-point operations of a step, as XLA counts them before it optimises: forward,
        backward, optimiser. None on TensorFlow.
    step_mib : float or None
        Memory for what a step computes in between, and for its variables, as XLA plans it; without
        the images. None on TensorFlow.
    process_mib : float
        The process's largest resident memory so far.
    """

    parameters: int
    batch_size: int
    epochs: int
    steps: int
    step_seconds: float
    operations: float | None
    step_mib: float | None
    process_mib: float


@contextmanager
def counting(sizes: Sizes, counted: list[Counted]) -> Iterator[None]:
    """Run two steps of every training in the block, and count its work.

    Parameters
    ----------
    sizes : Sizes
        Tells how many images a training has in the whole profile.
    counted : list of Counted
        Filled in.

    Yields
    ------
    None
        While trainings are counted.
    """
    train, plans = loop.train, list[dict[str, float]]()

    def two_steps(
        objectives: Sequence[Objective],
        data: Mapping[str, np.ndarray],
        *,
        fit: Fit,
        seed: int,
        validation: Mapping[str, np.ndarray] | None = None,
        **others: Any,
    ) -> loop.Record:
        images = sizes.of(len(next(iter(data.values()))))
        steps = loop.steps(images, fit)
        few = {name: array[: STEPS * fit.batch_size] for name, array in data.items()}
        seen = validation and {name: array[: fit.batch_size] for name, array in validation.items()}
        plans.clear()
        record = train(
            objectives,
            few,
            fit=fit.model_copy(update={"epochs": 1}),
            seed=seed,
            validation=seen,
            **others,
        )
        plan = plans[0] if plans else {}  # of the training; the evaluation is compiled after it
        counted.append(
            Counted(
                parameters=record.cost["parameters"],
                batch_size=fit.batch_size,
                epochs=fit.epochs,
                steps=steps,
                step_seconds=record.cost["milliseconds_per_step"] / 1000,
                operations=plan.get("flops"),
                step_mib=plan.get("mib"),
                process_mib=record.cost["peak_memory_mib"],
            )
        )
        return record

    loop.train = two_steps
    try:
        with _plans_of_xla(plans):
            yield
    finally:
        loop.train = train


@contextmanager
def _plans_of_xla(plans: list[dict[str, float]]) -> Iterator[None]:
    """Collect the memory that XLA plans for each step that it compiles; none on TensorFlow."""
    if backend.name() != "jax":
        yield
        return
    import jax
    import jax.numpy as jnp

    from bench.training import steps_jax

    repeated = steps_jax._repeated

    def noting(step: steps_jax.Step) -> steps_jax.Step:
        jitted = jax.jit(step)
        compiled: list[jax.stages.Compiled] = []

        def run(
            values: steps_jax.Values, resident: steps_jax.Resident, indices: jax.Array
        ) -> steps_jax.Stepped:
            logs = []
            for rows in indices:
                if not compiled:
                    lowered = jitted.lower(values, resident, rows)
                    compiled.append(lowered.compile())
                    plans.append(_plan(lowered, compiled[0], resident))
                values, logged = compiled[0](values, resident, rows)
                logs.append(logged)
            return values, {name: jnp.stack([log[name] for log in logs]) for name in logs[0]}

        return run

    steps_jax._repeated = noting
    try:
        yield
    finally:
        steps_jax._repeated = repeated


def _plan(
    lowered: "jax.stages.Lowered", compiled: "jax.stages.Compiled", resident: "steps_jax.Resident"
) -> dict[str, float]:
    cost, memory = lowered.cost_analysis(), compiled.memory_analysis()
    if cost is None or memory is None:
        return {}
    images = sum(array.nbytes for array in resident.values())
    planned = memory.temp_size_in_bytes + memory.argument_size_in_bytes - images
    return {"flops": float(cost["flops"]), "mib": planned / 2**20}
