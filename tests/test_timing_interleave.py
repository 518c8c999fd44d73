"""Contenders take turns in processes of their own."""

import subprocess
import sys

import numpy as np
import pytest

from bench.timing.interleave import WorkerError, take_turns
from bench.timing.request import Request


def test_a_request_survives_its_way_to_the_process():
    asked = Request("our_loop", "float32", "classifier", 500, 100, 0.5, 1)
    assert Request.from_json(asked.to_json()) == asked


def test_every_contender_is_called_once_a_round_and_order_alternates():
    requests = {
        "copy": Request("copy", "float32"),
        "again": Request("copy", "float32", threads=1),
    }
    messages = []
    timings = take_turns(requests, 2, lambda share, words: messages.append((share, words)))
    assert [len(timing.seconds) for timing in timings.values()] == [2, 2]
    assert all(min(timing.value) > 0 for timing in timings.values())
    assert all(timing.peak_memory_mib > 256 for timing in timings.values())  # its two arrays
    turns = [words.rpartition(" ")[2] for _, words in messages if words.startswith("round")]
    assert turns == ["copy", "again", "again", "copy"]
    assert messages[-1][0] == pytest.approx(1.0)


def test_a_process_that_dies_is_told_with_its_last_words():
    requests = {"nobody": Request("nobody", "float32", "classifier", 100, 50)}
    with pytest.raises(WorkerError, match=r"KeyError.*nobody"):
        take_turns(requests, 1, lambda *_: None)


def test_a_worker_s_peak_memory_is_its_own_and_not_its_parent_s():
    ballast = np.ones(2**27)  # 1 GiB
    script = "from bench.store.provenance import peak_memory_mib; print(peak_memory_mib())"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert float(answer.stdout) < ballast.nbytes / 2**20 / 2
