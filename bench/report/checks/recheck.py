"""Checks of a finished report by itself: every printed number against the embedded results."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from scipy import stats

from bench.config import protocol
from bench.errors import UserError
from bench.interfaces import JsonMapping, JsonObject
from bench.report.checks.evidence import (
    ELEMENT,
    RESULTS,
    SCHEMA,
    Number,
    explorer_digest,
    numbers_of_html,
    numbers_of_pdf,
    only_one_right,
)
from bench.report.checks.recount import Recount
from bench.report.checks.verify import Mark, Numbers, read_page
from bench.report.errors import ReportError
from bench.report.values.collect import Tables, lookup
from bench.report.values.constants import Constants
from bench.report.words.i18n import Language
from bench.store import StoredCell, StoredRun, content_key

LARGEST = 2**27  # bytes of a file
MOST_PAIRS = 10**6  # of numbers that are compared one by one
REMEDY = "Render the report anew with `invoke report`, or give the file that was rendered."


@dataclass(frozen=True)
class Rechecked:
    """Result of checking a file.

    Attributes
    ----------
    path : Path
        The file.
    marked : int
        Numbers that were computed again from the results in the file.
    numbers : int
        All numbers of the text, which were compared with those that were printed.
    compared : int
        Values of the results that were compared with a run; 0 without one.
    problems : list of str
        What is wrong, each with the place.
    """

    path: Path
    marked: int
    numbers: int
    compared: int
    problems: list[str]


def recheck(path: Path, run: StoredRun | None = None) -> Rechecked:
    """Check a report's file.

    Parameters
    ----------
    path : Path
        A rendered ``.html`` or ``.pdf``.
    run : StoredRun, optional
        The run that the report is about, if it is at hand.

    Returns
    -------
    Rechecked
        No problems: each number is what the results in the file (and the run) say.

    Raises
    ------
    UserError
        If the file cannot be read, or carries no results.
    """
    _refuse_unlikely(path)
    try:
        return _rechecked(path, run)
    except UserError:
        raise
    except Exception as error:  # a hostile file may fail its readers in any way
        raise UserError(
            f"{path}: expected a report with its results, got what cannot be read "
            f"({type(error).__name__}: {error}). Nothing was checked. {REMEDY}"
        ) from error


def _rechecked(path: Path, run: StoredRun | None) -> Rechecked:
    evidence, numbers, marks = _read_html(path) if path.suffix == ".html" else _read_pdf(path)
    problems = []
    if content_key({k: v for k, v in evidence.items() if k != "sha256"}) != evidence["sha256"]:
        problems.append("the results in the file are not those that were put there (SHA-256)")
    problems += list(_changed(evidence["numbers"], numbers))
    checker = _Embedded(evidence)
    problems += [problem for mark in marks for problem in checker.problems(mark)]
    if path.suffix == ".pdf":
        problems += list(_unprinted(marks, numbers))
    elif explorer_digest(path.read_text(encoding="utf-8")) != evidence["explorer"]:
        problems.append("the explorer's data are not those that were put there (SHA-256)")
    compared = 0
    if run is not None:
        against = list(_against(evidence, run))
        compared = len(against)
        problems += [problem for problem in against if problem]
    return Rechecked(path, len(marks), len(numbers), compared, problems)


def _refuse_unlikely(path: Path) -> None:
    if path.suffix not in (".html", ".pdf"):
        raise UserError(
            f"{path}: expected a report, .html or .pdf, got {path.suffix or 'no ending'}. Nothing "
            "was checked; name a file that `invoke report` wrote."
        )
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(
            f"{path}: expected a report there; {error.strerror}. Nothing was checked; reports "
            "stand in `reports/<run>/`."
        ) from error
    if size > LARGEST:
        raise UserError(f"{path}: expected at most {LARGEST} bytes, got {size}. It was not read.")


def _read_html(path: Path) -> tuple[JsonObject, list[Number], list[Mark]]:
    page = path.read_text(encoding="utf-8")
    before, _, rest = page.partition(f'<script type="application/json" id="{ELEMENT}">')
    block, end, after = rest.partition("</script>")
    if not end:
        raise _without(path)
    text = before + after
    return _checked(path, block), numbers_of_html(text), read_page(text).marks


def _read_pdf(path: Path) -> tuple[JsonObject, list[Number], list[Mark]]:
    from pypdfium2 import PdfDocument

    with PdfDocument(path) as document:
        held = map(document.get_attachment, range(document.count_attachments()))
        files = {each.get_name(): each for each in held}
        if RESULTS not in files:
            raise _without(path)
        evidence = _checked(path, bytes(files[RESULTS].get_data()).decode("utf-8"))
        marks = [Mark(dict(given), text) for text, given in evidence["statements"]]
        return evidence, numbers_of_pdf(document), marks


def _checked(path: Path, text: str) -> JsonObject:
    evidence = json.loads(text)
    if not isinstance(evidence, dict) or evidence.get("schema") != SCHEMA:
        found = evidence.get("schema") if isinstance(evidence, dict) else type(evidence).__name__
        raise UserError(
            f"{path}: expected results of format {SCHEMA}, got {found}. Nothing was checked; check "
            "it with the version that made it."
        )
    return evidence


def _without(path: Path) -> UserError:
    return UserError(
        f"{path}: expected a report that carries its results, got one without. Nothing was "
        f"checked. {REMEDY}"
    )


def _changed(printed: Sequence[str], found: Sequence[Number]) -> Iterable[str]:
    """Name the numbers of the text that are not those that were printed."""
    texts = [number.text for number in found]
    start = next((k for k, (a, b) in enumerate(zip(printed, texts, strict=False)) if a != b), None)
    if start is None and len(printed) == len(texts):
        return
    start = min(len(printed), len(texts)) if start is None else start
    # the ends that agree are left out: comparing is quadratic
    end = 0
    while end < min(len(printed), len(texts)) - start and printed[-1 - end] == texts[-1 - end]:
        end += 1
    before, after = printed[start : len(printed) - end], texts[start : len(texts) - end]
    if len(before) * len(after) > MOST_PAIRS:
        yield f"{len(after)} numbers stand where {len(before)} others were printed"
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, low, high, first, last in matcher.get_opcodes():
        if kind == "equal":
            continue
        was, now = " ".join(before[low:high]), " ".join(after[first:last])
        near = found[min(start + first, len(found) - 1)] if found else Number("", "", "")
        place = f"{near.place}: " if near.place else ""
        yield (
            f"{place}{now or 'nothing'} stands where {was or 'nothing'} was printed "
            f"({near.words!r})"
        )


def _unprinted(marks: Iterable[Mark], numbers: Iterable[Number]) -> Iterable[str]:
    """Name numbers that were recorded for paper and stand on no page."""
    there: dict[str, int] = {}
    for number in numbers:
        there[number.text] = there.get(number.text, 0) + 1
    for mark in marks:
        for text in [number.text for number in numbers_of_html(f"<p>{mark.text}</p>")]:
            there[text] = there.get(text, 0) - 1
            if there[text] == -1:
                yield f"{_source(mark)}: {mark.text!r} stands on no page"


def _source(mark: Mark) -> str:
    given = mark.attributes
    return " ".join(given[k] for k in ("data-cell", "data-path") if k in given) or str(given)


class _Embedded(Numbers):
    """Computes every marked number again from the results in the file."""

    def __init__(self, evidence: JsonMapping) -> None:
        self.evidence = evidence
        self.known = evidence["values"]
        cells = [
            SimpleNamespace(label=label, status="done", metrics={"trained": held.get("trained")})
            for label, held in self.known.items()
        ]
        run = SimpleNamespace(cells=cells, profile=evidence["profile"])
        constants = SimpleNamespace(value=self._stated)
        language = Language(evidence["language"])
        super().__init__(cast(StoredRun, run), language, cast(Constants, constants))
        self._recount = _Recounted(evidence)
        self._same_protocol = evidence["protocol"] == protocol.sha256()

    def problems(self, mark: Mark) -> Iterable[str]:
        """Yield what is wrong with a mark, also if it names what the file does not hold."""
        if "data-claim" in mark.attributes and not self._same_protocol:
            return  # judged by rules that this version does not have
        try:
            yield from self.check(mark)
        except (ReportError, ValueError, KeyError, IndexError, TypeError) as error:
            yield f"{_source(mark)}: {mark.text!r} cannot be checked ({error})"

    def _values(self, labels: str, path: str) -> list[float]:
        return [float(self.known[label][path]) for label in labels.split()]

    def _stated(self, source: str, path: str) -> Any:
        return self.evidence["constants"].get(source, {}).get(path)

    def _same_images(self, mark: Mark) -> Iterable[str]:
        part, cells = (mark.attributes[f"data-{name}"] for name in ("same-images", "cells"))
        alone = self.evidence["same_images"][" ".join(cells.split())]
        where = f"{cells}, {part}"
        if part == "p_value":
            p = float(stats.binomtest(alone[0], sum(alone)).pvalue) if any(alone) else 1.0
            yield from self._p_value(mark.text, p, where)
        else:
            expected = alone[("only_first", "only_second").index(part)]
            yield from self._near(mark.text, expected, "d", where)


class _Recounted(Recount):
    """Evaluates the claims again, from the results in the file."""

    def __init__(self, evidence: JsonMapping) -> None:
        self.known = evidence["values"]
        super().__init__(cast(StoredRun, SimpleNamespace(select=self._select)))

    def _select(self, experiment: str, variant: str) -> list[Any]:
        found = []
        for label in self.known:
            owner, _, name = label.partition("/")
            system, _, rest = name.rpartition("-s")
            if (owner, system) == (experiment, variant):
                index = int(rest.partition("-")[0])
                found.append(SimpleNamespace(label=label, seed_index=index, status="done"))
        return sorted(found, key=lambda cell: cell.seed_index)

    def _value(self, cell: StoredCell, path: str) -> float | None:
        value = self.known[cell.label].get(path)
        return None if value is None or isinstance(value, bool) else float(value)


def _against(evidence: JsonMapping, run: StoredRun) -> Iterable[str]:
    """Compare the results in a file with a run: a problem, or nothing, for each comparison."""
    cells, tables = {cell.label: cell for cell in run.cells if cell.status == "done"}, Tables()
    for label, held in evidence["cells"].items():
        cell = cells.get(label)
        if cell is None:
            yield f"{label}: the run {run.name} has no such finished cell"
        else:
            same = (cell.key, cell.seal) == (held["key"], held["sha256"])
            yield "" if same else f"{label}: the run holds another cell of this name"
    for label, values in evidence["values"].items():
        for path, value in values.items() if label in cells else ():
            own = lookup(cells[label], path, tables)
            differs = f"{label}: {path}: expected {own!r} as in the run, got {value!r}"
            yield "" if own == value else differs
    for pair, counts in evidence["same_images"].items():
        first, second = pair.split()
        if first in cells and second in cells:
            own = only_one_right(cells[first], cells[second])
            yield "" if own == counts else f"{pair}: expected {own} as in the run, got {counts}"
    same = evidence["profile"] == run.profile
    yield "" if same else "profile: the run has other settings than the file"
