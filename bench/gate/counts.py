"""Exact figures of a tree: sizes, operations, traces, bytes, peak memory.

Run by its path, so that head's way of counting meets either tree's package; prints JSON.
"""

import json
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

IMAGES, BATCH = 500, 125


def figures() -> dict[str, float]:
    """Return all counted figures by name."""
    counted = _training()
    counted["training.peak_memory_mib"] = _peak_memory()  # before anything else adds to it
    return counted | _networks() | _bytes()


def _networks() -> dict[str, float]:
    """Trainable parameters and operations of a training step on one image."""
    from bench.timing import networks
    from bench.timing.flops import training_flops

    counted: dict[str, float] = {}
    for name in networks.NETWORKS:
        whole = networks.build(name).whole()
        counted[f"{name}.parameters"] = whole.count_params()
        counted[f"{name}.flops_per_image"] = training_flops(whole)
    return counted


def _training() -> dict[str, float]:
    """Count how often Python runs a loss while two epochs with validation compile and train."""
    from bench import training
    from bench.config import Fit
    from bench.timing import networks

    training.backend.prepare("float32", 1)
    objective = networks.build("classifier").objective()
    inner, calls = objective.loss, []

    def counting(batch, training):  # type: ignore[no-untyped-def]
        calls.append(training)
        return inner(batch, training)

    object.__setattr__(objective, "loss", counting)
    random = np.random.default_rng(1)
    data = {
        "images": random.integers(0, 256, (IMAGES, 28, 28)).astype("uint8"),
        "labels": random.integers(0, 10, IMAGES).astype("uint8"),
    }
    fit = Fit(epochs=2, batch_size=BATCH, learning_rate=1e-3)
    training.loop.train([objective], data, fit=fit, seed=1, validation=data)
    return {"classifier.traces": len(calls)}


def _bytes() -> dict[str, float]:
    """Size on the disk of a cell and of a report's page."""
    import pandas as pd

    from bench.report import render
    from bench.store import Result, StoredCell, write_done
    from bench.timing import networks
    from tests.report_fixture import made_up_run

    result = Result(
        metrics={"accuracy": 0.5},
        tables={"history": pd.DataFrame(np.ones((50, 6)), columns=list("abcdef"))},
        arrays={"images": np.zeros((200, 28, 28), dtype="uint8")},
        models={"network": networks.build("classifier").whole()},
    )
    with tempfile.TemporaryDirectory() as folder:
        cell = StoredCell(Path(folder), "counted", "cell", 0, "0" * 64)
        write_done(cell, result, {}, {})
        run = made_up_run(Path(folder) / "run")
        page = render(run, Path(folder) / "report", ("en",), ("html",))[0]
        return {
            "cell.bytes": sum(path.stat().st_size for path in cell.folder.iterdir()),
            "report.bytes": page.stat().st_size,
        }


def _peak_memory() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(figures()))
