"""Printing with WeasyPrint: an error that it would only log stops the report."""

import ctypes
import ctypes.util
import logging
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from bench.errors import UserError
from bench.report.errors import PrintingError
from bench.report.publishing.archive import VARIANT, Files, finisher

if TYPE_CHECKING:
    import weasyprint
    from weasyprint.urls import URLFetcher, URLFetcherResponse

# What WeasyPrint loads, by the names under which Linux, macOS and Windows know it.
LIBRARIES = {
    "GLib": ("libgobject-2.0.so.0", "libgobject-2.0.dylib", "gobject-2.0"),
    "Pango": ("libpango-1.0.so.0", "libpango-1.0.dylib", "pango-1.0"),
    "PangoFT2": ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "pangoft2-1.0"),
    "HarfBuzz": ("libharfbuzz.so.0", "libharfbuzz.dylib", "harfbuzz"),
    "Fontconfig": ("libfontconfig.so.1", "libfontconfig.dylib", "fontconfig"),
}
REMEDY = (
    "`bash .ci/system-libraries` installs them. By hand, on Debian or Ubuntu: apt install "
    "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0; on Fedora: dnf install pango harfbuzz; "
    "on macOS: brew install pango"
)


def check_libraries() -> None:
    """Check that the system libraries for printing are there, before WeasyPrint is imported.

    Raises
    ------
    UserError
        If one cannot be loaded; the message says which, and how to install it.
    """
    missing = [name for name, candidates in LIBRARIES.items() if not _loads(candidates)]
    if missing:
        raise UserError(
            f"The PDF needs system libraries that this machine lacks: {', '.join(missing)}. "
            f"Expected Pango and what it stands on; without them only HTML is made. {REMEDY}."
        )


def print_pdf(
    page: str, folder: Path, fonts: Path, created: datetime | None
) -> "weasyprint.Document":
    """Typeset a page.

    Parameters
    ----------
    page : str
        The HTML, with drawings named relative to `folder`.
    folder : Path
        Holds the drawings.
    fonts : Path
        Holds the typefaces.
    created : datetime or None
        Written into the file as its date, so that the same run gives the same bytes.

    Returns
    -------
    weasyprint.Document
        Pages, ready to be written with `write_pdf`.

    Raises
    ------
    UserError
        If a system library is missing.
    PrintingError
        If WeasyPrint reports an error, such as a missing image or a refused address.
    """
    check_libraries()
    import weasyprint

    with _errors_collected() as errors, _fixed_date(created):
        document = weasyprint.HTML(
            string=page,
            base_url=folder.resolve().as_uri() + "/",
            encoding="utf-8",
            url_fetcher=_fetcher((folder, fonts)),
        ).render(pdf_variant=VARIANT)
    _refuse(errors)
    return document


def write_pdf(
    document: "weasyprint.Document",
    target: Path | BytesIO,
    created: datetime | None,
    formulae: Collection[str] = (),
    to_attach: Callable[[bytes], Files] | None = None,
) -> None:
    """Write a set document as a tagged PDF that can be archived.

    Parameters
    ----------
    document : weasyprint.Document
        The pages.
    target : Path or BytesIO
        Where it is written.
    created : datetime or None
        Its date, and that of the attached files.
    formulae : collection of str
        Alternative texts of the pictures that are formulas.
    to_attach : callable, optional
        Given the PDF without attached files, returns these: name to text and description.

    Raises
    ------
    PrintingError
        If WeasyPrint reports an error.
    """
    finish = finisher(formulae, created or datetime.fromtimestamp(0, UTC), to_attach)
    with _errors_collected() as errors, _fixed_date(created):
        document.write_pdf(target, finisher=finish, pdf_variant=VARIANT)
    _refuse(errors)


def _loads(candidates: tuple[str, ...]) -> bool:
    *files, short = candidates
    for file in files:
        try:
            ctypes.CDLL(file)
        except OSError:
            continue
        return True
    return ctypes.util.find_library(short) is not None  # last: it starts other programs


def _fetcher(roots: tuple[Path, ...]) -> "URLFetcher":
    """Return a fetcher of `data:` addresses and of files below `roots`, and nothing else."""
    from weasyprint.urls import URLFetcher

    allowed = [root.resolve() for root in roots]

    class LocalFetcher(URLFetcher):
        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> "URLFetcherResponse":
            if not url.startswith("data:") and not self._ours(url):
                raise ValueError(f"the report may load nothing but its own files, not {url}")
            return super().fetch(url, headers)

        @staticmethod
        def _ours(url: str) -> bool:
            parts = urlparse(url)
            path = Path(unquote(parts.path)).resolve()
            return parts.scheme == "file" and any(path.is_relative_to(root) for root in allowed)

    return LocalFetcher()


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _errors_collected() -> Iterator[list[str]]:
    """Collect what WeasyPrint logs as an error; it goes on without saying more."""
    logger = logging.getLogger("weasyprint")
    collector = _Collector()
    logger.addHandler(collector)
    try:
        yield collector.messages
    finally:
        logger.removeHandler(collector)


@contextmanager
def _fixed_date(created: datetime | None) -> Iterator[None]:
    """Let the file carry the run's date instead of the present (SOURCE_DATE_EPOCH)."""
    name = "SOURCE_DATE_EPOCH"
    before = os.environ.get(name)
    if before is None and created is not None:
        os.environ[name] = str(int(created.timestamp()))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)


def _refuse(errors: list[str]) -> None:
    if errors:
        raise PrintingError(
            f"WeasyPrint reported {len(errors)} error(s), the first: {errors[0]}. The PDF would "
            "lack what it names, so it was not written. Mend the template or the file it names."
        )
