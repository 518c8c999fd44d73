"""Seeds and keys of a plan: what is shared, and what a repetition does not change."""

import sys

import pytest

from bench.config import load_profile
from bench.declarations import Declaration
from bench.experiments import EXPERIMENTS
from bench.experiments.definition import Experiment
from bench.running import make_plan, plan
from bench.store import Result

SMOKE = load_profile("smoke").model_copy(update={"precision": "float32"})


@pytest.fixture
def experiment(monkeypatch):
    toy = Experiment(Declaration(name="fashion_generation", dataset="mnist", title="toy"))
    for name in ("one", "other"):

        @toy.variant(name, settings=("vae",), repeated="vae.seeds")
        def function(cell):
            return Result({})

    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", toy)
    monkeypatch.setattr(
        sys.modules["bench.running.plan"], "source_hash", lambda module, names, root: names[0]
    )


def _planned(tmp_path, seeds, **changes):
    section = SMOKE.fashion_generation
    vae = section.vae.model_copy(update={"seeds": seeds, **changes})
    profile = SMOKE.model_copy(
        update={"fashion_generation": section.model_copy(update={"vae": vae})}
    )
    return plan.make_plan(profile, tmp_path, ["fashion_generation"])


def test_variants_of_one_experiment_share_the_seed_of_an_index(experiment, tmp_path):
    seeds = {(c.variant.name, c.stored.seed_index): c.seed for c in _planned(tmp_path, 3)}
    assert len(seeds) == 6
    for index in range(3):
        assert seeds["one", index] == seeds["other", index]
    assert len({seeds["one", index] for index in range(3)}) == 3


def test_more_seeds_leave_the_keys_of_the_others_as_they_were(experiment, tmp_path):
    few, many = (
        {(c.variant.name, c.stored.seed_index): c.stored.key for c in _planned(tmp_path, seeds)}
        for seeds in (2, 4)
    )
    assert few.items() <= many.items()
    longer = {c.stored.key for c in _planned(tmp_path, 2, epochs=7)}
    assert not longer & set(few.values())


def test_no_seeds_means_that_a_variant_does_not_run(experiment, tmp_path):
    assert _planned(tmp_path, 0) == []


def test_every_profile_can_be_planned(tmp_path):
    for name in ("smoke", "quick", "long", "full"):
        profile = load_profile(name).model_copy(update={"precision": "float32"})
        cells = make_plan(profile, tmp_path, EXPERIMENTS)
        labels = [cell.stored.label for cell in cells]
        assert len(set(labels)) == len(labels)
