"""A made-up run of the right shape, for the report's tests only."""

from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

from bench.config import load_profile
from bench.config.protocol import sha256
from bench.declarations import declarations
from bench.results.fields import type_of
from bench.store import Result, StoredCell, StoredRun, content_key, write_done, write_failed
from bench.store.run import write_manifest
from tests.report_cells import (
    BOUND,
    GENERATORS,
    TRAINING,
    architecture,
    generator,
    history,
    images,
    ladder,
    reference,
    search,
)

CLASSIFIERS = {"mnist_classifier": "mnist", "fashion_classifier": "fashion_mnist"}
TEST_IMAGES = 400
ONLY_TRAINED = ("training", "architecture")
PROVENANCE = {
    "git_commit": "0123456789abcdef0123456789abcdef01234567",
    "git_dirty": False,
    "created": "2026-11-23T12:00:00+00:00",
    "seconds": 50.0,
    "backend": "tensorflow",
    "versions": {"python": "3.11.9", "keras": "3.15.1", "numpy": "2.4.6"},
    "hardware": {
        "cpu": "A processor",
        "cores": 2,
        "memory_gib": 23.4,
        "gpu": None,
        "platform": "Linux x86_64",
    },
    "protocol": sha256(),
    "root_seed": 1,
    "seed": 12345,
    "profile": "smoke",
}


def made_up_run(
    folder: Path, seeds: int = 1, failed: tuple[str, ...] = (), missing: tuple[str, ...] = ()
) -> StoredRun:
    """Write a whole run; `failed` and `missing` name cells as ``experiment/variant``."""
    with mock.patch("os.fsync"):  # slow, and nothing here must outlast a crash
        return _written(folder, seeds, failed, missing)


def _written(folder, seeds, failed, missing):
    said = declarations()
    profile = load_profile("smoke").model_dump(mode="json")
    cells = []
    for experiment, variant, count, make in made_up_cells(seeds):
        for seed in range(count):
            key = content_key([experiment, variant, seed])
            cell = StoredCell(folder, experiment, variant, seed, key)
            cells.append(cell)
            rng = np.random.default_rng([seed, int(key[:8], 16)])
            path = f"{experiment}/{variant}"
            if path in missing:
                continue
            provenance = PROVENANCE | {
                "dataset": {
                    "name": CLASSIFIERS.get(experiment, "fashion_mnist"),
                    "sha256": {"train-images-idx3-ubyte": "ab" * 32},
                }
            }
            if path in failed:
                write_failed(cell, MemoryError("no room for <b>it</b>"), {}, provenance)
            else:
                held = type_of(said[experiment], variant).of(make(rng))
                write_done(cell, held.result(), {"variant": variant}, provenance)
    return write_manifest(folder, profile, cells, tuple(said.values()))


