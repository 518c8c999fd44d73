"""Contenders: each makes a call that trains a network over the given images once.

Every contender runs in a process of its own (`worker`), so that neither threads nor memory of one
touch another. Frameworks are imported by the contender that needs them, and by no other.
"""

from collections.abc import Callable

import numpy as np

from bench.timing.request import Request

Call = Callable[[], float]


def our_loop(asked: Request, images: np.ndarray, labels: np.ndarray) -> Call:
    """Our compiled loop over uint8 images that stay on the device.

    Parameters
    ----------
    asked : Request
        Network, precision and batch size.
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    labels : ndarray of int, shape (n,)
        Their classes.

    Returns
    -------
    callable
        Trains once over the images and gives the loss.
    """
    from bench import training
    from bench.timing import networks

    training.backend.prepare(asked.precision, 1, replicated=True)
    timed = networks.build(asked.network, asked.scale, images.shape[1], asked.classes)
    data = {"images": images} | ({"labels": labels} if timed.labelled else {})
    run = training.backend.steps().compile_training(
        [timed.objective()], data, training.backend.replicas()
    )
    order, chunk = np.random.default_rng(1), training.loop.MOST_STEPS_A_CALL

    def call() -> float:
        batches = order.permutation(len(images)).reshape(-1, asked.batch_size)
        logs = [run(batches[k : k + chunk]) for k in range(0, len(batches), chunk)]
        return float(np.mean([log["loss"] for log in logs]))

    return call


def keras_fit(asked: Request, images: np.ndarray, labels: np.ndarray) -> Call:
    """Plain `fit` of the same network on float32 NumPy arrays: what a tutorial would do.

    Parameters
    ----------
    asked : Request
        Network, precision and batch size.
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    labels : ndarray of int, shape (n,)
        Their classes.

    Returns
    -------
    callable
        Trains once over the images and gives the loss.
    """
    from bench import training
    from bench.timing import networks

    training.backend.prepare(asked.precision, 1)
    timed = networks.build(asked.network, asked.scale, images.shape[1], asked.classes)
    model = timed.compiled()
    inputs = images[..., None].astype("float32") / 255.0
    targets = labels if timed.labelled else inputs

    def call() -> float:
        fitted = model.fit(inputs, targets, batch_size=asked.batch_size, epochs=1, verbose=0)
        return float(fitted.history["loss"][0])

    return call


def pytorch(asked: Request, images: np.ndarray, labels: np.ndarray) -> Call:
    """The same network and step in PyTorch (the extra `pytorch`).

    Parameters
    ----------
    asked : Request
        Network, precision and batch size.
    images : ndarray of uint8, shape (n, size, size)
        Training images.
    labels : ndarray of int, shape (n,)
        Their classes.

    Returns
    -------
    callable
        Trains once over the images and gives the loss.
    """
    from bench.timing.pytorch import training_call

    return training_call(asked, images, labels)


CONTENDERS: dict[str, Callable[[Request, np.ndarray, np.ndarray], Call]] = {
    "keras_fit": keras_fit,
    "our_loop": our_loop,
    "pytorch": pytorch,
}
