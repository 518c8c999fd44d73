"""A file of the store that is not as it was written is found, named, and never read."""

import json
import os
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest

from bench.errors import UserError
from bench.store import (
    DamagedError,
    Result,
    StoredCell,
    check_run,
    content_key,
    open_run,
    write_done,
    write_failed,
    write_manifest,
)
from bench.store.seal import OtherFormatError, read_sealed, write_sealed

FILES = ("arrays.npz", "config.json", "done.json", "history.parquet", "metrics.json")
FILES += ("net.keras", "provenance.json")


class Network:
    """Saves itself, as a Keras model does."""

    def save(self, path):
        path.write_bytes(b"weights" * 100)


@pytest.fixture
def written(cell):
    """A finished cell with a file of each kind."""
    table = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})
    arrays, models = {"samples": np.arange(12)}, {"net": Network()}
    write_done(cell, Result({"accuracy": 0.875}, {"history": table}, arrays, models), {"a": 1}, {})
    assert cell.status == "done"
    assert sorted(path.name for path in cell.folder.iterdir()) == list(FILES)
    return cell


def _fresh(cell):
    """Return the same cell, of which nothing is remembered."""
    return StoredCell(cell.run_folder, cell.experiment, cell.variant, cell.seed_index, cell.key)


def _show_damage(cell, name):
    cell = _fresh(cell)
    assert cell.status == "damaged"
    assert cell.failure["message"].startswith(name)
    assert cell.seal is None
    for read in ("metrics", "config", "provenance", "arrays", "table_names"):
        with pytest.raises(DamagedError, match="invoke run-all"):
            getattr(cell, read)
    with pytest.raises(DamagedError):
        cell.model_path("net")


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_bit_is_found(written, name):
    path = written.folder / name
    whole = path.read_bytes()
    places = np.random.default_rng(1).integers(0, 8 * len(whole), 60)
    for place in places:
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        if name == "done.json" and _same_json(changed, whole):
            continue  # a blank for another one: no content has changed
        path.write_bytes(changed)
        assert written.status == "damaged", place
    path.write_bytes(whole)
    assert written.status == "done"


def _same_json(one, other):
    try:
        return json.loads(one) == json.loads(other)
    except ValueError:
        return False


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["empty", "short", "gone", "folder", "link", "fifo"])
def test_a_file_that_is_no_longer_there_or_whole_is_named(written, name, damage):
    path = written.folder / name
    whole = path.read_bytes()
    path.unlink()
    if damage in ("empty", "short"):
        path.write_bytes(whole[: len(whole) // 2 if damage == "short" else 0])
    elif damage == "folder":
        path.mkdir()
    elif damage == "link":
        path.symlink_to("/dev/zero")
    elif damage == "fifo":
        os.mkfifo(path)
    _show_damage(written, name)


def test_a_changed_digit_is_no_result(written):
    path = written.folder / "metrics.json"
    path.write_text(path.read_text().replace("0.875", "0.975"))
    _show_damage(written, "metrics.json holds other bytes than were written")


def test_a_change_of_the_same_size_within_one_tick_of_the_clock_is_found(written):
    path = written.folder / "metrics.json"
    whole = path.read_text()
    for _ in range(50):
        path.write_text(whole.replace("0.875", "0.975"))
        assert written.status == "damaged"
        path.write_text(whole)
        assert written.status == "done"


def test_times_that_are_set_back_hide_no_change(written):
    path = written.folder / "metrics.json"
    times = path.stat()
    with path.open("r+") as file:
        file.write(path.read_text().replace("0.875", "0.975"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert written.status == "damaged"


def test_another_cell_s_files_are_no_result(written):
    other = StoredCell(written.run_folder, "pottery", "vase", 1, "f" * 64)
    write_done(other, Result({"accuracy": 0.5}), {}, {})
    shutil.copy(other.folder / "metrics.json", written.folder)
    assert _fresh(written).failure["message"].startswith("metrics.json")
    shutil.rmtree(written.folder)
    shutil.copytree(other.folder, written.folder)
    assert "done.json is of another cell" in _fresh(written).failure["message"]


def test_a_file_that_is_not_listed_is_not_read(written):
    pd.DataFrame({"loss": [0.0]}).to_parquet(written.folder / "planted.parquet")
    (written.folder / "planted.keras").write_bytes(b"...")
    assert written.status == "done"
    assert written.table_names == ["history"]
    for read in (written.table, written.model_path):
        with pytest.raises(DamagedError, match="not among the cell's files"):
            read("planted")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"files": None},
        {"files": {"metrics.json": 3}},
        {"files": {"../x": {"bytes": 1, "sha256": ""}}},
        {"files": {}, "error": "a failure in done.json"},
    ],
)
def test_a_sealed_file_that_says_nothing_of_use_is_damage(written, content):
    write_sealed(written.folder / "done.json", {"key": written.key, **content})
    assert written.status == "damaged"


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"a": NaN}', "\ufeff{}", "{}"])
def test_a_file_that_is_no_sealed_json_is_damage(tmp_path, text):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(DamagedError, match="invoke run-all"):
        read_sealed(path)


def test_a_failed_cell_is_sealed_as_well(cell):
    write_failed(cell, RuntimeError("the kiln broke"), {}, {})
    assert cell.status == "failed"
    path = cell.folder / "failed.json"
    path.write_text(path.read_text().replace("the kiln", "no  kiln"))
    assert cell.status == "damaged"
    path.write_text("{")
    assert cell.failure["message"].startswith("failed.json cannot be read")


def test_what_is_damaged_is_written_anew(written):
    (written.folder / "metrics.json").unlink()
    write_done(written, Result({"accuracy": 0.5}), {}, {})
    assert _fresh(written).metrics == {"accuracy": 0.5}
    assert [path.name for path in written.folder.parent.iterdir()] == [written.name]


