"""Checks of a finished report against the store.

Nothing of what rendered the page is trusted: the HTML is parsed, and each number on it is computed
again from the cells that it names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from scipy import stats

from bench.metrics.estimates import KINDS
from bench.report.checks.recount import Recount
from bench.report.claims import spec_of
from bench.report.errors import ReportError
from bench.report.page.marks import LEAST_P, UNTRAINED, profile_value, seed_value, setting_text
from bench.report.values.bounds import Limits, possible, within
from bench.report.values.collect import Tables, lookup
from bench.report.values.constants import SOURCES as STATED
from bench.report.values.constants import Constants
from bench.report.values.quantities import COSTS
from bench.report.words.i18n import Language, decimals_of
from bench.report.words.names import verdict_name
from bench.store import StoredCell, StoredRun

if TYPE_CHECKING:
    import weasyprint

DECIMAL = re.compile(r"\d[.,]\d")
# Text in which a decimal number needs no source: what is typeset, not measured.
UNMEASURED = {"style", "script", "math", "svg", "cite", "title"}
UNMEASURED_CLASSES = {"code", "hash", "references", "label", "tag", "contents", "reason", "byline"}
# what a measure is held against, set beforehand; what the authors wrote themselves
UNMEASURED_CLASSES |= {"claimed", "authored"}
VOID = {"meta", "img", "br", "link", "hr", "input", "col"}
SOURCES = {"data-path", *(f"data-{name}" for name in STATED)}
SPREAD = re.compile(r"\s*±\s*")
LIMITS = re.compile(r"(.+?)(?:\s*\((.+)–(.+)\))?")


@dataclass
class Mark:
    """A ``<data>`` element: its attributes and its text."""

    attributes: dict[str, str]
    text: str = ""


@dataclass
class Reading:
    """What was read from a page.

    Attributes
    ----------
    marks : list of Mark
        Every ``<data>`` element.
    anchors : list of str
        Every identifier.
    links : list of str
        Every link within the page.
    outside : list of str
        Addresses that the page would load by itself.
    bare : list of str
        Texts with decimal numbers that name no source.
    drawings : int
        Pictures with something in them.
    empty : list of str
        Figures without a picture and without a reason.
    """

    marks: list[Mark] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    drawings: int = 0
    empty: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.reading = Reading()
        self._open: list[tuple[str, bool]] = []
        self._mark: Mark | None = None
        self._figure: tuple[str, int, bool] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        found = self.reading
        if "id" in attributes:
            found.anchors.append(attributes["id"])
        if tag == "a" and attributes.get("href", "").startswith("#"):
            found.links.append(attributes["href"][1:])
        for name in ("src", "srcset", "poster", "data"):
            if name in attributes and not attributes[name].startswith("data:"):
                found.outside.append(attributes[name])
        if tag == "link" or (tag == "image" and not _reference(attributes).startswith("data:")):
            found.outside.append(attributes.get("href", _reference(attributes)))
        if tag == "data":
            self._mark = Mark(attributes)
        elif tag == "figure":
            self._figure = (attributes.get("id", ""), 0, "empty" in attributes.get("class", ""))
        elif tag in {"path", "image", "use", "img"} and self._figure:
            name, drawn, excused = self._figure
            self._figure = (name, drawn + 1, excused)
        if tag not in VOID:
            classes = set(attributes.get("class", "").split())
            exempt = tag in UNMEASURED or tag == "data" or bool(classes & UNMEASURED_CLASSES)
            self._open.append((tag, exempt))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass
        if tag == "data" and self._mark is not None:
            self.reading.marks.append(self._mark)
            self._mark = None
        elif tag == "figure" and self._figure is not None:
            name, drawn, excused = self._figure
            if drawn:
                self.reading.drawings += 1
            elif not excused:
                self.reading.empty.append(name)
            self._figure = None

    def handle_data(self, data: str) -> None:
        if self._mark is not None:
            self._mark.text += data
        elif DECIMAL.search(data) and not any(exempt for _, exempt in self._open):
            self.reading.bare.append(" ".join(data.split())[:80])


def read_page(page: str) -> Reading:
    """Parse a page and gather what is to be checked."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.reading


