"""Planning and running: what is done is skipped, what fails is kept, the rest goes on."""

import os
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from bench.config import load_profile
from bench.declarations import Declaration
from bench.errors import UserError
from bench.experiments import EXPERIMENTS
from bench.experiments.definition import Experiment
from bench.running import execute, listed, make_plan, plan, profiles
from bench.running.executors import WholeMachine
from bench.store import Result, write_done

SMOKE = load_profile("smoke").model_copy(update={"precision": "float32"})


@pytest.fixture
def toy(monkeypatch):
    """An experiment that counts its calls; `fragile` fails while the list `broken` has an item."""
    experiment = Experiment(Declaration(name="fashion_generation", dataset="mnist", title="toy"))
    calls, broken = [], []

    @experiment.variant(settings=("samples",))
    def solid(cell):
        calls.append(("solid", cell.seed))
        return Result({"samples": cell.settings.samples})

    @experiment.variant(needs=("solid",), repeated="handed_in_seeds")
    def fragile(cell):
        calls.append(("fragile", cell.seed))
        if broken:
            raise RuntimeError("the kiln broke")
        return Result({"samples": cell.needs["solid"].metrics["samples"]})

    @experiment.variant(needs=("fragile",), repeated="handed_in_seeds")
    def on_top(cell):
        calls.append(("on_top", cell.seed))
        return Result({})

    monkeypatch.setitem(EXPERIMENTS, "fashion_generation", experiment)
    # the list of calls is in this process
    monkeypatch.setattr(sys.modules["bench.running.execute"], "_has_the_machine", lambda cell: True)
    # the functions of a test module are no project source
    monkeypatch.setattr(plan, "source_hash", lambda module, functions, root: functions[0])
    return calls, broken


def _run(folder, profile=SMOKE, **named):
    cells = make_plan(profile, folder, ["fashion_generation"], **named)
    return execute(profile, cells, Console(quiet=True), WholeMachine()), cells


def _with(**changes):
    return SMOKE.model_copy(
        update={"fashion_generation": SMOKE.fashion_generation.model_copy(update=changes)}
    )


def test_a_second_run_runs_nothing(toy, tmp_path):
    calls, _ = toy
    assert _run(tmp_path)[0].ran == 3
    summary, cells = _run(tmp_path)
    assert (summary.found, summary.ran, summary.failed) == (3, 0, 0)
    assert len(calls) == 3
    assert all(cell.stored.status == "done" for cell in cells)


def test_a_changed_key_runs_what_depends_on_it_and_nothing_else(toy, tmp_path):
    _run(tmp_path)
    assert _run(tmp_path, _with(samples=7))[0].ran == 3  # solid, and all that stands on it
    assert _run(tmp_path, _with(beta=2.0))[0].ran == 0  # no variant reads it


def test_another_seed_adds_only_its_own_cells(toy, tmp_path):
    calls, _ = toy
    _run(tmp_path)
    summary, cells = _run(tmp_path, _with(handed_in_seeds=2))
    assert summary.ran == 2
    assert len(cells) == 5
    assert len({cell.seed for cell in cells}) == 2  # variants share the seed of an index
    assert [name for name, _ in calls] == ["solid", "fragile", "on_top", "fragile", "on_top"]


def test_a_failure_is_kept_and_the_next_run_tries_again(toy, tmp_path):
    calls, broken = toy
    broken.append(True)
    summary, cells = _run(tmp_path)
    assert (summary.ran, summary.failed) == (1, 2)
    reasons = {cell.variant.name: cell.stored.failure for cell in cells}
    assert reasons["fragile"]["message"] == "the kiln broke"
    assert "Needs fashion_generation/fragile" in reasons["on_top"]["message"]
    assert ("on_top", cells[2].seed) not in calls
    broken.clear()
    summary, _ = _run(tmp_path)
    assert (summary.found, summary.ran, summary.failed) == (1, 2, 0)


