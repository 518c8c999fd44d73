"""How long a plan will take: from stored times, scaled where settings differ, or counted."""

from unittest import mock

import pytest

from bench.__main__ import main
from bench.config import load_profile
from bench.running import forecast as forecasting
from bench.running.forecast import Forecast, forecast, total_seconds, visits
from bench.running.plan import make_plan
from bench.store import Result, write_done, write_manifest
from bench.store.provenance import hardware


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    forecasting._stored_times.cache_clear()


def _profile(**fine_tune):
    smoke = load_profile("smoke").model_copy(update={"precision": "float32"})
    section = smoke.mnist_classifier
    fit = section.fine_tune.model_copy(update=fine_tune)
    changed = section.model_copy(update={"fine_tune": fit})
    return smoke.model_copy(update={"mnist_classifier": changed})


def _plan(profile, runs):
    return make_plan(profile, runs / "new", ["mnist_classifier"])


def _found(profile, runs):
    found = forecast(profile, _plan(profile, runs), runs)
    return {each.planned.stored.variant: each for each in found}


@pytest.fixture
def runs(tmp_path):
    """A folder with a run whose fine-tuned cell took 10 seconds on this machine."""
    profile = _profile()
    plan = make_plan(profile, tmp_path / "old", ["mnist_classifier"])
    planned = next(p for p in plan if p.stored.variant == "fine_tuned")
    metrics = {"seconds": 10.0, "hardware": hardware()}
    with mock.patch("os.fsync"):
        write_done(planned.stored, Result({}), planned.depends_on, metrics)
        write_manifest(tmp_path / "old", {}, [planned.stored])
    return tmp_path


def test_a_stored_cell_tells_how_long_such_a_cell_takes(runs):
    found = _found(_profile(), runs)["fine_tuned"]
    assert (found.seconds, found.basis) == (10.0, "1 stored")


def test_other_settings_scale_the_time_by_the_images_that_are_seen(runs):
    found = _found(_profile(epochs=6), runs)["fine_tuned"]
    assert found.seconds == pytest.approx(30.0), "six epochs, not two"
    assert "scaled" in found.basis


def test_times_of_another_machine_tell_nothing(runs, monkeypatch):
    other = {**hardware(), "cpu": "another"}
    monkeypatch.setattr(forecasting, "hardware", lambda: other)
    monkeypatch.setattr(forecasting, "_operations", lambda experiment: 10**6)
    monkeypatch.setattr(forecasting, "_rate", lambda precision: 10**9)
    found = _found(_profile(), runs)["fine_tuned"]
    assert found.basis == "counted operations, rough"
    assert found.seconds == pytest.approx(2 * 3000 / 1000), "two epochs of 3,000 images"


def test_cells_that_neither_ran_nor_train_are_unknown(runs, monkeypatch):
    monkeypatch.setattr(forecasting, "_operations", lambda experiment: 1)
    monkeypatch.setattr(forecasting, "_rate", lambda precision: 1.0)
    found = _found(_profile(), runs)["ensemble"]
    assert found.seconds is None


def test_a_finished_cell_is_not_forecast(runs):
    profile = _profile()
    plan = make_plan(profile, runs / "old", ["mnist_classifier"])
    with mock.patch.object(forecasting, "_of", lambda profile, planned, known: planned):
        names = {planned.stored.variant for planned in forecast(profile, plan, runs)}
    assert "fine_tuned" not in names
    assert "pretrained" in names


def test_cells_wait_for_what_they_need(tmp_path):
    plan = _plan(_profile(), tmp_path)
    found = [Forecast(planned, 10.0, "") for planned in plan]
    one, many = (total_seconds(found, workers) for workers in (1, 100))
    assert one == 10.0 * len(plan)
    depth = {}
    for planned in plan:  # each after what it needs
        needed = [*planned.needs.values(), *(c for cs in planned.gathered.values() for c in cs)]
        depth[planned.stored.label] = 1 + max((depth[c.label] for c in needed), default=0)
    assert many == 10.0 * max(depth.values()) > 10.0


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 0),
        ({"fit": {"epochs": 3, "batch_size": 10}}, 3 * 1000),
        ({"calibration": {"images": 50, "fit": {"epochs": 2}}}, 100),
        ({"search": {"trials": 2, "max_epochs": 3, "images": 10, "confirmations": 1}}, 5 * 30),
        ({"tsne": {"perplexity": 30.0, "images": 70}}, 70),
    ],
)
def test_images_are_counted_from_the_settings(settings, expected):
    data = {"train_limit": 1000, "validation": 100}
    assert visits({"settings": settings, "data": data}) == expected


def test_held_out_images_are_not_trained_on():
    settings = {"fit": {"epochs": 1}}
    for limit in (None, 60_000):
        data = {"train_limit": limit, "validation": 5000}
        assert visits({"settings": settings, "data": data}) == 55_000


def test_operations_are_counted_and_the_rate_is_measured():
    pytest.importorskip("keras")
    assert forecasting._operations("mnist_classifier") > 10**6
    assert forecasting._rate("float32") > 10**8


def test_the_command_tells_cells_and_total(runs, capsys, monkeypatch):
    monkeypatch.setattr(forecasting, "_operations", lambda experiment: 10**6)
    monkeypatch.setattr(forecasting, "_rate", lambda precision: 10**9)
    words = ["plan", "--profile", "smoke", "--runs", str(runs)]
    assert main([*words, "--workers", "2"]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "Run smoke: profile smoke" in output
    assert "cells would run, at least" in output
    assert main([*words, "--workers", "0"]) == 2
    assert "1 or more, got 0" in capsys.readouterr().err
    assert main(["plan", "--profile", "fast"]) == 2
    assert sorted(path.name for path in runs.iterdir()) == ["old"], "nothing was made"
