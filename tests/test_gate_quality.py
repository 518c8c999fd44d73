"""The quality gate: worse and too good, on made-up figures; the recorded reference."""

import json

import numpy as np
import pytest

from bench.gate import quality_gate
from bench.gate.outcomes import Outcome
from bench.paths import ROOT

RANDOM = np.random.default_rng(0)
REFERENCE = list(RANDOM.normal(0.83, 0.008, 12))


def _around(mean):
    return list(mean + np.array([-0.01, -0.005, 0.0, 0.005, 0.01]))


@pytest.mark.parametrize(
    ("mean", "expected"),
    [(0.83, Outcome.OK), (0.78, Outcome.REGRESSED), (0.95, Outcome.TOO_GOOD)],
)
def test_clearly_worse_is_red_and_so_is_clearly_better(mean, expected):
    assert quality_gate.compare("probe", REFERENCE, _around(mean)).outcome is expected


def test_false_alarms_are_as_rare_as_promised():
    outcomes = [
        quality_gate.compare("p", RANDOM.normal(size=12), RANDOM.normal(size=5)).outcome
        for _ in range(1000)
    ]
    assert outcomes.count(Outcome.REGRESSED) <= 0.02 * 1000
    assert outcomes.count(Outcome.TOO_GOOD) <= 0.02 * 1000


def _tree(tmp_path, **content):
    path = tmp_path / quality_gate.REFERENCE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return tmp_path


def _examined(monkeypatch, tree, *measured):
    looks = iter(measured)
    monkeypatch.setattr(quality_gate, "measure", lambda *_: next(looks))
    return {f.name: f.outcome for f in quality_gate.examine(tree, lambda *_: None)}


def test_an_alarm_needs_a_second_look_that_agrees(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    tree = _tree(tmp_path, backend="tensorflow", probes={"accuracy": REFERENCE})
    bad, good = {"accuracy": _around(0.78)}, {"accuracy": _around(0.83)}
    assert _examined(monkeypatch, tree, bad, good) == {"accuracy": Outcome.OK}
    assert _examined(monkeypatch, tree, bad, bad) == {"accuracy": Outcome.REGRESSED}
    assert _examined(monkeypatch, tree, good) == {"accuracy": Outcome.OK}


def test_a_probe_that_vanished_is_a_harness_error(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    tree = _tree(tmp_path, backend="tensorflow", probes={"a": REFERENCE, "b": REFERENCE})
    only = {"a": _around(0.83)}
    assert _examined(monkeypatch, tree, only, only)["b"] is Outcome.HARNESS_ERROR


def test_another_backend_than_the_reference_has_no_baseline(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    tree = _tree(tmp_path, backend="tensorflow", probes={"a": REFERENCE})
    assert _examined(monkeypatch, tree) == {"all probes": Outcome.NO_BASELINE}


def test_no_reference_has_no_baseline(tmp_path, monkeypatch):
    assert _examined(monkeypatch, tmp_path) == {"all probes": Outcome.NO_BASELINE}


def test_the_recorded_reference_has_several_seeds_of_every_probe():
    content = json.loads((ROOT / quality_gate.REFERENCE).read_text())
    assert len(content["probes"]) == 3
    assert {len(values) for values in content["probes"].values()} == {content["seeds"]}
    assert all(np.std(values) > 0 for values in content["probes"].values())
