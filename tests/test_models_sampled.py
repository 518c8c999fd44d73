"""What is measured of a generator: on made-up images, by a decoder without a training."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("keras")

from bench import models, training
from bench.experiments import sampling

COUNT = 160


def _images(seed, count):
    random = np.random.default_rng(seed)
    ramp = np.linspace(0, 255, 28)[None, :] * np.ones((28, 1))
    return (ramp * random.uniform(0.2, 1.0, (count, 28, 1))).astype(np.uint8)


def _cell(seed=5, seed_index=1):
    split = SimpleNamespace(
        train_images=_images(0, 2 * COUNT),
        validation_images=_images(1, COUNT),
        test_images=_images(2, COUNT),
        classes=10,
    )
    return SimpleNamespace(
        seed=seed, seed_index=seed_index, split=split, needs={}, progress=lambda done, words: None
    )


@pytest.fixture(autouse=True)
def _prepared():
    training.backend.prepare("float32", 1)


def test_generators_of_one_seed_draw_the_same_codes_and_those_of_another_do_not():
    first, again, other = (sampling.gaussian_codes(_cell(seed), 8, 400) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert first.dtype == np.float32
    assert abs(first.mean()) < 0.1
    assert first.std() == pytest.approx(1.0, abs=0.05)


def test_only_the_first_seed_teaches_a_pupil(monkeypatch):
    taught = []
    monkeypatch.setattr(sampling, "_pupil_accuracy", lambda cell, *seen: taught.append(cell) or 0.5)
    for index in (0, 1):
        cell = _cell(seed_index=index)
        found = sampling.ReferenceSet(cell, COUNT).scores(_images(3, COUNT))
        assert ("pupil_accuracy" in found) is (index == 0)
    assert len(taught) == 1


@pytest.mark.parametrize("spherical", [True, False])
def test_walks_go_through_codes_of_the_priors_length_where_it_is_gaussian(monkeypatch, spherical):
    seen = []

    def decode(decoder, codes):
        seen.append(codes)
        return np.zeros((len(codes), 28, 28, 1), dtype="float32")

    monkeypatch.setattr(training.predict, "codes_to", decode)
    codes = sampling.gaussian_codes(_cell(), 64, 1000)
    walks = sampling._paths(_cell(), None, codes, spherical=spherical)
    assert walks.shape == (sampling.PATHS, sampling.FRAMES, 28, 28)
    frames = seen[0].reshape(sampling.PATHS, sampling.FRAMES, 64)
    lengths = np.linalg.norm(frames, axis=-1).mean(axis=0)
    middle = lengths[4:6].mean() / lengths[[0, -1]].mean()
    assert middle == pytest.approx(1.0 if spherical else np.sqrt(0.5), abs=0.03)


def test_a_generator_with_an_encoder_is_judged_by_its_error_and_one_without_by_its_distance():
    encoder = models.autoencoder.convolutional_encoder(8, 4)
    decoder = models.autoencoder.convolutional_decoder(8, 4)
    codes = sampling.gaussian_codes(_cell(), 4, COUNT)
    cost = {"seconds": 1.0}
    both = [
        sampling.generated(_cell(), decoder, codes, cost, gaussian=True, encode=encode)
        for encode in (encoder, None)
    ]
    with_encoder, without = (result.metrics for result in both)
    cell = _cell()
    mean = cell.split.train_images.mean(axis=0)
    error = np.mean(np.square((cell.split.test_images - mean) / 255.0))
    assert with_encoder["trivial_error"] == pytest.approx(error, rel=1e-4)
    assert with_encoder["trained"] == 0.0  # it was not
    assert "trivial_error" not in without
    assert without["trained"] == float(without["frechet_distance"] < without["trivial_distance"])
    for result in both:
        figures = result.metrics
        assert figures["checkerboard"] > 0
        assert figures["path_smoothness"] >= 1
        assert figures["paths"] == COUNT // 2
        assert result.arrays["interpolation"].shape == (6, sampling.FRAMES, 28, 28)
        assert set(figures["failures"]) >= {"mode_collapse", "memorisation"}
    assert "dead_codes" in with_encoder["failures"]


def test_the_mean_image_is_as_far_as_the_real_ones_spread():
    reference_set = sampling.ReferenceSet(_cell(), COUNT)
    centred = reference_set.features - reference_set.features.mean(axis=0)
    spread = np.square(centred).sum() / (COUNT - 1)
    assert reference_set.trivial_distance() > spread


def test_validation_distance_is_to_the_validation_images(monkeypatch):
    cell = _cell()
    images = cell.split.validation_images
    monkeypatch.setattr(training.predict, "codes_to", lambda *_: images[..., None] / 255.0)
    assert sampling.validation_distance(cell, None, 4) == pytest.approx(0.0, abs=1e-3)
    cell.split.validation_images = 255 - images
    assert sampling.validation_distance(cell, None, 4) > 1.0
