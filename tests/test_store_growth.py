"""Cycle after cycle of making, reading and deleting runs, in one process, leaves nothing behind."""

import gc
import pathlib
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.reading import overview
from bench.store import (
    Result,
    StoredCell,
    check_run,
    lock_run,
    open_run,
    remove,
    seal,
    write_done,
    write_failed,
    write_manifest,
)
from bench.store.travel import digest, pack, unpack

CYCLES, SETTLED, CELLS = 200, 50, 6
MOST = 200_000  # bytes that may stay in 150 cycles: less than one whole manifest a cycle
DESCRIPTORS = Path("/proc/self/fd")


def _cycle(runs, number):
    """Make a run, let a cell fail and be made again, read all, move a cell, and delete the run."""
    folder = runs / "r"
    cells = [StoredCell(folder, "a", "b", n, f"{n:064x}"[::-1]) for n in range(CELLS)]
    table = pd.DataFrame({"epoch": range(20), "loss": np.linspace(1, 0, 20)})
    result = Result({"n": number}, {"history": table}, {"x": np.full(1000, number)})
    with lock_run(folder):
        write_manifest(folder, {"name": "r", "long": "x" * 10_000, "cycle": number}, cells)
        write_failed(cells[0], RuntimeError("the kiln broke"), {}, {})
        for cell in cells:
            write_done(cell, result, {"cycle": number}, {"seconds": 1.0})
        unpack(cells[1], (content := pack(cells[1])), digest(content))
    for cell in open_run(folder).cells:
        assert cell.metrics["n"] == cell.arrays["x"][-1] == number
        assert len(cell.table("history")) == 20
    assert [each.name for each in overview(runs)] == ["r"]
    assert check_run(folder).statuses == {"done": CELLS}
    remove(folder)


def _open_files():
    return len(list(DESCRIPTORS.iterdir())) if DESCRIPTORS.is_dir() else 0


def _growth():
    """Bytes that were taken since tracing began, and are still held."""
    gc.collect()
    # the interpreter's table of names, which paths are put into, is doubled now and then
    names = tracemalloc.Filter(False, pathlib.__file__)
    found = tracemalloc.take_snapshot().filter_traces([names]).statistics("filename")
    return sum(each.size for each in found)


@pytest.mark.slow
def test_two_hundred_cycles_leave_neither_memory_nor_handles_nor_files(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    # a file is remembered once it is old enough: here at once
    monkeypatch.setattr(seal.State, "settled", True)
    for number in range(SETTLED):
        _cycle(tmp_path, number)
    handles = _open_files()
    tracemalloc.start()
    try:
        for number in range(SETTLED, CYCLES):
            _cycle(tmp_path, number)
        growth = _growth()
    finally:
        tracemalloc.stop()
    assert growth < MOST
    assert _open_files() == handles
    assert list(tmp_path.rglob("*")) == []
