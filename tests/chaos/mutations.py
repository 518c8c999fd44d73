"""Damage as it happens and as it is made on purpose, from a seeded generator."""

import numpy as np

# what parsers stumble over: ends of ranges, signs, depth, half characters
TOKENS = [
    *(b"", b"0", b"-1", b"1e999", b"-1e999", b"nan", b"inf", b"null", b"true", b"[]", b"{}"),
    *(b"9" * 400, b"0x" + b"f" * 400, b"[" * 2000, b'{"a":' * 2000, b"9223372036854775808"),
    *(b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"\xc3", b"\xef\xbb\xbf", b"\\ud800", b"\n", b"\r"),
    *(b"../../etc/passwd", b"<script>", b"&#0;", b"%s%n", b"'", b'"', b'"""', b"[[a]]", b"a.b.c="),
    *(b"\x7f\xff\xff\xff", b"\xff" * 8, b"\x00" * 8, b"\x1f\x8b\x08", b"PK\x03\x04", b"2020-13-45"),
]
MOST = 1 << 16  # bytes that one change adds at most


def mutated(random, samples):
    """Change one of some valid contents in one to four places.

    Parameters
    ----------
    random : numpy.random.Generator
        What is drawn comes from it alone.
    samples : sequence of bytes
        Valid contents.

    Returns
    -------
    bytes
        A damaged content.
    """
    content = bytearray(samples[random.integers(len(samples))])
    for _ in range(random.integers(1, 5)):
        content = CHANGES[random.integers(len(CHANGES))](random, content, samples)
    return bytes(content)


def _place(random, content):
    return int(random.integers(len(content) + 1))


def _span(random, content):
    first = _place(random, content)
    return first, min(len(content), first + int(2 ** random.uniform(0, 10)))


def _bit(random, content, samples):
    if content:
        content[random.integers(len(content))] ^= 1 << int(random.integers(8))
    return content


def _byte(random, content, samples):
    if content:
        content[random.integers(len(content))] = int(random.integers(256))
    return content


def _torn(random, content, samples):
    return content[: _place(random, content)]


def _cut(random, content, samples):
    first, last = _span(random, content)
    return content[:first] + content[last:]


def _twice(random, content, samples):
    first, last = _span(random, content)
    return content[:last] + content[first:last] + content[last:]


def _zeros(random, content, samples):
    first, last = _span(random, content)
    content[first:last] = bytes(last - first)
    return content


def _noise(random, content, samples):
    place = _place(random, content)
    return content[:place] + random.bytes(int(2 ** random.uniform(0, 8))) + content[place:]


def _token(random, content, samples):
    first, last = _span(random, content)
    token = TOKENS[random.integers(len(TOKENS))]
    if random.random() < 0.5:
        last = first
    return content[:first] + token + content[last:]


def _number(random, content, samples):
    """Replace a run of digits."""
    digits = np.flatnonzero(np.isin(np.frombuffer(bytes(content), np.uint8), range(48, 58)))
    if not len(digits):
        return content
    first = last = int(digits[random.integers(len(digits))])
    while last < len(content) and chr(content[last]).isdigit():
        last += 1
    return content[:first] + TOKENS[random.integers(len(TOKENS))] + content[last:]


def _spliced(random, content, samples):
    other = samples[random.integers(len(samples))]
    place = _place(random, other)
    return content[: _place(random, content)] + other[place : place + MOST]


CHANGES = (_bit, _byte, _torn, _cut, _twice, _zeros, _noise, _token, _number, _spliced)
