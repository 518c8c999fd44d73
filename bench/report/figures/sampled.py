"""Sheets of generated images, and of real images that are degraded step by step."""

import numpy as np

from bench.report.figures.images import say_absent, strips
from bench.report.figures.sheet import Sheet
from bench.report.figures.style import QUIET, TEXT_WIDTH, fitting_size
from bench.report.figures.subject import Subject

SHEETS = 4  # panels of samples side by side
HEAD = 6.0  # mm, from the top of a panel's name to its images


def samples(subject: Subject) -> Sheet | None:
    """Draw real images and samples of each generator, side by side."""
    language, variants = subject.language, [each for each in subject.variants if each.cells]
    if all(variant.array("samples") is None for variant in variants):
        return None
    columns, rows, space, gap = 6, 4, 4.0, 0.5
    width = (TEXT_WIDTH - (SHEETS - 1) * space) / SHEETS
    tile = (width - gap * (columns - 1)) / columns
    height = rows * (tile + gap) - gap
    lines = -(-len(variants) // SHEETS)
    sheet = Sheet(lines * (height + HEAD + 2.5) - 2.5)
    for place, variant in enumerate(variants):
        x, y = place % SHEETS * (width + space), place // SHEETS * (height + HEAD + 2.5)
        name = subject.named(variant)
        sheet.text(x, y + 3.5, name, bold=True, size=fitting_size(name, width))
        images = variant.array("samples")
        if images is None:
            sheet.frame(x + 0.2, y + HEAD, width - 0.4, height - 0.4)
            middle = (x + width / 2, y + HEAD + height / 2)
            say_absent(sheet, *middle, width, variant.absence, language)
            continue
        sheet.block(images[: rows * columns], columns, x, y + HEAD, tile, gap)
    return sheet


def reconstructions(subject: Subject) -> Sheet | None:
    """Draw real images and their reconstructions by each generator that has its own decoder."""
    return strips(subject, subject.variants, ("originals", "reconstructions"), 16)


def nearest(subject: Subject) -> Sheet | None:
    """Draw samples above the training images that are nearest to them."""
    return strips(subject, subject.variants, ("samples", "nearest"), 16, repeat_first=True)


def interpolations(subject: Subject) -> Sheet | None:
    """Draw walks from one code to another, a row each."""
    language, variants = subject.language, [each for each in subject.variants if each.cells]
    if all(variant.array("interpolation") is None for variant in variants):
        return None
    width, rows, columns, gap = (TEXT_WIDTH - 6) / 2, 3, 10, 0.5
    tile = (width - gap * (columns - 1)) / columns
    height = rows * (tile + gap) - gap
    lines = -(-len(variants) // 2)
    sheet = Sheet(lines * (height + HEAD) + (lines - 1) * 3)
    for place, variant in enumerate(variants):
        x, y = place % 2 * (width + 6), place // 2 * (height + HEAD + 3)
        sheet.text(x, y + 3.5, subject.named(variant), bold=True, size=8.5)
        walks = variant.array("interpolation")
        if walks is None:
            sheet.frame(x + 0.2, y + HEAD, width - 0.4, height - 0.4)
            middle = (x + width / 2, y + HEAD + height / 2)
            say_absent(sheet, *middle, width, variant.absence, language)
            continue
        flat = walks[:rows, :columns].reshape(-1, *walks.shape[2:])
        sheet.block(flat, columns, x, y + HEAD, tile, gap)
    return sheet


def spoilt(subject: Subject) -> Sheet | None:
    """Draw the same real images, untouched and on each step of the ladder."""
    language, (ladder, reference) = subject.language, subject.variants
    _ = language.gettext
    spoilers, real = subject.results.words("spoiler"), reference.array("samples")
    tables, images = ladder.tables("ladder"), ladder.array("samples")
    if not tables or images is None:
        return None
    count, gap, label = 10, 0.6, 9.0
    half = (TEXT_WIDTH - 6) / 2
    tile = (half - label - gap * (count - 1)) / count
    kinds = tables[0]["kind"].to_numpy()
    most = max(int((kinds == kind).sum()) for kind in spoilers)
    sheet = Sheet(HEAD + (most + 1) * (tile + gap))
    for side, (kind, words) in enumerate(spoilers.items()):
        x, y = side * (half + 6), HEAD
        sheet.text(x, 3.5, _(words), bold=True, size=8.5)
        rows: list[tuple[float, np.ndarray]] = [] if real is None else [(0.0, real)]
        rows += [
            (float(tables[0]["strength"].iloc[row]), images[row])
            for row in np.flatnonzero(kinds == kind)
        ]
        for strength, pictures in rows:
            sheet.text(
                x + label - 2.0, y + tile / 2 + 1, language.number(strength, "g"), size=7.5,
                colour=QUIET, align="right",
            )  # fmt: skip
            sheet.block(pictures[:count], count, x + label, y, tile, gap)
            y += tile + gap
    return sheet
