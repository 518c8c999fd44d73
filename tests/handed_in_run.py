"""A small run whose figures follow from what it keeps, made without a training."""

import time
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pandas as pd

from bench.config import load_profile
from bench.experiments.definition import Cell
from bench.experiments.evaluation import scored, scored_averaged
from bench.experiments.fashion_classifier import second_half
from bench.experiments.fashion_embedding import map_scores
from bench.experiments.sampling import SHOWN, ReferenceSet, failures_of_training
from bench.metrics.neighbours import nearest_neighbours
from bench.running.cells import _provenance, split_of
from bench.running.plan import make_plan
from bench.store import Result, write_done, write_manifest
from bench.store.provenance import git_state

TRAIN, TEST, SAMPLES = 600, 300, 300


def profile():
    """The settings of the run."""
    smoke = load_profile("smoke")
    data = smoke.data.model_copy(
        update={"train_limit": TRAIN, "test_limit": TEST, "validation": 100}
    )
    generation = smoke.fashion_generation.model_copy(update={"samples": SAMPLES})
    update = {"data": data, "precision": "float32", "fashion_generation": generation}
    return smoke.model_copy(update=update)


def made(folder):
    """Write the run, and return its folder."""
    settings = profile()
    experiments = ("fashion_classifier", "fashion_embedding", "fashion_generation")
    plan = make_plan(settings, folder, experiments)
    planned = {
        f"{p.stored.experiment}/{p.stored.variant}": p for p in plan if p.stored.seed_index == 0
    }
    with mock.patch("os.fsync"):
        for path, make in MAKERS.items():
            write(planned[path], make(cell_of(settings, planned[path])), settings)
        chosen = [planned[path].stored for path in MAKERS]
        write_manifest(folder, settings.model_dump(mode="json"), chosen)
    return folder


def write(planned, result, settings):
    """Write one cell with all that belongs to it."""
    provenance = _provenance(settings, planned, time.perf_counter(), git_state())
    write_done(planned.stored, result, planned.depends_on, provenance)


def rewrite(cell, change):
    """Write a finished cell once more, after `change` was made to a copy of its result."""
    tables = {name: cell.table(name) for name in cell.table_names}
    metrics, arrays = dict(cell.metrics), dict(cell.arrays)
    config, provenance = dict(cell.config), cell.provenance
    change(SimpleNamespace(metrics=metrics, arrays=arrays, config=config, tables=tables))
    with mock.patch("os.fsync"):
        write_done(cell, Result(metrics, tables, arrays), config, provenance)


def cell_of(settings, planned):
    """What an experiment's function is given."""
    return Cell(
        settings=SimpleNamespace(**planned.depends_on["settings"]),
        seed=planned.seed,
        seed_index=0,
        precision="float32",
        split=split_of(settings, planned.experiment.dataset),
        needs={},
        gathered={},
        scratch=planned.stored.folder,
        progress=lambda done, words: None,
    )


def _guesses(cell, seed, errors):
    """Predictions for the test images; a share of them is wrong."""
    random = np.random.default_rng(seed)
    labels = cell.split.test_labels
    wrong = random.random(len(labels)) < errors
    guessed = np.where(wrong, (labels + random.integers(1, 10, len(labels))) % 10, labels)
    scores = random.random((len(labels), 10), dtype="float32")
    scores[np.arange(len(labels)), guessed] += 2.0
    return scores / scores.sum(axis=1, keepdims=True)


def _fine_tuned(cell):
    metrics, arrays = scored(cell, _guesses(cell, 1, 0.1), _guesses(cell, 2, 0.15), 2)
    return Result(metrics, {}, arrays)


def _ensemble(cell):
    alone = _fine_tuned(cell)
    return Result({"members": 1, **alone.metrics}, {}, alone.arrays)


def _handed_in(cell):
    plain, averaged = _guesses(cell, 3, 0.2), _guesses(cell, 4, 0.15)
    metrics, arrays = scored(cell, plain, plain, 1)
    metrics |= {"views_averaged": 4, **scored_averaged(cell.split.test_labels, averaged, cell.seed)}
    curve = _curve(0.3)
    metrics["overfitting"] = second_half(curve)
    return Result(metrics, {"history": curve}, {**arrays, "averaged_probabilities": averaged})


