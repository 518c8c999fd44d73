"""The page's HTML from the templates: one file for the screen, or the text that is printed."""

import base64
import mimetypes
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
)
from jinja2.bccache import Bucket
from markupsafe import Markup

from bench.experiment_files import folder_of, own_packages
from bench.report.page.context import Context
from bench.report.page.marks import Marks
from bench.report.page.outline import number_captions, read_outline
from bench.report.page.page import Page, caption_words
from bench.report.words.names import watermark_words

MASTER, FINDINGS = "report.html.j2", "findings.html.j2"
UNBROKEN = {"t-SNE": "t\N{NON-BREAKING HYPHEN}SNE"}
SCRIPTS = ("decoder.js", "screen.js", "tools.js", "explorer.js")
STYLES = {
    "html": ("style.css", "screen.css", "tools.css", "explorer.css"),
    "pdf": ("style.css", "print.css"),
}
FONT_CUTS = (
    ("Source Serif 4", 400, "normal", "SourceSerif4-Regular"),
    ("Source Serif 4", 400, "italic", "SourceSerif4-It"),
    ("Source Serif 4", 600, "normal", "SourceSerif4-Semibold"),
    ("Source Sans 3", 400, "normal", "SourceSans3-Regular"),
    ("Source Sans 3", 400, "italic", "SourceSans3-It"),
    ("Source Sans 3", 600, "normal", "SourceSans3-Semibold"),
)
BETWEEN_TAGS = re.compile(r"\n\s*\n+")


class _Compiled(BytecodeCache):
    """Compiled templates, kept for this process; Jinja drops what the source no longer is."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def render_page(page: Page, templates: Path) -> str:
    """Render a page, twice if its numbers are not known yet.

    Parameters
    ----------
    page : Page
        What to render.
    templates : Path
        The template set.

    Returns
    -------
    str
        A whole HTML document. For the screen it refers to nothing outside itself.
    """
    environment = _environment(page, templates)
    template = environment.get_template(MASTER)
    fixed = {
        "style": style_sheet(page, templates),
        "medium": page.medium,
        "run": page.results.run,
        "results": page.results,
        "watermark": watermark_words(page.results.run.watermark or "", page.language),
        "language": page.language,
        "context": Context(
            page.results, page.order.assignment.claims if page.order.assignment else ()
        ),
        "script": script(templates),
    }
    page.finding = _findings(page, environment.get_template(FINDINGS), fixed)
    if not page.numbering.final:
        page.numbering.finish_first_pass(read_outline(template.render(fixed, **_contents(page))))
    text = template.render(fixed, **_contents(page))
    for word, unbroken in UNBROKEN.items():
        text = text.replace(word, unbroken)
    return BETWEEN_TAGS.sub("\n", number_captions(text, caption_words(page.language)))


def style_sheet(page: Page, templates: Path) -> Markup:
    """Return fonts and styles as one sheet: the screen's fonts are in it, print's are files.

    Parameters
    ----------
    page : Page
        The page.
    templates : Path
        The template set.

    Returns
    -------
    Markup
        CSS.
    """
    rules = [_font_face(page, templates, *cut) for cut in FONT_CUTS]
    rules += [(templates / name).read_text(encoding="utf-8") for name in STYLES[page.medium]]
    return Markup("\n".join(rules))  # noqa: S704 - our own style sheets


def script(templates: Path) -> Markup:
    """Return the page's scripts, which are part of the page."""
    texts = [(templates / name).read_text(encoding="utf-8") for name in SCRIPTS]
    return Markup("\n".join(texts))  # noqa: S704 - our own


def _font_face(page: Page, templates: Path, family: str, weight: int, style: str, file: str) -> str:
    if page.medium == "html":
        source = data_uri(templates / "fonts" / f"{file}.woff2")
    else:
        source = (templates / "fonts" / f"{file}.ttf").as_uri()
    return (
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:{style};'
        f'src:url("{source}")}}'
    )


def data_uri(path: Path) -> str:
    """Return a file as a data URI."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _findings(
    page: Page, template: Template, fixed: Mapping[str, object]
) -> Callable[[str, str], Markup]:
    """Return what tells the finding of a figure; on paper, where it is an attribute, as text."""
    marks = page.marks
    if page.medium == "pdf":
        marks = Marks(page.results.run, page.language, page.gallery.constants, marked=False)

    @cache
    def finding(name: str, experiment: str) -> Markup:
        told = template.render(fixed, name=name, experiment=experiment, number=marks.number)
        return Markup(" ".join(told.split()))  # noqa: S704 - from our template, escaped there

    return finding


def _contents(page: Page) -> dict[str, object]:
    """Contents and numbers, which are known after the first pass."""
    return {"headings": page.numbering.outline.headings, "cited": page.numbering.cited}


def _environment(page: Page, templates: Path) -> Environment:
    # a package's templates stand under its name, so that none takes the place of ours
    own = {package: FileSystemLoader(folder_of(package)) for package in own_packages()}
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(templates), PrefixLoader(own)]),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_COMPILED,
        lstrip_blocks=True,
    )
    language = page.language
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    environment.globals.update(page.functions())
    environment.globals["references"] = page.references
    environment.filters["plain"] = language.number
    environment.filters["date"] = lambda text: language.date(datetime.fromisoformat(text))
    environment.filters["listed"] = language.join
    return environment
