"""Damaged and hostile contents for every reader: each is read, or refused in a declared way."""

import gzip
import io
import json
import resource
import shutil
import struct
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bench.config import load_profile
from bench.config.assignment import load_assignment
from bench.data import files, idx, own
from bench.errors import UserError
from bench.report.checks.evidence import ELEMENT, RESULTS, SCHEMA, explorer_digest, numbers_of_html
from bench.report.checks.recheck import recheck
from bench.report.errors import ReportError
from bench.report.figures.drawings import Drawings
from bench.report.publishing.freshness import is_fresh
from bench.report.words.i18n import Language
from bench.report.words.identity import load_identity
from bench.search.trials import Ended, Kept, Request, Tried
from bench.store import (
    Result,
    StoredCell,
    check_run,
    content_key,
    open_run,
    write_done,
    write_manifest,
)
from bench.store.seal import list_files, read_sealed, write_sealed
from bench.store.travel import digest, pack, unpack
from bench.trend.stored import read_series
from tests.chaos.mutations import mutated

DECLARED = (UserError, ReportError, idx.IdxError, files.RefusedError)
SHARES = 1000  # the parts below add up to this


@dataclass(frozen=True)
class Reader:
    """Something that reads bytes from outside.

    Attributes
    ----------
    name : str
        What it reads.
    share : int
        Of all inputs, of `SHARES`.
    samples : sequence of bytes
        Valid contents.
    read : callable
        Reads a content; raises what is declared, or returns.
    """

    name: str
    share: int
    samples: Sequence[bytes]
    read: Callable[[bytes], object]


@dataclass
class Tally:
    """What became of a reader's inputs.

    Attributes
    ----------
    inputs, refused : int
        How many there were, and how many were refused in a declared way.
    undeclared : list of str
        What was raised beside.
    slowest : float
        Seconds of processor time for one input.
    growth : float
        MiB by which the memory of the process rose at most.
    """

    inputs: int = 0
    refused: int = 0
    undeclared: list[str] = field(default_factory=list)
    slowest: float = 0.0
    growth: float = 0.0


def attack(reader, count, seed):
    """Give a reader damaged contents.

    Parameters
    ----------
    reader : Reader
        Who reads.
    count : int
        How many.
    seed : int
        The same seed gives the same contents.

    Returns
    -------
    Tally
        What became of them.
    """
    random = np.random.default_rng([seed, *reader.name.encode()])
    for sample in reader.samples:
        reader.read(sample)  # raises if the valid ones are none: then nothing would be attacked
    tally, before = Tally(), _memory()
    for _ in range(count):
        content = mutated(random, reader.samples)
        _note(tally, lambda content=content: reader.read(content), repr(content[:200]))
    tally.growth = _memory() - before
    return tally


def explode(read):
    """Let something be read that says it is large, or becomes large.

    Parameters
    ----------
    read : callable
        Reads it.

    Returns
    -------
    Tally
        What became of it.
    """
    tally, before = Tally(), _memory()
    _note(tally, read, "")
    tally.growth = _memory() - before
    return tally


def _note(tally, read, shown):
    began = time.process_time()
    try:
        read()
    except DECLARED:
        tally.refused += 1
    except Exception:  # this is what is looked for
        tally.undeclared.append(f"{shown}\n{traceback.format_exc(limit=-4)}")
    tally.slowest = max(tally.slowest, time.process_time() - began)
    tally.inputs += 1


def _memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def readers(folder):
    """Make every reader, with its valid contents, in a folder of its own.

    Parameters
    ----------
    folder : Path
        Where files are written.

    Returns
    -------
    list of Reader
        Their shares add up to `SHARES`.
    """
    found = [*_of_data(folder), *_of_settings(folder), *_of_the_store(folder)]
    found += [*_of_reports(folder), *_of_benchmarks(folder)]
    if sum(reader.share for reader in found) != SHARES:
        raise ValueError("the shares do not add up")
    return found


