"""Which executor runs, and what is refused before anything does."""

import importlib.util
import os

import pytest

from bench.errors import UserError
from bench.running import choose_executor, executors
from bench.running.executors import ONE_THREAD, Inline, WholeMachine
from bench.running.workers import Local


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("lokal", 1), "Did you mean local"),
        (("ray", 1, None, 1.5), "above 0 and at most 1, got 1.5"),
        (("ray", 1, None, 0.0), "above 0 and at most 1, got 0"),
        (("local", 0), "1 or more, got 0"),
        (("local", 1, "auto"), "for --executor ray, not for local"),
        (("local", 1, None, 0.5), "for --executor ray, not for local"),
    ],
)
def test_options_that_make_no_sense_are_refused(given, words):
    with pytest.raises(UserError, match=words):
        choose_executor(*given)


def test_without_ray_the_extra_is_named(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ray" else find(name)
    )
    with pytest.raises(UserError, match=r"bash .ci/setup cluster"):
        choose_executor("ray", 1)


def test_processes_run_cells_on_a_processor_and_this_one_on_a_gpu(monkeypatch):
    module = importlib.import_module("bench.running.execute")
    monkeypatch.setattr(module, "backend_sees_gpu", lambda: False)
    assert isinstance(choose_executor("local", 2), Local)
    monkeypatch.setattr(module, "backend_sees_gpu", lambda: True)
    assert type(choose_executor("local", 2)) is WholeMachine


def test_inline_starts_the_program_anew_with_one_thread(monkeypatch):
    module, started = importlib.import_module("bench.running.execute"), []
    monkeypatch.setattr(module, "backend_sees_gpu", lambda: False)
    monkeypatch.setattr(executors.os, "execve", lambda *given: started.append(given))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert isinstance(choose_executor("inline", 1), Inline)
    (_, words, environment) = started[0]
    assert words[1:] == executors.sys.orig_argv[1:]
    assert ONE_THREAD.items() <= environment.items()
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    choose_executor("inline", 1)
    assert len(started) == 1


def test_inline_keeps_its_process_on_one_core_meanwhile(monkeypatch):
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, value)
    seen = []
    monkeypatch.setattr(
        WholeMachine, "run", lambda *given: seen.append((os.cpu_count(), executors.usable_cores()))
    )
    before = executors.usable_cores()
    Inline().run(None, [], None)
    assert seen == [(1, before[:1])]
    assert executors.usable_cores() == before
