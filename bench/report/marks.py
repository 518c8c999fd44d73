"""Numbers on the page: each carries the cells and the path that it was read from.

`verify` reads these marks back from the finished page and compares every one with the store.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from markupsafe import Markup

from bench.report.collect import Quantity, unique
from bench.report.constants import Constants
from bench.report.i18n import Language
from bench.report.names import status_name
from bench.store import StoredCell, StoredRun

SHORT_KEY = 6
DASH = "\N{EM DASH}"


class Marks:
    """Writes numbers in one language, and remembers which cells were named.

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
        """
        if not quantity:
            return self.absence(quantity.absence)
        for ledger in self.ledgers[-1:]:
            ledger.append((quantity, interval and quantity.estimate == "mean"))
        half = quantity.half_width if interval else None
        if quantity.estimate != "mean":
            return self._estimate(quantity, spec, interval)
        text = self.language.number(quantity.mean, spec)
        if not self.marked:
            between = Markup("<br>±\u00a0{}") if stacked else Markup("\u00a0±\u00a0{}")
            return Markup("{}").format(text) + (
                between.format(self.language.number(half, spec)) if half is not None else Markup("")
            )
        spread = Markup("")
        if half is not None:
            spread = Markup('{}<span class="spread"> ± {}</span>').format(
                Markup("<br>") if stacked else "", self.language.number(half, spec)
            )
        return Markup(
            '<data class="n" value="{value!r}" data-cell="{cells}" data-path="{path}"'
            ' data-spec="{spec}"{minus} title="{title}">{text}{spread}</data>'
        ).format(
            value=quantity.mean,
            cells=" ".join(quantity.labels),
            path=quantity.path,
            spec=spec,
            minus=self._minus(quantity),
            title=self._title(quantity),
            text=text,
            spread=spread,
        )

    def _estimate(self, quantity: Quantity, spec: str, interval: bool) -> Markup:
        """Print a share and the like with both limits: they lie unevenly around it."""
        found = quantity.interval
        mean, limits = self.language.number(found.mean, spec), ""
        if interval and found.low is not None and found.high is not None:
            low, high = (self.language.number(limit, spec) for limit in (found.low, found.high))
            limits = f"\u00a0({low}\u2013{high})"
        if not self.marked:
            return Markup("{}{}").format(mean, limits)
        return Markup(
            '<data class="n" value="{!r}" data-cell="{}" data-path="{}" data-spec="{}"'
            ' data-estimate="{}"{} title="{}">{}<span class="spread">{}</span></data>'
        ).format(
            found.mean,
            " ".join(quantity.labels),
            quantity.path,
            spec,
            quantity.estimate,
            self._minus(quantity),
            self._title(quantity),
            mean,
            limits,
        )

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
        """Print a figure of the handed-in report."""
        title = self.language.gettext("as stated in the handed-in report")
        return self._constant("handed-in", path, spec, title)

    def published(self, path: str, spec: str) -> Markup:
        """Print a published figure."""
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
        """Print a setting of the run's profile, given by its dotted path; ``raw``: as it is."""
        value = profile_value(self.run.profile, path)
        if value is None:
            return self.absence("")
        text = setting_text(value, spec, self.language)
        if not self.marked:
            return Markup("{}").format(text)
        return Markup(
            '<data class="s" data-setting="{}" data-spec="{}" title="{}">{}</data>'
        ).format(path, spec, f"profile: {path}", text)

    def cells(self, cells: Iterable[StoredCell]) -> Markup:
        """Name cells, briefly: experiment and variant once, each seed with its key's start."""
        listed = sorted(unique(cells), key=self._place)
        parts = []
        for experiment, own in groupby(listed, key=lambda cell: cell.experiment):
            links = []
            for _, seeds in groupby(own, key=lambda cell: cell.variant):
                first, *more = seeds
                links.append(self._link(first, f"{first.variant}-s{first.seed}"))
                links += [self._link(cell, f"s{cell.seed}") for cell in more]
            parts.append(Markup("{}/ {}").format(experiment, Markup(", ").join(links)))
        return Markup("; ").join(parts)

    def _link(self, cell: StoredCell, name: str) -> Markup:
        text = f"{name}-{cell.key[:SHORT_KEY]}"
        pattern = Markup('<a href="#{}">{}</a>') if self.marked else Markup("{1}")
        return pattern.format(anchor(cell), text)

    def _place(self, cell: StoredCell) -> tuple[str, int, int]:
        variants = unique((c.experiment, c.variant) for c in self.run.cells)
        return cell.experiment, variants.index((cell.experiment, cell.variant)), cell.seed

    def _title(self, quantity: Quantity) -> str:
        _ = self.language.gettext
        count = len(quantity.values)
        seeds = (
            _("one seed")
            if count == 1
            else self.language.ngettext("%(n)d seed", "%(n)d seeds", count) % {"n": count}
        )
        return f"{', '.join(quantity.labels)} · {quantity.path} · {seeds}"


def anchor(cell: StoredCell) -> str:
    """Identifier of a cell's row in the appendix."""
    return "cell-" + cell.label.replace("/", "-")


def profile_value(profile: dict[str, Any], path: str) -> Any:
    """Return a setting by its dotted path; None if there is none."""
    tree: Any = profile
    for step in path.split("."):
        tree = tree.get(step) if isinstance(tree, dict) else None
    return tree


def setting_text(value: Any, spec: str, language: Language) -> str:
    """Write a setting, or a list of them; see `Marks.setting`."""
    return ", ".join(
        str(item) if isinstance(item, str) or spec == "raw" else language.number(item, spec)
        for item in (value if isinstance(value, list) else [value])
    )
