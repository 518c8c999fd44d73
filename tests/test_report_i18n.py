"""Languages: number forms, and catalogues that hold every message."""

import re
from datetime import UTC, datetime

import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.report.catalogue import fresh_catalogue, update
from bench.report.words.i18n import Language, catalogue_path, decimals_of
from tests.report_fixture import templates_with_pseudo_spanish

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


@pytest.mark.parametrize(
    ("code", "value", "spec", "expected"),
    [
        ("en", 0.93214, ".4f", "0.9321"),
        ("es", 0.93214, ".4f", "0,9321"),
        ("en", 60000, "d", "60,000"),
        ("es", 60000, "d", "60.000"),
        ("en", 0.932, ".1%", "93.2%"),
        ("es", 0.932, ".1%", "93,2\N{NO-BREAK SPACE}%"),
        ("en", -1.5, ".1f", "\N{MINUS SIGN}1.5"),
        ("en", 0.004, "g", "0.004"),
        ("en", 7.8e-4, "g", "0.00078"),
        ("es", 1e-6, "g", "1E−6"),
        ("es", 0.25, "g", "0,25"),
        ("en", 3, "g", "3"),
    ],
)
def test_numbers_are_written_as_the_language_does(code, value, spec, expected):
    assert Language(code).number(value, spec) == expected


@given(
    st.sampled_from(["en", "es"]),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from([".1f", ".4f", ".2%", "d"]),
)
def test_a_written_number_is_read_back_within_its_rounding(code, value, spec):
    language = Language(code)
    back = language.parse(language.number(value, spec))
    assert abs(back - value) <= 0.500001 * 10 ** -decimals_of(spec)


def test_dates_are_written_out():
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert Language("es").date(moment) == "23 de noviembre de 2026"


def test_a_language_without_a_catalogue_is_refused():
    with pytest.raises(UserError, match=r"No catalogue.*report\.po"):
        Language("fr")


def test_a_message_that_the_catalogue_lacks_is_remembered():
    spanish = Language("es")
    assert spanish.gettext("No such message stands in the report.") == (
        "No such message stands in the report."
    )
    assert spanish.untranslated == {"No such message stands in the report."}


def test_the_spanish_catalogue_holds_every_message_and_no_other():
    wanted = {message.id for message in fresh_catalogue() if message.id}
    with catalogue_path("es").open("rb") as file:
        catalogue = read_po(file, locale="es")
    there = {message.id: message for message in catalogue if message.id}
    assert set(there) == wanted, "run `python -m bench.report.catalogue`"
    for message in there.values():
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(texts), f"not translated: {message.id}"
        assert not message.fuzzy, f"fuzzy: {message.id}"


def test_translations_keep_every_placeholder():
    with catalogue_path("es").open("rb") as file:
        catalogue = read_po(file, locale="es")
    for message in catalogue:
        if not message.id or not message.string:
            continue
        identifiers = message.id if isinstance(message.id, tuple) else (message.id,)
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(PLACEHOLDER.findall(identifiers[-1]))
        for text in filter(None, texts):
            assert set(PLACEHOLDER.findall(text)) == wanted, message.id


def test_updating_keeps_translations_and_adds_what_is_new(tmp_path):
    templates = templates_with_pseudo_spanish(tmp_path)
    path = catalogue_path("es", templates)
    with path.open("rb") as file:
        assert read_po(file)["Figure"].string == "Figure ñ"
    (templates / "new.html.j2").write_text("{% trans %}A brand-new sentence.{% endtrans %}")
    total, untranslated = update("es", templates)
    with path.open("rb") as file:
        after = read_po(file)
    assert untranslated == 1
    assert after["A brand-new sentence."].string == ""
    assert after["Figure"].string == "Figure ñ"
    assert update("es", templates) == (total, 1)
