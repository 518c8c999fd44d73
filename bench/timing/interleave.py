"""Timing of contenders in turns, so that drift of the machine affects all of them alike."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from bench.interfaces import JsonObject, Progress
from bench.paths import ROOT
from bench.timing.request import Request

OUTPUT_SHOWN = 600
KERAS_BACKENDS = {"pytorch": "torch"}  # Keras only lends this one its layers


class WorkerError(RuntimeError):
    """The process of a contender ended early."""


@dataclass
class Timing:
    """Times of one contender's calls.

    Attributes
    ----------
    first_seconds : float
        The first call, which compiles.
    seconds : list of float
        The calls after it, one a round.
    value : list of float
        What they returned: a loss, or a ceiling's rate.
    peak_memory_mib : float
        Peak memory of its process.
    """

    first_seconds: float
    seconds: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    peak_memory_mib: float = 0.0

    @property
    def median(self) -> float:
        """Median of the calls after the first, seconds."""
        return float(np.median(self.seconds))


class Worker:
    """Process of one contender, ready for calls."""

    def __init__(self, asked: Request) -> None:
        self.asked = asked
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.timing.worker", asked.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "TF_CPP_MIN_LOG_LEVEL": "2",
                "KERAS_BACKEND": KERAS_BACKENDS.get(
                    asked.name, os.environ.get("KERAS_BACKEND", "tensorflow")
                ),
            },
        )
        try:
            self.timing = Timing(self._answer()["first_seconds"])
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def call(self) -> None:
        """Run the contender once more and record its time."""
        print("go", file=self._process.stdin, flush=True)
        answer = self._answer()
        self.timing.seconds.append(answer["seconds"])
        self.timing.value.append(answer["value"])
        self.timing.peak_memory_mib = answer["peak_memory_mib"]

    def _answer(self) -> JsonObject:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            code = self._process.wait()
            self._stderr.seek(0)
            words = self._stderr.read().decode(errors="replace").strip()[-OUTPUT_SHOWN:]
            raise WorkerError(
                f"The process of {self.asked} ended with code {code} before it answered. "
                f"Nothing was timed. Its output ended with: {words}"
            )
        answer: JsonObject = json.loads(line)
        return answer


def take_turns(
    requests: Mapping[str, Request],
    rounds: int,
    progress: Progress,
) -> dict[str, Timing]:
    """Time contenders in rounds: each once a round, every other round in reverse order.

    Parameters
    ----------
    requests : dict of str to Request
        By a name for each.
    rounds : int
        Timed calls of each, after the first, which compiles.
    progress : callable
        Called with the share that is done and a few words.

    Returns
    -------
    dict of str to Timing
        By the same names.

    Raises
    ------
    WorkerError
        If a contender's process ends before its time; all are stopped.
    """
    with ExitStack() as stack:
        workers: dict[str, Worker] = {}
        for name, asked in requests.items():
            progress(0.3 * len(workers) / len(requests), f"starting {name}")
            workers[name] = stack.enter_context(Worker(asked))
        order = list(workers)
        for turn in range(rounds):
            for position, name in enumerate(order):
                workers[name].call()
                done = (turn + (position + 1) / len(order)) / rounds
                progress(0.3 + 0.7 * done, f"round {turn + 1}/{rounds}, {name}")
            order.reverse()
        return {name: worker.timing for name, worker in workers.items()}
