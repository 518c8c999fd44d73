"""Functions that templates call: figures, tables, numbers, references, names."""

import tomllib
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from shlex import quote
from typing import Literal, TypeVar

from markupsafe import Markup

from bench.config.assignment import Words
from bench.data import DATASETS
from bench.declarations import Declaration
from bench.experiment_files import own_packages
from bench.interfaces import JsonMapping, JsonObject
from bench.metrics.verdicts import Direction, verdict
from bench.report.claims import NOT_MEASURED, Measure
from bench.report.explorer.gather import explorable
from bench.report.figures import Drawn, Gallery
from bench.report.figures.equations import FILE as EQUATIONS
from bench.report.figures.equations import SPOKEN, load_equations, load_spoken, to_mathml, to_svg
from bench.report.order import Order
from bench.report.page.marks import UNTRAINED, Marks, anchor
from bench.report.page.numbering import Numbering, UnknownReferenceError
from bench.report.values.collect import (
    IMAGE_INTERVALS,
    Results,
    SameImages,
    image_limits,
    same_images,
)
from bench.report.values.quantities import Quantity, apart, difference, share
from bench.report.words import names
from bench.report.words.i18n import Language, own_name
from bench.report.words.identity import in_language
from bench.report.words.markdown import to_html
from bench.store import StoredCell

T = TypeVar("T")
REFERENCES = "references.toml"
Medium = Literal["html", "pdf"]


