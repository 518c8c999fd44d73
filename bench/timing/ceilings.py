"""Upper bounds of this machine: arithmetic and memory traffic."""

import time
from collections.abc import Callable

import numpy as np

from bench.interfaces import Tensor

MATRIX = 2048
# Images, height, width, channels: maps as large as those of the timed networks, and denser.
SHAPES = ((125, 28, 28, 32), (125, 28, 28, 64), (125, 14, 14, 128), (500, 7, 7, 128))
COPY_BYTES = 2**28
REPEATS = 5

Call = Callable[[], float]


def matmul(precision: str) -> Call:
    """Product of two square matrices on the backend; a call gives GFLOP/s."""
    from keras import ops

    left = _random((MATRIX, MATRIX), precision)
    product = _compiled(lambda: ops.matmul(left, left))
    return lambda: _rate(product, 2 * MATRIX**3)


def convolution(precision: str) -> Call:
    """Dense 3x3 convolution on the backend, the best of several shapes; a call gives GFLOP/s."""
    from keras import ops

    def prepared(shape: tuple[int, ...]) -> tuple[Callable[[], object], int]:
        maps, kernel = _random(shape, precision), _random((3, 3, shape[-1], shape[-1]), precision)
        run = _compiled(lambda: ops.conv(maps, kernel, padding="same"))
        return run, 2 * 9 * int(np.prod(shape)) * shape[-1]

    shapes = [prepared(shape) for shape in SHAPES]
    return lambda: max(_rate(run, operations) for run, operations in shapes)


def copy(precision: str) -> Call:
    """Copy of a large array by NumPy; a call gives GB/s, read and written."""
    del precision  # bytes are bytes
    source = np.ones(COPY_BYTES, dtype=np.uint8)
    target = np.empty_like(source)
    return lambda: _rate(lambda: np.copyto(target, source), 2 * COPY_BYTES)


CEILINGS: dict[str, Callable[[str], Call]] = {
    "matmul": matmul,
    "convolution": convolution,
    "copy": copy,
}


def _random(shape: tuple[int, ...], precision: str) -> Tensor:
    from keras import ops

    array = np.random.default_rng(1).standard_normal(shape, dtype="float32")
    return ops.cast(array, "bfloat16" if precision == "mixed_bfloat16" else "float32")


def _compiled(function: Callable[[], object]) -> Callable[[], object]:
    """Compile for the backend and wait for the result at each call."""
    from bench import training

    if training.backend.name() == "tensorflow":
        import tensorflow as tf

        return tf.function(function)  # on a processor its calls return when they are done
    import jax

    compiled = jax.jit(function)
    return lambda: jax.block_until_ready(compiled())


def _rate(function: Callable[[], object], amount: int) -> float:
    """Best of a few repeats, in 1e9 a second: a ceiling is what the machine can do undisturbed."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - began)
    return amount / min(seconds) / 1e9
