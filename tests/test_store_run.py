"""A run's manifest, lock and content keys."""

import json
import multiprocessing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.store import StoredCell, content_key, derive_seed, lock_run, open_run, write_manifest

PROFILE = {"name": "smoke", "watermark": "smoke: do not cite"}


def _cell(folder, experiment, variant, seed, key="k" * 64):
    return StoredCell(folder, experiment, variant, seed, key)


def test_a_manifest_is_read_back_in_order(tmp_path):
    cells = [
        _cell(tmp_path, "b", "x", 1),
        _cell(tmp_path, "b", "x", 0),
        _cell(tmp_path, "a", "y", 0),
    ]
    write_manifest(tmp_path, PROFILE, cells)
    run = open_run(tmp_path)
    assert run.watermark == "smoke: do not cite"
    assert list(run.cells) == cells
    assert [cell.seed_index for cell in run.select("b", "x")] == [0, 1]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"schema": 1}', '{"schema": 99, "profile": {}, "cells": []}']
)
def test_a_manifest_that_is_none_is_an_error_with_the_remedy(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UserError, match=r"manifest\.json"):
        open_run(tmp_path)


def test_no_run_is_an_error_that_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match="invoke run-all"):
        open_run(tmp_path / "nowhere")


def _hold(folder, held, release):
    with lock_run(folder):
        held.set()
        release.wait(30)


def test_two_writers_are_kept_apart(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, release))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(UserError, match="Another process"), lock_run(tmp_path):
            pass
    finally:
        release.set()
        other.join()
    with lock_run(tmp_path):
        pass


def test_a_writer_sweeps_what_killed_ones_left_and_nothing_else(tmp_path):
    run, outside = tmp_path / "run", tmp_path / "outside"
    (outside / ".mine.part").mkdir(parents=True)
    left = ("pottery/.vase-s0-0123.7.part", ".manifest.json.7.part", "pottery/.a.7.deleted/b")
    kept = ("pottery/vase-s0-0123", "pottery/.search.scratch", "pottery/x.part")
    for name in (*left, *kept):
        (run / name).mkdir(parents=True)
    (run / "link").symlink_to(outside)
    with lock_run(run):
        pass
    assert sorted(path.name for path in (run / "pottery").iterdir()) == sorted(
        name.split("/")[1] for name in kept
    )
    assert sorted(path.name for path in run.iterdir()) == [".lock", "link", "pottery"]
    assert (outside / ".mine.part").is_dir()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values))
def test_a_key_does_not_depend_on_the_order_of_names(value):
    shuffled = dict(reversed(value.items()))
    assert content_key(value) == content_key(shuffled) == content_key(json.loads(json.dumps(value)))


@given(st.integers(), st.text(), st.integers(0, 10))
def test_seeds_are_repeatable_and_never_zero(root, name, index):
    seed = derive_seed(root, name, index)
    assert seed == derive_seed(root, name, index)
    assert 1 <= seed < 2**31
    assert seed != derive_seed(root, name, index + 1)
