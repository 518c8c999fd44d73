"""Trainings that go on from a checkpoint after an interrupt."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from bench.config import Fit, load_profile
from bench.training import backend, checkpoints, loop, objective, schedule

IMAGES = np.random.default_rng(3).integers(0, 255, (80, 6), dtype=np.uint8)
EPOCHS = 5


class Stopped(BaseException):
    """Stands for a kill: nothing may catch it."""


def _one_cycle():
    return schedule.adam(1e-2, 4 * EPOCHS)


def _averaging():
    return schedule.steady_adam(1e-2, averaged=True)


def _muon():
    return schedule.muon(1e-2, 4 * EPOCHS, averaged=True)


def _train(optimizer, seed=5, stop=None, units=4):
    """Train with noise, dropout, normalisation and validation; stop in the middle of an epoch."""
    backend.prepare("float32", seed)
    network = keras.Sequential(
        [keras.layers.Input((6,)), keras.layers.Dense(units), keras.layers.Dropout(0.2),
         keras.layers.BatchNormalization(), keras.layers.Dense(6)]
    )  # fmt: skip

    def loss(batch, training):
        images = keras.ops.cast(batch["images"], "float32") / 255
        noise = keras.random.normal(keras.ops.shape(images), stddev=0.1, seed=random)
        return {"loss": keras.ops.mean((network(images + noise, training=training) - images) ** 2)}

    def progress(done, words):
        if stop is not None and done * EPOCHS > stop:
            raise Stopped

    random = objective.random(seed)
    aim = objective.Objective(loss, [network], optimizer(), random=random)
    fit = Fit(epochs=EPOCHS, batch_size=20, learning_rate=1e-2)
    data = {"images": IMAGES}
    record = loop.train(
        [aim], data, fit=fit, seed=seed, validation=data, exact_curves=True, progress=progress
    )
    return network.get_weights(), record


def _same(one, other):
    weights, record = one
    others, recorded = other
    for own, theirs in zip(weights, others, strict=True):
        np.testing.assert_array_equal(own, theirs)
    columns = [name for name in record.history if name != "seconds"]
    assert record.history[columns].equals(recorded.history[columns])
    assert record.cost["steps"] == recorded.cost["steps"]


@pytest.mark.parametrize(
    ("optimizer", "stop"), [(_one_cycle, 0.6), (_averaging, 1.1), (_muon, 4.6)]
)
def test_a_stopped_training_goes_on_and_ends_as_an_undisturbed_one(tmp_path, optimizer, stop):
    whole = _train(optimizer)
    with checkpoints.kept_in(tmp_path, 0.0), pytest.raises(Stopped):
        _train(optimizer, stop=stop)
    assert len(list(tmp_path.iterdir())) == (stop > 1.0)
    begun = []
    with checkpoints.kept_in(tmp_path, 0.0):
        restore = checkpoints.Checkpoint.restore
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                checkpoints.Checkpoint,
                "restore",
                lambda self, given: begun.append(restore(self, given)) or begun[-1],
            )
            after = _train(optimizer)
    assert begun[0].rows[int(stop) :] == after[1].history.to_dict("records")[int(stop) :]
    _same(whole, after)


def test_the_trainings_of_a_cell_have_a_checkpoint_each(tmp_path):
    whole = [_train(_one_cycle, seed) for seed in (5, 6)]
    with checkpoints.kept_in(tmp_path, 0.0):
        _train(_one_cycle, 5)
        with pytest.raises(Stopped):
            _train(_one_cycle, 6, stop=2.5)
    with checkpoints.kept_in(tmp_path, 0.0):
        parts = [_train(_one_cycle, seed) for seed in (5, 6)]
    for one, other in zip(whole, parts, strict=True):
        _same(one, other)


@pytest.mark.parametrize("damage", ["torn", "flipped", "other networks", "no archive"])
def test_a_checkpoint_that_is_of_no_use_is_removed_and_the_training_starts_anew(tmp_path, damage):
    whole = _train(_one_cycle)
    with checkpoints.kept_in(tmp_path, 0.0), pytest.raises(Stopped):
        _train(_one_cycle, stop=2.5, units=7 if damage == "other networks" else 4)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    if damage == "torn":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[200] ^= 255
        file.write_bytes(content)
    elif damage == "no archive":
        file.write_bytes(b"")
    with checkpoints.kept_in(tmp_path, 0.0):
        _same(whole, _train(_one_cycle))


def test_between_two_writes_there_is_the_time_that_was_asked_for_but_the_end_is_written(tmp_path):
    with checkpoints.kept_in(tmp_path, 1e6), pytest.raises(Stopped):
        _train(_one_cycle, stop=4.5)
    assert not list(tmp_path.iterdir())
    with checkpoints.kept_in(tmp_path, 1e6):
        _train(_one_cycle)
    assert [file.name for file in tmp_path.iterdir()] == ["training-1.npz"]


def test_without_being_asked_nothing_is_written(tmp_path):
    with checkpoints.kept_in(tmp_path, None):
        _train(_one_cycle)
    assert not list(tmp_path.iterdir())


def test_the_long_profiles_keep_checkpoints():
    kept = {name: load_profile(name).checkpoint_seconds for name in ("quick", "long", "full")}
    assert kept["quick"] is None
    assert kept["long"] == kept["full"] == 60.0
