"""Counted figures: what may grow, and what may not."""

import pytest

from bench.gate import exact_gate
from bench.gate.exact_gate import compare
from bench.gate.outcomes import Outcome
from bench.gate.trees import Trees


@pytest.mark.parametrize(
    ("name", "base", "head", "expected"),
    [
        ("classifier.parameters", 100, 100, Outcome.OK),
        ("classifier.parameters", 100, 101, Outcome.REGRESSED),
        ("classifier.parameters", 100, 99, Outcome.OK),
        ("classifier.traces", 4, 5, Outcome.REGRESSED),
        ("training.peak_memory_mib", 1000, 1090, Outcome.OK),
        ("training.peak_memory_mib", 1000, 1110, Outcome.REGRESSED),
        ("cell.bytes", 1000, 1040, Outcome.OK),
        ("cell.bytes", 1000, 1060, Outcome.REGRESSED),
        ("new.parameters", None, 7, Outcome.NO_BASELINE),
    ],
)
def test_a_figure_may_grow_only_as_far_as_its_tolerance(name, base, head, expected):
    assert compare(name, base, head).outcome is expected


def test_a_figure_that_vanished_is_a_harness_error(tmp_path, monkeypatch):
    counted = {"base": {"a.parameters": 1.0, "b.parameters": 1.0}, "head": {"a.parameters": 1.0}}
    monkeypatch.setattr(exact_gate, "_count", lambda tree, head: counted[tree.name])
    monkeypatch.setattr(exact_gate, "copy_suite", lambda trees: None)
    trees = Trees(tmp_path / "base", tmp_path / "head", "b", "h")
    found = {f.name: f.outcome for f in exact_gate.examine(trees, lambda *_: None)}
    assert found == {"a.parameters": Outcome.OK, "b.parameters": Outcome.HARNESS_ERROR}
