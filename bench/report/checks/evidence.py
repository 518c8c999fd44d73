"""Results that are stored inside a report's files, so that each printed number can be checked.

What is embedded: the value of each cell behind each printed number, the profile, what the numbers
on paper are of (on the screen they say so themselves), and every number of the text, in order.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from bench.config import protocol
from bench.interfaces import JsonMapping, JsonObject
from bench.paths import ROOT
from bench.report.checks.verify import SOURCES, Mark, read_page
from bench.report.explorer.gather import ELEMENT as EXPLORER
from bench.report.page.marks import Marks
from bench.report.values.collect import Tables, lookup
from bench.report.values.constants import Constants
from bench.store import StoredCell, StoredRun, content_key
from bench.store.keys import canonical_json

if TYPE_CHECKING:
    import pypdfium2

SCHEMA = 1
ELEMENT = "embedded-results"  # the identifier of the embedded block in the HTML
RESULTS, PROFILE, LOCK = "results.json", "profile.json", "constraints.txt"
LOCK_FILE = ROOT / ".ci" / LOCK
NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f]\d+)*")
WORDS = 40  # characters before and after a number by which it is named
UNSEEN = {"script", "style", "template"}


@dataclass(frozen=True)
class Number:
    """A number of a text.

    Attributes
    ----------
    text : str
        Its digits, with separators.
    place : str
        The page, or empty on the screen.
    words : str
        What stands around it.
    """

    text: str
    place: str
    words: str


def gather(
    run: StoredRun, marks: Iterable[Mark], language: str, constants: Constants
) -> JsonObject:
    """Collect what checking a report's marked numbers needs.

    Parameters
    ----------
    run : StoredRun
        The run that the report is about.
    marks : iterable of Mark
        The numbers, as they stand on the page.
    language : str
        Code of the page's language.
    constants : Constants
        Figures that were not measured here.

    Returns
    -------
    dict
        Plain JSON.
    """
    cells, tables = {cell.label: cell for cell in run.cells}, Tables()
    values: dict[str, JsonObject] = {}
    pairs: dict[str, list[int]] = {}
    stated: dict[str, JsonObject] = {}

    def keep(labels: str, path: str) -> None:
        for label in labels.split():
            values.setdefault(label, {})[path] = lookup(cells[label], path, tables)
            values[label]["trained"] = cells[label].metrics.get("trained")

    for mark in marks:
        given = mark.attributes
        if "data-cell" in given:
            keep(given["data-cell"], given["data-path"])
            keep(given.get("data-minus", ""), given.get("data-minus-path", given["data-path"]))
        elif "data-same-images" in given:
            first, second = given["data-cells"].split()
            pairs[f"{first} {second}"] = only_one_right(cells[first], cells[second])
        for source in SOURCES & set(given) - {"data-path"}:
            name = source.removeprefix("data-")
            stated.setdefault(name, {})[given[source]] = constants.value(name, given[source])
    for label, path in _asked(run):
        keep(label, path)
    done = [cell for cell in run.cells if cell.status == "done"]
    return {
        "schema": SCHEMA,
        "run": run.name,
        "language": language,
        "protocol": protocol.sha256(),
        "commits": sorted({str(cell.provenance.get("git_commit")) for cell in done}),
        "cells": {cell.label: {"key": cell.key, "sha256": cell.seal} for cell in done},
        "values": values,
        "same_images": pairs,
        "constants": stated,
        "profile": run.profile,
    }


def _asked(run: StoredRun) -> Iterable[tuple[str, str]]:
    """Cells and paths that the protocol's claims depend on."""
    for claim in protocol.protocol().claims:
        for measure in claim.measures:
            for system in measure.systems:
                for cell in run.select(*system.split("/")):
                    if cell.status == "done":
                        yield cell.label, measure.metric
                        if measure.pairs:
                            yield cell.label, measure.pairs


def only_one_right(first: StoredCell, second: StoredCell) -> list[int]:
    """Count the test images that one of two classifiers alone gets right: the first, the second.

    Parameters
    ----------
    first : StoredCell
        Cell of a classifier.
    second : StoredCell
        Cell of another one.

    Returns
    -------
    list of int
        Two counts.
    """
    labels = first.array("labels")
    a, b = (cell.array("probabilities").argmax(axis=1) == labels for cell in (first, second))
    return [int((a & ~b).sum()), int((b & ~a).sum())]