class Page:
    """One page in one language for one medium.

    Attributes
    ----------
    medium : {"html", "pdf"}
        Drawings are part of the HTML page, and files beside the page that is printed.
    order : Order
        Edition, authors and assignment.
    numbering : Numbering
        That of the other medium may be taken over: both have the same order.
    drawings : dict of str to str
        File name to SVG, for the page that is printed.
    formulae : set of str
        How the formulas among them are read aloud.
    written : sequence of str
        Names of the files that are written together with this page, and its own.
    finding : callable
        Given a figure and an experiment, tells what the figure shows; `render_page` sets it.
    """

    def __init__(
        self,
        results: Results,
        language: Language,
        gallery: Gallery,
        medium: Medium,
        templates: Path,
        order: Order | None = None,
        numbering: Numbering | None = None,
        written: Sequence[str] = (),
    ) -> None:
        self.order = order or Order()
        self.written = written
        self.results = results
        self.language = language
        self.gallery = gallery
        self.medium = medium
        self.marks = Marks(results.run, language, gallery.constants, marked=medium == "html")
        self.numbering = numbering or Numbering()
        self.drawings: dict[str, str] = {}
        self.formulae: set[str] = set()
        self.references = tomllib.loads((templates / REFERENCES).read_text(encoding="utf-8"))
        self.equations = load_equations(templates)
        self._spoken = load_spoken(templates)
        self.finding: Callable[[str, str], Markup] = lambda name, experiment: Markup("")

    def functions(self) -> dict[str, object]:
        """Return the functions that templates may call, by name."""
        named = {
            "status_name": names.status_name,
            "hyperparameter_name": names.hyperparameter_name,
            "objective_name": names.objective_name,
            "choice_name": names.choice_name,
            "verdict_name": names.verdict_name,
        }
        return {
            "value": self.results.value,
            "variant": self.results.variant,
            "difference": difference,
            "apart": apart,
            "paired_verdict": paired_verdict,
            "unpaired_verdict": unpaired_verdict,
            "verdict_on": verdict_on,
            "share": share,
            "measured": self.measured,
            "evaluated": self.marks.evaluated,
            "image_interval": self.image_interval,
            "mcnemar": self.mcnemar,
            "same_images": self.marks.same_images,
            "system": self.system,
            "experiment_name": self.experiment_name,
            "sections": self.sections(),
            "declared": self.results.experiments.get,
            "of_roles": self.of_roles,
            "number": self.marks.number,
            "handed": self.marks.handed,
            "published": self.marks.published,
            "published_rows": self.gallery.constants.published,
            "handed_in": self.gallery.constants.handed_in,
            "setting": self.marks.setting,
            "absence": self.marks.absence,
            "figure": self.figure,
            "table": self.table,
            "sourced": self.sourced,
            "source": self.marks.source,
            "source_numbers": self.marks.variants,
            "exercises": self.order.exercises,
            "full": self.order.full,
            "identity": self.order.identity,
            "assignment": self.order.assignment,
            "authored": self.authored,
            "question": self.question,
            "stated": self.stated,
            "embedded": self.embedded,
            "explorable": self.medium == "html" and explorable(self.results),
            "other_languages": self.other_languages(),
            "printed_file": self.printed_file(),
            "kept": self.kept,
            "test_images": self.test_images,
            "commands": self.commands(),
            "equation": self.equation,
            "math": self.math,
            "eqref": self.eqref,
            "ref": self.ref,
            "cite": self.cite,
            "class_names": self.class_names,
            "timed_networks": list(self.results.words("network")),
            "contenders": list(self.results.words("contender")),
            "ceilings": list(self.results.words("ceiling")),
            "growth_axes": list(self.results.words("growth_axis")),
            "network_name": partial(self.word, "network"),
            "contender_name": partial(self.word, "contender"),
            "ceiling_name": partial(self.word, "ceiling"),
            "growth_axis_name": partial(self.word, "growth_axis"),
            "dataset_title": dataset_title,
            "own_words": own_words,
            "inapplicable": self.inapplicable,
            "anchor": anchor,
            **{name: partial(_last, call, self.language) for name, call in named.items()},
        }

    def other_languages(self) -> list[tuple[str, str, str]]:
        """Return code, own name and file of the other languages that the page is written in."""
        named = [(name.split(".")[-2], name) for name in self.written if name.endswith(".html")]
        return [(code, own_name(code), name) for code, name in named if code != self.language.code]

    def printed_file(self) -> str:
        """Return the name of the PDF in the page's language; empty if none is written."""
        ending = f".{self.language.code}.pdf"
        return next((name for name in self.written if name.endswith(ending)), "")

    def system(self, path: str) -> str:
        """Name a variant, given as ``experiment/variant``."""
        return names.system_name(self.results.variant(path), self.language)

    def class_names(self, experiment: str) -> tuple[str, ...]:
        """Names of the classes of an experiment's data set."""
        named = self.gallery.class_names(experiment)
        return tuple(map(own_words, named)) if experiment in self.results.replaced else named

    def of_roles(self, experiment: str, *roles: str) -> list[str]:
        """List the variants of an experiment that have one of these roles.

        Parameters
        ----------
        experiment : str
            Name of an experiment.
        *roles : str
            Roles of systems.

        Returns
        -------
        list of str
            As ``experiment/variant``.
        """
        return [each.path for each in self.results.of_roles(*roles, experiment=experiment)]

    def inapplicable(self) -> str:
        """List the systems that do not exist for the run's data, each with its experiment."""
        names_of = (
            f"{self.system(path)} ({self.experiment_name(path.split('/')[0])})"
            for path in self.results.run.inapplicable
            if path.split("/")[0] in self.results.planned
        )
        return self.language.join(list(names_of))

    def experiment_name(self, name: str) -> str:
        """Name an experiment."""
        said = self.results.experiments.get(name)
        return names.experiment_name(said, self.language) if said else name

    def word(self, kind: str, name: str) -> str:
        """Name what an experiment's results are about; see `Results.words`.

        Parameters
        ----------
        kind : str
            Kind of word.
        name : str
            Name in the results.

        Returns
        -------
        str
            The word.
        """
        return self.language.gettext(self.results.words(kind).get(name, name))

    def sections(self) -> list[list[tuple[str, str]]]:
        """Templates of the experiments' sections, each with its experiment.

        Those of one exercise stand together, where it is asked. An experiment that answers no
        exercise stands in the report of each run that has it; this project's needs a section.
        """
        asked = [str(exercise) for exercise in self.order.exercises]
        shown = [
            each
            for each in self.results.experiments.values()
            if (each.section or not each.own)
            and (each.exercise in asked if each.own and each.exercise else self._has(each))
        ]
        grouped = groupby(shown, key=lambda each: (each.own and each.exercise) or each.name)
        return [[(self._template(each), each.name) for each in own] for _, own in grouped]

    def _has(self, said: Declaration) -> bool:
        """Whether the run has cells of an experiment."""
        return any(cell.experiment == said.name for cell in self.results.run.cells)

    def _template(self, said: Declaration) -> str:
        """Where an experiment's section stands; a plain one, if its own is not here."""
        if said.own:
            return f"sections/{said.section}"
        if said.section and said.package in own_packages():
            return f"{said.package}/{said.section}"
        return "sections/plain.html.j2"

    def figure(self, name: str, caption: str, experiment: str = "") -> Markup:
        """Place a figure, or the reason why there is nothing to draw.

        Parameters
        ----------
        name : str
            A declared figure.
        caption : str
            Its caption.
        experiment : str
            Name of an experiment.

        Returns
        -------
        Markup
            The figure.
        """
        key = f"{name}-{experiment}" if experiment else name
        said, _ = self.results.figure(name, experiment)
        drawn = self.gallery.get(name, experiment)
        if drawn is None:
            return self._absent_figure(key, name, experiment, caption)
        picture = self._picture(key, drawn, self.finding(name, said.name))
        return Markup(
            '<figure id="fig-{}"><div class="picture scroller">{}</div><figcaption>{} {}'
            "</figcaption></figure>"
        ).format(key, picture, caption, self.marks.source(drawn.cells))

    def table(
        self,
        key: str,
        caption: str,
        caller: Callable[[], Markup],
        note: str = "",
        kind: str = "",
        sources: bool = True,
    ) -> Markup:
        """Place a table: `caller` gives its rows; below it stand the seeds and the cells.

        Parameters
        ----------
        key : str
            Its anchor, after ``tab-``.
        caption : str
            Above it.
        caller : callable
            Jinja's own: the body of the ``{% call %}`` block.
        note : str
            Below it, first.
        kind : str
            A class for the style sheet.
        sources : bool
            Whether seeds and cells are named below it.

        Returns
        -------
        Markup
            The table.
        """
        self.marks.ledgers.append([])
        body = caller()
        printed = self.marks.ledgers.pop()
        remarks = [note, self._seeds(printed) if sources else "", self._images(printed)]
        remarks = [text for text in (*remarks, self._untrained(printed)) if text]
        foot = Markup('<p class="note">{}</p>').format(Markup(" ").join(remarks)) if remarks else ""
        mark = self._source(printed) if sources else ""
        return Markup(
            '<div class="table {}"><div class="scroller"><table id="tab-{}"><caption>{} {}'
            "</caption>{}</table></div>{}</div>"
        ).format(kind, key, caption, mark, body, foot)

    def sourced(self, caller: Callable[[], Markup]) -> Markup:
        """Refer, on paper, to the sources of a paragraph's numbers; on screen each has its own."""
        self.marks.ledgers.append([])
        body = caller()
        printed = self.marks.ledgers.pop()
        if words := self._untrained(printed):
            body += Markup(" {}").format(words)
        if self.medium == "html" or not (mark := self._source(printed)):
            return body
        return Markup("{} {}").format(Markup(str(body).rstrip()), mark)  # noqa: S704 - ours

    def measured(self, measure: Measure) -> str:
        """Describe a measure of a claim, with its systems."""
        words = self.language.gettext(measure.description)
        if not measure.systems:
            return words
        first, second = (self.system(path) for path in measure.systems)
        pattern = (
            self.language.gettext("%(measure)s: %(first)s over %(second)s")
            if measure.asked.kind == "spread"
            else self.language.gettext("%(measure)s: %(first)s minus %(second)s")
        )
        return pattern % {"measure": words, "first": first, "second": second}

    def image_interval(self, quantity: Quantity, spec: str = ".4f") -> Markup:
        """Print the figure of one trained network with its 95 % interval over test images.

        Parameters
        ----------
        quantity : Quantity
            ``accuracy`` of a classifier or ``knn_accuracy`` of a map, over its seeds: the first
            one's figure stands before its interval.
        spec : str
            Number format; see `Language.number`.

        Returns
        -------
        Markup
            The number with its mark.
        """
        limits = image_limits(quantity) if quantity else None
        if limits is None:
            return self.marks.absence(quantity.absence)
        own = Quantity(quantity.path, limits[0].cells, (self._first(quantity, limits[0]),))
        mean, low, high = (self.marks.number(each, spec, interval=False) for each in (own, *limits))
        return Markup("{} ({}\N{EN DASH}{})").format(mean, low, high)

    @staticmethod
    def _first(quantity: Quantity, limit: Quantity) -> float:
        """Value of the network that an interval over test images is about."""
        return quantity.values[quantity.cells.index(limit.cells[0])]

    def mcnemar(self, first: str, second: str) -> SameImages | None:
        """Compare two classifiers, as ``experiment/variant``, image by image.

        ``same_images(mcnemar(...), part)`` prints a part of it. None if either has no result.

        Parameters
        ----------
        first : str
            A classifier.
        second : str
            Another one.

        Returns
        -------
        SameImages or None
            The comparison.
        """
        return same_images(self.results.variant(first), self.results.variant(second))

    def equation(self, key: str) -> Markup:
        """Place a display equation with its number."""
        entry, number = self.equations[key], self.numbering.equation(key)
        alt = self.language.gettext(entry.alt)
        self.formulae.add(alt)
        if self.medium == "html":
            body = Markup(to_mathml(entry.latex, alt))  # noqa: S704 - made from our own LaTeX
        else:
            self.drawings[f"equation-{key}.svg"] = to_svg(
                self.gallery.kept.outlines(entry.latex), alt
            )
            body = Markup('<img src="drawings/equation-{}.svg" alt="{}">').format(key, alt)
        return Markup(
            '<div class="equation" id="eq-{}">{}<span class="tag">({})</span></div>'
        ).format(key, body, number)

    def math(self, latex: str) -> Markup:
        """Place a formula in the text.

        Raises
        ------
        UnknownReferenceError
            If nobody wrote down how it is read aloud.
        """
        if len(latex) > 1 and latex not in self._spoken:
            raise UnknownReferenceError(
                f"A template places the formula {latex!r}, which nobody put in words. Write "
                f"them into {EQUATIONS}, table [{SPOKEN}]: a listener would hear code."
            )
        alt = latex if len(latex) == 1 else self.language.gettext(self._spoken[latex])
        self.formulae.add(alt)
        if self.medium == "html":
            return Markup(to_mathml(latex, alt, "inline"))  # noqa: S704 - our own LaTeX
        name = f"math-{zlib.crc32(latex.encode()):08x}.svg"
        outlines = self.gallery.kept.outlines(latex)
        self.drawings[name] = to_svg(outlines, alt)
        return Markup(
            '<img class="math" src="drawings/{}" alt="{}" style="vertical-align:{:.2f}pt">'
        ).format(name, alt, -outlines.depth)

    def eqref(self, key: str) -> Markup:
        """Refer to an equation."""
        words = self.language.gettext("equation (%(number)s)")
        text = words % {"number": self.numbering.equation_number(key)}
        return Markup('<a href="#eq-{}">{}</a>').format(key, text)

    def ref(self, anchor: str) -> Markup:
        """Refer to a figure (``fig-...``) or a table (``tab-...``)."""
        kind, number = self.numbering.caption_number(anchor)
        word = caption_words(self.language)[kind]
        return Markup('<a href="#{}">{}\N{NO-BREAK SPACE}{}</a>').format(anchor, word, number)

    def cite(self, *keys: str) -> Markup:
        """Cite references by their keys."""
        links = []
        for key in keys:
            if key not in self.references:
                raise LookupError(f"A template cites {key!r}, which {REFERENCES} does not hold.")
            number = self.numbering.citation(key)
            links.append(Markup('<a class="cite" href="#ref-{}">{}</a>').format(key, number))
        return Markup("[{}]").format(Markup(", ").join(links))

    def authored(self, section: str) -> Markup:
        """Place the authors' own paragraphs of a section, if they gave any."""
        text = self.order.identity.paragraphs(section, self.language.code)
        if not text:
            return Markup("")
        label = self.language.gettext("Written by the authors; its numbers are not checked.")
        return Markup('<div class="authored" title="{}">{}</div>').format(label, to_html(text))

    def question(self, exercise: int, words: str) -> Markup:
        """Return an exercise's question: in the assignment's words, or in the report's.

        Parameters
        ----------
        exercise : int
            Number of the exercise.
        words : str
            The report's words.

        Returns
        -------
        Markup
            The question.
        """
        asked = self.order.assignment.questions if self.order.assignment else {}
        own = asked.get(str(exercise))
        text = own.said(self.language.code) if own else words
        return Markup('<p class="question"><span class="label">{}</span> {}</p>').format(
            self.language.gettext("Question."), text
        )

    def stated(self, name: str) -> str:
        """Return a field of the authors' file, or of the assignment; empty if neither has it."""
        own = getattr(self.order.identity, name, None)
        asked = getattr(self.order.assignment, name, None)
        text = in_language(own, self.language.code)
        if text is None and asked is not None:
            text = asked.said(self.language.code) if isinstance(asked, Words) else str(asked)
        return text or ""

    def kept(self, columns: list[Sequence[str]], paths: list[str]) -> list[Sequence[str]]:
        """Return the columns of a table in which any of its systems has a value.

        Parameters
        ----------
        columns : list of sequences
            The first entry of each says where the cells hold it.
        paths : list of str
            The systems, as ``experiment/variant``.

        Returns
        -------
        list of sequence of str
            Those columns.
        """
        value = self.results.value
        return [column for column in columns if any(value(path, column[0]) for path in paths)]

    def test_images(self, path: str) -> Quantity:
        """Return on how many test images a system was evaluated."""
        return self.results.value(path, "test_images")

    def commands(self) -> list[str]:
        """Return the commands that set the project up, repeat the run and render this report."""
        run, profile = self.results.run.name, self.results.run.profile.get("name", "")
        student, address = self.order.student, self.order.identity.repository
        asked = " --assignment assignment.toml" if self.order.assignment else ""
        asked += f" --student {quote(student)}" if student else ""
        signed = " --report report.toml" if self.order.identity.authors else ""
        edition = " --edition full" if self.order.full else ""
        named = f"--profile {profile} --run {run}{asked}"
        commits = self.results.provenance("git_commit")
        return [
            *([f"git clone {quote(address)} lab && cd lab"] if address else []),
            *([f"git checkout {commits[0]}"] if len(commits) == 1 else []),
            "bash .ci/setup",
            f".venv/bin/invoke run-all {named}",
            f".venv/bin/invoke report {named}{signed}{edition}",
        ]

    def embedded(self) -> JsonObject:
        """Return the content of a number's window: key and settings of each cell."""
        return {
            cell.label: {"key": cell.key, "seed": cell.seed_index, "settings": flat_settings(cell)}
            for cell in self.results.done
        }

    def _source(self, printed: list[tuple[Quantity, bool]]) -> Markup:
        cells = [cell for quantity, _ in printed for cell in (*quantity.cells, *quantity.minus)]
        return self.marks.source(cells)

    def _picture(self, key: str, drawn: Drawn, finding: Markup) -> Markup:
        """Place a drawing with its alternative text: what is drawn, then what it shows."""
        if self.medium == "html":
            name = f"fig-{key}-finding"
            # what is hidden is read where a name refers to it, and its numbers can be checked
            svg = drawn.svg.replace('-title"', f'-title {name}"', 1) if finding else drawn.svg
            words = Markup('<span id="{}" hidden>{}</span>').format(name, finding)
            return Markup(svg) + (words if finding else "")  # noqa: S704 - drawn by us
        self.drawings[f"{key}.svg"] = drawn.svg
        alt = f"{drawn.alt} {finding.striptags()}".strip()
        return Markup('<img src="drawings/{}.svg" alt="{}">').format(key, alt)

    def _absent_figure(self, key: str, name: str, experiment: str, caption: str) -> Markup:
        _ = self.language.gettext
        variants = self.gallery.variants(name, experiment)
        reasons = [
            f"{names.system_name(variant, self.language)}: "
            f"{names.status_name(variant.absence or 'absent', self.language)}"
            for variant in [v for v in variants if v.absence] or variants
        ]
        return Markup(
            '<figure id="fig-{}" class="empty"><p>{} {}.</p><figcaption>{}</figcaption></figure>'
        ).format(key, _("Not drawn, for want of finished cells."), "; ".join(reasons), caption)

    def _seeds(self, printed: list[tuple[Quantity, bool]]) -> str:
        """Explain what stands after ± in a table, or why nothing does."""
        _ = self.language.gettext
        counts = {len(quantity.values) for quantity, interval in printed if interval}
        if not counts:
            return ""
        if counts == {1}:
            return _("One seed each, hence no intervals.")
        several = sorted(counts - {1})
        note = _("Mean ± half of the 95%% confidence interval over the seeds (%(n)s).") % {
            "n": self.language.either([str(count) for count in several])
        }
        alone = _("Without ±: one seed, or no scatter.")
        return f"{note} {alone}" if 1 in counts else note

    def _images(self, printed: list[tuple[Quantity, bool]]) -> str:
        """Name the systems whose intervals over test images stand in a table."""
        shown = [q for q, _ in printed if q.path.split(".")[0] in IMAGE_INTERVALS.values()]
        if not shown:
            return ""
        seeds = sorted({cell.seed_index for quantity in shown for cell in quantity.cells})
        words = self.language.gettext(
            "In brackets, from–to: 95%% interval over the test images (bootstrap) of one trained "
            "network, that of seed %(seeds)s, whose own figure stands before it. It says nothing "
            "about other trainings."
        )
        return words % {"seeds": self.language.join([str(seed) for seed in seeds])}

    def _untrained(self, printed: list[tuple[Quantity, bool]]) -> str:
        if not any(quantity.untrained for quantity, _ in printed):
            return ""
        words = self.language.gettext(
            "not trained: at least one network behind this figure does no better than the trivial "
            "answer (mean image, most frequent class)."
        )
        return f"{UNTRAINED}\N{NO-BREAK SPACE}{words}"


