"""Recipes are chosen on validation images, and on nothing else."""

from dataclasses import replace

import pytest

pytest.importorskip("keras")

from bench import choices
from bench.config import load_profile


def test_what_is_set_is_kept_unless_another_is_better_with_every_seed():
    most = choices.Question("mnist", {"a": {}, "b": {}, "c": {}}, None, "max")
    found = {"a": [0.8, 0.9], "b": [0.7, 0.99], "c": [0.7, 0.7]}
    assert choices.answer(most, found, 5000) == "a"
    found = {"a": [0.8, 0.9], "b": [0.81, 0.91], "c": [0.82, 0.95]}
    assert choices.answer(most, found, 5000) == "c"
    least = choices.Question("mnist", {"a": {}, "b": {}}, None, "min")
    assert choices.answer(least, {"a": [3.0, 3.0], "b": [2.0, 2.5]}, 5000) == "b"


def test_a_sprint_takes_the_shortest_that_reaches_its_target_with_a_margin():
    sprint = choices.Question("mnist", {"1": {}, "2": {}, "3": {}}, None, "max", 0.9)
    assert choices.answer(sprint, {"1": [0.905], "2": [0.91], "3": [0.95]}, 5000) == "2"
    assert choices.answer(sprint, {"1": [0.905], "2": [0.91], "3": [0.95]}, 500) == "3"
    assert choices.answer(sprint, {"1": [0.8], "2": [0.8], "3": [0.9]}, 5000) is None


def test_no_test_image_is_at_hand():
    cell = choices._cell(load_profile("smoke"), "fashion_mnist", "float32", 0)
    assert len(cell.split.test_images) == len(cell.split.test_labels) == 0
    assert len(cell.split.validation_images) == 500


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion_classifier", "gan", "vae", "to_90"])
def test_every_kind_of_question_can_be_rerun(name, monkeypatch):
    question = choices.QUESTIONS[name]
    two = dict(list(question.candidates.items())[:2])
    monkeypatch.setitem(choices.QUESTIONS, name, replace(question, candidates=two))
    table = choices.rerun(name, load_profile("smoke"), "float32", 1)
    assert list(table["candidate"]) == list(two)
    assert table["mean"].between(table["lowest"], table["highest"]).all()
    assert table["chosen"].sum() == 1 or question.target


def test_a_sprint_trains_no_candidate_beyond_the_first_that_reaches(monkeypatch):
    def score(profile, cell, changes):
        return 0.5 + 0.2 * changes["epochs"]

    candidates = {f"{n}": {"epochs": n} for n in (1, 2, 3)}
    question = choices.Question("mnist", candidates, score, "max", 0.8)
    monkeypatch.setitem(choices.QUESTIONS, "sprint", question)
    table = choices.rerun("sprint", load_profile("smoke"), "float32", 2)
    assert list(table["candidate"]) == ["1", "2"]
    assert list(table["chosen"]) == [False, True]


def test_a_candidate_that_lost_with_a_seed_is_not_trained_further(monkeypatch):
    trained = []

    def score(profile, cell, changes):
        trained.append((changes.get("name", "set"), cell.seed_index))
        return changes.get("score", 0.5)

    candidates = {
        "as set": {},
        "worse": {"name": "worse", "score": 0.4},
        "better": {"name": "better", "score": 0.6},
    }
    question = choices.Question("mnist", candidates, score, "max")
    monkeypatch.setitem(choices.QUESTIONS, "recipe", question)
    table = choices.rerun("recipe", load_profile("smoke"), "float32", 2)
    assert trained == [("set", 0), ("set", 1), ("worse", 0), ("better", 0), ("better", 1)]
    assert list(table["seeds"]) == [2, 1, 2]
    assert list(table["chosen"]) == [False, False, True]
