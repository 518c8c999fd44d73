"""The real MNIST and Fashion-MNIST, by whichever route works on this machine."""

import gzip
import hashlib
import subprocess
import sys

import numpy as np
import pytest
from data_support import encode_idx

from bench.data import DATASETS, fingerprint, load, split
from bench.data.definition import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS

# Counted in the published files.
MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
MNIST_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
COUNTS = {"mnist": (MNIST_TRAIN, MNIST_TEST), "fashion_mnist": ([6000] * 10, [1000] * 10)}


@pytest.fixture(scope="module", params=sorted(DATASETS))
def dataset(request):
    return load(request.param)


def files_of(dataset):
    return {
        TRAIN_IMAGES: encode_idx(dataset.train_images),
        TRAIN_LABELS: encode_idx(dataset.train_labels),
        TEST_IMAGES: encode_idx(dataset.test_images),
        TEST_LABELS: encode_idx(dataset.test_labels),
    }


def test_shapes_types_and_counts(dataset):
    assert dataset.train_images.shape == (60_000, 28, 28)
    assert dataset.test_images.shape == (10_000, 28, 28)
    for images in (dataset.train_images, dataset.test_images):
        assert images.dtype == np.uint8
        assert (images.min(), images.max()) == (0, 255)
        assert not images.flags.writeable
    train, test = COUNTS[dataset.name]
    assert np.bincount(dataset.train_labels).tolist() == train
    assert np.bincount(dataset.test_labels).tolist() == test


def test_the_arrays_encode_to_the_published_sums(dataset):
    sums = {file: hashlib.sha256(raw).hexdigest() for file, raw in files_of(dataset).items()}
    assert sums == fingerprint(dataset.name) == dataset.sha256
    assert dataset.route


def test_an_own_folder_of_gzip_files(dataset, tmp_path, monkeypatch, caplog):
    folder = tmp_path / dataset.name.replace("_", "-")
    folder.mkdir()
    for file, raw in files_of(dataset).items():
        (folder / f"{file}.gz").write_bytes(gzip.compress(raw, 1))
    monkeypatch.setenv("LATENT_LAB_DATA", str(tmp_path))
    again = load(dataset.name)
    assert again.route == f"own folder {tmp_path}"
    np.testing.assert_array_equal(again.train_images, dataset.train_images)

    cut = folder / f"{TRAIN_IMAGES}.gz"
    cut.write_bytes(cut.read_bytes()[:-1000])
    passed_over = load(dataset.name)
    assert f"{cut} refused and passed over: gzip stream cut off" in caplog.text
    assert passed_over.route != again.route
    np.testing.assert_array_equal(passed_over.train_images, dataset.train_images)


def test_the_split_of_the_real_data(dataset):
    parts = split(dataset, 5000, seed=1, limit=1000, test_limit=500)
    assert parts.train_images.shape == (1000, 28, 28)
    assert parts.validation_images.shape == (5000, 28, 28)
    assert parts.test_images.shape == (500, 28, 28)
    shares = np.bincount(dataset.train_labels) / 60_000
    assert np.all(np.abs(np.bincount(parts.validation_labels) - 5000 * shares) < 1)
    assert np.all(np.abs(np.bincount(parts.train_labels) - 1000 * shares) < 1.1)


def test_importing_it_brings_in_no_framework():
    check = (
        "import sys, bench.data; "
        "sys.exit(bool({'keras', 'tensorflow', 'jax', 'pooch', 'requests'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
