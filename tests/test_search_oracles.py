"""What `bench.search.oracles` needs of KerasTuner that KerasTuner does not promise.

If one of these fails after an upgrade, that file is what must be adapted; the proposals of a seed
may have changed as well, and with them every search.
"""

import inspect

import pytest

pytest.importorskip("keras_tuner")

import keras_tuner
from keras_tuner import oracles

from bench.config import Search
from bench.search.oracles import Oracle, Status

# drawn by KerasTuner 1.4.8, one after the other
PINNED = [(-1.409338, "a"), (-0.295941, "b"), (-0.380964, "a")]
COMMON = {"factor": 3, "images": 10, "confirmations": 0}


def _space(hyperparameters):
    hyperparameters.Float("x", -4.0, 4.0)
    hyperparameters.Choice("kind", ["a", "b"])


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_an_oracle_that_has_no_folder_proposes_and_is_told(algorithm, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    oracle = Oracle(_space, Search(algorithm=algorithm, trials=9, max_epochs=3, **COMMON), "max", 5)
    asked = 0
    while wave := oracle.wave():
        for proposal in wave:
            oracle.report(proposal, proposal.values["x"] ** 2)
            asked += 1
    assert asked == oracle.expected
    assert list(tmp_path.iterdir()) == []


def test_hyperband_has_the_parts_that_promotions_rest_on():
    oracle = oracles.HyperbandOracle(
        objective=keras_tuner.Objective("score", "max"), max_epochs=9, factor=3, seed=1
    )
    assert [oracle._get_size(2, rung) for rung in range(3)] == [9, 3, 1]
    assert [oracle._get_epochs(2, rung) for rung in range(3)] == [1, 3, 9]
    assert oracle._current_bracket == 2
    assert oracle._brackets == [{"bracket_num": 2, "rounds": [[], [], []]}]
    oracle._increment_bracket_num()
    oracle._start_new_bracket()
    assert oracle._brackets[1] == {"bracket_num": 1, "rounds": [[], []]}
    assert inspect.signature(oracle._random_values).parameters == {}
    assert oracle.hyperband_iterations == 1


def test_statuses_are_the_words_that_kerastuner_compares_with():
    assert (Status.RUNNING, Status.IDLE, Status.STOPPED) == ("RUNNING", "IDLE", "STOPPED")
    assert (Status.COMPLETED, Status.FAILED) == ("COMPLETED", "FAILED")


def test_the_same_seed_gives_the_values_that_it_gave_with_the_pinned_version():
    oracle = Oracle(_space, Search(algorithm="random", trials=3, max_epochs=1, **COMMON), "max", 7)
    found = [(round(each.values["x"], 6), each.values["kind"]) for each in oracle.wave()]
    assert found == PINNED


def test_the_first_draws_of_a_bayesian_search_are_proposed_together():
    settings = Search(algorithm="bayesian", trials=8, max_epochs=1, **COMMON)
    oracle, sizes = Oracle(_space, settings, "max", 5), []
    while wave := oracle.wave():
        sizes.append(len(wave))
        for proposal in wave:
            oracle.report(proposal, proposal.values["x"])
    assert sizes == [6, 1, 1]
