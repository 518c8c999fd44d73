"""Recipes are chosen on validation images, and on nothing else."""

from dataclasses import replace

import pytest

pytest.importorskip("keras")

from bench import choices
from bench.config import load_profile


def test_the_best_mean_is_taken():
    question = choices.Question("mnist", {"a": {}, "b": {}}, None, "max")
    assert choices.answer(question, {"a": [0.8, 0.9], "b": [0.7, 0.95]}) == "a"
    assert choices.answer(question, {"a": [0.8, 0.8], "b": [0.7, 0.95]}) == "b"
    least = choices.Question("mnist", {"a": {}, "b": {}}, None, "min")
    assert choices.answer(least, {"a": [3.0], "b": [2.0]}) == "b"


def test_a_sprint_takes_the_shortest_that_reaches_its_target():
    sprint = choices.Question("mnist", {"1": {}, "2": {}, "3": {}}, None, "max", 0.9)
    assert choices.answer(sprint, {"1": [0.89], "2": [0.91], "3": [0.95]}) == "2"
    assert choices.answer(sprint, {"1": [0.8], "2": [0.8], "3": [0.8]}) is None


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
