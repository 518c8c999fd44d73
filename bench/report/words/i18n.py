"""Languages: messages from the Babel catalogues, numbers and dates in the reader's form.

Messages are English in templates and code; a catalogue stands at
``templates/locale/<language>/LC_MESSAGES/report.po`` and is compiled in memory.
"""

import gettext
import io
from collections.abc import Sequence
from datetime import datetime
from math import ceil, log10
from pathlib import Path

from babel import Locale as BabelLocale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, parse_decimal

from bench.errors import UserError
from bench.experiment_files import folder_of, own_packages
from bench.paths import TEMPLATES

SOURCE_LANGUAGE = "en"
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
TINY = 1e-5  # smaller numbers are written as powers of ten


class Language:
    """One language of the report.

    Attributes
    ----------
    code : str
        ISO 639 code, such as ``es``.
    untranslated : set of str
        Messages asked for that the catalogue does not hold; filled while rendering.
    """

    def __init__(self, code: str, templates: Path = TEMPLATES) -> None:
        self.code = code
        self.untranslated: set[str] = set()
        self._locale = BabelLocale.parse(code)
        self._translations = (
            gettext.NullTranslations()
            if code == SOURCE_LANGUAGE
            else _read_catalogue(catalogue_path(code, templates))
        )

    def gettext(self, message: str) -> str:
        """Translate a message."""
        translated = self._translations.gettext(message)
        if self.code != SOURCE_LANGUAGE and message not in getattr(
            self._translations, "_catalog", {}
        ):
            self.untranslated.add(message)
        return translated

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Translate a message that depends on a count.

        Parameters
        ----------
        singular : str
            Message for one.
        plural : str
            Message for several.
        count : int
            How many.

        Returns
        -------
        str
            The translation.
        """
        translated = self._translations.ngettext(singular, plural, count)
        if self.code != SOURCE_LANGUAGE and translated in (singular, plural):
            self.untranslated.add(singular)
        return translated

    def number(self, value: float, spec: str = "g") -> str:
        """Write a number as this language does.

        Parameters
        ----------
        value : float
            The number.
        spec : str
            ``.3f`` (decimals), ``d`` (whole, grouped), ``.1%`` (per cent), ``.1p`` (per cent,
            without its sign: for columns that name it), or ``g`` (as short as four significant
            digits allow).

        Returns
        -------
        str
            The number.
        """
        value = value * 100 if spec.endswith("p") else value
        text = format_decimal(value, format=_pattern(value, spec), locale=self._locale)
        if self.code == SOURCE_LANGUAGE:
            text = text.replace(f"{NO_BREAK_SPACE}%", "%")  # only English sets it solid
        return text.replace("-", MINUS)

    def parse(self, text: str, spec: str = "g") -> float:
        """Read a number that `number` wrote; per cents come back as fractions.

        Parameters
        ----------
        text : str
            What was written.
        spec : str
            Format of the number.

        Returns
        -------
        float
            The number.
        """
        plain = text.replace(MINUS, "-").replace(NO_BREAK_SPACE, "").strip()
        percent = plain.endswith("%")
        value = float(parse_decimal(plain.rstrip("% "), locale=self._locale))
        return value / 100 if percent or spec.endswith("p") else value

    def date(self, moment: datetime) -> str:
        """Write a date in full."""
        return format_date(moment.date(), format="long", locale=self._locale)

    def join(self, items: Sequence[str]) -> str:
        """Join a list as prose: a, b and c."""
        return format_list(list(items), locale=self._locale)

    def either(self, items: Sequence[str]) -> str:
        """Join a list as prose: a, b or c."""
        return format_list(list(items), style="or", locale=self._locale)


def own_name(code: str) -> str:
    """Name a language in itself, such as Español."""
    name = BabelLocale.parse(code).get_display_name()
    return (name or code).capitalize()


def catalogue_path(code: str, templates: Path = TEMPLATES) -> Path:
    """Path of a language's catalogue.

    Parameters
    ----------
    code : str
        Code of a language, such as es.
    templates : Path
        The template set.

    Returns
    -------
    Path
        A `.po` file.
    """
    return templates / "locale" / code / "LC_MESSAGES" / "report.po"


def own_catalogues(code: str) -> list[Path]:
    """Catalogues of a language that packages with experiments bring along."""
    paths = [catalogue_path(code, folder_of(package)) for package in own_packages()]
    return [path for path in paths if path.is_file()]


def decimals_of(spec: str) -> int:
    """Decimals that a number format prints, per cents counted on the fraction."""
    if spec == "d":
        return 0
    digits = int(spec.strip(".f%p"))
    return digits + 2 if spec.endswith(("%", "p")) else digits


def _pattern(value: float, spec: str) -> str:
    if spec == "d":
        return "#,##0"
    if spec == "g":
        return _short_pattern(value)
    digits = "0" * int(spec.strip(".f%p"))
    return ("#,##0." + digits).rstrip(".") + ("\u00a0%" if spec.endswith("%") else "")


def _short_pattern(value: float) -> str:
    """At most four significant digits, no trailing zeros; tiny values as powers of ten."""
    if value and abs(value) < TINY:
        return "0.##E0"
    if value and abs(value) < 1e-3:
        return "0." + "#" * (2 + ceil(-log10(abs(value))))
    decimals = max(0, 3 - len(str(int(abs(value)))) + (abs(value) < 1))
    return "#,##0." + "#" * (decimals + 1) if decimals or value % 1 else "#,##0"


def _read_catalogue(path: Path) -> gettext.GNUTranslations:
    if not path.is_file():
        raise UserError(
            f"No catalogue for this language: expected {path}. The report cannot be rendered in "
            "it; choose another language, or make one with "
            "`python -m bench.report.catalogue LANGUAGE`."
        )
    compiled = io.BytesIO()
    with path.open("rb") as file:
        catalogue = read_po(file)
    for own in own_catalogues(path.parent.parent.name):
        with own.open("rb") as file:
            for message in read_po(file):
                if message.id and message.id not in catalogue:
                    catalogue.add(message.id, message.string)
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
