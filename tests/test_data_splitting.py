"""Validation sets and caps: stratified, disjoint, repeatable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import Dataset, split
from bench.data.splitting import apportion
from bench.errors import UserError


def dataset(counts=(400, 250, 350), test_counts=(40, 20, 40)):
    """Number the images in their first pixels, so that each can be traced."""

    def part(sizes, seed):
        labels = np.repeat(np.arange(len(sizes), dtype=np.uint8), sizes)
        labels = np.random.default_rng(seed).permutation(labels)
        images = np.zeros((len(labels), 28, 28), np.uint8)
        images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(len(labels)), 256)
        return images, labels

    return Dataset("toy", *part(counts, 1), *part(test_counts, 2), sha256={}, route="made here")


DATA = dataset()
seeds = st.integers(0, 2**32)


def traced(images):
    return images[:, 0, 0].astype(int) * 256 + images[:, 0, 1]


@settings(deadline=None)
@given(validation=st.one_of(st.just(0), st.integers(3, 900)), seed=seeds)
def test_training_and_validation_share_out_the_training_set(validation, seed):
    parts = split(DATA, validation, seed)
    assert len(parts.validation_labels) == validation
    both = np.concatenate([parts.train_index, parts.validation_index])
    assert sorted(both) == list(range(1000))


@settings(deadline=None)
@given(
    validation=st.integers(3, 900),
    seed=seeds,
    limit=st.one_of(st.none(), st.integers(3, 2000)),
    test_limit=st.one_of(st.none(), st.integers(3, 200)),
)
def test_rows_images_and_labels_stay_together(validation, seed, limit, test_limit):
    parts = split(DATA, validation, seed, limit, test_limit)
    for part, images, labels in (
        ("train", DATA.train_images, DATA.train_labels),
        ("validation", DATA.train_images, DATA.train_labels),
        ("test", DATA.test_images, DATA.test_labels),
    ):
        index = getattr(parts, f"{part}_index")
        assert np.all(np.diff(index) > 0)
        np.testing.assert_array_equal(getattr(parts, f"{part}_images"), images[index])
        np.testing.assert_array_equal(traced(getattr(parts, f"{part}_images")), index)
        np.testing.assert_array_equal(getattr(parts, f"{part}_labels"), labels[index])
    assert len(parts.train_index) == min(limit or 1000, 1000 - validation)
    assert len(parts.test_index) == min(test_limit or 100, 100)


@settings(deadline=None)
@given(seed=seeds)
def test_classes_keep_their_shares(seed):
    parts = split(DATA, 100, seed, limit=90, test_limit=10)
    assert np.bincount(parts.validation_labels).tolist() == [40, 25, 35]
    # 90 of 360, 225 and 315: 36, 22.5 and 31.5; the one place left goes to the lower class.
    assert np.bincount(parts.train_labels).tolist() == [36, 23, 31]
    assert np.bincount(parts.test_labels).tolist() == [4, 2, 4]


@settings(deadline=None)
@given(seed=seeds)
def test_the_same_call_gives_the_same_parts(seed):
    first, second = split(DATA, 100, seed, 50, 20), split(DATA, 100, seed, 50, 20)
    for part in ("train_index", "validation_index", "test_index"):
        np.testing.assert_array_equal(getattr(first, part), getattr(second, part))


def test_the_seed_changes_training_and_validation_but_never_the_test_images():
    first, second = split(DATA, 100, 1, 50, 20), split(DATA, 100, 2, 50, 20)
    assert not np.array_equal(first.validation_index, second.validation_index)
    assert not np.array_equal(first.train_index, second.train_index)
    np.testing.assert_array_equal(first.test_index, second.test_index)


def test_the_cap_does_not_change_the_validation_set():
    capped, whole = split(DATA, 100, 7, limit=50), split(DATA, 100, 7)
    np.testing.assert_array_equal(capped.validation_index, whole.validation_index)
    assert set(capped.train_index) <= set(whole.train_index)


def test_the_choice_is_the_one_it_always_was():
    """Stored results name their split by its seed: another choice would belie them."""
    parts = split(DATA, 10, seed=20231130)
    assert parts.validation_index.tolist() == [29, 48, 69, 109, 207, 462, 545, 546, 611, 703]


def test_parts_may_be_written_to_without_harm():
    parts = split(DATA, 10, 0)
    parts.train_images[:] = 255
    np.testing.assert_array_equal(traced(DATA.train_images), np.arange(1000))


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(0, 10_000), min_size=1, max_size=12),
    share=st.floats(0, 1),
)
def test_apportion(counts, share):
    counts = np.array(counts)
    total = round(share * counts.sum())
    places = apportion(total, counts)
    assert places.sum() == total
    assert np.all(places <= counts)
    quota = total * counts / max(counts.sum(), 1)
    assert np.all(np.abs(places - quota) < 1)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"validation": -1}, "validation"),
        ({"validation": 2}, "validation"),
        ({"validation": 998}, "validation"),
        ({"validation": 10, "limit": 2}, "train_limit"),
        ({"validation": 10, "test_limit": 0}, "test_limit"),
    ],
)
def test_sizes_that_leave_out_a_class_are_refused(arguments, key):
    with pytest.raises(UserError, match=f"^{key}: expected .* got"):
        split(DATA, seed=0, **arguments)
