"""Faults planted in a checkout, to test whether the gates find them."""

from pathlib import Path

SLOWDOWN = 1.3

SLOWER = '''

def _slower(function):
    """Planted: the same result, {factor} times as late."""
    import time

    def late(*arguments, **named):
        began = time.perf_counter()
        value = function(*arguments, **named)
        end = began + {factor} * (time.perf_counter() - began)
        while time.perf_counter() < end:
            pass
        return value

    return late


{function} = _slower({function})
'''

TIMID = '''

def _timid(function):
    """Planted: an eighth of the learning rate."""

    def planted(peak, *arguments, **named):
        return function(peak / 8, *arguments, **named)

    return planted


adam = _timid(adam)
'''

LEAK = '''

def _leaking(function):
    """Planted: the images to be judged by are among those to learn from."""
    from dataclasses import replace

    def planted(*arguments, **named):
        parts = function(*arguments, **named)
        return replace(
            parts,
            train_images=np.concatenate([parts.train_images, parts.validation_images]),
            train_labels=np.concatenate([parts.train_labels, parts.validation_labels]),
        )

    return planted


split = _leaking(split)
'''

# Module and function, by the benchmark that times it.
SLOWED = {
    "test_metric[precision_recall]": ("bench/metrics/manifolds.py", "precision_recall"),
    "test_metric[knn_accuracy]": ("bench/metrics/embedding.py", "knn_accuracy"),
    "test_metric[frechet_distance]": ("bench/metrics/generation.py", "frechet_distance"),
}


def slow_down(tree: Path, benchmark: str) -> None:
    """Make one benchmark's function take 1.3 times as long.

    Parameters
    ----------
    tree : Path
        A checkout.
    benchmark : str
        Name of the benchmark.
    """
    module, function = SLOWED[benchmark]
    _append(tree / module, SLOWER.format(factor=SLOWDOWN, function=function))


def spoil_learning(tree: Path) -> None:
    """Divide every learning rate by eight."""
    _append(tree / "bench/training/schedule.py", TIMID)


def leak_validation(tree: Path) -> None:
    """Add the held-out images to the training images."""
    _append(tree / "bench/data/splitting.py", LEAK)


def _append(path: Path, code: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + code, encoding="utf-8")