def _written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _of_data(folder):
    random = np.random.default_rng(1)
    images, labels = (
        random.integers(0, 256, (6, 8, 8), dtype=np.uint8),
        np.arange(6, dtype="u1") % 2,
    )
    encoded = [idx.encode(array) for array in (images, labels, labels.astype(">i4"))]
    yield Reader("IDX file", 180, encoded, idx.parse)
    packed = [gzip.compress(each) for each in encoded]
    yield Reader("gzip stream", 130, packed, files.unpack)

    arrays = dict(zip(("train_images", "train_labels"), (images, labels), strict=True))
    arrays |= dict(zip(("test_images", "test_labels"), (images, labels), strict=True))
    archives = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, **arrays)
        archives.append(file.getvalue())
    npz = folder / "npz" / "all.npz"
    yield Reader(
        ".npz data set",
        60,
        archives,
        lambda content: own.describe(_written(npz, content).parent, ("a", "b")),
    )
    place = folder / "idx"
    for name, array in zip(files_of_four(), (images, labels, images, labels), strict=True):
        _written(place / name, idx.encode(array))
    first = files_of_four()[0]

    def read_folder(content):
        _written(place / first, content)
        own.describe(place, ("a", "b"))

    yield Reader("folder of IDX files", 40, [encoded[0], packed[0]], read_folder)


def files_of_four():
    """Names of MNIST's four files."""
    from bench.data.definition import FILES

    return list(FILES)


def _of_settings(folder):
    path = folder / "settings" / "mine.toml"
    profiles = [(load_profile_path(name)).read_bytes() for name in ("smoke", "quick", "full")]
    yield Reader("profile", 60, profiles, lambda content: load_profile(_written(path, content)))
    identity = b"""[report]
title = { en = "Autoencoders", es = "Autoencoders" }
authors = [{ name = "Ana", number = "7", mail = "ana@example.edu" }]
date = 2026-12-01
language = ["en", "es"]
repository = "https://example.org/lab"
[report.text]
discussion = "We expected **more** of it."
exercise_4 = { en = "a", es = "b" }
"""
    yield Reader(
        "identity", 100, [identity], lambda content: load_identity(_written(path, content))
    )
    shipped = load_profile_path("assignment").read_bytes()
    yield Reader(
        "assignment", 60, [shipped], lambda content: load_assignment(_written(path, content))
    )


def load_profile_path(name):
    """Path of a shipped TOML file."""
    from bench.config import FOLDER

    return FOLDER / f"{name}.toml"


class _Network:
    def save(self, path):
        path.write_bytes(b"weights" * 20)


