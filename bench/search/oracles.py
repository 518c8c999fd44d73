"""KerasTuner's oracles behind one interface, with every private part that it needs.

Nothing else of KerasTuner is used: its tuners, its chief/worker mode and its files are where it is
known to lose trials. An oracle is a function of its seed and of the scores that it was told, so it
writes nothing: a search that goes on asks it again and tells it the scores that are kept.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

import keras_tuner
from keras_tuner.engine import trial as trial_module

from bench.config import Search
from bench.interfaces import JsonMapping, JsonObject

Space = Callable[[keras_tuner.HyperParameters], None]
Status = trial_module.TrialStatus
OBJECTIVE = "score"


@dataclass(frozen=True)
class Proposal:
    """A trial that an oracle asks for.

    Attributes
    ----------
    id : str
        Its name among the oracle's trials.
    values : dict
        A value for each hyperparameter.
    epochs : int
        How long it is, the epochs of `after` among them.
    after : str or None
        The trial of the rung below with whose training it goes on; None: it begins.
    """

    id: str
    values: JsonObject
    epochs: int
    after: str | None


class Oracle:
    """Proposes trials; the same ones for the same seed and scores, however many run at once.

    Parameters
    ----------
    space : callable
        Declares the hyperparameters.
    settings : Search
        Algorithm and budget.
    direction : {'max', 'min'}
        Whether a higher or a lower score is better.
    seed : int
        Of the proposals. Not 0, which KerasTuner takes for "random".

    Raises
    ------
    ValueError
        If the space has no point.
    """

    def __init__(self, space: Space, settings: Search, direction: str, seed: int) -> None:
        if not seed:
            raise ValueError("seed: expected any but 0, which KerasTuner takes for a random one.")
        hyperparameters = keras_tuner.HyperParameters()
        try:
            space(hyperparameters)
        except ValueError as error:
            raise ValueError(
                f"The search space has no point: {error}. Nothing was searched; a setting that it "
                "is made of is out of range."
            ) from error
        self.names = [parameter.name for parameter in hyperparameters.space]
        if not self.names:
            raise ValueError("The search space declares no hyperparameter. Nothing was searched.")
        self._settings = settings
        self._oracle = _make(hyperparameters, settings, direction, seed)
        self._oracle.verbose = 0

    def check(self, values: JsonMapping) -> None:
        """Check that there is a value for each hyperparameter and for no other.

        Raises
        ------
        ValueError
            Names what is missing or unknown.
        """
        missing, unknown = set(self.names) - set(values), set(values) - set(self.names)
        if not missing and not unknown:
            return
        meant = [word for name in unknown for word in get_close_matches(name, self.names, 1)]
        hint = f" Did you mean {', '.join(sorted(set(meant)))}?" if meant else ""
        raise ValueError(
            f"Expected a value for each of {sorted(self.names)}, got {sorted(values)}.{hint} "
            "Nothing was searched; give the values that the experiment has without a search."
        )

    @property
    def expected(self) -> int:
        """How many trials it will propose if none fails and the space has as many points."""
        return self._oracle.expected()

    def wave(self) -> list[Proposal]:
        """All trials that can be proposed before any of them has ended; none at the end.

        All of a wave must be reported, in its order, before the next is asked for. So proposals
        do not depend on which trial ends first.
        """
        proposals: list[Proposal] = []
        most = self._oracle.at_once()
        while most is None or len(proposals) < most:
            asked = self._oracle.create_trial(f"slot {len(proposals)}")
            if asked.status != Status.RUNNING:
                break
            values = asked.hyperparameters.values
            proposals.append(
                Proposal(
                    id=asked.trial_id,
                    # Hyperband's own entries are `tuner/epochs` and the like
                    values={name: v for name, v in values.items() if "/" not in name},
                    epochs=values.get("tuner/epochs", self._settings.max_epochs),
                    after=values.get("tuner/trial_id"),
                )
            )
        return proposals

    def report(self, proposal: Proposal, score: float | None, message: str = "") -> None:
        """Report the result of a trial: its score, or None and the reason of its failure.

        Parameters
        ----------
        proposal : Proposal
            The trial.
        score : float or None
            Its score; None if it failed.
        message : str
            Why it failed.
        """
        trial = self._oracle.get_trial(proposal.id)
        if score is None:
            trial.status, trial.message = Status.FAILED, message
        else:
            self._oracle.update_trial(proposal.id, {OBJECTIVE: score})
            trial.status = Status.COMPLETED
        self._oracle.end_trial(trial)


class _Unwritten:
    """An oracle that writes no files, and says how many of its trials may run at once."""

    max_trials: int

    def save(self) -> None:
        """Write nothing."""

    def _save_trial(self, trial: trial_module.Trial) -> None:
        """Write nothing."""

    def at_once(self) -> int | None:
        """How many trials may be proposed before one has ended; None: all that it proposes."""
        return None

    def expected(self) -> int:
        """How many trials it will propose."""
        return self.max_trials


class _Random(_Unwritten, keras_tuner.oracles.RandomSearchOracle):
    """Independent draws."""


class _Bayesian(_Unwritten, keras_tuner.oracles.BayesianOptimizationOracle):
    """The first draws are independent; each later proposal rests on all scores before it."""

    def at_once(self) -> int | None:
        return 1 if self.end_order else self.num_initial_points


class _Hyperband(_Unwritten, keras_tuner.oracles.HyperbandOracle):
    """One iteration of Hyperband (Li et al. 2018, arXiv 1603.06560).

    It differs from KerasTuner's in three ways. A promotion waits until its whole rung has ended:
    there, which trial is promoted depends on which ends first. The best completed ones are
    promoted however many failed: there, one failed trial can end a bracket early. A space of fewer
    points than the first rung has places is searched all the same: there, none is promoted.
    """

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)
        while self._current_bracket > 0:
            self._increment_bracket_num()
            self._start_new_bracket()

    def populate_space(self, trial_id: str) -> JsonObject:
        """Fill the first rungs; then promote from each rung that has ended to the next."""
        for bracket in self._brackets:
            values = self._drawn(bracket, trial_id) or self._promoted(bracket, trial_id)
            if values is not None:
                return {"status": Status.RUNNING, "values": values}
        return {"status": Status.IDLE if self.ongoing_trials else Status.STOPPED}

    def expected(self) -> int:
        """How many trials all rungs of all brackets have."""
        return sum(
            self._get_size(bracket["bracket_num"], rung)
            for bracket in self._brackets
            for rung in range(len(bracket["rounds"]))
        )

    def _drawn(self, bracket: JsonMapping, trial_id: str) -> JsonObject | None:
        number, rung = bracket["bracket_num"], bracket["rounds"][0]
        if len(rung) == self._get_size(number, 0):
            return None
        values = self._random_values()
        if values is None:  # no point of the space is left
            return None
        rung.append({"past_id": None, "id": trial_id})
        return {**values, "tuner/epochs": self._get_epochs(number, 0)}

    def _promoted(self, bracket: JsonMapping, trial_id: str) -> JsonObject | None:
        number, rungs = bracket["bracket_num"], bracket["rounds"]
        for place in range(1, len(rungs)):
            below = [self.trials[entry["id"]] for entry in rungs[place - 1]]
            if any(trial.status == Status.RUNNING for trial in below):
                return None
            best = self._ranked(below)[: self._get_size(number, place)]
            if len(rungs[place]) < len(best):
                chosen = best[len(rungs[place])]
                rungs[place].append({"past_id": chosen.trial_id, "id": trial_id})
                return {
                    **chosen.hyperparameters.values,
                    "tuner/epochs": self._get_epochs(number, place),
                    "tuner/trial_id": chosen.trial_id,
                }
        return None

    def _ranked(self, trials: Iterable[trial_module.Trial]) -> list[trial_module.Trial]:
        """Completed trials, the best first; equal ones in the order in which they began."""
        completed = [trial for trial in trials if trial.status == Status.COMPLETED]
        better_first = self.objective.direction == "max"
        return sorted(completed, key=lambda trial: trial.score, reverse=better_first)


def _make(
    hyperparameters: keras_tuner.HyperParameters, settings: Search, direction: str, seed: int
) -> keras_tuner.Oracle:
    common = {
        "objective": keras_tuner.Objective(OBJECTIVE, direction),
        "hyperparameters": hyperparameters,
        "allow_new_entries": False,
        "seed": seed,
        # every failure is shown in the table; the search goes on
        "max_consecutive_failed_trials": 1_000_000,
    }
    if settings.algorithm == "hyperband":
        return _Hyperband(max_epochs=settings.max_epochs, factor=settings.factor, **common)
    if settings.algorithm == "bayesian":
        points = max(3, 3 * len(hyperparameters.space))
        return _Bayesian(max_trials=settings.trials, num_initial_points=points, **common)
    return _Random(max_trials=settings.trials, **common)
