"""Latent Lab: a lab assignment on autoencoders, VAEs and GANs, from the data to the report."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.reading import Run

# Before anything loads TensorFlow: its log on standard error hides the messages.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel(logging.ERROR)


def open_run(run: str | Path) -> "Run":
    """Open a run's results for a notebook.

    Parameters
    ----------
    run : str or Path
        The name of a run in this checkout's ``runs/``, or the path of its folder.

    Returns
    -------
    bench.reading.Run
        DataFrames, arrays, pictures and trained networks.

    Raises
    ------
    UserError
        If there is no such run, or it cannot be read.

    Examples
    --------
    >>> import bench
    >>> run = bench.open_run("runs/quick")
    >>> run.summary("accuracy").columns.tolist()
    ['mean', 'low', 'high', 'seeds']
    >>> tuned = "fashion_classifier/fine_tuned"
    >>> bool(run.metrics(tuned)["accuracy"].between(0, 1).all())
    True
    >>> run.table(tuned, "history")[["seed", "epoch", "loss"]].isna().any().any().item()
    False
    >>> run.arrays(tuned)["probabilities"].shape[1]
    10
    >>> run.picture("embedding_maps").save("maps.svg").name
    'maps.svg'
    """
    from bench.reading import Run

    return Run.open(run)