def _of_the_store(folder):
    run = folder / "runs" / "r"
    cell = StoredCell(run, "a", "b", 0, "0" * 64)
    table = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})
    result = Result(
        {"accuracy": 0.875}, {"history": table}, {"x": np.arange(12.0)}, {"n": _Network()}
    )
    write_done(cell, result, {"a": 1}, {"created": "2026-11-23T12:00:00+00:00"})
    write_manifest(run, load_profile("smoke").model_dump(mode="json"), [cell])
    whole = {path.name: path.read_bytes() for path in cell.folder.iterdir()}

    def read_all(one):
        """Read a cell as the report does: what is not done says why, what is done is read."""
        if one.status != "done":
            assert one.failure is None or isinstance(one.failure["message"], str)
            return
        _ = (one.metrics, one.config, one.provenance, one.arrays, one.table_names)
        for name in one.table_names:
            one.table(name)

    def fresh():
        return replace(cell)

    def damaged(name):
        def read(content):
            _written(cell.folder / name, content)
            try:
                if content != whole[name] and name != "done.json":
                    assert fresh().status == "damaged", "a changed file was taken for a result"
                read_all(fresh())
            finally:
                _written(cell.folder / name, whole[name])

        return read

    def resealed(name):
        """A hostile cell: the file is another one, and its hash is right."""

        def read(content):
            _written(cell.folder / name, content)
            try:
                listed = list_files(cell.folder)
                listed.pop("done.json")
                write_sealed(cell.folder / "done.json", {"key": cell.key, "files": listed})
                read_all(fresh())
            finally:
                for other in (name, "done.json"):
                    _written(cell.folder / other, whole[other])

        return read

    yield Reader("done.json", 60, [whole["done.json"]], damaged("done.json"))
    for name, share in (("metrics.json", 20), ("arrays.npz", 20), ("history.parquet", 20)):
        yield Reader(f"damaged {name}", share, [whole[name]], damaged(name))
    for name, share in (("metrics.json", 20), ("arrays.npz", 50), ("history.parquet", 50)):
        yield Reader(f"made-up {name}", share, [whole[name]], resealed(name))

    manifest = (run / "manifest.json").read_bytes()

    def read_manifest(content):
        _written(run / "manifest.json", content)
        try:
            check_run(run)
            _ = open_run(run).languages
        finally:
            _written(run / "manifest.json", manifest)

    yield Reader("manifest", 20, [manifest], read_manifest)

    def made_up_manifest(content):
        """A hostile manifest: the content is another one, and its hash is right."""
        try:
            stated = json.loads(content)
        except (ValueError, RecursionError):
            return
        if isinstance(stated, dict):
            stated.pop("sha256", None)
            stated = {**stated, "sha256": _hash(stated)}
            read_manifest(json.dumps(stated).encode())

    yield Reader("made-up manifest", 20, [manifest], made_up_manifest)

    kept = Kept(folder / "search")
    request = Request({"": {"x": 1.0}}, 1, 1, 10.0, 1.0, goes_on=True)
    kept.keep(request, Ended(Tried({"": [0.5]}, 1.0), b"state"))
    trial = folder / "search" / f"{request.key}.json"

    def read_trial(content):
        _written(trial, content)
        kept.find(request)

    yield Reader("trial of a search", 20, [trial.read_bytes()], read_trial)
    bytes_of_cell = pack(cell)
    yield Reader(
        "travelling cell",
        20,
        [bytes_of_cell],
        lambda content: unpack(fresh(), content, digest(content)),
    )
    yield Reader("sealed JSON", 20, [whole["done.json"]], lambda c: read_sealed(_written(trial, c)))


def _hash(stated):
    try:
        return content_key(stated)
    except (ValueError, RecursionError):  # a number that is not finite, or too deep
        return ""


def _of_reports(folder):
    page = _small_page()
    path = folder / "report" / "r.html"
    yield Reader("report, HTML", 10, [page], lambda content: recheck(_written(path, content)))
    document = path.with_suffix(".pdf")
    small = _small_document(page)
    yield Reader("report, PDF", 10, [small], lambda content: recheck(_written(document, content)))
    out = folder / "out"
    run = open_run(folder / "runs" / "r")
    record = json.dumps({"key": "0" * 64, "files": {"r.html": "0" * 64}}).encode()

    def read_record(content):
        _written(out / "rendered.json", content)
        assert not is_fresh(run, out), "a report that is not there was taken for up to date"

    yield Reader("record of a rendering", 2, [record], read_record)
    drawings = Drawings(out, Language("en"), Path(__file__).parents[2] / "templates")
    first = drawings.outlines("x^2")
    (formula,) = (out / ".drawings").glob("formula~*.json")
    sample = formula.read_bytes()

    def read_drawing(content):
        _written(formula, content)
        assert drawings.outlines("x^2") == first, "a damaged drawing was used"

    yield Reader("kept formula", 2, [sample], read_drawing)


def _small_page():
    """A page that carries its results, in a few lines."""
    given = 'data-cell="a/b-s0-0" data-path="accuracy" data-format=".3f"'
    body = f"<p>It is <data {given}>0.875</data>.</p>"
    page = f"<!doctype html><html><head></head><body><main>{body}</main></body></html>"
    evidence = _evidence(page)
    script = f'<script type="application/json" id="{ELEMENT}">{json.dumps(evidence)}</script>'
    return page.replace("</body>", f"{script}</body>").encode()


