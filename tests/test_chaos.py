"""A short campaign: damaged inputs for every reader, kills of a run, a disk without room.

`invoke chaos` is the long one.
"""

import logging
import os
import shutil
import subprocess
from unittest import mock

import numpy as np
import pytest

from tests.chaos import inputs, kills, mutations

SHORT = 2000  # inputs of all readers


@pytest.fixture(autouse=True)
def quiet():
    """What readers of PDF say about damage is not wanted here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore")  # pandas and pypdf warn of some damage
def test_every_reader_reads_or_refuses_whatever_it_is_given(tmp_path):
    undeclared, given = [], 0
    with mock.patch("os.fsync"):
        for reader in inputs.readers(tmp_path):
            tally = inputs.attack(reader, max(5, SHORT * reader.share // inputs.SHARES), seed=7)
            undeclared += [f"{reader.name}: {words}" for words in tally.undeclared]
            given += tally.inputs
    assert given >= 0.9 * SHORT
    assert not undeclared, "\n".join(undeclared[:3])


def test_what_says_that_it_is_large_is_refused(tmp_path):
    for name, read in inputs.bombs(tmp_path):
        tally = inputs.explode(read)
        assert tally.inputs == 1
        assert not tally.undeclared, f"{name}: {tally.undeclared}"


def test_the_same_seed_makes_the_same_damage():
    made = [
        [mutations.mutated(random, [b"one 1", b"two 22"]) for _ in range(50)]
        for random in (np.random.default_rng(3), np.random.default_rng(3))
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) > 40


def test_a_reader_that_raises_something_else_is_caught():
    def read(content):
        if content != b"whole":
            raise ZeroDivisionError

    tally = inputs.attack(inputs.Reader("careless", 1, [b"whole"], read), 20, seed=1)
    assert len(tally.undeclared) >= 15


def test_a_run_that_is_killed_goes_on_and_loses_nothing(tmp_path):
    (victim,) = [each for each in kills.victims(tmp_path) if each.name == "run, one worker"]
    tally = victim.attack(2, seed=1)
    assert (tally.lost, tally.wrong, tally.orphans) == ([], [], 0)


def test_a_loss_is_found(tmp_path):
    """The campaign itself is no test that cannot fail."""
    (victim,) = [each for each in kills.victims(tmp_path) if each.name == "data"]
    whole = victim._fresh("reference")
    assert victim._undisturbed(whole)[0] == 0
    expected = victim.finished(whole)
    assert len(expected) == 4
    tally = kills.Tally()
    with mock.patch.object(victim, "_undisturbed", return_value=(0, "")):
        victim._end_well(victim._fresh("killed"), expected, tally)
    assert len(tally.lost) == 1


def _small_disk(folder, kibibytes):
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(folder)]
    mounted = shutil.which("mount") and subprocess.run(words, check=False, capture_output=True)
    return bool(mounted) and mounted.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("kibibytes", [4, 24, 120])
def test_a_full_disk_ends_a_run_with_a_message_and_what_was_done_is_kept(tmp_path, kibibytes):
    disk = tmp_path / "disk"
    if not _small_disk(disk, kibibytes):
        pytest.skip("no right to mount a small disk here")
    try:
        places = ("--profile", str(tmp_path / "toy.toml"), "--runs", str(disk / "runs"))
        words = ("run", "fashion_generation", "--workers", "1", *places)
        victim = kills.Victim("run", 1, tmp_path, words, kills._cells)
        (tmp_path / "toy.toml").write_text(kills.PROFILE)
        code, told = victim._undisturbed(tmp_path)
        assert code == 2, told
        assert "Make room on the disk" in " ".join(told.split())
        assert "Traceback" not in told
        before = kills._cells(disk)
        remount = ["mount", "-o", "remount,size=64m", str(disk)]
        subprocess.run(remount, check=True, capture_output=True)
        code, told = victim._undisturbed(tmp_path)
        assert code == 0, told
        after = kills._cells(disk)
        assert before.items() <= after.items()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True, env=os.environ)