def made_up_cells(seeds):
    """Yield experiment, variant, how many cells, and the function that makes one of them."""
    recipe = {
        "learning_rate": [0.01, 0.02, 0.03],
        "pooling": ["average", "max", "flat"],
        "label_smoothing": [0.1, 0.0, 0.1],
    }
    for experiment in CLASSIFIERS:
        yield experiment, "search", 1, search(recipe, arms=("fine_tuned", "from_scratch"))
        yield experiment, "pretrained", seeds, _pretrained
        yield experiment, "linear_probe", seeds, _linear_probe
        for variant in ("fine_tuned", "from_scratch"):
            yield experiment, variant, seeds, _classifier
        yield experiment, "ensemble", 1, _ensemble(seeds)
        yield experiment, "calibration", seeds, _calibration
        yield experiment, "few_labels", seeds, _few_labels
    for variant in ("handed_in", "handed_in_same_epochs"):
        yield "fashion_classifier", variant, seeds, _handed_in_classifier
    yield "fashion_classifier", "overfitting", seeds, _overfitting
    network = {
        "width": [1.0, 2.0, 0.5],
        "depth": [3, 2, 1],
        "learning_rate": [0.002, 0.003, 0.001],
    }
    yield "fashion_embedding", "search", 1, search(network, "validation_loss")
    yield "fashion_embedding", "handed_in", seeds, _network_map
    yield "fashion_embedding", "handed_in_longer", seeds, _network_map
    yield "fashion_embedding", "autoencoder", seeds, _network_map
    yield "fashion_embedding", "vae", seeds, _vae_map
    yield "fashion_embedding", "neighbour_autoencoder", seeds, _neighbour_map
    yield "fashion_embedding", "pca", 1, _pca
    for variant, fits in (("tsne", 1), ("umap", 1), ("tsne_repeated", seeds)):
        yield "fashion_embedding", variant, fits, _map
    yield "fashion_embedding", "collapse", seeds + 1, _collapse
    yield "fashion_embedding", "stability", 1, _stability(seeds)
    codes = {"latent": [16, 8, 32], "learning_rate": [0.003, 0.004, 0.005]}
    game = {"learning_rate": [5e-4, 1e-3, 2e-3], "gradient_penalty": [1.0, 0.3, 5.0]}
    yield "fashion_generation", "search", 1, search(codes, "validation_loss")
    yield "fashion_generation", "gan_search", 1, search(game, "validation_frechet_distance")
    yield "fashion_generation", "reference", 1, reference
    yield "fashion_generation", "ladder", 1, ladder
    for variant in GENERATORS:
        yield "fashion_generation", variant, seeds, generator(variant)
    yield "mnist_speedrun", "to_99", seeds, _sprint(0.99)
    for goal in (90, 92, 94):
        yield "fashion_speedrun", f"to_{goal}", seeds, _sprint(goal / 100)
    yield "training_speed", "throughput", 1, _throughput
    yield "training_speed", "quality", seeds, _quality
    loads = ("images_per_second", "peak_memory_mib")
    grown = ("batch_size", "width", "images", "threads")
    yield "training_speed", "training_growth", 1, _grown(grown, loads)
    yield "training_speed", "map_growth", 1, _grown(("tsne", "scorecard", "knn_accuracy"))


def _pretrained(rng):
    stages = [history(rng, "loss", "validation_loss", epochs=2).assign(stage=s) for s in (1, 2, 3)]
    return Result(
        {
            "code_size": 288,
            "reconstruction_mse": 0.01,
            "trivial_error": 0.087,
            "trained": 1.0,
            "training": TRAINING,
            "architecture": architecture("encoder_1"),
        },
        {"history": pd.concat(stages, ignore_index=True)},
        {"originals": images(rng, 16), "reconstructions": images(rng, 16)},
    )


def _linear_probe(rng):
    predicted = _predicted(_classifier(rng))
    own = {
        "code_size": 288,
        "probe_images": 20_000,
        "pixels_accuracy": 0.81 + float(rng.normal(0, 0.005)),
        "random_encoder_accuracy": 0.82 + float(rng.normal(0, 0.005)),
        "views": 1,
    }
    controls = {
        f"{name}_probabilities": predicted.arrays["probabilities"]
        for name in ("pixels", "random_encoder")
    }
    return Result({**predicted.metrics, **own}, {}, {**predicted.arrays, **controls})


def _predicted(result):
    """What is left of a classifier that is not trained itself: its predictions and their scores."""
    figures = {key: result.metrics[key] for key in result.metrics if key not in ONLY_TRAINED}
    arrays = {name: result.arrays[name] for name in ("probabilities", "labels")}
    return Result(figures, {}, arrays)


