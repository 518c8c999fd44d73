"""Searches: KerasTuner proposes trials in one thread; an executor runs them.

Trials are proposed in waves: all that can be proposed before any of them has ended. They are
reported in the order of their proposal, so an executor that ends them in another order changes
nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from bench.config import Search
from bench.interfaces import JsonObject, Progress
from bench.results.searches import HYPERPARAMETER
from bench.search import gain
from bench.search.oracles import Oracle, Space, Status
from bench.search.trials import (
    Ended,
    Inline,
    Kept,
    Request,
    Trial,
    TrialExecutor,
    Tried,
    Values,
)

DEFAULT = "default"


class NoTrialCompletedError(RuntimeError):
    """Every trial of full length failed."""


@dataclass(frozen=True)
class Outcome:
    """Result of a search.

    Attributes
    ----------
    best : dict
        Hyperparameters of the best completed trial of full length.
    trials : DataFrame
        One row a trial, the defaults first, as trial 0: trial, status, score, epochs, seconds,
        message, hp_<name>, default, early_score, score_<arm> if there are several arms, and
        goes_on_from where trials are promoted: the trial of the rung below.
    metrics : dict
        best, best_score, direction, completed, failed, seconds, default; what could be measured
        of best_by_arm, default_score, confirmed, confirmations_failed, gain, rank_correlation,
        ranked_trials, and with several arms confirmed_by_arm and gain_by_arm.
    """

    best: JsonObject
    trials: pd.DataFrame
    metrics: JsonObject


@dataclass(frozen=True)
class _Row:
    """A trial that ended."""

    values: Values
    epochs: int
    tried: Tried
    default: bool = False
    goes_on_from: int | None = None


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
    progress: Progress,
    executor: TrialExecutor | None = None,
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
    folder, name : Path, str
        Trials that ended are kept in `folder/name`: the search goes on from them.
    seed : int
        Of all trials. Not 0, which KerasTuner takes for "random".
    progress : callable
        Called with the share that is done and a few words.
    executor : TrialExecutor, optional
        Where the trials run; if absent, in this process, one by one.

    Returns
    -------
    Outcome
        The winner and the table of trials.

    Raises
    ------
    NoTrialCompletedError
        If there is no completed trial of full length; the message holds the last failure.
    ValueError
        If the space has no point, or the defaults are not those of the space.
    """
    oracle = Oracle(space, settings, direction, seed)
    oracle.check(default)
    search = _Search(
        settings, list(arms), executor or Inline(arms), Kept(folder / name), progress,
        expected=1 + oracle.expected + 2 * settings.confirmations,
    )  # fmt: skip
    first = search.request(dict.fromkeys(arms, default), settings.max_epochs, seed)
    rows: list[_Row] = []
    asked: dict[str, Request] = {}  # by the oracle's name
    numbers: dict[str, int] = {}
    while wave := oracle.wave():
        for proposal in wave:
            asked[proposal.id] = search.request(
                dict.fromkeys(arms, proposal.values),
                proposal.epochs,
                seed,
                after=asked[proposal.after] if proposal.after else None,
            )
        requests = [asked[proposal.id] for proposal in wave]
        tried = search.tried(requests if rows else [first, *requests])
        if not rows:
            rows.append(_Row(default, first.epochs, tried.pop(0), default=True))
        for proposal, ended in zip(wave, tried, strict=True):
            oracle.report(proposal, ended.score, ended.message)
            numbers[proposal.id] = len(rows)
            from_row = None if proposal.after is None else numbers[proposal.after]
            rows.append(_Row(proposal.values, proposal.epochs, ended, goes_on_from=from_row))
    return _outcome(rows, search, direction, seed)


