"""One search: KerasTuner proposes, this loop runs the trials one by one and reports back.

The oracles are asked from one thread and nothing else of KerasTuner is used: its tuners, its
chief/worker mode and its checkpoints are where it is known to lose trials.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_tuner
import pandas as pd
from keras_tuner.engine import trial as trial_module
from keras_tuner.src.engine.stateful import Stateful

from bench.config import Search

Values = Mapping[str, Any]
Trial = Callable[[Values, int], float]
Space = Callable[[keras_tuner.HyperParameters], None]
OBJECTIVE = "score"


class NoTrialCompletedError(RuntimeError):
    """Every trial of a search failed."""


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes
    ----------
    best : dict
        Hyperparameters of the best completed trial.
    trials : DataFrame
        One row a trial: trial, status, score, epochs, seconds, hp_<name>.
    metrics : dict
        best, best_score, completed, failed, seconds.
    """

    best: dict[str, Any]
    trials: pd.DataFrame
    metrics: dict[str, Any]


def run(
    space: Space,
    trial: Trial,
    settings: Search,
    *,
    direction: str,
    folder: Path,
    name: str,
    seed: int,
    progress: Callable[[float, str], None],
) -> Outcome:
    """Search, going on where an interrupted search of the same name stopped.

    Parameters
    ----------
    space : callable
        Declares the hyperparameters.
    trial : callable
        `trial(values, epochs)` trains on a split of the training set and gives the score.
    settings : Search
        Algorithm and budget.
    direction : {'max', 'min'}
        Whether a higher or a lower score is better.
    folder : Path
        Where the oracle keeps its state.
    name : str
        Holds the cell's key: KerasTuner keeps the settings of an older search of the same name.
    seed : int
        Not 0, which KerasTuner takes for "random".

    Returns
    -------
    Outcome
        The winner and the table of trials.

    Raises
    ------
    NoTrialCompletedError
        If there is no completed trial; the message holds the last failure.
    """
    oracle = _oracle(space, settings, direction, seed)
    oracle.verbose = 0
    oracle._set_project_dir(folder, name)  # only KerasTuner's own tuners have a public way
    if Path(oracle._get_oracle_fname()).is_file():
        oracle.reload()
    expected = _expected_trials(settings)
    while True:
        proposal = oracle.create_trial("only")
        if proposal.status == trial_module.TrialStatus.STOPPED:
            break
        done = len(oracle.end_order)
        progress(min(0.99, done / expected), f"trial {done + 1} of about {expected}")
        _run_trial(oracle, proposal, trial, settings)
    return _outcome(oracle, settings.max_epochs)


def _run_trial(oracle: Any, proposal: Any, trial: Trial, settings: Search) -> None:
    values = _without_bookkeeping(proposal.hyperparameters.values)
    epochs = proposal.hyperparameters.values.get("tuner/epochs", settings.max_epochs)
    began = time.perf_counter()
    try:
        score = float(trial(values, epochs))
        if not math.isfinite(score):
            raise ArithmeticError(f"the score is {score}")
    except Exception as error:  # a failed trial is a row of the table, with its reason
        proposal.status = trial_module.TrialStatus.FAILED
        proposal.message = f"{type(error).__name__}: {error}"
    else:
        for metric, better in ((OBJECTIVE, oracle.objective.direction), ("seconds", "min")):
            oracle.trials[proposal.trial_id].metrics.register(metric, direction=better)
        seconds = time.perf_counter() - began
        oracle.update_trial(proposal.trial_id, {OBJECTIVE: score, "seconds": seconds})
        proposal.status = trial_module.TrialStatus.COMPLETED
    oracle.end_trial(proposal)


def _oracle(space: Space, settings: Search, direction: str, seed: int) -> Any:
    hyperparameters = keras_tuner.HyperParameters()
    space(hyperparameters)
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, direction),
        "hyperparameters": hyperparameters,
        "allow_new_entries": False,
        "seed": seed,
        # every failure is shown in the table; the search goes on
        "max_consecutive_failed_trials": 1_000_000,
    }
    if settings.algorithm == "hyperband":
        return _atomic(keras_tuner.oracles.HyperbandOracle)(
            max_epochs=settings.max_epochs, factor=settings.factor, **common
        )
    kinds = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
    }
    return _atomic(kinds[settings.algorithm])(max_trials=settings.trials, **common)


def _atomic(kind: type) -> type:
    """Make an oracle write its state beside the old one and rename it: a torn file kills resume."""

    class Atomic(kind):
        def save(self) -> None:
            _write_beside(self, Path(self._get_oracle_fname()))

        def _save_trial(self, trial: Any) -> None:
            _write_beside(trial, Path(self._get_trial_dir(trial.trial_id)) / "trial.json")

    return Atomic


def _write_beside(stateful: Any, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".part")
    Stateful.save(stateful, str(beside))
    beside.replace(target)


def _expected_trials(settings: Search) -> int:
    """Trials that Hyperband will ask for (Li et al. 2018, arXiv 1603.06560), or the set number."""
    if settings.algorithm != "hyperband":
        return settings.trials
    oracle = keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective(OBJECTIVE, "max"),
        max_epochs=settings.max_epochs,
        factor=settings.factor,
    )
    return sum(
        oracle._get_size(bracket, rung)
        for bracket in range(oracle._get_num_brackets())
        for rung in range(bracket + 1)
    )


def _outcome(oracle: Any, max_epochs: int) -> Outcome:
    ran = [oracle.trials[identifier] for identifier in oracle.start_order]
    trials = pd.DataFrame(
        [_row(number, trial, max_epochs) for number, trial in enumerate(ran, start=1)]
    )
    completed = [t for t in ran if t.status == trial_module.TrialStatus.COMPLETED]
    if not completed:
        reason = ran[-1].message if ran else "no trial was proposed"
        raise NoTrialCompletedError(
            f"No trial of the search completed ({len(ran)} failed). There is no winner to "
            f"retrain. The last failure: {reason}"
        )
    better = max if oracle.objective.direction == "max" else min
    winner = better(completed, key=lambda trial: trial.score)
    best = _without_bookkeeping(winner.hyperparameters.values)
    metrics = {
        "best": best,
        "best_score": float(winner.score),
        "direction": oracle.objective.direction,
        "completed": len(completed),
        "failed": len(ran) - len(completed),
        "seconds": float(trials["seconds"].sum()),
    }
    return Outcome(best, trials, metrics)


def _row(number: int, trial: Any, max_epochs: int) -> dict[str, Any]:
    completed = trial.status == trial_module.TrialStatus.COMPLETED
    values = trial.hyperparameters.values
    searched = {f"hp_{name}": value for name, value in _without_bookkeeping(values).items()}
    return {
        "trial": number,
        "status": trial.status,
        "score": trial.score if completed else None,
        "epochs": values.get("tuner/epochs", max_epochs),
        "seconds": trial.metrics.get_last_value("seconds") if completed else None,
        "message": trial.message,
        **searched,
    }


def _without_bookkeeping(values: Values) -> dict[str, Any]:
    """Leave out Hyperband's own entries, `tuner/epochs` and the like."""
    return {name: value for name, value in values.items() if "/" not in name}
