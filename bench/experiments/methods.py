"""Functions that several experiments share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from bench import models, search, training
from bench.config import Fit, Search
from bench.experiments.definition import Cell
from bench.interfaces import Values
from bench.store import Result

if TYPE_CHECKING:
    import keras
    from keras_tuner import HyperParameters

    from bench.training.loop import Record

Scores = float | Sequence[float]  # one, or one an epoch
Trained: TypeAlias = "Record | pd.DataFrame | Scores | Mapping[str, Scores]"
Trial = Callable[[Values, int, int], Trained]


def searched(
    cell: Cell,
    space: Callable[[HyperParameters], None],
    trial: Trial | Mapping[str, Trial],
    *,
    default: Values,
    objective: str,
    direction: str,
    budget: Search | None = None,
) -> Result:
    """Search with the experiment's settings.

    Parameters
    ----------
    cell : Cell
        Its seed, precision, scratch folder and progress are used.
    space : callable
        Declares the hyperparameters.
    trial : callable or mapping of str to callable
        `trial(values, epochs, seed)` trains with this seed (`with_seed` gives a cell that has it)
        and gives the training's record; or its score; or a sequence of scores, one an epoch; or
        several of these by name. A mapping has one such function for each arm; the score is the
        mean over the arms.
    default : mapping
        The values that the experiment has without a search: trial 0.
    objective : str
        Column of the history whose last value is the trial's score, or the score's name.
    direction : {'max', 'min'}
        Whether a higher or a lower score is better.
    budget : Search, optional
        Algorithm and budget; if absent, the section `search` of the cell's settings.

    Returns
    -------
    Result
        The winner in the metrics, all trials in the table `trials`.

    Raises
    ------
    TrialEndedError
        Where the cell is asked for one trial alone: it holds how the trial ended.
    """
    functions = trial if isinstance(trial, Mapping) else {"": trial}
    arms = {arm: _scoring(cell, function, objective) for arm, function in functions.items()}
    if cell.asked is not None:
        raise search.trials.TrialEndedError(search.trials.attempt(arms, cell.asked))
    outcome = search.tuner.run(
        space,
        arms,
        budget or cell.settings.search,
        default=default,
        direction=direction,
        folder=cell.scratch,
        name="search",
        seed=cell.seed,
        progress=cell.progress,
        executor=cell.trials,
    )
    return Result({**outcome.metrics, "objective": objective}, tables={"trials": outcome.trials})


def _scoring(cell: Cell, trial: Trial, objective: str) -> Callable[[Values, int, int], list[float]]:
    """Wrap a trial's function so that it returns its scores."""

    def scores(values: Values, epochs: int, seed: int) -> list[float]:
        training.backend.prepare(cell.precision, seed)
        trained = trial(values, epochs, seed)
        by_name = trained.history if isinstance(trained, training.loop.Record) else trained
        found = by_name[objective] if isinstance(by_name, Mapping | pd.DataFrame) else by_name
        return [float(score) for score in np.atleast_1d(np.asarray(found))]

    return scores


def with_seed(cell: Cell, seed: int) -> Cell:
    """Give a cell another seed, and a progress that is not shown.

    Parameters
    ----------
    cell : Cell
        A cell.
    seed : int
        The seed.

    Returns
    -------
    Cell
        A copy.
    """
    return replace(cell, seed=seed, progress=_ignored)


def _ignored(done: float, words: str) -> None:
    """Ignore progress."""


def rows_to_search(cell: Cell, budget: Search | None = None) -> np.ndarray:
    """Rows of the training images that a search's trials see, as many as its budget has.

    Parameters
    ----------
    cell : Cell
        Its training images and seed are used.
    budget : Search, optional
        If absent, the section `search` of the cell's settings.

    Returns
    -------
    ndarray of int
        Rows of the training images.
    """
    rows = np.random.default_rng(cell.seed).permutation(len(cell.split.train_images))
    return rows[: (budget or cell.settings.search).images]


def for_epochs(fit: Fit, epochs: int, learning_rate: float) -> Fit:
    """Change how long a training is, and its learning rate.

    Parameters
    ----------
    fit : Fit
        A training.
    epochs : int
        Passes over the images.
    learning_rate : float
        Peak of the schedule.

    Returns
    -------
    Fit
        A copy.
    """
    return fit.model_copy(update={"epochs": epochs, "learning_rate": learning_rate})


def fit_autoencoder(
    cell: Cell,
    pair: tuple[keras.Model, keras.Model],
    images: np.ndarray,
    fit: Fit,
    *,
    constant_rate: bool = False,
) -> Record:
    """Train an encoder and a decoder to reconstruct images, validating each epoch.

    Parameters
    ----------
    cell : Cell
        Its seed, validation images and progress are used.
    pair : tuple of keras.Model
        Encoder and decoder.
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    fit : Fit
        The training.
    constant_rate : bool
        Whether the learning rate stays the same; else it follows the one-cycle schedule.

    Returns
    -------
    Record
        Of the training.
    """
    steps = training.loop.steps(len(images), fit)
    objective = training.objective.Objective(
        loss=models.autoencoder.reconstruction_loss(*pair),
        trains=pair,
        optimizer=(
            training.schedule.constant_adam(fit.learning_rate)
            if constant_rate
            else training.schedule.adam(fit.learning_rate, steps)
        ),
    )
    return training.loop.train(
        [objective],
        {"images": images},
        fit=fit,
        seed=cell.seed,
        validation={"images": cell.split.validation_images},
        progress=cell.progress,
    )


def against_mean_image(cell: Cell, error: float) -> dict[str, float]:
    """Compare a decoder's mean squared error with that of the mean training image.

    Parameters
    ----------
    cell : Cell
        Its split is used.
    error : float
        The decoder's, on the test images; [0, 1] pixels.

    Returns
    -------
    dict
        `trivial_error`, the mean squared error of the mean training image on the test images,
        [0, 1] pixels; and `trained`, 1.0 if `error` is below it, else 0.0.
    """
    mean = cell.split.train_images.mean(axis=0, dtype=np.float64) / 255.0
    trivial = float(np.mean(np.square(cell.split.test_images / np.float32(255) - mean)))
    return {"trivial_error": trivial, "trained": float(error < trivial)}


def reconstructed(cell: Cell, decoder: keras.Model, codes: np.ndarray) -> tuple[np.ndarray, float]:
    """Decode the test images' codes.

    Parameters
    ----------
    cell : Cell
        Its test images are used.
    decoder : keras.Model
        From codes to images.
    codes : ndarray of float, shape (n, latent)
        Codes of the test images.

    Returns
    -------
    images : ndarray of uint8, shape (n, size, size)
        The reconstructions.
    error : float
        Mean squared error of the [0, 1] pixels.
    """
    restored = training.predict.codes_to(decoder, codes)[..., 0]
    error = restored - cell.split.test_images / np.float32(255)
    return models.images.to_pixels(restored), float(np.mean(np.square(error)))
