"""How long a whole run would take, from what a rehearsal counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.config import Profile, Search
from bench.experiments import ASSIGNED
from bench.rehearsal.shortened import TRIALS
from bench.rehearsal.stage import Rehearsed
from bench.running import make_plan
from bench.running.plan import PlannedCell, given_settings

# Operations a second (1e12) in bfloat16 or, on the T4, float16, without sparsity: NVIDIA's data
# sheets of the T4 (2019), L4 (2023), A100 SXM (2020) and H100 SXM (2022).
GPUS = {"T4": 65.0, "L4": 121.0, "A100": 312.0, "H100": 989.0}
# Share of that which a training of small networks reaches. An assumption, and the largest
# uncertainty: no training of this project has been measured on these GPUs.
EFFICIENCY = 0.05
LEAST_SECONDS = 4e-4  # of a step on a GPU, however small: starting its kernels. An assumption too


@dataclass(frozen=True)
class Expected:
    """Expected work of a variant in a whole run.

    Attributes
    ----------
    name : str
        `experiment/variant`.
    cells, steps : int
        Over all seeds.
    parameters : int
        Of its largest training.
    operations : float
        Of all steps.
    step_mib : float
        Memory of its largest step.
    here : float
        Hours of training on this machine.
    on : dict of str to float
        Hours of training by the name of the GPU.
    """

    name: str
    cells: int
    steps: int
    parameters: int
    operations: float
    step_mib: float
    here: float
    on: dict[str, float]


def expect(
    profile: Profile, rehearsed: Mapping[str, Sequence[Rehearsed]], efficiency: float = EFFICIENCY
) -> list[Expected]:
    """Estimate every variant of a profile.

    Parameters
    ----------
    profile : Profile
        The whole one.
    rehearsed : mapping of str to sequence of Rehearsed
        By backend: operations and memory are counted on JAX, seconds on the first.
    efficiency : float
        Share of a GPU's operations that is reached.

    Returns
    -------
    list of Expected
        Trainings alone: what methods without a network and evaluations take is not in it.
    """
    counted = {each.name: each for each in rehearsed["jax"]}
    timed = {each.name: each for each in next(iter(rehearsed.values()))}
    repeated: dict[str, list[Any]] = {}
    for planned in make_plan(profile, Path("nowhere"), ASSIGNED):
        name = f"{planned.stored.experiment}/{planned.stored.variant}"
        repeated.setdefault(name, []).append(planned)
    found = []
    for name, cells in repeated.items():
        times = len(cells) * _search_factor(profile, cells[0])
        found.append(_expected(name, len(cells), times, counted[name], timed[name], efficiency))
    return found


def _expected(
    name: str, cells: int, times: float, counted: Rehearsed, timed: Rehearsed, efficiency: float
) -> Expected:
    trainings = counted.trainings
    steps = [times * each["steps"] for each in trainings]
    operations = [each["operations"] or 0.0 for each in trainings]
    return Expected(
        name=name,
        cells=cells,
        steps=round(sum(steps)),
        parameters=max((each["parameters"] for each in trainings), default=0),
        operations=sum(n * o for n, o in zip(steps, operations, strict=True)),
        step_mib=max((each["step_mib"] or 0.0 for each in trainings), default=0.0),
        here=sum(times * e["steps"] * e["step_seconds"] for e in timed.trainings) / 3600,
        on={
            gpu: sum(
                n * max(LEAST_SECONDS, o / (efficiency * peak * 1e12))
                for n, o in zip(steps, operations, strict=True)
            )
            / 3600
            for gpu, peak in GPUS.items()
        },
    )


def _search_factor(profile: Profile, planned: PlannedCell) -> float:
    """How many times as long as the trials of the rehearsal all trials of a search take."""
    settings = vars(given_settings(profile, planned)).values()
    return next((factor(each) for each in settings if isinstance(each, Search)), 1.0)


def factor(search: Search) -> float:
    """Epochs of all trials, over those of the trials of a rehearsal.

    A promoted trial goes on, so Hyperband's count with the epochs that they add.
    """
    from bench.search.oracles import Oracle

    whole = (1 + 2 * search.confirmations) * search.max_epochs
    if search.algorithm == "hyperband":
        oracle = Oracle(lambda space: space.Float("any", 0.0, 1.0), search, "max", 1)
        epochs = {}
        while wave := oracle.wave():
            for proposal in wave:
                epochs[proposal.id] = proposal.epochs
                whole += proposal.epochs - (epochs[proposal.after] if proposal.after else 0)
                oracle.report(proposal, float(len(epochs)))
    else:
        whole += search.trials * search.max_epochs
    return whole / (TRIALS * search.max_epochs)