def with_results(
    page: str, run: StoredRun, marks: Iterable[Mark], language: str, constants: Constants
) -> str:
    """Put the results that a page for the screen rests on into it, at the end of its body.

    Parameters
    ----------
    page : str
        The finished page.
    run, marks, language, constants
        See `gather`.

    Returns
    -------
    str
        The page.
    """
    evidence = gather(run, marks, language, constants) | {"explorer": explorer_digest(page)}
    evidence = _sealed(evidence, numbers_of_html(page))
    # inside of the element nothing but "<" could end it
    block = canonical_json(evidence).replace("<", "\\u003c")
    script = f'<script type="application/json" id="{ELEMENT}">{block}</script>'
    before, end, after = page.rpartition("</body>")
    return f"{before}{script}{end}{after}"


def explorer_digest(page: str) -> str:
    """Return the SHA-256 of the explorer's data in a page, or of nothing where it has none."""
    _, _, rest = page.partition(f'id="{EXPLORER}">')
    return hashlib.sha256(rest.partition("</script>")[0].encode()).hexdigest()


def results_to_attach(
    draft: bytes, run: StoredRun, marks: Iterable[Mark], language: str, constants: Constants
) -> dict[str, tuple[str, str]]:
    """Collect what a PDF carries: results, profile, and the exact versions of all packages.

    Parameters
    ----------
    draft : bytes
        The PDF without attachments: its numbers are read back from it.
    run, marks, language, constants
        See `gather`.

    Returns
    -------
    dict of str to (str, str)
        Name of each file to its text and its description.
    """
    from pypdfium2 import PdfDocument

    evidence = gather(run, marks, language, constants)
    evidence["statements"] = [[mark.text, mark.attributes] for mark in marks]
    with PdfDocument(draft) as document:
        whole = _sealed(evidence, numbers_of_pdf(document))
    return {
        RESULTS: (canonical_json(whole), "Values behind the report's numbers"),
        PROFILE: (canonical_json(run.profile), "Settings of the run"),
        LOCK: (LOCK_FILE.read_text(encoding="utf-8"), "Exact versions of all packages"),
    }


def _sealed(evidence: JsonMapping, numbers: Iterable[Number]) -> JsonObject:
    """Add the numbers of the text, and the hash of it all."""
    whole = {**evidence, "numbers": [number.text for number in numbers]}
    return {**whole, "sha256": content_key(whole)}


class Recorder:
    """Marks of a page for paper: they print plain text and record the source of each number.

    Parameters
    ----------
    marks : Marks
        The page's own, which print plain text.
    final : callable
        Whether the page is rendered for the last time.
    """

    def __init__(self, marks: Marks, final: Callable[[], bool]) -> None:
        self._marks, self._final = marks, final
        self._twin = Marks(marks.run, marks.language, marks.constants, marked=True)
        self.recorded: list[Mark] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._marks, name)
        if name not in ("number", "same_images", "evaluated", "handed", "published", "setting"):
            return found

        def recording(*arguments: object, **options: object) -> Markup:
            if self._final():
                self._twin.ledgers = [[]] if self._marks.ledgers else []
                marked = getattr(self._twin, name)(*arguments, **options)
                self.recorded += read_page(str(marked)).marks
            return found(*arguments, **options)

        return recording


def numbers_of_html(page: str) -> list[Number]:
    """Read every number of a page's text, in order; those of drawings too."""
    reader = _Text()
    reader.feed(page)
    reader.close()
    return _numbers(" ".join(reader.parts), "")


def numbers_of_pdf(document: "pypdfium2.PdfDocument") -> list[Number]:
    """Read every number of a document's text, page by page.

    Parameters
    ----------
    document : pypdfium2.PdfDocument
        The open document.
    """
    found = []
    for number, page in enumerate(document, 1):
        text = page.get_textpage().get_text_range()
        found += _numbers(" ".join(text.split()), f"page {number}")
    return found


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data)


def _numbers(text: str, place: str) -> list[Number]:
    return [
        Number(
            found.group(),
            place,
            " ".join(text[max(0, found.start() - WORDS) : found.end() + WORDS].split()),
        )
        for found in NUMBER.finditer(text)
    ]
