"""Catalogues of translations: find every message of the report, and update the catalogues.

``python -m bench.report.catalogue`` writes new messages into each catalogue, empty, for a
translator to fill, and takes out those that the report no longer has.
"""

import argparse
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bench.config.protocol import protocol
from bench.data import DATASETS
from bench.declarations import declarations
from bench.experiment_files import PACKAGE
from bench.paths import ROOT, TEMPLATES
from bench.report.figures.equations import load_equations, load_spoken
from bench.report.values.constants import Constants
from bench.report.words.i18n import catalogue_path

METHODS = [("**.j2", "jinja2"), ("**.py", "python")]
OPTIONS = {"**.j2": {"encoding": "utf-8", "newstyle_gettext": "true"}}
KEYWORDS = {"gettext": None, "ngettext": (1, 2), "_": None, "N_": None}
WIDTH = 96
HEADER = """# The report's messages. `python -m bench.report.catalogue` brings this file up to date;
# what stands empty afterwards is to be translated: a test asks that nothing is."""
IDLE_HEADERS = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Last-Translator',
    '"Language-Team',
    '"Report-Msgid-Bugs-To',
    '"Generated-By',
    '"Project-Id-Version',
)


def messages(templates: Path = TEMPLATES) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Yield every message of the report with where it stands.

    Parameters
    ----------
    templates : Path
        The template set.

    Yields
    ------
    tuple of (str, str or tuple of str)
        Place, and the message (singular and plural, where it has both).
    """
    for folder in (templates, ROOT / "bench" / "report"):
        found = extract_from_dir(
            folder, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS, comment_tags=()
        )
        for file, _line, message, _comments, _context in found:
            yield f"{folder.name}/{file}", message
    for key, equation in load_equations(templates).items():
        yield f"equations.toml:{key}", equation.alt
    for words in load_spoken(templates).values():
        yield "equations.toml:spoken", words
    for system in Constants(templates).published_systems():
        yield "published.toml", system
    for text in protocol().messages():
        yield "protocol.toml", text
    for said in declarations().values():
        if said.package == PACKAGE:
            for text in said.messages():
                yield f"{said.name}.toml", text
    for info in DATASETS.values():
        for name in info.class_names:
            if not name.isdigit():
                yield f"data:{info.name}", name


def fresh_catalogue(templates: Path = TEMPLATES) -> Catalog:
    """Return a catalogue of every message, none translated."""
    catalogue = Catalog(project="Latent Lab", charset="utf-8", fuzzy=False)
    for place, message in messages(templates):
        catalogue.add(message, locations=[(place, 0)])
    return catalogue


def update(code: str, templates: Path = TEMPLATES) -> tuple[int, int]:
    """Bring a language's catalogue up to date; translations of messages that stay are kept.

    Parameters
    ----------
    code : str
        Code of a language, such as es.
    templates : Path
        The template set.

    Returns
    -------
    tuple of int
        Messages in all, and messages without translation.
    """
    path, fresh = catalogue_path(code, templates), fresh_catalogue(templates)
    before = Catalog(locale=code)
    if path.is_file():
        with path.open("rb") as file:
            before = read_po(file, locale=code)
    catalogue = Catalog(
        locale=code, project="Latent Lab", charset="utf-8", fuzzy=False, header_comment=HEADER
    )
    open_messages = 0
    for message in fresh:
        if not message.id:
            continue
        known = before.get(message.id)
        text = known.string if known is not None else message.string
        places = sorted({(place, None) for place, _ in message.locations})
        # Babel writes a place without its line if there is none; its type does not say so
        catalogue.add(message.id, text, locations=places, flags=message.flags)  # type: ignore[arg-type]
        open_messages += not (all(text) if isinstance(text, tuple) else text)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_to_text(catalogue), encoding="utf-8")
    return len(catalogue), open_messages


def _to_text(catalogue: Catalog) -> str:
    """Write a catalogue without the header's dates and names, which would differ each time."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=WIDTH, include_lineno=False)
    lines = buffer.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(IDLE_HEADERS))


def main(arguments: Sequence[str] | None = None) -> None:
    """Update the catalogues of the named languages, or of all there are."""
    parser = argparse.ArgumentParser(description="Bring the report's catalogues up to date.")
    parser.add_argument("languages", nargs="*", help="codes such as es; none: every catalogue")
    chosen = parser.parse_args(arguments).languages
    for code in chosen or sorted(path.name for path in (TEMPLATES / "locale").iterdir()):
        total, untranslated = update(code)
        print(f"{code}: {total} messages, {untranslated} without translation")


if __name__ == "__main__":
    main()
