"""Throughput of training by contender, and the growth of its cost.

Contenders and ceilings run in processes of their own and take turns (`bench.timing.interleave`), so
that what the machine does besides falls on all alike; ratios are taken round by round.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench import metrics, timing, training
from bench.declarations import declared
from bench.experiments.applicability import HANDED_IN_SIZE
from bench.experiments.definition import Cell, Experiment
from bench.interfaces import Figures
from bench.store import Result
from bench.timing.interleave import Timing, take_turns
from bench.timing.request import Request

if TYPE_CHECKING:
    import keras

    from bench.config import Fit
    from bench.data import Split
    from bench.timing.networks import Timed

PLAIN, OURS, RIVAL = timing.contenders.CONTENDERS  # their names
CEILING = "convolution"
REPEATS = 3

experiment = Experiment(declared("training_speed"))


@experiment.variant(settings=("networks", "rounds", "images", "batch_size"))
def throughput(cell: Cell) -> Result:
    """Time every network in every framework, beside what the machine can do at best."""
    tables, found = [], {}
    asked, split = _asked_networks(cell), cell.split
    for number, network in enumerate(asked):
        # what bounds no convolution is measured once
        requests = _contenders(
            cell, network, timing.ceilings.CEILINGS if number == 0 else [CEILING]
        )
        timings = take_turns(
            requests,
            cell.settings.rounds,
            training.loop.part_of(cell.progress, number, len(asked)),
        )
        # The first network starts TensorFlow, whose threads the cells after this one want so.
        training.backend.prepare("float32", 1, replicated=True)
        operations = timing.flops.training_flops(
            timing.networks.build(network, 1.0, split.size, split.classes).whole()
        )
        found[network] = {
            "flops_per_image": operations,
            **_compared(requests, timings, operations),
        }
        tables.append(_rounds(timings).assign(network=network))
    return Result({"networks": found}, tables={"rounds": pd.concat(tables, ignore_index=True)})


@experiment.variant(settings=("quality",), repeated="seeds")
def quality(cell: Cell) -> Result:
    """Train the classifier by our loop and by plain Keras, to compare their accuracy."""
    fit, split = cell.settings.quality, cell.split
    accuracy = {}
    for number, (name, precision) in enumerate(((OURS, cell.precision), (PLAIN, "float32"))):
        training.backend.prepare(precision, cell.seed, replicated=name == OURS)
        timed = timing.networks.build("classifier", 1.0, split.size, split.classes)
        progress = training.loop.part_of(cell.progress, number, 2)
        if name == OURS:
            data = {"images": split.train_images, "labels": split.train_labels}
            training.loop.train(
                [timed.objective()], data, fit=fit, seed=cell.seed, progress=progress
            )
            network = timed.whole()
        else:
            progress(0.0, "plain Keras")
            network = _fitted_plainly(timed, split, fit)
        logits = training.predict.images_to(network, split.test_images)
        accuracy[name] = float(np.mean(logits.argmax(axis=1) == split.test_labels))
    return Result({"accuracy_of": accuracy, "gap": accuracy[OURS] - accuracy[PLAIN]})


@experiment.variant(
    settings=("rounds", "images", "batch_size", "batch_sizes", "widths", "data_sizes", "threads")
)
def training_growth(cell: Cell) -> Result:
    """Time our loop over batch size, width, amount of data, and threads."""
    settings = cell.settings
    usual = Request(
        OURS,
        cell.precision,
        "classifier",
        settings.images,
        settings.batch_size,
        data=_training_data(cell),
        classes=cell.split.classes,
    )
    axes: dict[str, dict[float, Request]] = {
        "batch_size": {n: replace(usual, batch_size=n) for n in settings.batch_sizes},
        "width": {factor: replace(usual, scale=factor) for factor in settings.widths},
        "images": {n: replace(usual, images=n) for n in settings.data_sizes},
        "threads": {n: replace(usual, threads=n) for n in settings.threads},
    }
    rows: list[Figures] = []
    for number, (axis, requests) in enumerate(axes.items()):
        timings = take_turns(
            {str(size): asked for size, asked in requests.items()},
            settings.rounds,
            training.loop.part_of(cell.progress, number, len(axes)),
        )
        for size, asked in requests.items():
            took = timings[str(size)]
            rows.append(
                {
                    "axis": axis,
                    "size": float(size),
                    "seconds": took.median,
                    "images_per_second": asked.images / took.median,
                    "peak_memory_mib": took.peak_memory_mib,
                }
            )
    table = pd.DataFrame(rows)
    return Result({"exponents": _exponents(table)}, tables={"growth": table})


@experiment.variant(settings=("map_sizes",))
def map_growth(cell: Cell) -> Result:
    """Time t-SNE and the embedding metrics over the number of images."""
    from openTSNE import TSNE

    pixels = cell.split.train_images.reshape(len(cell.split.train_images), -1) / np.float32(255)
    labels = cell.split.train_labels
    positions = np.random.default_rng(cell.seed).normal(size=(len(pixels), 2))
    measured: dict[str, Callable[[int], object]] = {
        "tsne": lambda n: TSNE(perplexity=30, n_jobs=-1, random_state=1).fit(pixels[:n]),
        "scorecard": lambda n: metrics.embedding.scorecard(
            pixels[:n], positions[:n], labels[:n], positions[:n], labels[:n]
        ),
        "knn_accuracy": lambda n: metrics.embedding.knn_accuracy(
            positions[:n], labels[:n], positions[:n], labels[:n]
        ),
    }
    rows, jobs = [], [(axis, size) for axis in measured for size in cell.settings.map_sizes]
    for number, (axis, size) in enumerate(jobs):
        cell.progress(number / len(jobs), f"{axis}, {size} images")
        seconds = min(_seconds(lambda: measured[axis](size)) for _ in range(REPEATS))  # noqa: B023
        rows.append({"axis": axis, "size": float(size), "seconds": seconds})
    table = pd.DataFrame(rows)
    return Result({"exponents": _exponents(table)}, tables={"growth": table})


def _asked_networks(cell: Cell) -> list[str]:
    """Networks that are to be timed, and can be: the handed-in one is made for one size."""
    fits = cell.split.size == HANDED_IN_SIZE
    return [name for name in cell.settings.networks if fits or name != "handed_in"]


def _training_data(cell: Cell) -> str:
    """Write the training images where the timed processes read them."""
    path = (cell.scratch / "training.npz").resolve()
    np.savez(path, images=cell.split.train_images, labels=cell.split.train_labels)
    return str(path)


def _contenders(cell: Cell, network: str, bounds: Iterable[str]) -> dict[str, Request]:
    """Our loop, plain Keras, PyTorch where it is installed, and the ceilings.

    Where the run has another arithmetic than float32, each is there in both.
    """
    settings = cell.settings
    plain = Request(
        PLAIN,
        "float32",
        network,
        settings.images,
        settings.batch_size,
        data=_training_data(cell),
        classes=cell.split.classes,
    )
    asked = {PLAIN: plain}
    if cell.precision != "float32":
        asked[f"{PLAIN}_{cell.precision}"] = replace(plain, precision=cell.precision)
    rivals = [RIVAL] if importlib.util.find_spec("torch") else []
    for precision in dict.fromkeys((cell.precision, "float32")):
        suffix = "" if precision == cell.precision else f"_{precision}"
        for name in (OURS, *rivals):
            asked[name + suffix] = replace(plain, name=name, precision=precision)
        for name in bounds:
            asked[name + suffix] = Request(name, precision)
    return asked


def _compared(
    requests: Mapping[str, Request], timings: Mapping[str, Timing], operations: int
) -> dict[str, Figures]:
    """Figures of each contender; of a ceiling, what it reached (1e9 a second)."""
    found: dict[str, Figures] = {
        name: {"rate": float(np.median(timings[name].value))}
        for name, asked in requests.items()
        if asked.name in timing.ceilings.CEILINGS
    }
    reached = {
        asked.precision: found[n]["rate"] for n, asked in requests.items() if asked.name == CEILING
    }
    plain = np.asarray(timings[PLAIN].seconds)
    for name, asked in requests.items():
        if asked.name in timing.ceilings.CEILINGS:
            continue
        took = timings[name]
        rates = asked.images / np.asarray(took.seconds)
        gflops = float(np.median(rates)) * operations / 1e9
        faster = metrics.intervals.mean_interval(np.log(plain / np.asarray(took.seconds)))
        found[name] = {
            "precision": asked.precision,
            "images_per_second": float(np.median(rates)),
            "slowest": float(rates.min()),
            "fastest": float(rates.max()),
            "first_seconds": took.first_seconds,
            "peak_memory_mib": took.peak_memory_mib,
            "gflops": gflops,
            "of_ceiling": gflops / reached[asked.precision],
            "over_plain": {
                part: float(np.exp(value))
                for part, value in (
                    ("mean", faster.mean),
                    ("low", faster.low),
                    ("high", faster.high),
                )
                if value is not None
            },
        }
    return found


def _rounds(timings: Mapping[str, Timing]) -> pd.DataFrame:
    """Every timed call: contender, round, seconds, and what it returned."""
    return pd.DataFrame(
        [
            {"contender": name, "round": number, "seconds": seconds, "value": value}
            for name, took in timings.items()
            for number, (seconds, value) in enumerate(
                zip(took.seconds, took.value, strict=True), start=1
            )
        ]
    )


def _fitted_plainly(timed: Timed, split: Split, fit: Fit) -> keras.Model:
    """Train as `contenders.keras_fit` does, for whole epochs of the training images."""
    model = timed.compiled()
    model.fit(
        split.train_images[..., None].astype("float32") / 255.0,
        split.train_labels,
        batch_size=fit.batch_size,
        epochs=fit.epochs,
        verbose=0,
    )
    return model


def _exponents(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Exponent of the seconds over the size, for each axis with at least three sizes."""
    found = {}
    for axis, own in table.groupby("axis"):
        if len(own) >= 3:
            fitted = timing.growth.fit_power_law(list(own["size"]), list(own["seconds"]))
            found[str(axis)] = asdict(fitted)
    return found


def _seconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began
