"""Time of the run store: a cell written safely, a cell read, a key."""

import itertools

import numpy as np
import pandas as pd

from bench.store import Result, StoredCell, content_key, write_done

RESULT = Result(
    metrics={"accuracy": 0.5, "report": {str(k): k / 7 for k in range(50)}},
    tables={"history": pd.DataFrame(np.ones((50, 6)), columns=list("abcdef"))},
    arrays={"images": np.zeros((200, 28, 28), dtype="uint8")},
)


def _cell(folder, number):
    return StoredCell(folder, "pottery", "vase", number, content_key(number))


def test_writing_a_cell(timed, tmp_path):
    numbers = itertools.count()

    def write():
        cell = _cell(tmp_path, next(numbers))
        write_done(cell, RESULT, {}, {})
        return cell

    assert timed(write, items=1, unit="cells").status == "done"


def test_reading_a_cell(timed, tmp_path):
    write_done(_cell(tmp_path, 0), RESULT, {}, {})

    def read():
        cell = _cell(tmp_path, 0)
        return cell.metrics, cell.arrays, cell.table("history")

    assert timed(read, items=1, unit="cells")[0]["accuracy"] == 0.5
