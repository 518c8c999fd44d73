"""Cells that travel as bytes: whole, or refused."""

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from bench.store import DamagedError, Result, write_done, write_failed
from bench.store.travel import digest, pack, unpack


@pytest.fixture
def done(cell):
    write_done(cell, Result({"accuracy": 0.5}, arrays={"codes": np.arange(3)}), {"a": 1}, {})
    return cell


def test_a_cell_arrives_as_it_was_sent(done, tmp_path):
    there = replace(done, run_folder=tmp_path / "there")
    content = pack(done)
    unpack(there, content, digest(content))
    assert there.seal == done.seal
    assert there.metrics == done.metrics
    assert [path.name for path in there.folder.parent.iterdir()] == [there.name]


def test_a_failed_cell_travels_with_its_reason(cell, tmp_path):
    write_failed(cell, RuntimeError("the kiln broke"), {}, {})
    there = replace(cell, run_folder=tmp_path / "there")
    unpack(there, pack(cell), digest(pack(cell)))
    assert there.failure["message"] == "the kiln broke"


def test_a_cell_that_is_not_there_or_damaged_cannot_travel(cell, done):
    (done.folder / "metrics.json").write_text("{}")
    with pytest.raises(DamagedError, match="not whole"):
        pack(done)


def _repacked(content, change):
    """Change the files of a packed cell."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


CHANGES = {
    "another byte": lambda files: files.update({"metrics.json": files["metrics.json"] + b" "}),
    "a missing file": lambda files: files.pop("arrays.npz"),
    "a way out": lambda files: files.update({"../../evil": b"x"}),
    "no end": lambda files: files.pop("done.json"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_not_the_cell_is_refused_and_nothing_is_left(done, tmp_path, change):
    there = replace(done, run_folder=tmp_path / "there")
    content = _repacked(pack(done), CHANGES[change])
    with pytest.raises(DamagedError, match="arrived"):
        unpack(there, content, digest(content))
    assert there.status == "missing"
    assert list(there.folder.parent.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_bytes_that_were_lost_on_the_way_are_refused(done, tmp_path):
    there = replace(done, run_folder=tmp_path / "there")
    content = pack(done)
    with pytest.raises(DamagedError, match="other bytes than were sent"):
        unpack(there, content[:-1], digest(content))
    with pytest.raises(DamagedError, match="no archive"):
        unpack(there, b"nonsense", digest(b"nonsense"))


def test_another_cell_in_its_place_is_refused(done, tmp_path):
    there = replace(done, run_folder=tmp_path / "there", key="f" * 64)
    content = pack(done)
    with pytest.raises(DamagedError, match="arrived damaged"):
        unpack(there, content, digest(content))
