"""One search: KerasTuner proposes, this loop runs the trials one by one and reports back.

The oracles are asked from one thread and nothing else of KerasTuner is used: its tuners, its
chief/worker mode and its checkpoints are where it is known to lose trials.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras_tuner
import pandas as pd
from keras_tuner.engine import trial as trial_module
from keras_tuner.src.engine.stateful import Stateful

from bench.config import Search
from bench.search import gain
from bench.search.trials import Kept, Trial, Tried, Values, attempt

Space = Callable[[keras_tuner.HyperParameters], None]
OBJECTIVE = "score"
DEFAULT = "default"


class NoTrialCompletedError(RuntimeError):
    """Every trial of full length failed."""


@dataclass(frozen=True)
class Outcome:
    """What a search found.

    Attributes
    ----------
    best : dict
        Hyperparameters of the best completed trial of full length.
    trials : DataFrame
        One row a trial, the defaults first, as trial 0: trial, status, score, epochs, seconds,
        message, hp_<name>, default, early_score, and score_<arm> if there are several arms.
    metrics : dict
        best, best_score, direction, completed, failed, seconds, default; what could be measured
        of best_by_arm, default_score, confirmed, confirmations_failed, gain, rank_correlation,
        ranked_trials, and with several arms confirmed_by_arm and gain_by_arm.
    """

    best: dict[str, Any]
    trials: pd.DataFrame
    metrics: dict[str, Any]


def run(
    space: Space,
    arms: Mapping[str, Trial],
    settings: Search,
    *,
    default: Values,
    direction: str,
    folder: Path,
    name: str,
    seed: int,
    progress: Callable[[float, str], None],
) -> Outcome:
    """Search, going on where an interrupted search of the same name stopped.

    The defaults are trial 0, as long as the longest trial. The winner is the best trial of that
    length, the defaults among them; if they do not win, both are trained again with fresh seeds.

    Parameters
    ----------
    space : callable
        Declares the hyperparameters.
    arms : mapping of str to Trial
        What a trial trains, one after the other, with the same values and seed; its score is the
        mean over the arms. Usually one.
    settings : Search
        Algorithm and budget.
    default : mapping
        A value for each hyperparameter.
    direction : {'max', 'min'}
        Whether a higher or a lower score is better.
    folder : Path
        Where the oracle keeps its state, and the scores are kept.
    name : str
        Holds the cell's key: KerasTuner keeps the settings of an older search of the same name.
    seed : int
        Of all trials. Not 0, which KerasTuner takes for "random".

    Returns
    -------
    Outcome
        The winner and the table of trials.

    Raises
    ------
    NoTrialCompletedError
        If there is no completed trial of full length; the message holds the last failure.
    ValueError
        If the defaults are not those of the space.
    """
    oracle = _oracle(space, settings, direction, seed)
    _check_default(oracle, default)
    oracle.verbose = 0
    oracle._set_project_dir(folder, name)  # only KerasTuner's own tuners have a public way
    if Path(oracle._get_oracle_fname()).is_file():
        oracle.reload()
    kept = Kept(folder / f"{name}-scores.json")
    expected, again = 1 + _expected_trials(settings), 2 * settings.confirmations

    def tell(done: int, words: str) -> None:
        progress(min(0.99, done / (expected + again)), words)

    def tried(values: Values, epochs: int) -> Tried:
        return attempt(arms, dict.fromkeys(arms, values), epochs, seed)

    tell(0, f"trial 1 of about {expected}")
    kept.once(DEFAULT, lambda: tried(default, settings.max_epochs))
    while True:
        proposal = oracle.create_trial("only")
        if proposal.status == trial_module.TrialStatus.STOPPED:
            break
        done = 1 + len(oracle.end_order)
        tell(done, f"trial {done + 1} of about {expected}")
        epochs = proposal.hyperparameters.values.get("tuner/epochs", settings.max_epochs)
        ended = kept.keep(
            _name(proposal), tried(_without_bookkeeping(proposal.hyperparameters.values), epochs)
        )
        _report_back(oracle, proposal, ended)
    ran = [_Row(default, settings.max_epochs, kept[DEFAULT], default=True)]
    ran += [_row(oracle.trials[t], kept, settings.max_epochs) for t in oracle.start_order]
    return _outcome(ran, arms, settings, direction, seed, kept, lambda k, w: tell(expected + k, w))


@dataclass(frozen=True)
class _Row:
    """A trial that ended."""

    values: Values
    epochs: int
    tried: Tried
    default: bool = False


def _name(proposal: Any) -> str:
    return f"trial {proposal.trial_id}"


def _row(trial: Any, kept: Kept, max_epochs: int) -> _Row:
    values = trial.hyperparameters.values
    epochs = values.get("tuner/epochs", max_epochs)
    return _Row(_without_bookkeeping(values), epochs, kept[_name(trial)])


def _report_back(oracle: Any, proposal: Any, ended: Tried) -> None:
    if ended.score is None:
        proposal.status, proposal.message = trial_module.TrialStatus.FAILED, ended.message
    else:
        metrics = oracle.trials[proposal.trial_id].metrics
        metrics.register(OBJECTIVE, direction=oracle.objective.direction)
        oracle.update_trial(proposal.trial_id, {OBJECTIVE: ended.score})
        proposal.status = trial_module.TrialStatus.COMPLETED
    oracle.end_trial(proposal)


def _check_default(oracle: Any, default: Values) -> None:
    searched = {parameter.name for parameter in oracle.hyperparameters.space}
    if searched != set(default):
        raise ValueError(
            f"default: expected a value for each of {sorted(searched)}, got {sorted(default)}. "
            "Nothing was searched; give the values that the experiment has without a search."
        )


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


def _atomic(kind: Any) -> Any:
    """Mend an oracle's resume.

    Its state is written beside the old one and renamed, since a torn file cannot be read; a trial
    that had ended is not run again.
    """

    class Atomic(kind):
        def reload(self) -> None:
            # an ended trial is taken off the ongoing ones only after the state is written
            super().reload()
            ended = set(self.end_order)
            self._retry_queue[:] = [t for t in self._retry_queue if t not in ended]

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


def _outcome(
    ran: Sequence[_Row],
    arms: Mapping[str, Trial],
    settings: Search,
    direction: str,
    seed: int,
    kept: Kept,
    tell: Callable[[int, str], None],
) -> Outcome:
    trials = pd.DataFrame([_columns(number, row) for number, row in enumerate(ran)])
    length = settings.max_epochs
    best = _winner(ran, direction, length, list(arms))
    by_arm = {arm: _winner(ran, direction, length, [arm]) for arm in arms}
    default, scores = ran[0], [row.tried.score for row in ran]
    metrics: dict[str, Any] = {
        "best": dict(best.values),
        "best_score": best.tried.score,
        "default": dict(default.values),
        "direction": direction,
        "completed": sum(score is not None for score in scores),
        "failed": scores.count(None),
        **gain.ranking(trials, length),
    }
    if default.tried.score is not None:
        metrics["default_score"] = default.tried.score
    if len(arms) > 1:
        metrics["best_by_arm"] = {arm: dict(row.values) for arm, row in by_arm.items()}
    again: dict[str, list[Tried]] = {}
    if settings.confirmations and any(not row.default for row in by_arm.values()):
        again = gain.confirm(
            arms,
            {
                DEFAULT: dict.fromkeys(arms, default.values),
                "winner": {arm: row.values for arm, row in by_arm.items()},
            },
            epochs=length,
            times=settings.confirmations,
            seed=seed,
            kept=kept,
            tell=tell,
        )
        metrics |= gain.summary(again, arms, direction)
    trained = [row.tried for row in ran] + [tried for each in again.values() for tried in each]
    metrics["seconds"] = sum(tried.seconds for tried in trained)
    return Outcome(dict(best.values), trials, metrics)


def _winner(ran: Sequence[_Row], direction: str, epochs: int, arms: Sequence[str]) -> _Row:
    """Best trial of full length by the mean of these arms: a longer one would win by its length."""
    whole = [row for row in ran if row.epochs == epochs and row.tried.score is not None]
    if not whole:
        reasons = [row.tried.message for row in ran if row.tried.message]
        raise NoTrialCompletedError(
            f"No trial of the search completed {epochs} epochs ({len(reasons)} of {len(ran)} "
            f"failed). There is no winner to retrain. The last failure: {reasons[-1]}"
        )
    better = max if direction == "max" else min
    return better(whole, key=lambda row: sum(row.tried.arms[arm] for arm in arms))


def _columns(number: int, row: _Row) -> dict[str, Any]:
    tried = row.tried
    completed = tried.score is not None
    status = trial_module.TrialStatus
    several = tried.arms if len(tried.arms) > 1 else {}
    return {
        "trial": number,
        "status": status.COMPLETED if completed else status.FAILED,
        "score": tried.score,
        "epochs": row.epochs,
        "seconds": tried.seconds if completed else None,
        "message": tried.message or None,
        "default": row.default,
        "early_score": tried.early,
        **{f"hp_{name}": value for name, value in row.values.items()},
        **{f"score_{arm}": value for arm, value in several.items()},
    }


def _without_bookkeeping(values: Values) -> dict[str, Any]:
    """Leave out Hyperband's own entries, `tuner/epochs` and the like."""
    return {name: value for name, value in values.items() if "/" not in name}
