"""Rerun the choice of recipes: `python -m bench.choices`, on validation images alone.

Each question has candidates; each candidate is trained with the settings of `quick` but for what it
names, once a seed, and scored on the validation images after the last epoch. The test images are
taken out before anything is trained. What is set is kept unless a candidate is better with every
seed; a sprint takes the shortest training that reaches its target with a margin for the size of the
validation set (`answer`). The table is printed and written to `reports/choices/`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from bench import models, training
from bench.config import Profile
from bench.experiments.definition import Cell, chosen
from bench.experiments.fashion_generation import play
from bench.experiments.methods import with_seed
from bench.experiments.sampling import validation_distance
from bench.experiments.speedruns import WEIGHT_DECAY
from bench.experiments.stacked_classifier import DEFAULT, RECIPE, fit_classifier, fit_with_recipe
from bench.experiments.variational import fit_vae
from bench.paths import REPORTS
from bench.running import resolve_profile
from bench.running.cells import split_of
from bench.store import derive_seed


@dataclass(frozen=True)
class Question:
    """A question with its candidates.

    Attributes
    ----------
    dataset : str
        A name in `bench.data.DATASETS`.
    candidates : mapping of str to dict
        Settings that a candidate changes, by its name; the first candidate is what is set.
    score : callable
        `score(profile, cell, changes)` trains a candidate and gives its validation score.
    better : {'max', 'min'}
        Whether a higher or a lower score is better.
    target : float, optional
        For a sprint: candidates are ordered by cost, and the first whose mean reaches it is taken.
    """

    dataset: str
    candidates: Mapping[str, dict[str, Any]]
    score: Callable[[Profile, Cell, dict[str, Any]], float]
    better: str
    target: float | None = None


def _classifier(name: str) -> Callable[[Profile, Cell, dict[str, Any]], float]:
    def score(profile: Profile, cell: Cell, changes: dict[str, Any]) -> float:
        section = getattr(profile, name)
        values = {"learning_rate": section.fine_tune.learning_rate, **DEFAULT}
        values |= {key: changes[key] for key in values.keys() & changes.keys()}
        settings = SimpleNamespace(**vars(chosen(section, RECIPE)) | changes)
        network = models.stacked.classifier(
            models.stacked.build(section.widths).encoders, values["pooling"]
        )
        fit = section.fine_tune.model_copy(update={"learning_rate": values["learning_rate"]})
        record = fit_with_recipe(replace(cell, settings=settings), network, values, fit)
        return float(record.history["validation_accuracy"].iloc[-1])

    return score


def _sprint(section: str, key: str) -> Callable[[Profile, Cell, dict[str, Any]], float]:
    def score(profile: Profile, cell: Cell, changes: dict[str, Any]) -> float:
        sprint = getattr(getattr(profile, section), key)
        network = models.stacked.classifier(models.stacked.build(sprint.widths).encoders, "average")
        record = fit_classifier(
            cell,
            network,
            sprint.fit.model_copy(update=changes),
            training.augment.Augmentation(sprint.shift, sprint.flip, sprint.erase),
            weight_decay=WEIGHT_DECAY,
            optimizer=training.schedule.muon,
        )
        return float(record.history["validation_accuracy"].iloc[-1])

    return score


def _gan(profile: Profile, cell: Cell, changes: dict[str, Any]) -> float:
    settings = profile.fashion_generation
    penalty = changes.get("gradient_penalty", settings.gradient_penalty)
    rate = {key: value for key, value in changes.items() if key == "learning_rate"}
    generator = models.autoencoder.convolutional_decoder(settings.width, settings.latent)
    images = {"images": cell.split.train_images}
    fit = settings.gan.model_copy(update=rate)
    play(cell, generator, settings.latent, images, fit, penalty, settings.width)
    return validation_distance(cell, generator, settings.latent)


def _vae(profile: Profile, cell: Cell, changes: dict[str, Any]) -> float:
    settings = profile.fashion_generation
    fit = settings.vae.model_copy(update=changes)
    pair = tuple(
        make(settings.width, settings.latent) for make in (models.vae.encoder, models.vae.decoder)
    )
    record = fit_vae(cell, pair, cell.split.train_images, fit, beta=settings.beta)
    return float(record.history["validation_loss"].iloc[-1])


def _epochs(*counts: int) -> dict[str, dict[str, Any]]:
    return {f"{count} epochs": {"epochs": count} for count in counts}


QUESTIONS = {
    "fashion_classifier": Question(
        "fashion_mnist",
        {
            "as set": {},
            "no shift": {"shift": 0},
            "not mirrored": {"flip": False},
            "nothing erased": {"erase": 0.0},
            "no weight decay": {"weight_decay": 0.0},
        },
        _classifier("fashion_classifier"),
        "max",
    ),
    "mnist_classifier": Question(
        "mnist",
        {"as set": {}, "shift of one pixel": {"shift": 1}, "no shift": {"shift": 0}},
        _classifier("mnist_classifier"),
        "max",
    ),
    "gan": Question(
        "fashion_mnist",
        {
            "as set": {},
            "half the rate": {"learning_rate": 1e-3},
            "twice the rate": {"learning_rate": 4e-3},
            "penalty of a third": {"gradient_penalty": 0.3},
            "three times the penalty": {"gradient_penalty": 3.0},
        },
        _gan,
        "min",
    ),
    "vae": Question(
        "fashion_mnist",
        {
            "as set": {},
            "half the rate": {"learning_rate": 8e-3},
            "twice the rate": {"learning_rate": 3.2e-2},
        },
        _vae,
        "min",
    ),
    "to_99": Question("mnist", _epochs(1, 2), _sprint("mnist_speedrun", "to_99"), "max", 0.99),
    "to_90": Question(
        "fashion_mnist", _epochs(1, 2), _sprint("fashion_speedrun", "to_90"), "max", 0.90
    ),
    "to_92": Question(
        "fashion_mnist", _epochs(2, 3, 4), _sprint("fashion_speedrun", "to_92"), "max", 0.92
    ),
    "to_94": Question(
        "fashion_mnist", _epochs(8, 12, 16, 20), _sprint("fashion_speedrun", "to_94"), "max", 0.94
    ),
}


def answer(question: Question, scores: Mapping[str, Sequence[float]], images: int) -> str | None:
    """Return the name of the chosen candidate.

    Parameters
    ----------
    question : Question
        What was asked.
    scores : mapping of str to sequence of float
        Validation scores of each candidate, by seed; the first candidate is what is set.
    images : int
        Validation images.

    Returns
    -------
    str or None
        What is set, unless other candidates are better with every seed: then the one of these with
        the best mean. For a sprint the first candidate whose mean accuracy lies above the target
        by twice the standard error of an accuracy on so many images; None if there is none.
    """
    means = {name: float(np.mean(found)) for name, found in scores.items()}
    if (target := question.target) is not None:
        enough = target + 2.0 * float(np.sqrt(target * (1.0 - target) / images))
        return next((name for name, mean in means.items() if mean >= enough), None)
    kept, *others = scores
    better = [
        name
        for name in others
        if len(scores[name]) == len(scores[kept]) and _better(question, scores, name)
    ]
    best = max if question.better == "max" else min
    return best(better, key=lambda name: means[name]) if better else kept


def _better(question: Question, scores: Mapping[str, Sequence[float]], name: str) -> bool:
    """Whether a candidate is better than what is set, with every seed that it was trained with."""
    kept = next(iter(scores.values()))
    pairs = zip(scores[name], kept, strict=False)
    return all(new > old if question.better == "max" else new < old for new, old in pairs)


def rerun(name: str, profile: Profile, precision: str, seeds: int) -> pd.DataFrame:
    """Train the candidates of a question, each as long as it can still be chosen.

    Parameters
    ----------
    name : str
        A name in `QUESTIONS`.
    profile : Profile
        Sizes and all settings that no candidate changes.
    precision : {'float32', 'mixed_bfloat16'}
        Arithmetic of training.
    seeds : int
        Trainings of a candidate, at most.

    Returns
    -------
    DataFrame
        A row a trained candidate: `question`, `candidate`, `mean`, `lowest`, `highest`, `seeds`,
        `chosen`.
    """
    question = QUESTIONS[name]
    cells = [_cell(profile, question.dataset, precision, index) for index in range(seeds)]
    images = len(cells[0].split.validation_images)
    scores: dict[str, list[float]] = {}
    kept = next(iter(question.candidates))
    for candidate, changes in question.candidates.items():
        scores[candidate] = []
        for cell in cells:
            training.backend.prepare(precision, cell.seed)
            scores[candidate].append(question.score(profile, cell, changes))
            print(f"{name}: {candidate}, seed {cell.seed_index}: {scores[candidate][-1]:.4f}")
            sys.stdout.flush()
            if (
                question.target is None
                and candidate != kept
                and not _better(question, scores, candidate)
            ):
                break  # it can no longer be better with every seed
        if question.target is not None and answer(question, scores, images) is not None:
            break  # candidates that cost more need not be trained
    taken = answer(question, scores, images)
    return pd.DataFrame(
        {
            "question": name,
            "candidate": candidate,
            "mean": np.mean(found),
            "lowest": min(found),
            "highest": max(found),
            "seeds": len(found),
            "chosen": candidate == taken,
        }
        for candidate, found in scores.items()
    )


def _cell(profile: Profile, dataset: str, precision: str, index: int) -> Cell:
    """Make the cell that a training is given, without test images."""
    whole = split_of(profile, dataset)
    blind = replace(whole, test_images=whole.test_images[:0], test_labels=whole.test_labels[:0])
    seed = derive_seed(profile.root_seed, "choices", index)
    cell = Cell(SimpleNamespace(), seed, index, precision, blind, {}, {}, Path(), print)
    return with_seed(cell, seed)  # its progress is not shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Rerun questions; print the table and write it to a file."""
    parser = argparse.ArgumentParser(prog="python -m bench.choices", description=__doc__)
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=", ".join(QUESTIONS))
    parser.add_argument("--profile", default="quick", help="sizes (default: quick)")
    parser.add_argument("--seeds", type=int, default=3, help="of each candidate (default: 3)")
    options = parser.parse_args(arguments)
    unknown = set(options.questions) - set(QUESTIONS)
    if unknown or options.seeds < 1:
        parser.error(f"expected questions among {', '.join(QUESTIONS)} and --seeds of 1 or more")
    profile = resolve_profile(options.profile)
    asked = options.questions or list(QUESTIONS)
    found = [rerun(name, profile, profile.precision, options.seeds) for name in asked]
    table = pd.concat(found, ignore_index=True)
    print(table.to_string(index=False))
    folder = REPORTS / "choices"
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "choices.csv", index=False)
    print(f"wrote   {folder / 'choices.csv'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
