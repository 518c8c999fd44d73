"""The neighbour autoencoder's mode, the flow, Muon and the shipped judge."""

import hashlib

import numpy as np
import pytest

pytest.importorskip("keras")

from bench import models, training
from bench.errors import UserError
from bench.judge import loading as judge
from bench.judge import recipe

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(0, 256, (6, 28, 28), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _prepared():
    training.backend.prepare("float32", 1)


def _numpy(value):
    return training.backend.to_numpy(value)


def _mode(anchors, bandwidth):
    mode = models.neighbour.Mode(*anchors.shape, bandwidth)
    mode.anchors.assign(anchors)
    return mode


def test_in_doubt_between_two_groups_the_mode_takes_a_side_where_the_mean_falls_between():
    anchors = np.array([[0, 0], [0.1, 0], [10, 0], [10.1, 0]], dtype="float32")
    share = np.array([[0.26, 0.26, 0.24, 0.24]], dtype="float32")
    place = _numpy(_mode(anchors, 0.5)(np.log(share)))
    mean = share @ anchors
    assert 4 < mean[0, 0] < 6
    np.testing.assert_allclose(place, [[0.05, 0]], atol=0.01)


def test_the_mode_of_a_sure_network_is_its_anchor():
    anchors = RANDOM.normal(size=(20, 2)).astype("float32")
    logits = 50 * np.eye(20, dtype="float32")
    np.testing.assert_allclose(_numpy(_mode(anchors, 0.05)(logits)), anchors, atol=1e-3)


def test_a_placing_network_survives_being_stored(tmp_path):
    anchors = RANDOM.normal(size=(30, 2)).astype("float32")
    density = models.neighbour.density_network(models.stacked.build((4, 8)).encoders, 30)
    network = models.neighbour.placing_network(density, anchors, 0.3)
    network.save(tmp_path / "encoder.keras")
    again = training.predict.load(tmp_path / "encoder.keras")
    before = training.predict.images_to(network, PIXELS)
    np.testing.assert_allclose(before, training.predict.images_to(again, PIXELS), atol=1e-5)


def test_the_density_loss_is_least_where_the_density_is_the_kernel():
    anchors = RANDOM.normal(size=(12, 2)).astype("float32")
    positions = anchors[:6] + 0.1
    kernel = _numpy(models.neighbour.gaussian_kernel(positions, anchors, 0.4))
    target = kernel / kernel.sum(axis=1, keepdims=True)
    entropy = float(-(target * np.log(target + 1e-12)).sum(axis=1).mean())
    batch = {"images": PIXELS, "positions": positions.astype("float32")}
    for logits, expected in ((np.log(target + 1e-12), entropy), (np.zeros((6, 12)), np.log(12))):
        loss = models.neighbour.density_loss(
            lambda images, training, out=logits: out.astype("float32"), anchors, 0.4
        )
        assert float(loss(batch, True)["loss"]) == pytest.approx(expected, abs=1e-3)


def test_a_flow_of_straight_paths_carries_noise_to_the_codes():
    noise = RANDOM.normal(size=(50, 3)).astype("float32")

    def velocity(seen, training):
        state, time = seen[:, :3], seen[:, 3:4]
        # towards the point 2: what remains of the way, over the time that remains
        return (2.0 - state) / (1.0 - time + 1e-6)

    np.testing.assert_allclose(models.flow.flow(velocity, noise), 2.0, atol=0.05)


def test_a_perfect_velocity_has_no_matching_loss():
    codes = np.full((64, 2), 3.0, dtype="float32")

    def velocity(seen, training):
        state, time = seen[:, :2], seen[:, 2:3]
        return (3.0 - state) / (1.0 - time)  # noise = (state - time * codes) / (1 - time)

    loss = models.flow.matching_loss(velocity, training.objective.random(1))
    assert float(loss({"codes": codes}, True)["loss"]) == pytest.approx(0.0, abs=1e-3)


def test_muon_moves_a_convolution_by_a_nearly_orthogonal_matrix():
    import keras

    kernel = keras.Variable(np.zeros((3, 3, 4, 16), dtype="float32"))
    optimizer = training.muon.ConvolutionMuon(1.0, weight_decay=0.0, rms_rate=None)
    optimizer.apply([RANDOM.normal(size=(3, 3, 4, 16)).astype("float32")], [kernel])
    values = np.linalg.svd(_numpy(kernel.value).reshape(36, 16), compute_uv=False)
    assert values.min() > 0.6  # five Newton-Schulz steps leave 0.7 to 1.2
    assert values.max() < 1.3


def test_muon_leaves_the_first_layer_and_vectors_to_adam():
    import keras

    shapes = [(4, 4, 1, 8), (8,), (64, 10), (3, 3, 8, 8)]
    variables = [keras.Variable(np.ones(shape, dtype="float32")) for shape in shapes]
    optimizer = training.schedule.muon(1e-2, 10)
    optimizer.build(variables)
    assert [optimizer._should_use_adamw(v) for v in variables] == [True, True, True, False]


def test_the_shipped_judge_is_the_one_that_the_code_names():
    assert hashlib.sha256(judge.FILE.read_bytes()).hexdigest() == judge.SHA256
    features, classes = judge.load().look(PIXELS)
    assert features.shape == (6, 64)
    assert classes.shape == (6,)


def test_another_judge_is_refused(tmp_path):
    other = tmp_path / "judge.keras"
    other.write_bytes(b"not the judge")
    with pytest.raises(UserError, match="expected SHA-256"):
        judge.load(other)


def test_the_recipe_still_builds_the_network_that_is_shipped():
    shipped, built = judge.load().network, recipe.classifier()
    built.set_weights(shipped.get_weights())
    images = np.random.default_rng(0).random((3, 28, 28, 1), dtype="float32")
    np.testing.assert_allclose(built(images), shipped(images), atol=1e-5)