def check_page(page: str, run: StoredRun, language: Language, constants: Constants) -> Reading:
    """Check a page for the screen against the store.

    Parameters
    ----------
    page : str
        The HTML.
    run : StoredRun
        The run.
    language : Language
        The report's language.
    constants : Constants
        Figures that no run measured.

    Returns
    -------
    Reading
        What the page says.

    Raises
    ------
    ReportError
        If a number differs from the store, a decimal number names no source, a figure is empty, a
        message is not translated, a link leads nowhere, or the page would load something.
    """
    reading = read_page(page)
    checker = Numbers(run, language, constants)
    problems = [problem for mark in reading.marks for problem in checker.check(mark)]
    problems += [f"a number that names no cell: {text!r}" for text in reading.bare]
    problems += [f"an empty figure: {name}" for name in reading.empty]
    problems += [f"would be loaded from outside: {address}" for address in reading.outside]
    known = set(reading.anchors)
    problems += [
        f"a link that leads nowhere: #{link}" for link in reading.links if link not in known
    ]
    problems += [f"an identifier that stands twice: {name}" for name in _repeated(reading.anchors)]
    if run.watermark and 'class="watermark"' not in page:
        problems.append(f"no watermark, though the profile asks for {run.watermark!r}")
    _refuse(f"HTML ({language.code})", problems)
    return reading


def check_pdf(document: "weasyprint.Document", watermark: str | None, language: Language) -> None:
    """Check a typeset document.

    Parameters
    ----------
    document : weasyprint.Document
        The pages.
    watermark : str or None
        What must stand on each of them.
    language : Language
        Its language.

    Raises
    ------
    ReportError
        If there is no page, a page is blank, or one lacks the watermark.
    """
    texts = [_page_text(page) for page in document.pages]
    problems = [] if texts else ["no page"]
    problems += [f"page {n} is blank" for n, text in enumerate(texts, 1) if not text.strip()]
    if watermark:
        problems += [
            f"page {n} lacks the watermark {watermark!r}"
            for n, text in enumerate(texts, 1)
            if watermark not in text
        ]
    _refuse(f"PDF ({language.code})", problems)


