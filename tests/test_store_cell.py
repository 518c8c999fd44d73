"""A cell is whole or absent, whatever happens."""

import numpy as np
import pandas as pd
import pytest

from bench.store import DamagedError, Result, StoredCell, write_done, write_failed
from bench.store.seal import list_files, write_sealed


def test_what_is_written_is_read_back(cell):
    history = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})
    images = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    write_done(
        cell,
        Result({"accuracy": 0.9}, {"history": history}, {"images": images}),
        {"seed": 1},
        {"backend": "none"},
    )
    read = StoredCell(cell.run_folder, "pottery", "vase", 0, cell.key)
    assert read.status == "done"
    assert read.metrics == {"accuracy": 0.9}
    assert read.config == {"seed": 1}
    assert read.provenance == {"backend": "none"}
    assert list(read.arrays) == ["images"]
    np.testing.assert_array_equal(read.array("images"), images)
    assert read.table_names == ["history"]
    pd.testing.assert_frame_equal(read.table("history"), history)


def test_a_cell_that_was_never_written_is_missing(cell):
    assert cell.status == "missing"
    assert cell.failure is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_refused_and_leaves_nothing(cell, value):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_done(cell, Result({"loss": value}), {}, {})
    assert cell.status == "missing"
    assert list(cell.folder.parent.iterdir()) == []


def test_objects_are_refused(cell):
    with pytest.raises(ValueError, match="holds objects"):
        write_done(cell, Result({}, arrays={"bad": np.array([object()])}), {}, {})
    assert cell.status == "missing"


def test_done_is_the_last_file_and_a_crash_before_it_leaves_no_cell(cell, result, monkeypatch):
    written = []
    real = cell.folder.__class__.write_text

    def watch(path, *arguments, **named):
        written.append(path.name)
        if path.name == "done.json":
            raise OSError("the power went")
        return real(path, *arguments, **named)

    monkeypatch.setattr(cell.folder.__class__, "write_text", watch)
    with pytest.raises(OSError, match="the power went"):
        write_done(cell, result, {}, {})
    assert written[-1] == "done.json"
    assert cell.status == "missing"


def test_a_failure_keeps_its_reason_and_a_later_success_takes_its_place(cell, result):
    try:
        raise RuntimeError("the kiln broke")
    except RuntimeError as error:
        write_failed(cell, error, {}, {})
    assert cell.status == "failed"
    assert cell.failure["message"] == "the kiln broke"
    assert "the kiln broke" in cell.failure["traceback"]
    write_done(cell, result, {}, {})
    again = StoredCell(cell.run_folder, "pottery", "vase", 0, cell.key)
    assert again.status == "done"
    assert again.failure is None


def test_a_failure_does_not_replace_a_finished_cell(cell, result):
    write_done(cell, result, {}, {})
    write_failed(cell, RuntimeError("told too late"), {}, {})
    assert cell.status == "done"
    assert cell.failure is None


def test_a_message_that_cannot_be_printed_is_told_all_the_same(cell):
    write_failed(cell, RuntimeError("half a pair: \ud800"), {}, {})
    assert cell.status == "failed"
    assert cell.failure["message"] == "half a pair: ?"


def test_pickled_arrays_are_not_read(cell, result):
    write_done(cell, Result({}, arrays={"good": np.zeros(2)}), {}, {})
    np.savez(cell.folder / "arrays.npz", bad=np.array([{}], dtype=object))
    (cell.folder / "done.json").unlink()
    files = list_files(cell.folder)
    write_sealed(cell.folder / "done.json", {"key": cell.key, "files": files})
    assert cell.status == "done"
    with pytest.raises(DamagedError, match=r"arrays\.npz cannot be read.*allow_pickle=False"):
        cell.array("bad")


def test_a_long_failure_is_kept_by_its_beginning_and_end(cell):
    words = "\n".join(["A total of 3 objects", *(f"layer {n} " * 200 for n in range(90)), "End"])
    try:
        raise ValueError(words)
    except ValueError as error:
        write_failed(cell, error, {}, {})
    message, kept = cell.failure["message"], cell.failure["traceback"]
    assert message.startswith("A total of 3 objects\nlayer 0 layer 0")
    assert message.endswith("End")
    assert "[82 lines]" in message
    assert len(message) < 8000 < len(words)
    assert kept.startswith("Traceback")
    assert "raise ValueError(words)" in kept
    assert kept.rstrip().endswith("End")


@pytest.mark.parametrize(
    "words", ["", "no room", "one\ntwo\n", "a" * 580, "\n".join("abcdefghijk")]
)
def test_a_short_failure_is_kept_whole(cell, words):
    write_failed(cell, ValueError(words), {}, {})
    assert cell.failure["message"] == words.rstrip()
    assert words.rstrip() in cell.failure["traceback"]
