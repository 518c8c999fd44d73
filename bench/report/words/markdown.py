"""Markdown of authors' paragraphs: a safe subset; everything else is printed as text."""

from urllib.parse import urlparse

from markdown_it import MarkdownIt
from markupsafe import Markup

SCHEMES = ("http", "https", "mailto")
# Headings would disturb the report's own, images would load something, HTML is not let through.
LEFT_OUT = ("heading", "lheading", "html_block", "image", "html_inline", "reference", "hr")


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return urlparse(url).scheme in SCHEMES


def to_html(text: str) -> Markup:
    """Write Markdown as HTML: paragraphs, emphasis, lists, quotations, code and links.

    Parameters
    ----------
    text : str
        From whoever hands in. HTML in it, headings and images are printed as they were written;
        a link leads to http, https or mail, or it is no link.

    Returns
    -------
    Markup
        HTML, escaped.
    """
    parser = _Parser("commonmark", {"html": False}).disable(list(LEFT_OUT))
    return Markup(parser.render(text))  # noqa: S704 - the parser escapes
