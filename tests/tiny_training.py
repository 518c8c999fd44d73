"""A tiny experiment that other processes can import: its figures depend on how many threads run."""

import multiprocessing
import os

import numpy as np

from bench.config import Fit
from bench.declarations import Declaration
from bench.experiments.definition import Experiment
from bench.store import Result

IMAGES, TEST_IMAGES = 400, 300

experiment = Experiment(Declaration(name="fashion_generation", dataset="mnist", title="tiny"))
counting = Experiment(Declaration(name="fashion_generation", dataset="mnist", title="threads"))


@counting.variant()
def threads(cell):
    """How many threads each library would start, and on how many cores they would run."""
    import joblib
    import numba
    import sklearn.cluster  # noqa: F401 - loads OpenMP and the BLAS of SciPy
    import threadpoolctl

    pools = {
        f"{pool['user_api']} {number}": pool["num_threads"]
        for number, pool in enumerate(threadpoolctl.threadpool_info())
    }
    return Result(
        {
            "system": os.cpu_count(),
            "multiprocessing": multiprocessing.cpu_count(),
            "joblib": joblib.cpu_count(),
            "numba": numba.get_num_threads(),
            "tensorflow": int(os.environ["TF_NUM_INTRAOP_THREADS"]),
            **pools,
        }
    )


@experiment.variant(repeated="handed_in_seeds")
def trained(cell):
    """A real training of a small convolutional network."""
    import keras

    from bench import training

    training.backend.prepare(cell.precision, cell.seed)
    network = keras.Sequential(
        [
            keras.layers.Input((28, 28, 1)),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    record = training.supervised.train_classifier(
        network,
        cell.split.train_images[:IMAGES],
        cell.split.train_labels[:IMAGES],
        fit=Fit(epochs=2, batch_size=100, learning_rate=1e-3),
        seed=cell.seed,
        progress=cell.progress,
    )
    weights = [float(np.float64(weight).sum()) for weight in network.get_weights()]
    return Result({"weights": weights, "seconds": record.cost["seconds"]})


@experiment.variant()
def mapped(cell):
    """Methods whose libraries start as many threads as they find cores: BLAS, t-SNE, UMAP."""
    from openTSNE import TSNE
    from umap import UMAP

    pixels = np.float32(cell.split.test_images[:TEST_IMAGES].reshape(TEST_IMAGES, -1)) / 255
    product = np.float32(pixels.T @ pixels) @ np.ones(pixels.shape[1], "float32")
    points = TSNE(n_jobs=-1, random_state=1, n_iter=50, early_exaggeration_iter=20).fit(pixels)
    umap = UMAP(random_state=1, n_jobs=1, n_epochs=20).fit_transform(pixels)
    return Result(
        {
            "blas": float(np.float64(product).sum()),
            "tsne": [float(value) for value in np.asarray(points)[:5].ravel()],
            "umap": [float(value) for value in np.asarray(umap)[:5].ravel()],
        }
    )
