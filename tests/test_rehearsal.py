"""A rehearsal: the networks and steps of the whole profile, from two steps of each training."""

import numpy as np
import pytest

from bench.config import Fit, Search, load_profile
from bench.rehearsal import estimate
from bench.rehearsal.shortened import shorten
from bench.rehearsal.stage import BACKENDS, Rehearsed, rehearse

FULL = load_profile("full").model_copy(update={"precision": "float32"})


CHANGED = {
    "data.test_limit", "fashion_generation.samples", "fashion_embedding.score_images",
    "fashion_embedding.tsne.images", "fashion_embedding.tsne_repeated.images",
    "fashion_embedding.umap.images",
}  # fmt: skip
SEARCHES = ("algorithm", "trials", "confirmations")


def _leaves(settings, path=""):
    if not isinstance(settings, dict):
        return {path: settings}
    found = {}
    for key, value in settings.items():
        found |= _leaves(value, f"{path}.{key}" if path else key)
    return found


@pytest.mark.parametrize("name", ["quick", "long", "full"])
def test_a_rehearsal_has_the_networks_batches_and_images_of_the_whole(name):
    whole = load_profile(name).model_copy(update={"precision": "float32"})
    small, _ = shorten(whole, 55_000)
    before, after = (_leaves(each.model_dump(mode="json")) for each in (whole, small))
    other = {path for path in before if before[path] != after[path]}
    repeated = {path for path in other if path.endswith("seeds")}
    assert all(after[path] == 1 for path in repeated)
    searches = {p for p in other if "search." in p and p.rpartition(".")[2] in SEARCHES}
    assert other - repeated - searches <= CHANGED


def test_what_stands_on_fewer_images_is_counted_for_all():
    small, sizes = shorten(FULL, 55_000)
    assert sizes.of(small.fashion_embedding.tsne.images) == 55_000
    assert sizes.of(small.fashion_generation.samples) == FULL.fashion_generation.samples
    assert sizes.of(55_000) == 55_000
    assert sizes.of(FULL.fashion_classifier.overfitting.images) == 1000


@pytest.mark.parametrize("repeated", [0, 5])
def test_a_variant_that_does_not_run_is_not_rehearsed(repeated):
    section = FULL.fashion_classifier
    same = section.handed_in_same_epochs.model_copy(update={"seeds": repeated})
    profile = FULL.model_copy(
        update={"fashion_classifier": section.model_copy(update={"handed_in_same_epochs": same})}
    )
    small, _ = shorten(profile, 55_000)
    assert small.fashion_classifier.handed_in_same_epochs.seeds == min(repeated, 1)


def test_epochs_of_a_search_are_those_that_its_trials_add():
    pytest.importorskip("keras_tuner")
    common = {"factor": 3, "images": 10}
    plain = Search(algorithm="random", trials=6, max_epochs=3, confirmations=2, **common)
    # the defaults, six trials, and twice two confirmations, of three epochs; here two of three
    assert estimate.factor(plain) == pytest.approx((1 + 6 + 4) / 2)
    rungs = Search(algorithm="hyperband", trials=1, max_epochs=9, confirmations=0, **common)
    added = 9 * 1 + 3 * 2 + 1 * 6 + 5 * 3 + 2 * 6 + 3 * 9
    assert estimate.factor(rungs) == pytest.approx((9 + added) / (2 * 9))


def _rehearsed(name, operations):
    training = {
        "parameters": 10, "batch_size": 100, "epochs": 2, "steps": 100, "step_seconds": 0.5,
        "operations": operations, "step_mib": 7.0, "process_mib": 1.0,
    }  # fmt: skip
    return Rehearsed(name, "", 1.0, [training])


def test_hours_are_operations_over_the_stated_rate_and_no_less_than_starting_kernels():
    counted, timed = _rehearsed("a/b", 1e12), _rehearsed("a/b", None)
    found = estimate._expected("a/b", 3, 3.0, counted, timed, 0.1)
    assert found.steps == 300
    assert found.operations == pytest.approx(300e12)
    assert found.here == pytest.approx(300 * 0.5 / 3600)
    assert found.on["T4"] == pytest.approx(300 / 6.5 / 3600)
    small = estimate._expected("a/b", 1, 1.0, _rehearsed("a/b", 1e3), timed, 0.1)
    assert small.on["H100"] == pytest.approx(100 * estimate.LEAST_SECONDS / 3600)


def test_a_training_runs_two_steps_and_is_counted_as_a_whole():
    pytest.importorskip("keras")
    import keras

    from bench import training
    from bench.rehearsal.counted import counting
    from bench.rehearsal.shortened import Sizes

    training.backend.prepare("float32", 1)
    network = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(6)])
    steps = []

    def loss(batch, learning):
        images = keras.ops.cast(batch["images"], "float32")
        return {"loss": keras.ops.mean((network(images, training=learning) - images) ** 2)}

    aim = training.objective.Objective(loss, [network], training.schedule.constant_adam(1e-3))
    images = np.ones((90, 6), "float32")
    found = []
    before = training.loop.train
    with counting(Sizes({90: 1000}), found):
        record = training.loop.train(
            [aim],
            {"images": images},
            fit=Fit(epochs=7, batch_size=20, learning_rate=1e-3),
            seed=1,
            validation={"images": images},
            progress=lambda share, words: steps.append(share),
        )
    assert training.loop.train is before
    assert int(aim.optimizer.iterations) == 2
    assert len(record.history) == 1
    (counted,) = found
    assert (counted.steps, counted.epochs, counted.parameters) == (7 * 50, 7, 42)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_variant_of_full_passes(backend):
    rows = rehearse("full", backend, print)
    assert {row.name: row.failure for row in rows if row.failure} == {}
    trained = [training for row in rows for training in row.trainings]
    assert len(trained) > 30
    flow = FULL.fashion_generation.pixel_flow
    (drawn,) = (row for row in rows if row.name == "fashion_generation/pixel_flow")
    assert drawn.trainings[0]["steps"] == flow.epochs * (55_000 // flow.batch_size)
    if backend == "jax":
        assert all(each["operations"] > 0 and each["step_mib"] > 0 for each in trained)
