"""Recomputation of a finished cell's figures from its stored results.

Which figures can be computed again depends on what is kept: predictions, places on a map, samples,
curves. Everything is read as numbers and text. No network of the cell is loaded; the images, the
labels and the judge are this project's own.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from types import SimpleNamespace

import numpy as np

from bench import metrics
from bench.config import Profile
from bench.data import Split, resolve
from bench.experiments import EXPERIMENTS
from bench.experiments.definition import Cell
from bench.experiments.evaluation import accuracy, scored, scored_averaged
from bench.experiments.fashion_classifier import second_half
from bench.experiments.fashion_embedding import LINE, map_scores
from bench.experiments.methods import against_mean_image
from bench.experiments.sampling import SHOWN, ReferenceSet, failures_of_training
from bench.grading.findings import FEATURES, CellGrade
from bench.interfaces import JsonMapping, JsonObject
from bench.results.searches import HYPERPARAMETER
from bench.running.cells import split_of
from bench.store import DamagedError, StoredCell, StoredRun, content_key, derive_seed

SIZES = ("train_limit", "test_limit", "validation")
SAME = 1e-5  # between predictions that were averaged in another order
CONTROLS = ("pixels", "random_encoder")


class Grader:
    """Recomputes figures; what several cells share is computed once.

    Parameters
    ----------
    run : StoredRun
        The run that was handed in.
    profile : Profile
        Its settings.
    """

    def __init__(self, run: StoredRun, profile: Profile) -> None:
        self.run, self.profile = run, profile
        self._lock = Lock()
        self._reference_sets: dict[int, ReferenceSet] = {}
        self._ranks = lru_cache(1)(self._ranked)

    def grade(self, stored: StoredCell) -> CellGrade:
        """Compare the stated figures of a cell with those that can be recomputed."""
        found = CellGrade(stored.label)
        try:
            self._settings(stored, found)
            cell = self._cell(stored)
            for recompute in (_predictions, _controls, self._map, self._samples, self._arithmetic):
                recompute(stored, cell, found)
        except DamagedError as error:
            found.differs("files", "as a run wrote them", error.reason)
        except MemoryError:
            found.lacks("the arrays", "they do not fit in memory")
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            # figures of a wrong shape: the metrics refuse them in words of their own
            found.lacks("the other figures", f"{type(error).__name__}: {error}")
        if not found.gaps:
            covered = {path.split(".")[0] for path in found.compared}
            found.not_recomputed = sorted(set(stored.metrics) - covered)
        return found

    def _settings(self, stored: StoredCell, found: CellGrade) -> None:
        """Compare the settings of a cell with its key, and its seed with the run's."""
        config, profile = stored.config, self.profile
        seed = derive_seed(profile.root_seed, stored.experiment, stored.seed_index)
        info = resolve(EXPERIMENTS[stored.experiment].dataset, profile.data)
        own = {"root_seed": profile.root_seed, "seed": seed, "precision": profile.precision}
        for name, expected in own.items():
            got = config.get(name)
            found.holds(f"config:{name}", got == expected, repr(expected), repr(got))
        for name in SIZES:
            expected, got = getattr(profile.data, name), config["data"].get(name)
            found.holds(f"config:data.{name}", got == expected, repr(expected), repr(got))
        right = content_key(config).startswith(stored.key)
        found.holds("config", right, "the settings that the cell's key is the hash of", "others")
        recorded = stored.provenance["dataset"]
        right = (recorded.get("name"), recorded.get("sha256")) == (info.name, dict(info.files))
        found.holds("provenance:dataset", right, f"the files of {info.name}", repr(recorded))

    def _cell(self, stored: StoredCell) -> Cell:
        """Make the cell that the experiment's scoring functions are given."""
        return Cell(
            settings=SimpleNamespace(**stored.config["settings"]),
            seed=derive_seed(self.profile.root_seed, stored.experiment, stored.seed_index),
            seed_index=stored.seed_index,
            precision=self.profile.precision,
            split=self._split(EXPERIMENTS[stored.experiment].dataset),
            needs={},
            gathered={},
            scratch=Path(),
            progress=lambda done, words: None,
        )

    def _split(self, dataset: str) -> Split:
        with self._lock:
            return split_of(self.profile, dataset)

    def _map(self, stored: StoredCell, cell: Cell, found: CellGrade) -> None:
        """Score a map again."""
        if "test_map" not in stored.arrays:
            return
        _same_labels(stored.array("test_labels"), cell, found)
        if "train_map" not in stored.arrays:
            found.lacks("the scores of the map", "the training images' places are not kept")
            return
        with self._lock:  # the next map of this seed then finds them
            ranks = self._ranks(cell.seed, cell.settings.score_images)
        maps = stored.array("train_map"), stored.array("test_map")
        found.compare(stored.metrics, map_scores(cell, *maps, ranks))

    def _ranked(self, seed: int, sample: int) -> np.ndarray:
        images = split_of(self.profile, EXPERIMENTS["fashion_embedding"].dataset).test_images
        return metrics.embedding.image_ranks(images, sample, seed)

    def _samples(self, stored: StoredCell, cell: Cell, found: CellGrade) -> None:
        """Measure samples again."""
        if "samples" not in stored.arrays or "frechet_distance" not in stored.metrics:
            return
        samples = stored.array("samples")
        held_out = cell.split.test_images[: cell.settings.samples]
        of_test = stored.variant == "reference"
        count = len(held_out) if of_test else cell.settings.samples
        if of_test:
            right = np.array_equal(samples, held_out[: len(samples)])
            found.holds("samples", right, "the test images", "other images")
        if "judge" in stored.config["needs"]:
            reason = "the run trained its own judge, and no network of the run is loaded"
            found.lacks("what is measured of the samples", reason)
            return
        if len(samples) < count:
            kept = f"not kept: {len(samples)} of {count} samples"
            found.lacks("what is measured of the samples", kept)
            return
        with self._lock:
            if count not in self._reference_sets:
                self._reference_sets[count] = ReferenceSet(cell, count)
                _ = self._reference_sets[count].held_out_distance
            reference_set = self._reference_sets[count].of(cell)
            features, classes = reference_set.judge.look(samples)
        measured = reference_set.measures(samples, features, classes)
        if "trivial_distance" in stored.metrics:
            trivial = reference_set.trivial_distance()
            trained = float(measured["frechet_distance"] < trivial)
            measured |= {"trivial_distance": trivial, "trained": trained}
        found.compare(stored.metrics, measured, FEATURES)
        if "nearest" in stored.arrays:
            training = cell.split.train_images
            _, rows = metrics.neighbours.nearest_neighbours(samples[:SHOWN], training)
            right = np.array_equal(stored.array("nearest"), training[rows.ravel()])
            found.holds("nearest", right, "the nearest training images", "other images")

    def _arithmetic(self, stored: StoredCell, cell: Cell, found: CellGrade) -> None:
        """Compute again what follows from other figures, curves and cells."""
        stated = stored.metrics
        for rule in _RULES:
            found.compare(stated, rule(stored, cell, stated))
        if "stability" in stated:
            found.compare(stated, {"stability": dict(self._stability(stored, stated["stability"]))})
        if "members" in stated and "probabilities" in stored.arrays:
            members = self.run.select(stored.experiment, "fine_tuned")
            each = [m.array("probabilities") for m in members if m.status == "done"]
            found.compare(stated, {"members": len(each)})
            mean = np.mean(each, axis=0)
            right = bool(np.allclose(mean, stored.array("probabilities"), rtol=0, atol=SAME))
            found.holds("probabilities", right, "the mean of the members' predictions", "others")

    def _stability(
        self, stored: StoredCell, names: JsonMapping
    ) -> Iterator[tuple[str, JsonObject]]:
        for name in names:
            cells = self.run.select(stored.experiment, name)
            maps = [cell.array("test_map") for cell in cells if cell.status == "done"]
            if len(maps) > 1:
                yield name, metrics.stability.stability(maps)._asdict()


