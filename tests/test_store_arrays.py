"""A made-up cell whose hashes are right makes no reader take more memory than a run needs."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

from bench.store import DamagedError, Result, write_done
from bench.store.arrays import LARGEST, read_arrays, read_table
from bench.store.seal import list_files, write_sealed


def _array(shape, descr="|u1", held=64):
    """A `.npy` file whose header says this shape, with `held` bytes behind it."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return file.getvalue() + bytes(held)


def _archive(path, content, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x.npy", content)


@pytest.fixture
def made_up(cell):
    """Puts other arrays into a finished cell, and seals it anew."""

    def put(write):
        write_done(cell, Result({}, arrays={"x": np.ones(3)}), {}, {})
        write(cell.folder / "arrays.npz")
        (cell.folder / "done.json").unlink()
        listed = list_files(cell.folder)
        write_sealed(cell.folder / "done.json", {"key": cell.key, "files": listed})
        assert cell.status == "done"
        return cell

    return put


@pytest.mark.parametrize(
    "content",
    [
        _array((1 << 50,)),
        _array((1 << 40, 28, 28), "<f4"),
        _array((1 << 32, 1 << 32)),  # no bytes at all, where products overflow
        _array((LARGEST // 2,)),  # few enough, but not there
        _array((1 << 50,), "<U0", held=0),
        _array((32,)),
        b"",
        b"no array",
    ],
)
def test_a_header_that_says_another_size_than_there_is_is_refused(made_up, content):
    with pytest.raises(DamagedError, match=r"arrays\.npz cannot be read \(ValueError"):
        _ = made_up(lambda path: _archive(path, content)).arrays


def test_arrays_that_would_unpack_to_too_much_are_refused_unread(made_up, monkeypatch):
    cell = made_up(lambda path: np.savez_compressed(path, a=np.zeros(1 << 20), b=np.zeros(9)))
    monkeypatch.setattr("bench.store.arrays.LARGEST", 1 << 20)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)  # nothing is unpacked
    with pytest.raises(DamagedError, match=f"would take 83889.. bytes, more than {1 << 20}"):
        _ = cell.arrays


def test_a_compression_that_asks_for_memory_is_refused(made_up):
    packed = made_up(lambda path: _archive(path, _array((64,)), zipfile.ZIP_LZMA))
    with pytest.raises(DamagedError, match="in another way"):
        _ = packed.arrays


def test_a_table_that_says_too_many_rows_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"x": np.zeros(1 << 20)}).to_parquet(path, index=False)
    monkeypatch.setattr("bench.store.arrays.LARGEST", (1 << 23) - 1)
    assert path.stat().st_size < 1 << 14
    with pytest.raises(ValueError, match=f"would take {1 << 23} bytes"):
        read_table(path)


def test_a_network_that_would_unpack_to_too_much_is_not_loaded(cell, monkeypatch):
    class Network:
        def save(self, path):
            _archive(path, bytes(1 << 20))

    write_done(cell, Result({}, models={"decoder": Network()}), {}, {})
    assert cell.model("decoder", lambda path: path.name) == "decoder.keras"
    monkeypatch.setattr("bench.store.arrays.LARGEST", (1 << 20) - 1)
    loaded = []
    with pytest.raises(DamagedError, match="would take"):
        cell.model("decoder", loaded.append)
    assert not loaded


def test_whatever_numpy_and_pandas_write_is_read_back(tmp_path):
    arrays = {
        "empty": np.zeros((0, 3)),
        "scalar": np.array(2.5, dtype=np.float32),
        "columns": np.asfortranarray(np.arange(12).reshape(3, 4)),
        "words": np.array(["a", "bc"]),
        "flags": np.array([True, False]),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "arrays.npz", **arrays)
        found = read_arrays(tmp_path / "arrays.npz")
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)
    table = pd.DataFrame({"n": [1, 2], "x": [0.5, None], "word": ["a", None], "on": [True, False]})
    table.to_parquet(tmp_path / "t.parquet", index=False)
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "t.parquet"), pd.read_parquet(tmp_path / "t.parquet")
    )
