"""Time of the way from a file's bytes to a batch."""

import hashlib
import struct

import numpy as np
import pytest

from bench.data import idx, splitting
from bench.data.loading import Dataset

COUNT = 10_000
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (COUNT, 28, 28)).astype("uint8")
LABELS = (np.arange(COUNT) % 10).astype("uint8")


def test_parsing(timed):
    payload = struct.pack(">IIII", 0x803, COUNT, 28, 28) + IMAGES.tobytes()
    parsed = timed(idx.parse, payload, items=COUNT, unit="images")
    assert parsed.shape == IMAGES.shape


def test_hashing(timed):
    payload = IMAGES.tobytes()
    digest = timed(lambda: hashlib.sha256(payload).hexdigest(), items=COUNT, unit="images")
    assert len(digest) == 64


def test_splitting(timed):
    whole = Dataset("fashion_mnist", IMAGES, LABELS, IMAGES[:1000], LABELS[:1000], {}, "memory")
    parts = timed(splitting.split, whole, 1000, 1, items=COUNT, unit="images")
    assert len(parts.validation_images) == 1000


@pytest.mark.parametrize("change", ["none", "shift", "flip", "erase"])
def test_batches(timed, change):
    """Pick, convert and augment batches inside a compiled call."""
    from bench import models, training

    training.backend.prepare("float32", 1)
    chosen = {"none": {}, "shift": {"shift": 2}, "flip": {"flip": True}, "erase": {"erase": 1.0}}
    augment = training.augment.Augmentation(**chosen[change])
    random = training.objective.random(1)

    def loss(batch, training):
        images = augment(models.images.to_unit(batch["images"]), random)
        return {"loss": images[0, 0, 0, 0]}

    run = training.backend.steps().compile_evaluation(loss, (), {"images": IMAGES})
    rows = np.arange(COUNT).reshape(-1, 125)
    assert np.isfinite(timed(run, rows, items=COUNT, unit="images")["loss"])
