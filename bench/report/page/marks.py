"""Numbers on the page: each names the cells and the path that it was read from.

`verify` reads these marks back from the finished page and compares every one with the store.
"""

from collections.abc import Iterable
from functools import cached_property
from itertools import groupby
from typing import Any

from markupsafe import Markup

from bench.interfaces import JsonObject
from bench.report.claims import Measure
from bench.report.values.bounds import possible, within
from bench.report.values.collect import SameImages, unique
from bench.report.values.constants import Constants
from bench.report.values.quantities import Quantity
from bench.report.words.i18n import Language
from bench.report.words.names import status_name, verdict_name
from bench.store import StoredCell, StoredRun

DASH = "\N{EM DASH}"
UNTRAINED = "\N{DAGGER}"
LEAST_P = 0.001


class Marks:
    """Writes numbers in one language, and records the cells that they name.

    Attributes
    ----------
    marked : bool
        Whether numbers carry marks: on the screen. On paper, where nothing can be pointed at,
        they are plain text (and the page is set in half the time).
    ledgers : list of list of (Quantity, bool)
        One for each open table: the quantities printed in it so far, and whether with interval.
    """

    def __init__(
        self, run: StoredRun, language: Language, constants: Constants, marked: bool = True
    ) -> None:
        self.marked = marked
        self.run = run
        self.language = language
        self.constants = constants
        self.ledgers: list[list[tuple[Quantity, bool]]] = []

    def number(
        self, quantity: Quantity, spec: str, interval: bool = True, stacked: bool = False
    ) -> Markup:
        """Print a measured number: mean, and half the width of its interval over the seeds.

        Parameters
        ----------
        quantity : Quantity
            What to print; if it holds nothing, the reason is printed instead.
        spec : str
            Number format; see `Language.number`.
        interval : bool
            Whether the interval is printed (with several seeds).
        stacked : bool
            Whether it stands below the mean: for tables of many columns.

        Returns
        -------
        Markup
            The number with its mark.
        """
        if not quantity:
            return self.absence(quantity.absence)
        for ledger in self.ledgers[-1:]:
            ledger.append((quantity, interval and quantity.estimate.symmetric))
        limits = self._limits(quantity, spec, stacked) if interval else Markup("")
        mean, dagger = self.language.number(quantity.mean, spec), self._dagger(quantity)
        if not self.marked:
            return Markup("{}{}{}").format(mean, limits, dagger)
        estimate = Markup(' data-estimate="{}"').format(quantity.kind)
        return Markup(
            '<data class="n" value="{value!r}" data-cell="{cells}" data-path="{path}"'
            ' data-values="{values}" data-spec="{spec}"{estimate}{minus} title="{title}">'
            "{mean}{limits}{dagger}</data>"
        ).format(
            value=quantity.mean,
            values=" ".join(seed_value(value) for value in quantity.values),
            cells=" ".join(quantity.labels),
            path=quantity.path,
            spec=spec,
            estimate=estimate if quantity.kind != "mean" else "",
            minus=self._minus(quantity),
            title=self._title(quantity),
            mean=mean,
            limits=limits,
            dagger=dagger,
        )

    def _limits(self, quantity: Quantity, spec: str, stacked: bool) -> Markup:
        """Write an interval: half its width, or both limits where they lie unevenly."""
        found = quantity.interval
        if found.low is None or found.high is None:
            return Markup("")
        least, greatest = found.low, found.high
        if quantity.kind == "mean" and not quantity.minus:
            least, greatest = within(found.low, found.high, possible(quantity.path))
        whole = (least, greatest) == (found.low, found.high)
        if quantity.estimate.symmetric and whole:
            line = Markup("<br>") if stacked else Markup("")
            half = self.language.number((found.high - found.low) / 2, spec)
            if not self.marked:
                return (line or Markup("\u00a0")) + Markup("±\u00a0{}").format(half)
            return Markup('{}<span class="spread"> ± {}</span>').format(line, half)
        low, high = (self.language.number(limit, spec) for limit in (least, greatest))
        between = Markup("<br>") if stacked else Markup("\u00a0")
        text = f"({low}\u2013{high})"
        if not self.marked:
            return between + text
        return between + Markup('<span class="spread">{}</span>').format(text)

    def _dagger(self, quantity: Quantity) -> Markup:
        """Mark a result of networks that do no better than the trivial answer.

        Tables and paragraphs that name their cells say below what the mark means; elsewhere the
        words stand with it.
        """
        if not quantity.untrained:
            return Markup("")
        words = self.language.gettext("not trained")
        if self.ledgers:
            return Markup('<sup class="untrained" title="{}">{}</sup>').format(words, UNTRAINED)
        return Markup('<span class="untrained">\u00a0{}\u00a0({})</span>').format(UNTRAINED, words)

    def same_images(self, compared: SameImages, part: str) -> Markup:
        """Print a part of a comparison image by image.

        Parameters
        ----------
        compared : SameImages
            Of two classifiers.
        part : {"only_first", "only_second", "p_value"}
            Images that one alone gets right, or the p-value.

        Returns
        -------
        Markup
            The number with its mark.
        """
        value = getattr(compared.found, part)
        text = self.p_text(value) if part == "p_value" else self.language.number(value, "d")
        if not self.marked:
            return Markup("{}").format(text)
        first, second = (cell.label for cell in compared.cells)
        return Markup(
            '<data class="n" value="{!r}" data-same-images="{}" data-cells="{} {}"'
            ' title="{}, {}">{}</data>'
        ).format(value, part, first, second, first, second, text)

    def evaluated(self, claim: int, place: int, measure: Measure, part: str) -> Markup:
        """Print the protocol's evaluation of a measure.

        Parameters
        ----------
        claim, place : int
            The claim's number, and the measure's place in it, from 0.
        measure : Measure
            The measure.
        part : {"verdict", "adjusted", "visible"}
            Its verdict, its corrected p-value, or the effect that could have been seen.

        Returns
        -------
        Markup
            The number with its mark.
        """
        value = getattr(measure, part)
        if value is None:
            return self.absence("")
        if part == "verdict":
            text = verdict_name(value, self.language)
        elif part == "adjusted":
            text = self.p_text(value)
        else:
            text = self.language.number(value, measure.spec)
        if not self.marked:
            return Markup("{}").format(text)
        return Markup(
            '<data class="n" data-claim="{}" data-measure="{}" data-part="{}">{}</data>'
        ).format(claim, place, part, text)

    def p_text(self, p: float) -> str:
        """Write a p-value; a tiny one as a bound."""
        if p < LEAST_P:
            return f"<\N{NO-BREAK SPACE}{self.language.number(LEAST_P, '.3f')}"
        return self.language.number(p, ".3f")

    @staticmethod
    def _minus(quantity: Quantity) -> Markup:
        if not quantity.minus:
            return Markup("")
        labels = " ".join(cell.label for cell in quantity.minus)
        path = Markup(' data-minus-path="{}"').format(quantity.minus_path)
        return Markup(' data-minus="{}"{}').format(labels, path if quantity.minus_path else "")

    def absence(self, reason: str) -> Markup:
        """Print why a number is not there."""
        text = DASH if reason in ("", "absent") else status_name(reason, self.language)
        return Markup('<span class="absent" title="{}">{}</span>').format(
            status_name(reason or "absent", self.language), text
        )

    def handed(self, path: str, spec: str) -> Markup:
        """Print a figure of the earlier report.

        Parameters
        ----------
        path : str
            Dotted path.
        spec : str
            Format of the number.

        Returns
        -------
        Markup
            The number with its mark.
        """
        title = self.language.gettext("as stated in the earlier report")
        return self._constant("handed-in", path, spec, title)

    def published(self, path: str, spec: str) -> Markup:
        """Print a published figure.

        Parameters
        ----------
        path : str
            Dotted path.
        spec : str
            Format of the number.

        Returns
        -------
        Markup
            The number with its mark.
        """
        return self._constant("published", path, spec, self.language.gettext("as published"))

    def _constant(self, source: str, path: str, spec: str, title: str) -> Markup:
        value = self.constants.value(source, path)
        if value is None:
            return self.absence("")
        if not self.marked:
            return Markup("{}").format(self.language.number(value, spec))
        return Markup(
            '<data class="h" value="{!r}" data-{}="{}" data-spec="{}" title="{}">{}</data>'
        ).format(value, source, path, spec, title, self.language.number(value, spec))

    def setting(self, path: str, spec: str = "g") -> Markup:
        """Print a setting of the run's profile, given by its dotted path; ``raw``: as it is.

        Parameters
        ----------
        path : str
            Dotted path.
        spec : str
            Format of the number.

        Returns
        -------
        Markup
            The number with its mark.
        """
        value = profile_value(self.run.profile, path)
        if value is None:
            return self.absence("")
        text = setting_text(value, spec, self.language)
        if not self.marked:
            return Markup("{}").format(text)
        return Markup(
            '<data class="s" data-setting="{}" data-spec="{}" title="{}">{}</data>'
        ).format(path, spec, f"profile: {path}", text)

    def source(self, cells: Iterable[StoredCell]) -> Markup:
        """Refer to the table of sources, by the numbers of the cells' variants.

        Parameters
        ----------
        cells : iterable of StoredCell
            What a figure, a table or a paragraph was made from.

        Returns
        -------
        Markup
            Such as "S12, 14–17"; empty without cells.
        """
        numbers = sorted({self.variants.index((c.experiment, c.variant)) + 1 for c in cells})
        if not numbers:
            return Markup("")
        text = ", ".join(_ranges(numbers))
        title = self.language.gettext("Sources: the table at the end of the report")
        return Markup('<a class="source" href="#sources" title="{}">S{}</a>').format(title, text)

    @cached_property
    def variants(self) -> list[tuple[str, str]]:
        """Experiment and variant of every cell, in the plan's order: the numbers of the sources."""
        return unique((cell.experiment, cell.variant) for cell in self.run.cells)

    def _title(self, quantity: Quantity) -> str:
        _ = self.language.gettext
        count = len(quantity.values)
        seeds = (
            _("one seed")
            if count == 1
            else self.language.ngettext("%(n)d seed", "%(n)d seeds", count) % {"n": count}
        )
        return f"{', '.join(quantity.labels)} · {quantity.path} · {seeds}"