def paired_verdict(first: Quantity, second: Quantity, direction: Direction) -> str:
    """Return whether the first quantity is greater (less) than the second, paired by seed.

    ``not measured`` without values on either side, ``too few seeds`` with one pair.

    Parameters
    ----------
    first, second : Quantity
        What is compared.
    direction : {'greater', 'less'}
        Which is asked.

    Returns
    -------
    str
        The verdict.
    """
    return verdict_on(difference(first, second), direction)


def unpaired_verdict(first: Quantity, second: Quantity, direction: Direction) -> str:
    """Return whether the first quantity's mean is greater (less) than the second's, not paired.

    Parameters
    ----------
    first, second : Quantity
        What is compared.
    direction : {'greater', 'less'}
        Which is asked.

    Returns
    -------
    str
        The verdict.
    """
    return verdict_on(apart(first, second), direction)


def verdict_on(quantity: Quantity, direction: Direction, reference: float = 0.0) -> str:
    """Return whether a quantity is greater (less) than a fixed number, over its seeds.

    Parameters
    ----------
    quantity : Quantity
        What is compared.
    direction : {'greater', 'less'}
        Which is asked.
    reference : float
        The number.

    Returns
    -------
    str
        The verdict.
    """
    return verdict(quantity.interval, direction, reference) if quantity else NOT_MEASURED


def flat_settings(cell: StoredCell) -> JsonObject:
    """Return the settings that a cell was made with, by dotted name."""
    flat: JsonObject = {}
    waiting: list[tuple[str, object]] = [("", cell.config.get("settings", {}))]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{key}".lstrip("."), part) for key, part in value.items()]
        elif name:
            flat[name] = value
    return dict(sorted(flat.items()))


def dataset_title(dataset: JsonMapping) -> Markup:
    """Name a data set of a cell's provenance as prose does."""
    name = str(dataset["name"])
    known = DATASETS[name].title if name in DATASETS else name
    return own_words(str(dataset.get("title", known)))


def own_words(text: str) -> Markup:
    """Mark a name that a user gave: digits in it are no figures of the report."""
    return Markup('<span class="authored">{}</span>').format(text)


def caption_words(language: Language) -> dict[str, str]:
    """Return what figures and tables are called."""
    return {"figure": language.gettext("Figure"), "table": language.gettext("Table")}


def _last(call: Callable[..., T], language: Language, *arguments: object) -> T:
    return call(*arguments, language)
