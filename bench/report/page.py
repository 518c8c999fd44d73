"""What templates may call: figures, tables, numbers, references, names."""

import tomllib
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup

from bench.data import DATASETS
from bench.metrics.statistics import verdict
from bench.report import names
from bench.report.claims import NOT_MEASURED, Claim, Measure
from bench.report.collect import (
    IMAGE_INTERVALS,
    Direction,
    Quantity,
    Results,
    SameImages,
    apart,
    difference,
    image_limits,
    same_images,
    share,
)
from bench.report.equations import load_equations, to_mathml, to_svg
from bench.report.figures import Drawn, Gallery
from bench.report.i18n import Language
from bench.report.marks import UNTRAINED, Marks, anchor
from bench.report.numbering import Numbering

REFERENCES = "references.toml"
Medium = Literal["html", "pdf"]


class Page:
    """One page in one language for one medium.

    Attributes
    ----------
    medium : {"html", "pdf"}
        Drawings are part of the HTML page, and files beside the page that is printed.
    numbering : Numbering
        That of the other medium may be taken over: both have the same order.
    drawings : dict of str to str
        File name to SVG, for the page that is printed.
    """

    def __init__(
        self,
        results: Results,
        language: Language,
        gallery: Gallery,
        medium: Medium,
        templates: Path,
        numbering: Numbering | None = None,
    ) -> None:
        self.results = results
        self.language = language
        self.gallery = gallery
        self.medium = medium
        self.marks = Marks(results.run, language, gallery.constants, marked=medium == "html")
        self.numbering = numbering or Numbering()
        self.drawings: dict[str, str] = {}
        self.references = tomllib.loads((templates / REFERENCES).read_text(encoding="utf-8"))
        self.equations = load_equations(templates)

    def functions(self) -> dict[str, Any]:
        """Return everything that templates may call, by name."""
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
            "judge": judge,
            "judge_apart": judge_apart,
            "judge_alone": judge_alone,
            "share": share,
            "measured": self.measured,
            "measures_of": self.measures_of,
            "judged": self.marks.judged,
            "image_interval": self.image_interval,
            "mcnemar": self.mcnemar,
            "same_images": self.marks.same_images,
            "system": self.system,
            "experiment_name": self.experiment_name,
            "generators": [
                v.path for v in self.results.of_roles("fashion_generation", "generator")
            ],
            "number": self.marks.number,
            "handed": self.marks.handed,
            "published": self.marks.published,
            "published_rows": self.gallery.constants.published,
            "handed_in": self.gallery.constants.handed_in,
            "setting": self.marks.setting,
            "absence": self.marks.absence,
            "cells": self.marks.cells,
            "figure": self.figure,
            "table": self.table,
            "sourced": self.sourced,
            "equation": self.equation,
            "math": self.math,
            "eqref": self.eqref,
            "ref": self.ref,
            "cite": self.cite,
            "class_names": self.gallery.class_names,
            "timed_networks": list(self.results.words("network")),
            "contenders": list(self.results.words("contender")),
            "ceilings": list(self.results.words("ceiling")),
            "growth_axes": list(self.results.words("growth_axis")),
            "network_name": partial(self.word, "network"),
            "contender_name": partial(self.word, "contender"),
            "ceiling_name": partial(self.word, "ceiling"),
            "growth_axis_name": partial(self.word, "growth_axis"),
            "dataset_title": dataset_title,
            "anchor": anchor,
            **{name: partial(_last, call, self.language) for name, call in named.items()},
        }

    def system(self, path: str) -> str:
        """Name a variant, given as ``experiment/variant``."""
        return names.system_name(self.results.variant(path), self.language)

    def experiment_name(self, name: str) -> str:
        """Name an experiment."""
        said = self.results.experiments.get(name)
        return names.experiment_name(said, self.language) if said else name

    def word(self, kind: str, name: str) -> str:
        """Name what an experiment's results are about; see `Results.words`."""
        return self.language.gettext(self.results.words(kind).get(name, name))

    def figure(self, name: str, caption: str, experiment: str = "") -> Markup:
        """Place a figure; where there is nothing to draw, say so and why."""
        key = f"{name}-{experiment}" if experiment else name
        drawn = self.gallery.get(name, experiment)
        if drawn is None:
            return self._absent_figure(key, name, experiment, caption)
        picture = self._picture(f"{key}.svg", drawn)
        return Markup(
            '<figure id="fig-{}"><div class="picture" tabindex="0">{}</div><figcaption>{}'
            ' <span class="cells">{} {}.</span></figcaption></figure>'
        ).format(
            key, picture, caption, self.language.gettext("Cells:"), self.marks.cells(drawn.cells)
        )

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
        """
        self.marks.ledgers.append([])
        body = caller()
        printed = self.marks.ledgers.pop()
        remarks = [note, self._seeds(printed) if sources else "", self._images(printed)]
        remarks.append(self._untrained(printed))
        if sources:
            remarks.append(self._sources(printed))
        remarks = [text for text in remarks if text]
        foot = Markup('<p class="note">{}</p>').format(Markup(" ").join(remarks)) if remarks else ""
        return Markup(
            '<div class="table {}" tabindex="0"><table id="tab-{}"><caption>{}</caption>{}</table>'
            "{}</div>"
        ).format(kind, key, caption, body, foot)

    def sourced(self, caller: Callable[[], Markup]) -> Markup:
        """Name, on paper, the cells behind a paragraph's numbers; the screen tells by itself."""
        self.marks.ledgers.append([])
        body = caller()
        printed = self.marks.ledgers.pop()
        if words := self._untrained(printed):
            body += Markup(" {}").format(words)
        return body if self.medium == "html" else body + self._sources(printed)

    def measured(self, measure: Measure) -> str:
        """Say what a measure of a claim is, and of which systems."""
        words = self.language.gettext(measure.description)
        if not measure.systems:
            return words
        first, second = (self.system(path) for path in measure.systems)
        pattern = (
            self.language.gettext("%(measure)s: %(first)s over %(second)s")
            if measure.figure.estimate == "spread"
            else self.language.gettext("%(measure)s: %(first)s minus %(second)s")
        )
        return pattern % {"measure": words, "first": first, "second": second}

    def measures_of(self, claim: Claim) -> str:
        """List what a claim is judged by, as prose: exactly the protocol's measures."""
        return self.language.join([self.measured(measure) for measure in claim.measures])

    def image_interval(self, quantity: Quantity, spec: str = ".4f") -> Markup:
        """Print the 95 % interval over test images of one trained network.

        Parameters
        ----------
        quantity : Quantity
            ``accuracy`` of a classifier or ``knn_accuracy`` of a map, over its seeds. With
            several, the interval is that of the first; the table's note says which.
        spec : str
            Number format; see `Language.number`.
        """
        limits = image_limits(quantity) if quantity else None
        if limits is None:
            return self.marks.absence(quantity.absence)
        low, high = (self.marks.number(limit, spec, interval=False) for limit in limits)
        return Markup("{}\N{EN DASH}{}").format(low, high)

    def mcnemar(self, first: str, second: str) -> SameImages | None:
        """Compare two classifiers, as ``experiment/variant``, image by image.

        ``same_images(mcnemar(...), part)`` prints a part of it. None if either has no result.
        """
        return same_images(self.results.variant(first), self.results.variant(second))

    def equation(self, key: str) -> Markup:
        """Place a display equation with its number."""
        entry, number = self.equations[key], self.numbering.equation(key)
        alt = self.language.gettext(entry.alt)
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
        """Place a formula in the text."""
        if self.medium == "html":
            return Markup(to_mathml(latex, latex, "inline"))  # noqa: S704 - our own LaTeX
        name = f"math-{zlib.crc32(latex.encode()):08x}.svg"
        outlines = self.gallery.kept.outlines(latex)
        self.drawings[name] = to_svg(outlines, latex)
        return Markup(
            '<img class="math" src="drawings/{}" alt="{}" style="vertical-align:{:.2f}pt">'
        ).format(name, latex, -outlines.depth)

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

    def _sources(self, printed: list[tuple[Quantity, bool]]) -> Markup:
        cells = [cell for quantity, _ in printed for cell in (*quantity.cells, *quantity.minus)]
        if not cells:
            return Markup("")
        return Markup(' <span class="cells">{} {}.</span>').format(
            self.language.gettext("Cells:"), self.marks.cells(cells)
        )

    def _picture(self, file: str, drawn: Drawn) -> Markup:
        if self.medium == "html":
            return Markup(drawn.svg)  # noqa: S704 - drawn by us, its texts escaped
        self.drawings[file] = drawn.svg
        return Markup('<img src="drawings/{}" alt="{}">').format(file, drawn.alt)

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
        """Say what stands after ± in a table, or why nothing does."""
        _ = self.language.gettext
        counts = {len(quantity.values) for quantity, interval in printed if interval}
        if not counts:
            return ""
        if counts == {1}:
            return _("One seed each: no interval can be given.")
        several = sorted(counts - {1})
        note = _("Mean ± half of the 95%% confidence interval over %(n)s seeds.") % {
            "n": self.language.join([str(count) for count in several])
        }
        alone = _("Where no ± stands: one seed, no scatter, or a figure without interval.")
        return f"{note} {alone}" if 1 in counts else note

    def _images(self, printed: list[tuple[Quantity, bool]]) -> str:
        """Say whose intervals over test images stand in a table, if any do."""
        shown = [q for q, _ in printed if q.path.split(".")[0] in IMAGE_INTERVALS.values()]
        if not shown:
            return ""
        seeds = sorted({cell.seed for quantity in shown for cell in quantity.cells})
        words = self.language.gettext(
            "From–to: 95%% interval over the test images (bootstrap) of one trained network, seed "
            "%(seeds)s; it says nothing of other trainings."
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


def judge(first: Quantity, second: Quantity, direction: Direction) -> str:
    """Say whether the first quantity is greater (less) than the second, paired by seed.

    ``not measured`` without values on either side, ``too few seeds`` with one pair.
    """
    return judge_alone(difference(first, second), direction)


def judge_apart(first: Quantity, second: Quantity, direction: Direction) -> str:
    """Say whether the first quantity's mean is greater (less) than the second's, not paired."""
    return judge_alone(apart(first, second), direction)


def judge_alone(quantity: Quantity, direction: Direction, reference: float = 0.0) -> str:
    """Say whether a quantity is greater (less) than a fixed number, over its seeds."""
    return verdict(quantity.interval, direction, reference) if quantity else NOT_MEASURED


def dataset_title(name: str) -> str:
    """Name a data set as prose does."""
    return DATASETS[name].title if name in DATASETS else name


def caption_words(language: Language) -> dict[str, str]:
    """Return what figures and tables are called."""
    return {"figure": language.gettext("Figure"), "table": language.gettext("Table")}


def _last(call: Callable[..., Any], language: Language, *arguments: Any) -> Any:
    return call(*arguments, language)
