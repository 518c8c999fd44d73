"""Sheets of images: right and wrong predictions, reconstructions, decoded grids, samples."""

from collections.abc import Sequence

import numpy as np

from bench.report.figures.sheet import Sheet
from bench.report.figures.style import QUIET, TEXT_WIDTH, class_ticks, fitting_size
from bench.report.figures.subject import Subject
from bench.report.values.collect import Variant
from bench.report.words.i18n import Language
from bench.report.words.names import status_name

LABEL_COLUMN = 33.0  # mm, row names at the left of image strips
WRONG = "#b03a2e"


def examples(subject: Subject) -> Sheet | None:
    """Draw right predictions, and the wrong ones of greatest confidence."""
    language, (variant,) = subject.language, subject.variants
    class_names, _size = class_ticks(subject.class_names)
    _ = language.gettext
    if variant.array("right_images") is None:
        return None
    columns, gap = 13, 1.8
    tile = (TEXT_WIDTH - gap * (columns - 1)) / columns
    sheet = Sheet(6 + 2 * (tile + 10.5) + 4 + tile + 7)
    top = 4.0
    for kind, title, rows in (
        ("wrong", _("Wrong, surest first: true class, then the prediction"), 2),
        ("right", _("Right"), 1),
    ):
        sheet.text(0, top, title, bold=True, size=8.5)
        top += 2.5
        images, true = variant.array(f"{kind}_images"), variant.array(f"{kind}_true")
        guess, surety = variant.array(f"{kind}_predicted"), variant.array(f"{kind}_confidence")
        if images is None or true is None or guess is None or surety is None:
            continue
        if not len(images):
            sheet.text(0, top + 4, _("none"), colour=QUIET)
        for row in range(min(rows, -(-len(images) // columns))):
            chosen = np.s_[row * columns : (row + 1) * columns]
            sheet.block(images[chosen], columns, 0, top, tile, gap)
            for place, (a, b, p) in enumerate(
                zip(true[chosen], guess[chosen], surety[chosen], strict=True)
            ):
                middle = place * (tile + gap) + tile / 2
                below = top + tile + 2.9
                sheet.text(middle, below, class_names[a], size=6.6, align="center")
                if kind == "wrong":
                    below += 2.9
                    sheet.text(
                        middle, below, class_names[b], size=6.6, align="center", colour=WRONG
                    )
                sheet.text(middle, below + 2.9, language.number(float(p), ".0%"), size=6.6,
                    align="center", colour=QUIET,
                )  # fmt: skip
            top += tile + 10.5
        top += 4.5
    return sheet


def pretrained_reconstructions(subject: Subject) -> Sheet | None:
    """Draw test images above their reconstructions by the stacked autoencoder."""
    return strips(subject, subject.variants, ("originals", "reconstructions"), 16)


def embedding_reconstructions(subject: Subject) -> Sheet | None:
    """Draw one image of each class above its reconstruction from two numbers."""
    return strips(subject, subject.variants, ("originals", "reconstructions"), 10)


def decoded_grids(subject: Subject) -> Sheet | None:
    """Draw each decoder's images of a regular grid over its map."""
    language, variants = subject.language, subject.variants
    if all(variant.array("decoded_grid") is None for variant in variants):
        return None
    space, title = 3.0, 6.0
    side = (TEXT_WIDTH - (len(variants) - 1) * space) / len(variants)
    sheet = Sheet(side + title)
    for place, variant in enumerate(variants):
        x, y = place * (side + space), title
        name = subject.named(variant)
        sheet.text(x, y - 2.3, name, bold=True, size=fitting_size(name, side))
        grid = variant.array("decoded_grid")
        sheet.frame(x + 0.2, y, side - 0.4, side - 0.4)
        if grid is None:
            say_absent(sheet, x + side / 2, y + side / 2, side, variant.absence, language)
            continue
        upright = grid[::-1].reshape(-1, *grid.shape[2:])  # row 0 is the lowest
        sheet.block(upright, grid.shape[1], x + 0.2, y, (side - 0.4) / grid.shape[1], 0, 1)
    return sheet


def strips(
    subject: Subject,
    variants: Sequence[Variant],
    arrays: tuple[str, str],
    count: int,
    repeat_first: bool = False,
) -> Sheet | None:
    """Draw rows of images, named at the left.

    Parameters
    ----------
    subject : Subject
        Whose words stand beside the rows.
    variants : sequence of Variant
        The systems.
    arrays : tuple of str
        Names of the cells' arrays: the first is drawn once, the second for each system.
    count : int
        Images in a row.
    repeat_first : bool
        Whether the first array too is drawn for each system.

    Returns
    -------
    Sheet or None
        The sheet; None where there are no images.
    """
    _ = subject.language.gettext
    names = {
        "originals": _("Original"),
        "reconstructions": _("Reconstruction"),
        "samples": _("Sample"),
        "nearest": _("Nearest training image"),
    }
    rows: list[tuple[str, str, np.ndarray]] = []
    for variant in variants:
        first, second = variant.array(arrays[0]), variant.array(arrays[1])
        if first is None or second is None:
            continue
        system = subject.named(variant)
        alone = len(variants) == 1
        if repeat_first or not rows:
            rows.append((names[arrays[0]], system if repeat_first else "", first[:count]))
        rows.append((names[arrays[1]], "" if repeat_first or alone else system, second[:count]))
    if not rows:
        return None
    gap = 0.8
    tile = (TEXT_WIDTH - LABEL_COLUMN - gap * (count - 1)) / count
    leading = 3.0 if repeat_first else gap
    tops = [
        index * (tile + gap) + (index // 2 * (leading - gap) if repeat_first else 0)
        for index in range(len(rows))
    ]
    sheet = Sheet(tops[-1] + tile + 0.3)
    for (what, system, images), top in zip(rows, tops, strict=True):
        middle = top + tile / 2
        if system:
            sheet.text(0, middle - 0.6, system, bold=True, size=7.5)
        sheet.text(0, middle + (2.6 if system else 1), what, size=7.5, colour=QUIET)
        sheet.block(images, count, LABEL_COLUMN, top, tile, gap)
    return sheet


def say_absent(
    sheet: Sheet, x: float, y: float, room: float, absence: str, language: Language
) -> None:
    """Write on the sheet why a place is empty.

    Parameters
    ----------
    sheet : Sheet
        Where to write.
    x : float
        From the left, mm.
    y : float
        From the top, mm.
    room : float
        Width of the place, mm.
    absence : str
        The reason, as the store names it.
    language : Language
        The report's language.
    """
    text = status_name(absence or "absent", language)
    size = fitting_size(text, room - 2, 8.0)
    sheet.text(x, y, text, align="center", colour=QUIET, italic=True, size=size)