def _evidence(page):
    stated = {
        "schema": SCHEMA,
        "run": "r",
        "language": "en",
        "protocol": "",
        "commits": [],
        "cells": {"a/b-s0-0": {"key": "0", "sha256": "0"}},
        "values": {"a/b-s0-0": {"accuracy": 0.875, "trained": 1.0}},
        "same_images": {},
        "constants": {},
        "profile": {},
        "explorer": explorer_digest(page),
        "numbers": [number.text for number in numbers_of_html(page)],
        "statements": [["0.875", {"data-cell": "a/b-s0-0", "data-path": "accuracy"}]],
    }
    return {**stated, "sha256": content_key(stated)}


def _small_document(page):
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment(RESULTS, json.dumps(_evidence("")).encode())
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _of_benchmarks(folder):
    stored = folder / "benchmarks" / "one" / "0001_x.json"
    run = {
        "machine_info": {"hardware": {"cpu": "a", "cores": 2}, "backend": "tensorflow"},
        "control_seconds": {"before": {"k": 0.1}, "after": {"k": 0.1}},
        "commit_info": {"id": "0" * 40},
        "datetime": "2026-11-23T12:00:00",
        "benchmarks": [{"fullname": "t.py::test_a", "stats": {"median": 0.1}}],
    }
    sample = json.dumps(run).encode()
    yield Reader(
        "figures of the benchmarks",
        6,
        [sample],
        lambda content: read_series(_written(stored, content).parents[1]),
    )


def bombs(folder):
    """Small files that say they are large, or become large: each is refused with little memory.

    Parameters
    ----------
    folder : Path
        Where files are written.

    Returns
    -------
    list of (str, callable)
        What it is, and what reads it.
    """
    zeros = gzip.compress(bytes(1 << 30), 1)  # a gibibyte
    header = struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**15, 2**15)
    place = folder / "bomb"
    found = [
        ("gzip stream of a gibibyte", lambda: files.unpack(zeros)),
        ("IDX header of 2 EiB", lambda: idx.parse(header)),
    ]
    for what, content in (
        ("folder with a gzip stream of a gibibyte", gzip.compress(header + bytes(1 << 20), 1)),
        ("folder with an IDX header of 2 EiB", header),
    ):
        target = place / what.replace(" ", "-")
        for name in files_of_four():
            _written(target / name, content)
        found.append((what, lambda target=target: own.describe(target, ("a", "b"))))
    archive = place / "npz" / "all.npz"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("train_images", "train_labels", "test_images", "test_labels"):
            with packed.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array_header_1_0(
                    stream, {"descr": "|u1", "fortran_order": False, "shape": (1 << 40, 28, 28)}
                )
                stream.write(bytes(1 << 24))
    found.append(
        (".npz whose header says 800 TiB", lambda: own.describe(archive.parent, ("a", "b")))
    )
    cell = StoredCell(place / "runs" / "r", "a", "b", 0, "0" * 64)
    write_done(cell, Result({}), {}, {})
    shutil.copy(archive, cell.folder / "arrays.npz")
    (cell.folder / "done.json").unlink()
    write_sealed(cell.folder / "done.json", {"key": cell.key, "files": list_files(cell.folder)})
    found.append(("made-up cell whose arrays say 800 TiB", lambda: cell.arrays))
    many = " ".join(f"{number % 7}.5" for number in range(60_000))
    page = f"<html><body><p>{many}</p></body></html>"
    evidence = _evidence("") | {"numbers": [f"{number % 5}.5" for number in range(60_000)]}
    script = f'<script type="application/json" id="{ELEMENT}">{json.dumps(evidence)}</script>'
    path = _written(place / "r.html", page.replace("</body>", f"{script}</body>").encode())
    found.append(("report whose 60,000 numbers all differ", lambda: recheck(path)))
    return found
