"""The IDX parser: what it reads back, and what it refuses."""

import numpy as np
import pytest
from data_support import encode_idx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bench.data.idx import IdxError, parse

idx_arrays = arrays.arrays(
    dtype=st.sampled_from(["u1", "i1", "i2", "i4", "f4", "f8"]).map(np.dtype),
    shape=arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
)


@settings(deadline=None)
@given(idx_arrays)
def test_round_trip(array):
    parsed = parse(encode_idx(array))
    assert parsed.dtype == array.dtype
    assert parsed.dtype.isnative
    np.testing.assert_array_equal(parsed, array)


@settings(deadline=None)
@given(idx_arrays, st.data())
def test_any_cut_is_refused(array, data):
    payload = encode_idx(array)
    length = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(IdxError):
        parse(payload[:length])


@settings(deadline=None)
@given(idx_arrays, st.binary(min_size=1, max_size=9))
def test_anything_added_is_refused(array, extra):
    with pytest.raises(IdxError, match="added to"):
        parse(encode_idx(array) + extra)


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_arbitrary_bytes_are_parsed_or_refused_as_no_idx(payload):
    try:
        parsed = parse(payload)
    except IdxError:
        return
    assert encode_idx(parsed)[:4] == payload[:4]


def test_mnist_labels_by_hand():
    parsed = parse(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    assert parsed.tolist() == [7, 2, 1]
    assert parsed.dtype == np.uint8


def test_big_endian_values_by_hand():
    parsed = parse(bytes([0, 0, 0x0B, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 255, 254]))
    assert parsed.tolist() == [[256, -2]]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"", "at least the 4 bytes"),
        (b"\x1f\x8b\x08\x00rest", "1f 8b 08 00.*still compressed"),
        (b"\x00\x00\x0a\x01\x00\x00\x00\x00", "magic number"),
        (b"\x00\x00\x08\x00", "rank 0"),
        (b"\x00\x00\x08\x03\x00\x00\x00\x01", "rank 3"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x05\x01", r"expected 13 bytes for shape \(5,\) of uint8"),
    ],
)
def test_errors_say_what_was_expected_and_found(payload, message):
    with pytest.raises(IdxError, match=message) as caught:
        parse(payload, "the-file")
    assert str(caught.value).startswith("the-file: expected")
