"""The protocol is typed, frozen, in order, and known by its bytes."""

import hashlib
import re

import pydantic
import pytest

from bench.config.protocol import PATH, protocol, read_protocol, sha256
from bench.errors import UserError
from bench.report.catalogue import fresh_catalogue

TEXT = PATH.read_text(encoding="utf-8")


def test_eight_claims_are_fixed_with_their_least_seeds():
    asked = protocol()
    assert [claim.number for claim in asked.claims] == list(range(1, 9))
    least = {claim.number: {m.seeds for m in claim.measures} for claim in asked.claims}
    assert least == {1: {12}, 2: {1}, 3: {3}, 4: {3, 5}, 5: {3}, 6: {5}, 7: {5}, 8: {5, 6}}
    assert {m.reference for m in asked.claims[2].measures} == {0.9, 0.5}
    assert asked.claims[4].measures[0].systems == (
        "fashion_generation/handed_in_longer",
        "fashion_generation/handed_in",
    )


def test_it_is_frozen_and_its_hash_is_that_of_its_bytes():
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        protocol().level = 0.5
    assert sha256() == hashlib.sha256(PATH.read_bytes()).hexdigest()


def test_its_history_is_told_up_to_its_last_change():
    asked = protocol()
    assert asked.last == asked.changes[-1].date >= asked.first
    assert any("20261125" in change.what for change in asked.changes)


def test_the_catalogue_is_asked_for_every_text_and_none_needs_formatting():
    wanted = {message.id for message in fresh_catalogue()}
    texts = list(protocol().messages())
    assert len(texts) > 40
    assert set(texts) <= wanted
    assert [text for text in texts if "%" in text] == []


@pytest.mark.parametrize(
    ("pattern", "replacement", "named"),
    [
        (r"^level", "levle", "levle"),
        (r"^seeds = 12", "seeds = 0", "greater than 0"),
        (r"^pairs = .*\n", "", "pairs"),
        (r'^kind = "share"', 'kind = "welch"', r"expected 2 system\(s\), got 1"),
        (r'^kind = "spread"', 'kind = "mean"', r"expected 1 system\(s\), got 2"),
        (r"^number = 2", "number = 3", "in order"),
        (r"^date = 2026-11-25", "date = 2026-11-23", "oldest first"),
        (r"^first = .*", "first = 2027-01-01", "not before 2027-01-01"),
        (r"^reference = 1.0", "reference = 0.0", "above 0"),
        (r"^first", "first = ", "no protocol"),
    ],
)
def test_a_mistake_is_named(tmp_path, pattern, replacement, named):
    text, count = re.subn(pattern, replacement, TEXT, count=1, flags=re.MULTILINE)
    assert count == 1
    path = tmp_path / "protocol.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=named):
        read_protocol(path)