def _linear_probe(cell):
    plain, pixels, untrained = (_guesses(cell, seed, 0.3) for seed in (5, 6, 7))
    metrics, arrays = scored(cell, plain, plain, 1)
    for name, found in (("pixels", pixels), ("random_encoder", untrained)):
        arrays[f"{name}_probabilities"] = found
        right = found.argmax(axis=1) == cell.split.test_labels
        metrics[f"{name}_accuracy"] = float(right.mean())
    return Result(metrics, {}, arrays)


def _curve(rise):
    steps = np.arange(4.0)
    return pd.DataFrame(
        {
            "loss": 1.0 / (1 + steps),
            "validation_loss": 0.5 + rise * steps,
            "validation_accuracy": 0.8 + 0.01 * steps,
        }
    )


def _overfitting(cell):
    metrics, curves = {}, []
    for arm, rise in (("handed_in", 0.2), ("cured", -0.1)):
        curve = _curve(rise)
        reached = {"training_accuracy": 0.95, "validation_accuracy": 0.8}
        metrics[arm] = {**reached, "accuracy_gap": 0.95 - 0.8, **second_half(curve)}
        curves.append(curve.assign(arm=arm))
    return Result(metrics, {"history": pd.concat(curves, ignore_index=True)})


def _few_labels(cell):
    accuracies = {"pretrained": {"4": 0.7}, "from_scratch": {"4": 0.65}}
    return Result({"accuracies": accuracies, "gaps": {"4": 0.7 - 0.65}})


def _pca(cell):
    """A map of two pixels; each image has its place."""
    train, test = (
        np.ascontiguousarray(images[:, [10, 20], [14, 9]], dtype="float32")
        for images in (cell.split.train_images, cell.split.test_images)
    )
    found = map_scores(cell, train, test)
    arrays = {"train_map": train, "test_map": test, "test_labels": cell.split.test_labels}
    return Result({**found, "fit_seconds": 1.0}, {}, arrays)


def _gan(cell):
    noise = np.random.default_rng(0).normal(0, 20, (SAMPLES, 28, 28))
    samples = np.clip(cell.split.train_images[-SAMPLES:] + noise, 0, 255).astype(np.uint8)
    reference_set = ReferenceSet(cell, SAMPLES)
    metrics = reference_set.measures(samples, *reference_set.judge.look(samples))
    trivial = reference_set.trivial_distance()
    metrics["trivial_distance"] = trivial
    metrics["trained"] = float(metrics["frechet_distance"] < trivial)
    metrics["discriminator_wins"] = 0.7
    metrics["failures"] |= failures_of_training(metrics)
    history = pd.DataFrame({"discriminator_wins": [0.9, 0.7]})
    _, rows = nearest_neighbours(samples[:SHOWN], cell.split.train_images)
    nearest = cell.split.train_images[rows.ravel()]
    return Result(metrics, {"history": history}, {"samples": samples, "nearest": nearest})


def _search(cell):
    trials = pd.DataFrame(
        {
            "status": ["COMPLETED", "FAILED", "COMPLETED"],
            "score": [0.9, np.nan, 0.8],
            "epochs": [2, 2, 2],
            "hp_width": [1.0, 2.0, 0.5],
        }
    )
    metrics = {"best": {"width": 0.5}, "best_score": 0.8, "direction": "min"}
    return Result(metrics, {"trials": trials})


MAKERS = {
    "fashion_classifier/fine_tuned": _fine_tuned,
    "fashion_classifier/ensemble": _ensemble,
    "fashion_classifier/handed_in": _handed_in,
    "fashion_classifier/linear_probe": _linear_probe,
    "fashion_classifier/overfitting": _overfitting,
    "fashion_classifier/few_labels": _few_labels,
    "fashion_embedding/search": _search,
    "fashion_embedding/pca": _pca,
    "fashion_generation/gan": _gan,
}
