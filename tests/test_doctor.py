"""What `invoke doctor` looks at."""

import pytest

from bench import commands, doctor
from bench.__main__ import main
from bench.doctor import Finding
from bench.running import profiles


def _found(look):
    return {finding.subject: finding for finding in look()}


def test_the_pinned_versions_are_recognised_and_others_are_named(monkeypatch, tmp_path):
    pins = tmp_path / "constraints.txt"
    pins.write_text("# comment\nkeras==3.15.1\nnumpy==2.4.6\n")
    monkeypatch.setattr(doctor, "PINS", pins)
    monkeypatch.setattr(doctor, "package_versions", lambda: {"keras": "3.15.1", "numpy": "2.4.6"})
    assert _found(doctor._packages)["packages"].remedy == ""
    monkeypatch.setattr(doctor, "package_versions", lambda: {"keras": "3.0", "numpy": "2.4.6"})
    found = _found(doctor._packages)["packages"]
    assert "keras 3.0 (pinned: 3.15.1)" in found.words
    assert found.remedy == "bash .ci/setup"


def test_this_machine_has_the_pinned_versions():
    assert _found(doctor._packages)["packages"].words == "the pinned versions"


@pytest.mark.parametrize(("version", "fits"), [((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_a_python_without_pins_is_told(monkeypatch, version, fits):
    monkeypatch.setattr(doctor.sys, "version_info", (*version, 1))
    finding = _found(doctor._python)["Python"]
    assert (finding.remedy == "") is fits
    assert finding.needed is not fits


def test_a_gpu_that_the_backend_does_not_see_is_told_with_the_extra(monkeypatch):
    monkeypatch.setattr(profiles, "gpu_name", lambda: "Tesla T4")
    monkeypatch.setattr(profiles, "backend_sees_gpu", lambda: False)
    for backend, extra in (("tensorflow", "gpu"), ("jax", "gpu-jax")):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        assert f"bash .ci/setup {extra}`" in profiles.unused_gpu()
    monkeypatch.setattr(profiles, "backend_sees_gpu", lambda: True)
    assert profiles.unused_gpu() is None
    monkeypatch.setattr(profiles, "gpu_name", lambda: None)
    assert profiles.unused_gpu() is None


def test_a_run_says_that_a_gpu_is_not_used_before_it_falls_back(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(commands, "unused_gpu", lambda: "The driver shows a GPU, but ...")
    words = ["--profile", "smoke", "--runs", str(tmp_path), "--variant", "nonsense"]
    assert main(["run", "mnist_classifier", *words]) == 2
    assert "The driver shows a GPU" in capsys.readouterr().out


def test_missing_data_are_told_and_nothing_is_fetched(monkeypatch, tmp_path):
    monkeypatch.setenv("LATENT_LAB_CACHE", str(tmp_path))
    for finding in doctor._datasets():
        assert finding.remedy in ("", "invoke data fetches them")
    assert list(tmp_path.rglob("*ubyte*")) == []


@pytest.mark.parametrize(("needed", "code"), [(True, 2), (False, 0)])
def test_only_what_is_needed_makes_it_a_mistake(monkeypatch, capsys, needed, code):
    finding = Finding("backend", "nowhere", "mend it", needed)
    monkeypatch.setattr(doctor, "examine", lambda: iter([finding]))
    assert main(["doctor"]) == code
    assert "mend it" in capsys.readouterr().out
