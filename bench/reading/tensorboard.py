"""Trials of searches as TensorBoard's HParams logs: a folder for each trial."""

import importlib.util
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bench.errors import UserError
from bench.results.searches import HYPERPARAMETER, early_epoch
from bench.store import StoredCell, StoredRun

FOLDER = "tensorboard"


def check_installed() -> None:
    """Look whether TensorBoard is there, before anything is run.

    Raises
    ------
    UserError
        If it is not.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise UserError(
            "--tensorboard: expected the package tensorboard, which is not installed. Nothing was "
            "run; `bash .ci/setup tensorboard` installs it."
        )


def write_logs(run: StoredRun, folder: Path) -> list[Path]:
    """Write the logs of every finished search of a run; those of earlier calls are replaced.

    Parameters
    ----------
    run : StoredRun
        The run, of which nothing is changed.
    folder : Path
        Where ``<experiment>/<search>/trial-<number>/`` are written.

    Returns
    -------
    list of Path
        The folder of each search.
    """
    written = []
    for cell in run.cells:
        if cell.status == "done" and "trials" in cell.table_names:
            target = folder / cell.experiment / cell.variant
            shutil.rmtree(target, ignore_errors=True)
            _write_search(cell, target)
            written.append(target)
    return written


def _write_search(cell: StoredCell, target: Path) -> None:
    from tensorboard.plugins.hparams.summary_v2 import HParam, Metric, hparams_config_pb

    trials = cell.table("trials")
    ended = datetime.fromisoformat(cell.provenance["created"]).timestamp()
    objective = cell.metrics["objective"]
    metrics = [Metric(objective), Metric("seconds")]
    named = [HParam(name) for name in _settings(trials, 0)]
    _write(target, [hparams_config_pb(named, metrics, ended)], [], ended)
    for number in range(len(trials)):
        _write_trial(trials, number, objective, target / f"trial-{number:03d}", ended)


def _settings(trials: pd.DataFrame, number: int) -> dict[str, Any]:
    """Hyperparameters of a trial, and how long it was."""
    row = {
        str(name).removeprefix(HYPERPARAMETER): trials[name].iloc[number]
        for name in trials
        if str(name).startswith(HYPERPARAMETER) or name == "epochs"
    }
    return {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}


def _write_trial(
    trials: pd.DataFrame, number: int, objective: str, target: Path, ended: float
) -> None:
    from tensorboard.plugins.hparams import api_pb2, summary
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    row = trials.iloc[number]
    completed = row["status"] == "COMPLETED"
    status = api_pb2.STATUS_SUCCESS if completed else api_pb2.STATUS_FAILURE
    about = [
        hparams_pb(_settings(trials, number), f"trial {number}", ended),
        summary.session_end_pb(status, ended),
    ]
    epochs = int(row["epochs"])
    scalars = [(early_epoch(epochs), objective, row["early_score"])]
    scalars += [(epochs, objective, row["score"]), (epochs, "seconds", row["seconds"])]
    _write(target, about, [each for each in scalars if pd.notna(each[2])], ended)


def _write(
    target: Path, summaries: list[Any], scalars: list[tuple[int, str, float]], moment: float
) -> None:
    """Write one file of events."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(target))
    stepped = [(step, scalar_pb(name, float(value))) for step, name, value in scalars]
    for step, content in [*((0, each) for each in summaries), *stepped]:
        event = Event(wall_time=moment, step=step)
        # as bytes: with TensorFlow loaded some of these are of its own type of the same message
        event.summary.MergeFromString(content.SerializeToString())
        writer.add_event(event)
    writer.close()