class Numbers:
    """Computes every marked number again."""

    def __init__(self, run: StoredRun, language: Language, constants: Constants) -> None:
        self.run = run
        self.language = language
        self.constants = constants
        self._cells = {cell.label: cell for cell in run.cells}
        self._tables = Tables()
        self._recount = Recount(run)

    def check(self, mark: Mark) -> Iterable[str]:
        """Yield what is wrong with a mark."""
        given = mark.attributes
        if "data-cell" in given:
            yield from self._measured(mark)
        elif "data-claim" in given:
            yield from self._judged(mark)
        elif "data-same-images" in given:
            yield from self._same_images(mark)
        elif source := next((name for name in STATED if f"data-{name}" in given), None):
            expected = self.constants.value(source, given[f"data-{source}"])
            yield from self._compare(mark.text, expected, given)
        elif "data-setting" in given:
            value = profile_value(self.run.profile, given["data-setting"])
            if mark.text != setting_text(value, given["data-spec"], self.language):
                yield f"setting {given['data-setting']} is {value!r}, the page says {mark.text!r}"
        else:
            yield f"a marked number without a source: {mark.text!r}"

    def _measured(self, mark: Mark) -> Iterable[str]:
        given, path = mark.attributes, mark.attributes["data-path"]
        values, others = self._values(given["data-cell"], path), []
        if "data-minus" in given:
            others = self._values(given["data-minus"], given.get("data-minus-path", path))
        kind = given.get("data-estimate", "mean")
        if kind == "mean" and others:
            values, others = [a - b for a, b in zip(values, others, strict=True)], []
        labels = f"{given['data-cell']} {given.get('data-minus', '')}".split()
        untrained = not path.startswith(COSTS) and any(
            self._cells[label].metrics.get("trained") == 0.0 for label in labels
        )
        text, dagger, _ = mark.text.partition(UNTRAINED)
        if untrained != bool(dagger):
            words = "does not say" if untrained else "says"
            yield f"{path}: the page {words} that a network was not trained"
        if "data-values" in given:
            yield from self._seed_values(given["data-values"], values, path)
        expected = KINDS[kind].of(values, others).interval
        yield from self._interval(text.strip(), expected, given)

    @staticmethod
    def _seed_values(printed: str, values: list[float], path: str) -> Iterable[str]:
        """Compare the values of the seeds, which the page shows when a number is pointed at."""
        if printed != " ".join(seed_value(value) for value in values):
            yield f"{path}: the page gives the seeds' values as {printed!r}, the store {values!r}"

    def _interval(self, text: str, expected: Any, given: dict[str, str]) -> Iterable[str]:
        whole, *half = SPREAD.split(text)
        printed = LIMITS.fullmatch(whole)
        mean, low, high = printed.groups() if printed else (whole, "", "")
        yield from self._compare(mean, expected.mean, given)
        if not (half or low):
            return
        if expected.low is None or expected.high is None:
            yield f"{given['data-path']}: an interval is printed, but there is none"
        elif half:
            yield from self._compare(half[0], (expected.high - expected.low) / 2, given)
        else:
            limits: Limits = (None, None)
            if given.get("data-estimate", "mean") == "mean" and "data-minus" not in given:
                limits = possible(given["data-path"])
            least, greatest = within(expected.low, expected.high, limits)
            yield from self._compare(low, least, given)
            yield from self._compare(high, greatest, given)

    def _judged(self, mark: Mark) -> Iterable[str]:
        given = mark.attributes
        claim, place, part = (given[f"data-{name}"] for name in ("claim", "measure", "part"))
        value = self._recount.part(int(claim), int(place), part)
        where = f"claim {claim}, measure {int(place) + 1}, {part}"
        if isinstance(value, str):
            if mark.text != verdict_name(value, self.language):
                yield f"{where}: the page says {mark.text!r}, counted again it is {value!r}"
        elif part == "adjusted":
            yield from self._p_value(mark.text, value, where)
        else:
            asked = self._recount.measure(int(claim), int(place))
            yield from self._near(mark.text, value, spec_of(asked), where)

    def _same_images(self, mark: Mark) -> Iterable[str]:
        """Count again which of two classifiers is right where the other is not."""
        part = mark.attributes["data-same-images"]
        pair = [self._done(label) for label in mark.attributes["data-cells"].split()]
        labels = pair[0].array("labels")
        first, second = (cell.array("probabilities").argmax(1) == labels for cell in pair)
        alone = [int((first & ~second).sum()), int((second & ~first).sum())]
        where = f"{pair[0].label} and {pair[1].label}, {part}"
        if part == "p_value":
            p = float(stats.binomtest(alone[0], sum(alone)).pvalue) if any(alone) else 1.0
            yield from self._p_value(mark.text, p, where)
        else:
            expected = alone[("only_first", "only_second").index(part)]
            yield from self._near(mark.text, expected, "d", where)

    def _p_value(self, text: str, p: float | None, where: str) -> Iterable[str]:
        bound = text.lstrip("<").strip()
        if text.startswith("<") and (p is None or p >= LEAST_P):
            yield f"{where}: the page says {text!r}, counted again it is {p!r}"
        elif not text.startswith("<") or self.language.parse(bound) != LEAST_P:
            yield from self._near(bound, p, ".3f", where)

    def _done(self, label: str) -> StoredCell:
        cell = self._cells.get(label)
        if cell is None or cell.status != "done":
            raise ReportError(f"The page names {label}, which the store does not hold.")
        return cell

    def _values(self, labels: str, path: str) -> list[float]:
        values = []
        for label in labels.split():
            cell = self._cells.get(label)
            value = lookup(cell, path, self._tables) if cell and cell.status == "done" else None
            if value is None:
                raise ReportError(f"The page names {label} {path}, which the store does not hold.")
            values.append(float(value))
        return values

    def _compare(self, text: str, expected: Any, given: dict[str, str]) -> Iterable[str]:
        source = next(v for k, v in given.items() if k in SOURCES)
        if expected is None:
            yield f"{source}: the page says {text!r}, its source holds nothing"
            return
        spec = given["data-spec"]
        if spec == "g":
            if text.strip() != self.language.number(expected, "g"):
                yield f"{source}: the page says {text!r}, the source {expected!r}"
            return
        yield from self._near(text, expected, spec, source)

    def _near(self, text: str, expected: float | None, spec: str, where: str) -> Iterable[str]:
        tolerance = 0.5000001 * 10 ** -decimals_of(spec)
        if expected is None or abs(self.language.parse(text, spec) - expected) > tolerance:
            yield f"{where}: the page says {text!r}, the source {expected!r}"


def _page_text(page: "weasyprint.document.Page") -> str:
    """All text of a set page, its margins included."""
    boxes = [page._page_box]  # WeasyPrint has no public way to a page's text
    parts = []
    while boxes:
        box = boxes.pop()
        text = getattr(box, "text", None)
        if isinstance(text, str):
            parts.append(text)
        boxes.extend(reversed(getattr(box, "children", ())))
    return " ".join(parts)


def _reference(attributes: dict[str, str]) -> str:
    return attributes.get("xlink:href") or attributes.get("href") or ""


def _repeated(names: list[str]) -> list[str]:
    seen: set[str] = set()
    return [name for name in names if name in seen or seen.add(name)]  # type: ignore[func-returns-value]


def _refuse(what: str, problems: list[str]) -> None:
    if problems:
        shown = "\n".join(f"  - {problem}" for problem in problems[:12])
        more = f"\n  and {len(problems) - 12} more" if len(problems) > 12 else ""
        raise ReportError(
            f"The {what} report does not agree with its run in {len(problems)} place(s):\n{shown}"
            f"{more}\nIt was not published. This is a fault of templates or code, not of "
            "the run."
        )
