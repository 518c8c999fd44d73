"""What a trial may give, and which trainings a search runs for it."""

from types import SimpleNamespace

import pandas as pd
import pytest

pytest.importorskip("keras_tuner")

from bench.config import Search
from bench.experiments.methods import rows_to_search, searched, with_seed
from bench.training.loop import Record

BUDGET = Search(algorithm="random", trials=3, max_epochs=3, factor=3, images=10, confirmations=0)
DEFAULT = {"x": 0.5}


@pytest.fixture
def cell(tmp_path):
    return SimpleNamespace(
        seed=5,
        precision="float32",
        scratch=tmp_path,
        progress=lambda *_: None,
        trials=None,
        asked=None,
        settings=SimpleNamespace(search=BUDGET),
        split=SimpleNamespace(train_images=range(100)),
    )


def _space(hyperparameters):
    hyperparameters.Float("x", 0.0, 1.0)


def _curve(values):
    return [values["x"] / 3, values["x"] / 2, values["x"]]


def _record(values, epochs, seed):
    return Record(pd.DataFrame({"quality": _curve(values)}), {})


GIVEN = {
    "record": _record,
    "sequence": lambda values, epochs, seed: _curve(values),
    "named": lambda values, epochs, seed: {"quality": _curve(values), "other": [0.0]},
    "number": lambda values, epochs, seed: values["x"],
}


@pytest.mark.parametrize("given", GIVEN)
def test_a_trial_gives_a_record_or_scores(cell, given):
    result = searched(
        cell, _space, GIVEN[given], default=DEFAULT, objective="quality", direction="max"
    )
    trials = result.tables["trials"]
    assert list(trials["score"]) == list(trials["hp_x"])
    early = [] if given == "number" else list(trials["hp_x"] / 3)
    assert list(trials["early_score"].dropna()) == pytest.approx(early)
    assert ("rank_correlation" in result.metrics) == (given != "number")
    assert result.metrics["objective"] == "quality"


def test_another_budget_can_be_given(cell):
    budget = BUDGET.model_copy(update={"trials": 1, "images": 7})
    result = searched(
        cell, _space, _record, default=DEFAULT, objective="quality", direction="max", budget=budget
    )
    assert len(result.tables["trials"]) == 2
    assert len(rows_to_search(cell, budget)) == 7
    assert len(rows_to_search(cell)) == 10


def test_a_cell_with_another_seed_reports_to_nobody():
    from bench.experiments.definition import Cell

    messages = []
    cell = Cell(None, 1, 0, "float32", None, {}, {}, None, lambda *words: messages.append(words))
    other = with_seed(cell, 2)
    other.progress(0.5, "half way")
    assert (cell.seed, other.seed, messages) == (1, 2, [])