def _predictions(stored: StoredCell, cell: Cell, found: CellGrade) -> None:
    """Score a classifier's predictions again."""
    if "probabilities" not in stored.arrays:
        return
    arrays, stated = stored.arrays, stored.metrics
    _same_labels(arrays["labels"], cell, found)
    together, views = arrays["probabilities"], stated["views"]
    if views > 1 and "single_view_probabilities" not in arrays:
        found.lacks("accuracy_single_view", "the predictions of the images alone are not kept")
        return
    single = arrays["single_view_probabilities"] if views > 1 else together
    again, _ = scored(cell, together, single, views)
    found.compare(stated, again)
    if "accuracy_averaged" not in stated:
        return
    if "averaged_probabilities" in arrays:
        labels, averaged = cell.split.test_labels, arrays["averaged_probabilities"]
        found.compare(stated, scored_averaged(labels, averaged, cell.seed))
    else:
        found.lacks("accuracy_averaged", "the averaged predictions are not kept")


def _controls(stored: StoredCell, cell: Cell, found: CellGrade) -> None:
    """Score the predictions of a linear probe's controls again."""
    for control in CONTROLS:
        name, array = f"{control}_accuracy", f"{control}_probabilities"
        if name not in stored.metrics:
            continue
        if array in stored.arrays:
            again = accuracy(cell.split.test_labels, stored.array(array))
            found.compare(stored.metrics, {name: again})
        else:
            found.lacks(name, "its predictions are not kept")


