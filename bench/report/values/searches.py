"""What the trials of a search tell beside their scores: how rungs rank, what settings explain."""

import numpy as np
import pandas as pd
from scipy import stats

from bench.metrics.importance import Importance, permutation_importance
from bench.results.searches import HYPERPARAMETER

FEWEST_PAIRS = 3  # for a rank correlation
FEWEST_TRIALS, TRIALS_EACH = 12, 4  # for importances: in all, and for each hyperparameter


def varied(trials: pd.DataFrame) -> list[str]:
    """Columns of the hyperparameters that differ between trials; of a single trial, all.

    Parameters
    ----------
    trials : DataFrame
        The table of a search.
    """
    names = [name for name in map(str, trials) if name.startswith(HYPERPARAMETER)]
    return [n for n in names if len(trials) == 1 or bool((trials[n] != trials[n].iloc[0]).any())]


def rungs(trials: pd.DataFrame) -> list[tuple[int, int]]:
    """Lengths between which trials were promoted (Hyperband): epochs before and after.

    Parameters
    ----------
    trials : DataFrame
        The table of a search.
    """
    pairs = _promotions(trials)
    steps = zip(pairs["epochs_before"], pairs["epochs_after"], strict=True)
    return sorted({(int(before), int(after)) for before, after in steps})


def between(trials: pd.DataFrame, before: int, after: int, column: str) -> pd.DataFrame:
    """Pairs of scores of the trials that were promoted from one length to another.

    Parameters
    ----------
    trials : DataFrame
        The table of a search.
    before, after : int
        Epochs of the two rungs.
    column : str
        Of the scores.

    Returns
    -------
    DataFrame
        Columns `before` and `after`; trials of which either failed are left out.
    """
    pairs = _promotions(trials)
    own = pairs[(pairs["epochs_before"] == before) & (pairs["epochs_after"] == after)]
    found = own[[f"{column}_before", f"{column}_after"]].astype(float).dropna()
    return found.set_axis(["before", "after"], axis=1)


def rank_correlation(pairs: pd.DataFrame) -> float | None:
    """Spearman's correlation of `between`; None with fewer than three pairs, or equal scores.

    Parameters
    ----------
    pairs : DataFrame
        Columns `before` and `after`.
    """
    if len(pairs) < FEWEST_PAIRS or bool((pairs.nunique() < 2).any()):
        return None
    return float(stats.spearmanr(pairs["before"], pairs["after"]).statistic)


def _promotions(trials: pd.DataFrame) -> pd.DataFrame:
    """Join each trial that goes on with the one that it goes on from."""
    columns = trials.assign(goes_on_from=trials.get("goes_on_from", np.nan))
    went_on = columns[columns["goes_on_from"].notna()]
    return went_on.merge(
        trials, left_on="goes_on_from", right_on="trial", suffixes=("_after", "_before")
    )


def comparable(trials: pd.DataFrame) -> pd.DataFrame:
    """Completed trials of the commonest length; of several such lengths, the longest.

    Parameters
    ----------
    trials : DataFrame
        The table of a search.
    """
    completed = trials[pd.to_numeric(trials["score"]).notna()]
    counts = completed["epochs"].value_counts()
    length = max((int(epochs) for epochs in counts[counts == counts.max()].index), default=0)
    return completed[completed["epochs"] == length]


def trials_needed(trials: pd.DataFrame) -> int:
    """How many comparable trials importances need.

    Parameters
    ----------
    trials : DataFrame
        The table of a search.
    """
    return max(FEWEST_TRIALS, TRIALS_EACH * len(varied(trials)))


def importance(trials: pd.DataFrame) -> Importance | None:
    """Importance of each hyperparameter for the score; None with too few trials, or equal scores.

    Parameters
    ----------
    trials : DataFrame
        The table of a search.

    Returns
    -------
    Importance or None
        By the hyperparameter's name.
    """
    own = comparable(trials)
    names = varied(own)
    scores = own["score"].to_numpy(dtype=float)
    if len(own) < trials_needed(trials) or not names or not np.ptp(scores):
        return None
    settings = own[names].rename(columns=lambda name: name.removeprefix(HYPERPARAMETER))
    return permutation_importance(settings, scores)