class _Search:
    """Requests the trials of one search and keeps their results."""

    def __init__(
        self,
        settings: Search,
        arms: list[str],
        executor: TrialExecutor,
        kept: Kept,
        progress: Progress,
        expected: int,
    ) -> None:
        self.settings, self.arms = settings, arms
        self._executor, self._kept, self._progress = executor, kept, progress
        self._expected, self._ended = expected, 0

    def request(
        self,
        values: Mapping[str, Values],
        epochs: int,
        seed: int,
        after: Request | None = None,
    ) -> Request:
        """Make the request for a training."""
        settings = self.settings
        return Request(
            values,
            epochs,
            seed,
            seconds=settings.trial_seconds,
            gibibytes=settings.trial_gibibytes,
            after=after,
            goes_on=settings.algorithm == "hyperband" and epochs < settings.max_epochs,
        )

    def tried(self, requests: Sequence[Request]) -> list[Tried]:
        """Run the trials that are not kept, and return the result of each."""
        found = {request.key: self._kept.find(request) for request in requests}
        missing = {r.key: r for r in requests if found[r.key] is None}
        self._ended += len(requests) - len(missing)
        self._tell()

        def ended(request: Request, end: Ended) -> None:
            if request.after is not None:
                earlier = self._kept.find(request.after)
                if earlier is None:
                    raise RuntimeError("a trial went on from one that is not kept")
                end = replace(end, tried=end.tried.after(earlier))
            found[request.key] = self._kept.keep(request, end)
            self._ended += 1
            self._tell()

        if missing:
            self._executor.run(
                [replace(r, start=self._kept.start(r)) for r in missing.values()], ended
            )
        return [tried for request in requests if (tried := found[request.key]) is not None]

    def _tell(self) -> None:
        done = min(self._ended, self._expected)
        words = f"{done} of about {self._expected} trials"
        self._progress(min(0.99, done / self._expected), words)


def _outcome(rows: Sequence[_Row], search: _Search, direction: str, seed: int) -> Outcome:
    trials = pd.DataFrame([_columns(number, row) for number, row in enumerate(rows)])
    if trials["goes_on_from"].isna().all():
        trials = trials.drop(columns="goes_on_from")
    arms, length = search.arms, search.settings.max_epochs
    best = _winner(rows, direction, length, arms)
    by_arm = {arm: _winner(rows, direction, length, [arm]) for arm in arms}
    default, scores = rows[0], [row.tried.score for row in rows]
    metrics: JsonObject = {
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
    trained = [row.tried for row in rows]
    if search.settings.confirmations and any(not row.default for row in by_arm.values()):
        candidates: dict[str, dict[str, Values]] = {
            DEFAULT: dict.fromkeys(arms, default.values),
            "winner": {arm: row.values for arm, row in by_arm.items()},
        }
        again = gain.confirmations(candidates, search.settings.confirmations, seed)
        tried = search.tried([search.request(values, length, fresh) for _, values, fresh in again])
        confirmed: dict[str, list[Tried]] = {name: [] for name in candidates}
        for (name, _, _), ended in zip(again, tried, strict=True):
            confirmed[name].append(ended)
        metrics |= gain.summary(confirmed, arms, direction)
        trained += tried
    metrics["seconds"] = sum(tried.seconds for tried in trained)
    return Outcome(dict(best.values), trials, metrics)


def _winner(rows: Sequence[_Row], direction: str, epochs: int, arms: Sequence[str]) -> _Row:
    """Best trial of full length by the mean of these arms: a longer one would win by its length."""
    whole = [row for row in rows if row.epochs == epochs and row.tried.score is not None]
    if not whole:
        reasons = [row.tried.message for row in rows if row.tried.message]
        raise NoTrialCompletedError(
            f"No trial of the search completed {epochs} epochs ({len(reasons)} of {len(rows)} "
            f"failed). There is no winner to retrain. The last failure: {reasons[-1]}"
        )
    better = max if direction == "max" else min
    return better(whole, key=lambda row: sum(row.tried.arms[arm] for arm in arms))


def _columns(number: int, row: _Row) -> JsonObject:
    tried = row.tried
    completed = tried.score is not None
    several = tried.arms if len(tried.arms) > 1 else {}
    return {
        "trial": number,
        "status": Status.COMPLETED if completed else Status.FAILED,
        "score": tried.score,
        "epochs": row.epochs,
        "seconds": tried.seconds if completed else None,
        "message": tried.message or None,
        "default": row.default,
        "early_score": tried.early,
        "goes_on_from": row.goes_on_from,
        **{f"{HYPERPARAMETER}{name}": value for name, value in row.values.items()},
        **{f"score_{arm}": value for arm, value in several.items()},
    }