def _same_labels(labels: np.ndarray, cell: Cell, found: CellGrade) -> None:
    right = np.array_equal(labels, cell.split.test_labels)
    found.holds("labels", right, "the labels of the test images", "other labels")


def _reconstruction(stored: StoredCell, cell: Cell, stated: JsonMapping) -> JsonObject:
    if "reconstruction_mse" not in stated or "trivial_error" not in stated:
        return {}
    return dict(against_mean_image(cell, float(stated["reconstruction_mse"])))


def _duel(stored: StoredCell, cell: Cell, stated: JsonMapping) -> JsonObject:
    again: JsonObject = {}
    if "discriminator_wins" in stated:
        wins = stored.table("history")["discriminator_wins"]
        again["discriminator_wins"] = float(wins.iloc[-1])
    failures = failures_of_training(stated)
    return {**again, "failures": failures} if failures else again


def _overfitting(stored: StoredCell, cell: Cell, stated: JsonMapping) -> JsonObject:
    if "overfitting" in stated:
        return {"overfitting": second_half(stored.table("history"))}
    if stored.variant != "overfitting":
        return {}
    again = {}
    for arm, curve in stored.table("history").groupby("arm", sort=False):
        gap = stated[str(arm)]["training_accuracy"] - stated[str(arm)]["validation_accuracy"]
        again[str(arm)] = {"accuracy_gap": gap, **second_half(curve)}
    return again


def _few_labels(stored: StoredCell, cell: Cell, stated: JsonMapping) -> JsonObject:
    if "gaps" not in stated:
        return {}
    pretrained, plain = (stated["accuracies"][arm] for arm in ("pretrained", "from_scratch"))
    return {"gaps": {count: value - plain[count] for count, value in pretrained.items()}}


def _calibration(stored: StoredCell, cell: Cell, stated: JsonMapping) -> JsonObject:
    if not {"smoothed", "unsmoothed"} <= set(stated):
        return {}
    smoothed, unsmoothed = (
        stated[arm]["expected_calibration_error"] for arm in ("smoothed", "unsmoothed")
    )
    return {"change": smoothed - unsmoothed}


def _collapse(stored: StoredCell, cell: Cell, stated: JsonMapping) -> JsonObject:
    return {"on_one_line": float(stated["line_share"] > LINE)} if "on_one_line" in stated else {}


def _search(stored: StoredCell, cell: Cell, stated: JsonMapping) -> JsonObject:
    if "best_score" not in stated:
        return {}
    trials = stored.table("trials")
    full = trials[(trials["status"] == "COMPLETED") & (trials["epochs"] == trials["epochs"].max())]
    scores = full["score"].astype(float)
    best = full.loc[scores.idxmin() if stated["direction"] == "min" else scores.idxmax()]
    values = {name: _plain(best[f"{HYPERPARAMETER}{name}"]) for name in stated["best"]}
    return {"best_score": float(best["score"]), "best": values}


_RULES: tuple[Callable[[StoredCell, Cell, JsonMapping], JsonObject], ...] = (
    _reconstruction,
    _duel,
    _overfitting,
    _few_labels,
    _calibration,
    _collapse,
    _search,
)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