def test_an_interrupt_keeps_the_finished_cells(toy, tmp_path, monkeypatch):
    calls, _ = toy
    variants = EXPERIMENTS["fashion_generation"].variants

    def interrupted(cell):
        raise KeyboardInterrupt

    real = variants["fragile"]
    monkeypatch.setitem(variants, "fragile", replace(real, function=interrupted))
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path)
    interrupted.__name__ = "fragile"
    monkeypatch.setitem(variants, "fragile", real)
    assert _run(tmp_path)[0].found == 1
    assert [name for name, _ in calls] == ["solid", "fragile", "on_top"]


def test_a_cell_reads_only_what_it_declared(toy, tmp_path, monkeypatch):
    variants = EXPERIMENTS["fashion_generation"].variants

    def nosy(cell):
        return Result({"width": cell.settings.width})

    monkeypatch.setitem(variants, "solid", replace(variants["solid"], function=nosy))
    summary, cells = _run(tmp_path, variant="solid")
    assert summary.failed == 1
    assert "width" in cells[0].stored.failure["message"]


def test_one_variant_brings_what_it_builds_on(toy, tmp_path):
    _, cells = _run(tmp_path, variant="fragile")
    assert [cell.variant.name for cell in cells] == ["solid", "fragile"]


@pytest.mark.parametrize(
    ("experiments", "variant"), [(["pottery"], None), (["mnist_classifier"], "vase")]
)
def test_unknown_names_are_refused(tmp_path, experiments, variant):
    with pytest.raises(UserError, match="Expected one of"):
        make_plan(SMOKE, tmp_path, experiments, variant)


def test_a_misspelt_experiment_is_told_with_what_was_meant(tmp_path):
    with pytest.raises(UserError, match="Did you mean mnist_classifier"):
        make_plan(SMOKE, tmp_path, ["mnist_clasifier"])


@pytest.mark.parametrize("name", ["smoke", "quick", "full"])
def test_the_real_plan_orders_each_cell_after_its_needs_without_a_framework(tmp_path, name):
    profile = load_profile(name).model_copy(update={"precision": "float32"})
    cells = make_plan(profile, tmp_path, list(EXPERIMENTS))
    seen = set()
    for cell in cells:
        assert {need.label for need in cell.needs.values()} <= seen
        seen.add(cell.stored.label)
    assert len(seen) == len(cells)


def test_the_backend_is_part_of_the_key(tmp_path, monkeypatch):
    keys = []
    for backend in ("tensorflow", "jax"):
        monkeypatch.setitem(os.environ, "KERAS_BACKEND", backend)
        keys.append({c.stored.key for c in make_plan(SMOKE, tmp_path, ["mnist_classifier"])})
    assert not keys[0] & keys[1]


@pytest.mark.parametrize(("gpu", "expected"), [(True, "full"), (False, "quick")])
def test_auto_is_full_where_the_backend_sees_a_gpu(monkeypatch, gpu, expected):
    monkeypatch.setattr(profiles, "backend_sees_gpu", lambda: gpu)
    assert profiles.resolve_profile("auto").name == expected


@pytest.mark.parametrize(
    ("flags", "expected"), [({"avx512_bf16"}, "mixed_bfloat16"), ({"avx2"}, "float32")]
)
def test_arithmetic_follows_the_processor(monkeypatch, flags, expected):
    monkeypatch.setattr(profiles, "backend_sees_gpu", lambda: False)
    monkeypatch.setattr(profiles, "processor_flags", lambda: flags)
    assert profiles.resolve_profile("smoke").precision == expected


def test_a_manifest_names_timed_experiments_only_where_they_are_asked_for_or_were_run(tmp_path):
    def names(*asked):
        return {cell.experiment for cell in listed(SMOKE, tmp_path, asked)}

    assert "mnist_classifier" in names()
    assert "mnist_speedrun" not in names()
    assert "mnist_speedrun" in names("mnist_speedrun")
    done = next(c for c in make_plan(SMOKE, tmp_path, ["mnist_speedrun"])).stored
    write_done(done, Result({}), {}, {})
    assert "mnist_speedrun" in names()
    assert "fashion_speedrun" not in names()


def test_only_the_key_of_a_timed_cell_holds_the_hardware(tmp_path):
    for name, experiment in EXPERIMENTS.items():
        cell = make_plan(SMOKE, tmp_path, [name])[0]
        assert ("hardware" in cell.depends_on) is experiment.timed