def test_even_a_file_in_a_cell_s_place_is_replaced(cell, result):
    cell.folder.parent.mkdir(parents=True)
    cell.folder.write_text("a file")
    assert cell.status == "damaged"
    write_done(cell, result, {}, {})
    assert cell.status == "done"


def test_a_whole_cell_is_hashed_once(written, monkeypatch):
    hashed = []

    def count(path, flags):
        hashed.append(path)
        return real(path, flags)

    for path in written.folder.iterdir():
        os.utime(path)  # so that nothing is remembered of the writing
    real = os.open
    monkeypatch.setattr("os.open", count)
    monkeypatch.setattr("bench.store.seal.SETTLED", -1)
    for _ in range(3):
        assert written.status == "done"
        assert written.metrics
    assert len(hashed) == len(FILES) - 1


def test_a_seal_tells_any_change(written):
    before = written.seal
    assert before == _fresh(written).seal
    write_done(written, Result({"accuracy": 0.876}), {}, {})
    assert written.seal != before


@pytest.fixture
def run(tmp_path):
    """A run with cells of every status."""
    cells = [StoredCell(tmp_path / "run", "pottery", "vase", n, content_key(n)) for n in range(4)]
    write_done(cells[0], Result({"accuracy": 0.5}), {}, {})
    write_done(cells[1], Result({"accuracy": 0.5}), {}, {})
    write_failed(cells[2], RuntimeError("the kiln broke"), {}, {})
    return write_manifest(tmp_path / "run", {"name": "run"}, cells)


def test_a_whole_run_is_whole(run):
    checked = check_run(run.folder)
    assert checked.damage == ()
    assert checked.statuses == {"done": 2, "failed": 1, "missing": 1}


def test_every_damaged_cell_is_named_with_its_file(run):
    (run.cells[0].folder / "config.json").write_text("{}")
    (run.cells[2].folder / "failed.json").write_text("")
    checked = check_run(run.folder)
    assert checked.statuses == {"done": 1, "damaged": 2, "missing": 1}
    assert [words.split(" ")[:2] for words in sorted(checked.damage)] == [
        [f"{run.cells[0].label}:", "config.json"],
        [f"{run.cells[2].label}:", "failed.json"],
    ]


def test_cells_that_the_manifest_does_not_name_are_checked(run):
    other = StoredCell(run.folder, "pottery", "bowl", 0, content_key("bowl"))
    write_done(other, Result({}), {}, {})
    assert check_run(run.folder).statuses["done"] == 3
    (other.folder / "metrics.json").write_text("{ }")
    assert check_run(run.folder).damage[0].startswith(f"{other.label}: metrics.json")
    (run.folder / "manifest.json").write_text("")
    assert [words.split(" ")[0] for words in check_run(run.folder).damage] == [
        "manifest.json",
        f"{other.label}:",
    ]


def test_a_damaged_manifest_is_refused_and_written_anew(run):
    path = run.folder / "manifest.json"
    whole = path.read_text()
    path.write_text(whole.replace('"seed": 0', '"seed": 9'))
    with pytest.raises(DamagedError, match=r"manifest\.json holds another text"):
        open_run(run.folder)
    write_manifest(run.folder, run.profile, run.cells)
    assert path.read_text() == whole


@pytest.mark.parametrize(
    "row",
    [
        {"experiment": "..", "variant": "b", "seed": 0, "key": "k"},
        {"experiment": "a", "variant": "b/../../c", "seed": 0, "key": "k"},
        {"experiment": "a", "variant": "b", "seed": "0", "key": "k"},
        {"experiment": "a", "variant": "b", "seed": 0},
        {"experiment": "a", "variant": "b", "seed": 0, "key": "k", "more": 1},
        7,
    ],
)
def test_rows_that_lead_elsewhere_are_refused(tmp_path, row):
    write_sealed(tmp_path / "manifest.json", {"profile": {}, "cells": [row]})
    with pytest.raises(DamagedError, match="does not list cells"):
        open_run(tmp_path)


@pytest.mark.parametrize("schema", [1, 3])
def test_another_format_is_refused_and_kept(run, schema):
    path = run.folder / "manifest.json"
    path.write_text(json.dumps({"schema": schema, "profile": {}, "cells": []}))
    for touch in (
        lambda: open_run(run.folder),
        lambda: check_run(run.folder),
        lambda: write_manifest(run.folder, {}, run.cells),
    ):
        with pytest.raises(OtherFormatError, match="Another version") as found:
            touch()
        assert isinstance(found.value, UserError)
        assert "--run" in str(found.value)
    assert json.loads(path.read_text())["schema"] == schema


def test_a_cell_of_the_first_format_is_damaged_not_done(written):
    (written.folder / "done.json").write_text(json.dumps({"schema": 1, "key": written.key}))
    assert written.failure["message"] == "done.json has format 1, not 2"


def test_every_damaged_file_of_a_cell_is_named(written, tmp_path):
    (written.folder / "history.parquet").unlink()
    (written.folder / "metrics.json").write_text("{}")
    message = _fresh(written).failure["message"]
    assert "history.parquet cannot be read" in message
    assert "metrics.json has 2 bytes" in message
    assert "config.json" not in message
    write_manifest(written.run_folder, {"name": "run"}, [written])
    (found,) = check_run(written.run_folder).damage
    assert found == f"{written.label}: {message}"


@pytest.mark.parametrize("kind", [DamagedError, OtherFormatError])
def test_damage_that_a_renderer_found_is_told_in_the_process_that_asked(kind):
    error = kind("run/metrics.json", "is not there")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is kind
    assert (str(again), again.reason) == (str(error), error.reason)