def _classifier(rng):
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels = np.arange(TEST_IMAGES, dtype=np.uint8) % 10
    wrong = rng.random(TEST_IMAGES) < 0.15
    predicted = np.where(wrong, rng.integers(0, 10, TEST_IMAGES), labels)
    probabilities = np.full((TEST_IMAGES, 10), 0.03, dtype=np.float32)
    probabilities[np.arange(TEST_IMAGES), predicted] = 0.73
    scores = precision_recall_fscore_support(labels, predicted, zero_division=0)
    names = ("precision", "recall", "f1", "support")
    metrics = {
        "accuracy": float((labels == predicted).mean()),
        "macro_f1": float(scores[2].mean()),
        "weighted_f1": float(scores[2].mean()),
        "per_class": {n: [float(v) for v in s] for n, s in zip(names, scores, strict=True)},
        "confusion": confusion_matrix(labels, predicted).tolist(),
        "accuracy_single_view": float((labels == predicted).mean()) - 0.005,
        "views": 10,
        "test_images": TEST_IMAGES,
        "image_interval": _around(float((labels == predicted).mean()), 0.035),
        "trivial_accuracy": 0.1,
        "trained": 1.0,
        "expected_calibration_error": 0.05,
        "reliability": {
            "confidence": [0.45, 0.73, 0.97],
            "accuracy": [0.4, 0.7, float(rng.uniform(0.9, 1.0))],
            "counts": [40, 60, TEST_IMAGES - 100],
        },
        "training": TRAINING,
        "architecture": architecture(),
    }
    arrays = {
        "probabilities": probabilities,
        "single_view_probabilities": probabilities,
        "labels": labels,
    }
    for kind in ("right", "wrong"):
        arrays[f"{kind}_images"] = images(rng, 20)
        arrays[f"{kind}_true"] = np.arange(20, dtype=np.uint8) % 10
        arrays[f"{kind}_predicted"] = (arrays[f"{kind}_true"] + (kind == "wrong")) % 10
        arrays[f"{kind}_confidence"] = np.linspace(0.99, 0.4, 20, dtype=np.float32)
    columns = ("loss", "validation_loss", "accuracy", "validation_accuracy", "seconds")
    return Result(metrics, {"history": history(rng, *columns)}, arrays)


def _around(mean, half):
    return {"low": mean - half, "high": mean + half}


def _handed_in_classifier(rng):
    plain = _classifier(rng)
    accuracy = plain.metrics["accuracy"]
    figures = {
        "accuracy_single_view": accuracy,
        "views": 1,
        "accuracy_averaged": accuracy + 0.004,
        "views_averaged": 10,
        "image_interval_averaged": _around(accuracy + 0.004, 0.035),
        "overfitting": _changes(rng, 0.02),
    }
    arrays = dict(plain.arrays)
    arrays["averaged_probabilities"] = arrays.pop("single_view_probabilities")
    return Result(dict(plain.metrics) | figures, plain.tables, arrays)


def _changes(rng, rise):
    """Changes over the second half of a training."""
    return {
        "training_loss_change": -float(rng.uniform(0.1, 0.12)),
        "validation_loss_change": float(rise * rng.uniform(0.9, 1.1)),
        "validation_accuracy_change": float(rng.normal(0.0, 0.001)),
    }


def _calibration(rng):
    arms = {
        arm: {
            "accuracy": 0.9 + float(rng.normal(0, 0.002)),
            "expected_calibration_error": error + float(rng.normal(0, 0.002)),
        }
        for arm, error in (("smoothed", 0.06), ("unsmoothed", 0.02))
    }
    errors = [arms[arm]["expected_calibration_error"] for arm in ("smoothed", "unsmoothed")]
    metrics = {"change": errors[0] - errors[1], "trivial_accuracy": 0.1, "trained": 1.0}
    return Result(arms | metrics | {"label_smoothing": 0.1})


def _ensemble(members):
    def make(rng):
        together = _predicted(_classifier(rng))
        return Result({"members": members, **together.metrics}, {}, together.arrays)

    return make


def _few_labels(rng):
    counts = [4, 64, 256]
    steps = {str(n): 0.6 + 0.05 * np.log(n) for n in counts}
    arms = {
        arm: {n: float(value + rng.normal(0, 0.005)) for n, value in steps.items()}
        for arm in ("pretrained", "from_scratch")
    }
    gaps = {n: value - arms["from_scratch"][n] for n, value in arms["pretrained"].items()}
    metrics = {"per_class": counts, "accuracies": arms, "gaps": gaps}
    return Result(metrics | {"trivial_accuracy": 0.1, "trained": 1.0})


