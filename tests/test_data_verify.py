"""Only whole files with the expected SHA-256 of their decompressed bytes are accepted."""

import gzip
import hashlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import files
from bench.data.files import RefusedError, read_verified, unpack, verified


def sha256(payload):
    return hashlib.sha256(payload).hexdigest()


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=200).filter(lambda raw: raw[:2] != files.GZIP_MAGIC))
def test_raw_and_gzip_have_one_sum(raw):
    assert verified(raw, sha256(raw)) == raw
    assert verified(gzip.compress(raw), sha256(raw)) == raw


@settings(deadline=None)
@given(st.binary(min_size=20, max_size=200), st.data())
def test_a_cut_gzip_is_refused(raw, data):
    packed = gzip.compress(raw)
    length = data.draw(st.integers(2, len(packed) - 1))
    with pytest.raises(RefusedError):
        verified(packed[:length], sha256(raw))


@settings(deadline=None)
@given(st.binary(min_size=20, max_size=200), st.data())
def test_a_flipped_bit_is_refused(raw, data):
    position = data.draw(st.integers(0, len(raw) - 1))
    damaged = bytearray(raw)
    damaged[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RefusedError, match=sha256(raw)):
        verified(bytes(damaged), sha256(raw))


def test_the_refusal_names_both_sums_and_the_length():
    with pytest.raises(RefusedError) as caught:
        verified(b"other", sha256(b"right"))
    for part in (sha256(b"other"), sha256(b"right"), "5 bytes"):
        assert part in str(caught.value)


def test_a_decompression_bomb_is_refused():
    with pytest.raises(RefusedError, match="at most 1000 bytes"):
        unpack(gzip.compress(bytes(1001)), most_bytes=1000)
    assert unpack(gzip.compress(bytes(1000)), most_bytes=1000) == bytes(1000)


def test_a_decompression_bomb_does_not_fill_the_memory():
    bomb = gzip.compress(bytes(20_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError):
            unpack(bomb, most_bytes=1000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_too_large_a_file_is_not_even_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 10)
    (tmp_path / "file").write_bytes(bytes(11))
    with pytest.raises(RefusedError, match="at most 10 bytes"):
        read_verified(tmp_path / "file", sha256(bytes(11)))


def test_an_unreadable_file_is_refused(tmp_path):
    with pytest.raises(RefusedError, match="cannot be read"):
        read_verified(tmp_path / "absent", sha256(b""))
