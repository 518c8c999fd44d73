"""Numbers of equations and citations, and references to anything that is numbered.

A page is rendered twice: the first pass meets everything in order, the second can therefore refer
forward. What the second pass cannot find does not exist.
"""

from bench.report.page.outline import Outline


class UnknownReferenceError(LookupError):
    """A template refers to something that the report does not hold."""


class Numbering:
    """Numbers in the order of their first use on the page.

    Attributes
    ----------
    final : bool
        Whether everything has been met once: the second pass.
    """

    def __init__(self) -> None:
        self.final = False
        self.outline = Outline()
        self._equations: dict[str, int] = {}
        self._citations: dict[str, int] = {}

    def finish_first_pass(self, outline: Outline) -> None:
        """Take the order of the first pass as final."""
        self.outline = outline
        self.final = True

    def equation(self, key: str) -> int:
        """Number an equation where it stands."""
        return self._equations.setdefault(key, len(self._equations) + 1)

    def citation(self, key: str) -> int:
        """Number a reference by its first citation."""
        return self._citations.setdefault(key, len(self._citations) + 1)

    @property
    def cited(self) -> list[str]:
        """Keys of the cited references, in the order of their numbers."""
        return list(self._citations)

    def equation_number(self, key: str) -> str:
        """Return the number of an equation that stands anywhere on the page.

        Raises
        ------
        UnknownReferenceError
            In the second pass, if it stands nowhere.
        """
        if key in self._equations:
            return str(self._equations[key])
        return self._unknown("equation", key)

    def caption_number(self, anchor: str) -> tuple[str, str]:
        """Return kind (``figure``, ``table``) and number of what bears an anchor.

        Raises
        ------
        UnknownReferenceError
            In the second pass, if nothing bears it.
        """
        if anchor in self.outline.numbers:
            kind, number = self.outline.numbers[anchor]
            return kind, str(number)
        return "figure", self._unknown("figure or table", anchor)

    def _unknown(self, kind: str, key: str) -> str:
        if self.final:
            raise UnknownReferenceError(
                f"A template refers to the {kind} {key!r}, but the report holds none of that name. "
                "Mend the name, or put it in."
            )
        return ""
