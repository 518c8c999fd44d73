"""Time against workers, by simulation."""

import pandas as pd
import pytest

from bench.rehearsal.workers import Task, longest_chain, main, seconds_with, tasks_of
from bench.store import Result, StoredCell, write_done, write_manifest

APART = [Task(str(number), 2.0) for number in range(6)]
CHAIN = [Task("a", 1.0), Task("b", 2.0, ("a",)), Task("c", 3.0, ("b",)), Task("d", 1.0)]


@pytest.mark.parametrize(("workers", "seconds"), [(1, 12.0), (2, 6.0), (4, 4.0), (1000, 2.0)])
def test_tasks_that_do_not_wait_are_shared_out(workers, seconds):
    assert seconds_with(APART, workers, 0.0) == seconds


def test_no_number_of_workers_undercuts_the_longest_chain():
    assert seconds_with(CHAIN, 1, 0.0) == 7.0
    assert seconds_with(CHAIN, 1000, 0.0) == longest_chain(CHAIN, 0.0) == 6.0


def test_each_task_costs_its_overhead():
    assert seconds_with(APART, 2, 0.5) == 3 * 2.5
    assert longest_chain(CHAIN, 1.0) == 9.0


def test_a_search_is_a_task_for_each_trial_in_waves(tmp_path):
    cells = [StoredCell(tmp_path / "run", "a", name, 0, key * 64) for name, key in
             (("before", "1"), ("search", "2"), ("after", "3"))]  # fmt: skip
    trials = pd.DataFrame(
        {
            "trial": [0, 1, 2, 3],
            "epochs": [3, 1, 1, 3],
            "seconds": [3.0, 1.0, 1.0, 2.0],
            "goes_on_from": [None, None, None, 1],
        }
    )
    given = {"needs": {}, "gathered": {}}
    write_done(cells[0], Result({}), given, {"seconds": 5.0})
    write_done(
        cells[1],
        Result({"seconds": 11.0, "confirmed": {"winner": [1.0], "default": [1.0]}},
               tables={"trials": trials}),
        given | {"needs": {"before": "1" * 64}},
        {"seconds": 12.0},
    )  # fmt: skip
    write_done(cells[2], Result({}), given | {"needs": {"x": "2" * 64}}, {"seconds": 1.0})
    run = write_manifest(tmp_path / "run", {"name": "x"}, cells)
    tasks = tasks_of(run)
    assert len(tasks) == 1 + 4 + 2 + 1 + 1
    assert seconds_with(tasks, 1, 0.0) == pytest.approx(5 + 12 + 1)
    # the defaults beside the first rung, then the promoted one, two confirmations, the rest
    assert seconds_with(tasks, 9, 0.0) == pytest.approx(5 + 3 + 2 + 2 + 1 + 1)


def test_the_table_and_the_figure_are_made_from_a_run(tmp_path, capsys):
    cell = StoredCell(tmp_path / "run", "a", "only", 0, "1" * 64)
    given = {"needs": {}, "gathered": {}}
    write_done(cell, Result({}), given, {"seconds": 3600.0})
    write_manifest(tmp_path / "run", {"name": "x"}, [cell])
    main([str(tmp_path / "run"), str(tmp_path / "hours.svg"), "--ray", "36"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 tasks, longest chain 60.0 minutes"
    assert lines[2] == "1\t1.000\t1.010"
    assert (tmp_path / "hours.svg").read_text(encoding="utf-8").count("<path")


@pytest.mark.parametrize("words", [["hours.svg"], ["hours.doc"], ["hours.svg", "--ray", "-1"]])
def test_what_cannot_be_drawn_is_refused(tmp_path, capsys, words):
    with pytest.raises(SystemExit) as refused:
        main([str(tmp_path / "no run"), str(tmp_path / words[0]), *words[1:]])
    assert refused.value.code == 2
    assert "error: " in capsys.readouterr().err
