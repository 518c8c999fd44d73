"""The search as a whole: what is accepted, what is named, what is kept, what is told."""

import gzip
import logging
import multiprocessing
import threading
import time
from dataclasses import dataclass

import filelock
import numpy as np
import pytest
from data_support import encode_idx, put, small_info, small_payloads

from bench.data import DATASETS, files, fingerprint, load, loading
from bench.data.definition import (
    FILES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    RouteError,
    silent,
)
from bench.data.loading import Findings, assemble, explain, find, walk
from bench.data.registry import look_up
from bench.errors import UserError

PAYLOADS = small_payloads()
INFO = small_info(PAYLOADS)


@dataclass
class Shelf:
    """A route that offers the files of one folder as if from far away, and counts the asking."""

    folder: object
    name: str = "shelf"
    asked_for: bool = False
    remote: bool = True
    asked: int = 0
    hold: threading.Event | None = None

    def gather(self, files, workspace, progress):
        self.asked += 1
        if self.hold:
            self.hold.wait(5)
        for file in files:
            path = self.folder / file
            if not path.exists():
                raise RouteError("the shelf is bare")
            yield file, path


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An own folder, a cache and a shelf in place of the network."""
    monkeypatch.setenv("LATENT_LAB_DATA", str(tmp_path / "own"))
    monkeypatch.setenv("LATENT_LAB_CACHE", str(tmp_path / "cache"))
    shelf = Shelf(put(tmp_path / "shelf", PAYLOADS))
    plan = loading.plan_routes
    monkeypatch.setattr(loading, "plan_routes", lambda *given: (*plan(*given), shelf))
    return tmp_path / "own" / "small_set", tmp_path / "cache" / "datasets" / "small_set", shelf


def test_the_own_folder_comes_first_and_is_not_copied(places):
    own, cached, shelf = places
    put(own, PAYLOADS, compress=True)
    findings = find(INFO, silent)
    assert findings.payloads == PAYLOADS
    assert findings.route == f"own folder {own.parent}"
    assert shelf.asked == 0
    assert not cached.exists()


def test_what_comes_from_far_away_is_kept_decompressed(places):
    _, cached, shelf = places
    assert find(INFO, silent).route == "shelf"
    assert {path.name: path.read_bytes() for path in cached.iterdir()} == PAYLOADS
    second = find(INFO, silent)
    assert second.route == f"cache {cached}"
    assert second.payloads == PAYLOADS
    assert shelf.asked == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]),
        lambda raw: gzip.compress(raw, mtime=0)[:-9],
        lambda raw: small_payloads(seed=9)[TRAIN_IMAGES],
        lambda raw: b"",
        lambda raw: b"<html>Sign in to the network</html>",
    ],
    ids=["cut", "flipped", "gzip cut", "another file", "empty", "web page"],
)
@pytest.mark.parametrize("where", ["own", "cache"])
def test_a_damaged_file_is_named_and_fetched_again(places, caplog, damage, where):
    own, cached, shelf = places
    folder = put(own if where == "own" else cached, PAYLOADS)
    bad = folder / TRAIN_IMAGES
    bad.write_bytes(damage(PAYLOADS[TRAIN_IMAGES]))
    findings = find(INFO, silent)
    assert findings.payloads == PAYLOADS
    assert findings.fetched == (TRAIN_IMAGES,)
    assert findings.route.startswith("shelf; ")
    assert shelf.asked == 1
    warnings = [r.getMessage() for r in caplog.records if "refused" in r.getMessage()]
    assert sum(message.startswith(f"Small set: {bad} refused") for message in warnings) == 1
    assert (cached / TRAIN_IMAGES).read_bytes() == PAYLOADS[TRAIN_IMAGES]
    if where == "own":
        assert bad.read_bytes() == damage(PAYLOADS[TRAIN_IMAGES])


def test_a_good_gzip_beside_a_bad_raw_file_is_taken(places, caplog):
    own, _, shelf = places
    put(own, PAYLOADS, compress=True)
    (own / TRAIN_LABELS).write_bytes(b"bad")
    assert find(INFO, silent).payloads == PAYLOADS
    assert shelf.asked == 0
    assert str(own / TRAIN_LABELS) + " refused" in caplog.text


def test_an_own_folder_without_the_data_is_warned_of(places, caplog):
    own, _, _ = places
    find(INFO, silent)
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert f"own folder {own.parent} did not give every file" in record.getMessage()


def test_no_route_lists_every_route_and_the_remedy(places, monkeypatch):
    own, cached, shelf = places
    bad = put(own, {TRAIN_IMAGES: b"bad"}) / TRAIN_IMAGES
    (shelf.folder / TRAIN_LABELS).unlink()
    monkeypatch.setattr(loading, "look_up", lambda name: INFO)
    with pytest.raises(UserError) as caught:
        load("small_set")
    message = str(caught.value)
    assert f"no route gave {', '.join(FILES[1:])}." in message
    assert f"- own folder {own.parent}: {bad.name} refused: expected SHA-256" in message
    assert f"- cache {cached}: none of the files is in {cached}" in message
    assert "- shelf: the shelf is bare" in message
    assert "Remedy" in message
    assert "LATENT_LAB_DATA" in message
    # What did arrive is good, and need not come again.
    assert [path.name for path in cached.iterdir()] == [TRAIN_IMAGES]


def test_the_message_for_a_closed_network_names_all_routes_of_a_real_set(monkeypatch, tmp_path):
    for variable in ("LATENT_LAB_DATA", "LATENT_LAB_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("PATH", "")

    def closed(url, target, progress):
        raise RouteError("gaierror: no such host")

    monkeypatch.setattr("bench.data.routes.download", closed)
    with pytest.raises(UserError) as caught:
        load("mnist")
    info = DATASETS["mnist"]
    for part in ("own folder", "cache", *(source.name for source in info.sources), "Remedy"):
        assert part in str(caught.value)


def test_an_unwritable_cache_is_warned_of_and_the_data_are_good(places, caplog, monkeypatch):
    own, _, _ = places
    blocked = own.parent.with_name("file")
    blocked.write_text("not a folder")
    monkeypatch.setenv("LATENT_LAB_CACHE", str(blocked))
    assert find(INFO, silent).payloads == PAYLOADS
    assert "could not be kept in the cache" in caplog.text


def test_a_write_that_breaks_off_leaves_no_file(tmp_path, monkeypatch, caplog):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    files.store(tmp_path / "small", PAYLOADS)
    assert list((tmp_path / "small").iterdir()) == []
    assert "No space left on device" in caplog.text


def test_what_a_killed_process_left_behind_goes(tmp_path):
    left = put(tmp_path, {f".{FILES[0]}.abc.part": b"half"})
    files.store(tmp_path, PAYLOADS)
    assert sorted(path.name for path in left.iterdir()) == sorted(PAYLOADS)


def test_two_at_once_fetch_once(places):
    _, cached, shelf = places
    shelf.hold = threading.Event()
    waiting = threading.Event()

    def progress(message, share):
        if message.startswith("waiting"):
            waiting.set()

    results = []
    first = threading.Thread(target=lambda: results.append(find(INFO, silent)))
    first.start()
    while shelf.asked == 0:
        first.join(0.01)
    second = threading.Thread(target=lambda: results.append(find(INFO, progress)))
    second.start()
    assert waiting.wait(5)
    shelf.hold.set()
    first.join()
    second.join()
    assert shelf.asked == 1
    assert [found.route for found in results] == ["shelf", f"cache {cached}"]


def _hold(path, ready, done):
    with filelock.FileLock(path):
        ready.set()
        done.wait(300)


def test_a_lock_that_stays_taken_is_a_clear_error(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(tmp_path / "small.lock"), ready, done))
    other.start()
    try:
        assert ready.wait(300)
        start = time.monotonic()
        with (
            pytest.raises(UserError, match=r"small\.lock.*another process"),
            files.locked(tmp_path / "small", silent, seconds=0.2),
        ):
            pass
        assert time.monotonic() - start < 250  # it did not wait for the other process
    finally:
        done.set()
        other.join()


def test_routes_after_the_last_needed_one_are_not_asked(tmp_path):
    first, second = Shelf(put(tmp_path / "a", PAYLOADS)), Shelf(tmp_path / "b")
    findings = Findings(INFO)
    walk(findings, [first, second], tmp_path, silent)
    assert (first.asked, second.asked) == (1, 0)
    assert not findings.shortfalls


def test_nothing_found_is_said_as_such():
    assert "no route gave any of them" in explain(Findings(INFO))


def test_an_unknown_name():
    with pytest.raises(UserError, match=r"No data set 'cifar'\. Expected one of mnist, fashion"):
        load("cifar")


def test_fingerprints_are_those_of_the_registry():
    for name, info in DATASETS.items():
        assert look_up(name) is info
        assert info.name == name
        assert len(info.class_names) == 10
        assert fingerprint(name) == dict(info.files)
    assert fingerprint("mnist")[TRAIN_IMAGES].startswith("ba891046")


def test_the_definition_must_name_every_file():
    with pytest.raises(ValueError, match="expected a SHA-256 for each of"):
        small_info({TRAIN_IMAGES: b""})


def test_arrays_that_do_not_belong_together_are_refused():
    wrong = dict(PAYLOADS)
    wrong[TEST_LABELS] = encode_idx(np.zeros(29, np.uint8))
    info = small_info(wrong)
    with pytest.raises(ValueError, match=r"labels \(n,\) below 3; got .* \(30, 28, 28\)"):
        assemble(info, Findings(info, wrong))


def test_labels_beyond_the_class_names_are_refused():
    wrong = dict(PAYLOADS)
    wrong[TEST_LABELS] = encode_idx(np.full(30, 3, np.uint8))
    info = small_info(wrong)
    with pytest.raises(ValueError, match="highest 3"):
        assemble(info, Findings(info, wrong))