def seed_value(value: float) -> str:
    """Write one seed's value, to six digits."""
    return f"{value:.6g}"


def _ranges(numbers: list[int]) -> list[str]:
    """Write ascending numbers briefly: three or more in a row as a range."""
    parts = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        own = [str(number) for _, number in run]
        parts += [f"{own[0]}\u2013{own[-1]}"] if len(own) > 2 else own
    return parts


def anchor(cell: StoredCell) -> str:
    """Identifier of a cell's row in the appendix."""
    return "cell-" + cell.label.replace("/", "-")


def profile_value(profile: JsonObject, path: str) -> Any:
    """Return a setting by its dotted path; None if there is none.

    Parameters
    ----------
    profile : dict
        Settings of the run, as its manifest holds them.
    path : str
        Dotted path.

    Returns
    -------
    object
        The setting, or None.
    """
    tree: Any = profile
    for step in path.split("."):
        tree = tree.get(step) if isinstance(tree, dict) else None
    return tree


def setting_text(value: Any, spec: str, language: Language) -> str:
    """Write a setting, or a list of them; see `Marks.setting`.

    Parameters
    ----------
    value : object
        A setting.
    spec : str
        Format of the number.
    language : Language
        The report's language.

    Returns
    -------
    str
        The text.
    """
    return ", ".join(
        str(item) if isinstance(item, str) or spec == "raw" else language.number(item, spec)
        for item in (value if isinstance(value, list) else [value])
    )