def _overfitting(rng):
    metrics, curves = {"trivial_accuracy": 0.1, "trained": 1.0}, []
    for arm, rise in (("handed_in", 0.2), ("decayed", 0.05), ("cured", -0.1)):
        gap = float((0.1 if rise > 0 else 0.01) * rng.uniform(0.9, 1.1))
        metrics[arm] = {
            "training_accuracy": 0.85 + gap,
            "validation_accuracy": 0.85,
            "accuracy_gap": gap,
            **_changes(rng, rise),
        }
        columns = ("loss", "accuracy", "validation_loss", "validation_accuracy")
        curves.append(history(rng, *columns, epochs=6).assign(arm=arm))
    return Result(metrics, {"history": pd.concat(curves, ignore_index=True)})


def _collapse(rng):
    dead = int(rng.integers(0, 3))
    line = {"dead_units": dead, "rank": 2 - dead, "line_share": 1.0 if dead else 0.8}
    trained = {"reconstruction_mse": 0.05, "trivial_error": 0.087, "trained": 1.0}
    return Result({**line, **trained, "on_one_line": float(dead > 0)})


def _stability(maps):
    def make(rng):
        names = ("handed_in", "autoencoder", "vae", "neighbour_autoencoder")
        metrics = {
            name: {"procrustes": float(rng.uniform(0.5, 1)), "neighbour_overlap": 0.2}
            for name in names
            if maps > 1
        }
        return Result({"stability": metrics, "maps": maps})

    return make


def _pca(rng):
    drawn = _map(rng)
    own = {"reconstruction_mse": 0.05, "explained_variance": [0.29, 0.18]}
    return Result({**drawn.metrics, **own}, {}, drawn.arrays)


def _map(rng):
    labels = np.arange(TEST_IMAGES, dtype=np.uint8) % 10
    angle = labels / 10 * 2 * np.pi
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 10
    accuracy = 0.7 + float(rng.normal(0, 0.02))
    purity = [float(share) for share in rng.uniform(0.8, 0.95, 10)]
    metrics = {
        "knn_accuracy": accuracy,
        "knn_image_interval": _around(accuracy, 0.045),
        "class_purity": purity,
        "lowest_class_purity": min(purity),
        "group_purity": {
            name: float(rng.uniform(0.93, 0.97)) for name in ("shoes", "trousers", "tops")
        },
        "fit_images": 2500,
        "test_images": TEST_IMAGES,
        "trustworthiness": 0.95,
        "continuity": 0.94,
        "neighbourhood_auc": 0.3 + rng.normal(0, 0.02),
        "neighbourhood_curve": {
            "k": [1, 10, 100, TEST_IMAGES - 2],
            "kept": [0.2, 0.3, 0.4 + float(rng.normal(0, 0.02)), 0.0],
        },
        "triplet_accuracy": 0.75,
        "rank": 2,
        "distance_correlation": 0.6,
        "brightness_correlation": 0.9,
        "line_share": 0.65,
        "fit_seconds": 3.2,
        "transform_seconds": 0.1,
        "embeds_new_images": True,
        "decodes": True,
        "dead_units": 0,
    }
    arrays = {
        "train_map": rng.normal(0, 10, (100, 2)).astype(np.float32),
        "test_map": (centres + rng.normal(0, 2, centres.shape)).astype(np.float32),
        "test_labels": labels,
        "thumbnails": images(rng, 400),
        "thumbnail_index": np.arange(400) % TEST_IMAGES,
    }
    return Result(metrics, {}, arrays)


def _network_map(rng):
    plain = _map(rng)
    more = {
        "originals": images(rng, 10),
        "reconstructions": images(rng, 10),
        "decoded_grid": images(rng, 15, 15),
        "grid_extent": np.array([-12.0, 12.0, -11.0, 11.0], dtype=np.float32),
    }
    metrics = dict(plain.metrics) | {
        "reconstruction_mse": 0.03,
        "trivial_error": 0.087,
        "trained": 1.0,
        "training": TRAINING,
        "architecture": architecture("encoder"),
    }
    tables = {"history": history(rng, "loss", "validation_loss").assign(stage=1)}
    return Result(metrics, tables, dict(plain.arrays) | more)


