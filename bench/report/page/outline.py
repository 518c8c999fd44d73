"""The page's outline: headings for the contents, numbers of figures and tables.

Templates write plain HTML; a finished page is read once for its order, and then numbered.
"""

import re
from dataclasses import dataclass, field
from html import unescape

from markupsafe import Markup

HEADING = re.compile(r'<h([23]) id="([^"]+)"[^>]*>(.*?)</h\1>', re.DOTALL)
CAPTIONED = re.compile(r'<(figure|table)\b(?:[^>]*?\bid="([^"]+)")?[^>]*>')
CAPTION = re.compile(r"<(figcaption|caption)\b[^>]*>")
TAG = re.compile(r"<[^>]+>")
KIND = {"figcaption": "figure", "caption": "table"}


@dataclass(frozen=True)
class Heading:
    """A line of the contents."""

    level: int
    anchor: str
    title: str


@dataclass
class Outline:
    """Order and numbers of a page.

    Attributes
    ----------
    headings : list of Heading
        Second and third level.
    numbers : dict of str to (str, int)
        Anchor of a figure or table to its kind and number.
    """

    headings: list[Heading] = field(default_factory=list)
    numbers: dict[str, tuple[str, int]] = field(default_factory=dict)


def read_outline(page: str) -> Outline:
    """Read headings and numbers from a page's HTML."""
    headings = [
        Heading(int(level), anchor, unescape(TAG.sub("", title)).strip())
        for level, anchor, title in HEADING.findall(page)
    ]
    counts = {"figure": 0, "table": 0}
    numbers: dict[str, tuple[str, int]] = {}
    openings = list(CAPTIONED.finditer(page))
    for position, opening in enumerate(openings):
        end = openings[position + 1].start() if position + 1 < len(openings) else len(page)
        if not CAPTION.search(page, opening.end(), end):
            continue  # a table without a caption is not numbered
        kind, anchor = opening.groups()
        counts[kind] += 1
        if anchor:
            numbers[anchor] = (kind, counts[kind])
    return Outline(headings, numbers)


def number_captions(page: str, words: dict[str, str]) -> str:
    """Write "Figure 1." and "Table 1." into the captions, in order.

    Parameters
    ----------
    page : str
        The page's HTML.
    words : dict
        What ``figure`` and ``table`` are called.

    Returns
    -------
    str
        The page.
    """
    counts = {"figure": 0, "table": 0}

    def numbered(match: re.Match[str]) -> str:
        kind = KIND[match.group(1)]
        counts[kind] += 1
        label = Markup('<span class="label">{} {}.</span> ').format(words[kind], counts[kind])
        return match.group(0) + str(label)

    return CAPTION.sub(numbered, page)
