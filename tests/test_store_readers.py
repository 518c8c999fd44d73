"""Readers beside a run that writes: each sees a cell whole, or not at all."""

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np

from bench.store import (
    Result,
    StoredCell,
    open_run,
    remove,
    write_done,
    write_failed,
    write_manifest,
)

READERS, CELLS = 8, 40


def test_eight_readers_beside_a_writer_see_nothing_torn(tmp_path):
    cells = [StoredCell(tmp_path / "r", "a", "b", n, f"{n:064x}"[::-1]) for n in range(CELLS)]
    write_manifest(tmp_path / "r", {"name": "r"}, cells)
    written = threading.Event()

    def read(_):
        """Look at all cells until all are written; what was seen, but for what is as it should."""
        wrong, looks = [], 0
        while True:
            last = written.is_set()
            for cell in open_run(tmp_path / "r").cells:
                state = cell.status
                if state == "done":
                    if cell.metrics["n"] != cell.seed_index or cell.arrays["x"].sum() != 1000:
                        wrong.append("another cell's figures")
                elif state != "missing":
                    wrong.append(f"{state}: {cell.failure}")
            looks += 1
            if last:
                return wrong, looks

    with mock.patch("os.fsync"), ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, n) for n in range(READERS)]
        for cell in cells:
            write_done(cell, Result({"n": cell.seed_index}, arrays={"x": np.ones(1000)}), {}, {})
            write_manifest(tmp_path / "r", {"name": "r"}, cells)
        written.set()
        found = [reader.result() for reader in readers]
    assert [wrong for wrong, _ in found if wrong] == []
    assert all(looks >= 1 for _, looks in found)
    assert {cell.status for cell in open_run(tmp_path / "r").cells} == {"done"}


def test_a_failed_cell_that_is_made_again_is_never_seen_as_damaged(tmp_path, cell):
    write_failed(cell, RuntimeError("the kiln broke"), {}, {})
    stop, seen = threading.Event(), set()

    def look():
        while not stop.is_set():
            seen.add(StoredCell(**{f: getattr(cell, f) for f in cell.__match_args__}).status)

    watcher = threading.Thread(target=look)
    with mock.patch("os.fsync"):
        watcher.start()
        for _ in range(30):
            write_done(cell, Result({"accuracy": 0.5}), {}, {})
            remove(cell.folder)
            write_failed(cell, RuntimeError("the kiln broke"), {}, {})
        stop.set()
        watcher.join()
    assert seen <= {"failed", "missing", "done"}