def _vae_map(rng):
    drawn = _network_map(rng)
    return Result(drawn.metrics, {"history": history(rng, *BOUND).assign(stage=1)}, drawn.arrays)


def _neighbour_map(rng):
    drawn = _network_map(rng)
    stages = [history(rng, "loss").assign(stage=stage) for stage in (1, 2)]
    tables = {"history": pd.concat(stages, ignore_index=True)}
    return Result(drawn.metrics, tables, drawn.arrays)


def _sprint(target):
    def make(rng):
        seconds = float(rng.uniform(8, 12))
        accuracy = target + float(rng.uniform(-0.002, 0.004))
        curve = pd.DataFrame({"epoch": [1, 2], "validation_accuracy": [accuracy - 0.02, accuracy]})
        figures = {"accuracy": accuracy, "target": target, "seconds": seconds}
        return Result(
            {**figures, "warm_up_seconds": 5.0, "training": TRAINING},
            {"curve": curve.assign(seconds=curve["epoch"] * seconds / 2)},
        )

    return make


def _throughput(rng):
    def contender(precision):
        rate = float(rng.uniform(1000, 4000))
        return {
            "images_per_second": rate,
            "slowest": rate * 0.9,
            "fastest": rate * 1.1,
            "first_seconds": 4.0,
            "peak_memory_mib": 900.0,
            "gflops": rate / 20,
            "of_ceiling": 0.4,
            "precision": precision,
            "over_plain": {"mean": 1.4, "low": 1.3, "high": 1.5},
        }

    def network():
        contenders = {
            "keras_fit": contender("float32"),
            "our_loop": contender("mixed_bfloat16"),
            "our_loop_float32": contender("float32"),
        }
        rates = {"matmul": 400.0, "convolution": 430.0, "copy": 19.0}
        ceilings = {
            name + suffix: {"rate": rate / (2 if suffix else 1)}
            for name, rate in rates.items()
            for suffix in ("", "_float32")
        }
        return {"flops_per_image": 60_000_000, **contenders, **ceilings}

    names = ("classifier", "autoencoder", "handed_in")
    rows = [
        {"contender": "keras_fit", "round": 1, "seconds": 2.0, "value": 1.0, "network": name}
        for name in names
    ]
    return Result({"networks": {n: network() for n in names}}, {"rounds": pd.DataFrame(rows)})


def _quality(rng):
    ours, plain = map(float, rng.uniform(0.90, 0.92, 2))
    return Result({"accuracy_of": {"our_loop": ours, "keras_fit": plain}, "gap": ours - plain})


def _grown(axes, loads=()):
    def make(rng):
        sizes = np.array([1.0, 2.0, 4.0, 8.0])
        tables = [
            pd.DataFrame(
                {"axis": axis, "size": sizes, "seconds": sizes * rng.uniform(0.9, 1.1)}
                | dict.fromkeys(loads, 1000.0 + sizes)
            )
            for axis in axes
        ]
        exponents = {axis: {"exponent": 1.0, "low": 0.9, "high": 1.1} for axis in axes}
        return Result({"exponents": exponents}, {"growth": pd.concat(tables, ignore_index=True)})

    return make


def templates_with_pseudo_spanish(folder: Path) -> Path:
    """Copy the templates, every Spanish message being the English one with a mark.

    So the plumbing is tested whatever the state of the translation.
    """
    import shutil

    from babel.messages import Catalog
    from babel.messages.pofile import write_po

    from bench.paths import TEMPLATES
    from bench.report.catalogue import fresh_catalogue
    from bench.report.words.i18n import catalogue_path

    copy = folder / "templates"
    shutil.copytree(TEMPLATES, copy)
    catalogue = Catalog(locale="es")
    for message in fresh_catalogue():
        if message.id:
            one_or_two = message.id if isinstance(message.id, tuple) else (message.id,)
            marked = tuple(f"{text} ñ" for text in one_or_two)
            catalogue.add(message.id, marked if len(marked) > 1 else marked[0])
    with catalogue_path("es", copy).open("wb") as file:
        write_po(file, catalogue)
    return copy
