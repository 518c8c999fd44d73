"""Work that no change of this project makes faster or slower: it shows the machine's speed."""

import time

import numpy as np

REPEATS = 7
SIDE, BYTES, LOOPS = 384, 2**25, 200_000


def control_kernels() -> dict[str, float]:
    """Time arithmetic, memory and the interpreter: best of a few repeats each, seconds."""
    matrix = np.random.default_rng(0).random((SIDE, SIDE), dtype="float32")
    source = np.ones(BYTES, dtype="uint8")
    target = np.empty_like(source)
    kernels = {
        "matmul": lambda: matrix @ matrix,
        "copy": lambda: np.copyto(target, source),
        "interpreter": lambda: sum(number * number for number in range(LOOPS)),
    }
    return {name: min(_seconds(kernel) for _ in range(REPEATS)) for name, kernel in kernels.items()}


def _seconds(kernel) -> float:
    began = time.perf_counter()
    kernel()
    return time.perf_counter() - began
