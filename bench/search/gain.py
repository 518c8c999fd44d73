"""Gain of a search: its winner and the defaults, trained again with fresh seeds."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from scipy import stats

from bench.interfaces import Figures
from bench.metrics import significance
from bench.search.trials import Tried, Values
from bench.store import derive_seed

FEWEST_RANKED = 3


def confirmations(
    candidates: Mapping[str, Mapping[str, Values]], times: int, seed: int
) -> list[tuple[str, Mapping[str, Values], int]]:
    """List the trainings by which candidates are compared, each with a seed that no trial had.

    A candidate is chosen because its score was high, by merit and by luck; the fresh seeds repeat
    the merit alone.

    Parameters
    ----------
    candidates : mapping of str to mapping
        Values of each arm, by the candidate's name.
    times : int
        Trainings of each candidate.
    seed : int
        The search's seed, from which the fresh ones are derived; candidates share none.

    Returns
    -------
    list of tuple
        Candidate's name, values by arm, seed.
    """
    return [
        (name, values, derive_seed(seed, "confirmation", name, time))
        for time in range(times)
        for name, values in candidates.items()
    ]


def gained(winner: Sequence[float], default: Sequence[float], direction: str) -> Figures | None:
    """Compare scores of the winner with those of the defaults, from independent trainings.

    Parameters
    ----------
    winner, default : sequence of float
        Scores.
    direction : {'max', 'min'}
        Whether a higher or a lower score is better.

    Returns
    -------
    dict or None
        `mean` (positive: the winner is better), `low` and `high` (95 %), `n` (trainings of the
        one that has fewer), `p_value` (two-sided). None with fewer than two of either, or if no
        two scores of either differ.

    See Also
    --------
    bench.metrics.significance.welch_difference
    """
    if not winner or not default:
        return None
    better, worse = (winner, default) if direction == "max" else (default, winner)
    difference = significance.welch_difference(better, worse)
    if difference.p_value is None:
        return None
    return {**difference.interval._asdict(), "p_value": difference.p_value}


def summary(again: Mapping[str, Sequence[Tried]], arms: Iterable[str], direction: str) -> Figures:
    """Summarise the scores of the repeated trainings, and the gain.

    Parameters
    ----------
    again : mapping of str to sequence of Tried
        Of `default` and `winner`.
    arms : iterable of str
        Names of the arms.
    direction : {'max', 'min'}
        Whether a higher or a lower score is better.

    Returns
    -------
    dict
        `confirmed` (scores by candidate), `confirmations_failed` (how many), `gain` where there
        are enough scores; with several arms `confirmed_by_arm` and `gain_by_arm` as well.
    """
    completed = {name: [t for t in tried if t.score is not None] for name, tried in again.items()}
    failed = sum(len(tried) - len(completed[name]) for name, tried in again.items())
    scores = {
        name: [t.score for t in tried if t.score is not None] for name, tried in again.items()
    }
    outcome: Figures = {"confirmed": scores, "confirmations_failed": failed}
    gain = gained(scores["winner"], scores["default"], direction)
    if gain is not None:
        outcome["gain"] = gain
    arms = list(arms)
    if len(arms) > 1:
        by_arm = {
            arm: {name: [t.arms[arm] for t in tried] for name, tried in completed.items()}
            for arm in arms
        }
        gains = {arm: gained(s["winner"], s["default"], direction) for arm, s in by_arm.items()}
        outcome["confirmed_by_arm"] = by_arm
        outcome["gain_by_arm"] = {arm: gain for arm, gain in gains.items() if gain is not None}
    return outcome


def ranking(trials: pd.DataFrame, epochs: int) -> Figures:
    """Measure how well a third of the epochs ranks the trials as all epochs do.

    Parameters
    ----------
    trials : DataFrame
        The search's table.
    epochs : int
        Only trials as long as this are compared.

    Returns
    -------
    dict
        `rank_correlation` and `ranked_trials`; empty with fewer than three such trials, or if all
        scores are equal.

    Notes
    -----
    Spearman, "The proof and measurement of association between two things", American Journal of
    Psychology 15, 1904.
    """
    whole = trials[trials["epochs"] == epochs][["early_score", "score"]].dropna().astype(float)
    if len(whole) < FEWEST_RANKED or (whole.nunique() < 2).any():
        return {}
    correlation = stats.spearmanr(whole["early_score"], whole["score"]).statistic
    return {"rank_correlation": float(correlation), "ranked_trials": len(whole)}
