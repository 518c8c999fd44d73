"""Process of one contender: it prepares the training, then runs it once for each line of input.

Called by `interleave` with a `Request` as its argument; answers in lines of JSON.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bench.interfaces import JsonObject
from bench.store.provenance import peak_memory_mib
from bench.timing.request import Request

if TYPE_CHECKING:
    import numpy as np


def main(asked: Request) -> None:
    """Answer one line when ready, then one for each line that comes in."""
    if asked.threads and hasattr(os, "sched_setaffinity"):
        # before any framework counts the processors
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.threads])
    call = _make(asked)
    first, _ = _timed(call)
    _say({"first_seconds": first})
    for _ in sys.stdin:
        seconds, value = _timed(call)
        _say({"seconds": seconds, "value": value, "peak_memory_mib": peak_memory_mib()})


def _make(asked: Request) -> Callable[[], float]:
    from bench.timing.ceilings import CEILINGS
    from bench.timing.contenders import CONTENDERS

    if asked.name in CEILINGS:
        return CEILINGS[asked.name](asked.precision)
    images, labels = (_repeated(array, asked.images) for array in _training_data(asked.data))
    return CONTENDERS[asked.name](asked, images, labels)


def _training_data(path: str) -> "tuple[np.ndarray, np.ndarray]":
    """Images and labels of a file; of Fashion-MNIST if none is named."""
    if not path:
        from bench import data

        whole = data.load("fashion_mnist")
        return whole.train_images, whole.train_labels
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        return arrays["images"], arrays["labels"]


def _repeated(array: "np.ndarray", count: int) -> "np.ndarray":
    """The first `count` rows, from the start again where there are not as many."""
    import numpy as np

    return np.take(array, np.arange(count), axis=0, mode="wrap")


def _timed(call: Callable[[], float]) -> tuple[float, float]:
    began = time.perf_counter()
    value = call()
    return time.perf_counter() - began, value


def _say(answer: JsonObject) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(Request.from_json(sys.argv[1]))
