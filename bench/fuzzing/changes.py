"""Changes to the bytes of a file: of (itself, another file, its format, chance) → bytes."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from bench.fuzzing.words import BYTES, ENCODINGS, FOREIGN, NUMBERS, WORDS

__all__ = ["CHANGES", "MOST", "TEXT_CHANGES", "Change"]

MOST = 2_000_000  # bytes of a mutant
_NUMBER = re.compile(rb"\d+")
_ZIP_HEADER = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)")


def _place(data: bytes, random: Random) -> tuple[int, int]:
    """Return a stretch [start, end), mostly short."""
    start = random.randrange(len(data) + 1)
    length = int(len(data) ** random.random())
    return start, min(start + length, len(data))


def flip(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    changed = bytearray(data)
    for _each in range(random.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def set_bytes(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    changed = bytearray(data)
    for _each in range(random.choice((1, 2, 8))):
        if changed:
            changed[random.randrange(len(changed))] = random.choice(BYTES)
    return bytes(changed)


def cut(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    return data[: random.randrange(1, len(data))] if len(data) > 1 else data


def remove(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    start, end = _place(data, random)
    return data[:start] + data[end:]


def repeat(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    start, end = _place(data, random)
    block = data[start:end]
    times = random.choice((1, 2, 10, 200))
    return data[:start] + block * min(times, 200_000 // (len(block) or 1) + 1) + data[start:]


def shuffle(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    cuts = sorted(random.randrange(len(data) + 1) for _each in range(random.randrange(2, 8)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    random.shuffle(pieces)
    return b"".join(pieces)


def splice(data: bytes, other: bytes, form: str, random: Random) -> bytes:
    start, end = _place(other, random)
    at, until = _place(data, random)
    return data[:at] + other[start:end] + data[random.choice((at, until)) :]


def length(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    """Change a field of two, four or eight bytes, as lengths, offsets and counts are."""
    width = random.choice((2, 4, 8))
    if len(data) < width:
        return data
    at = random.randrange(len(data) - width + 1)
    if form == "docx" and random.random() < 0.8:  # in a header of the archive
        heads = [match.start() for match in _ZIP_HEADER.finditer(data)]
        at = min(random.choice(heads or [at]) + random.randrange(4, 44), len(data) - width)
    most: int = 1 << (8 * width)
    value = random.choice((0, 1, most - 1, most // 2, len(data) % most, at % most))
    field = value.to_bytes(width, "big" if random.random() < 0.5 else "little")
    return data[:at] + field + data[at + width :]


def number(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    match = random.choice(found)
    return data[: match.start()] + random.choice(NUMBERS) + data[match.end() :]


def word(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    word = random.choice(WORDS[form])
    if random.random() < 0.2:
        word += random.choice(WORDS[form])
    at = random.randrange(len(data) + 1)
    between = random.choice((b"", b" ", b"\n"))
    return data[:at] + (word + between) * random.choice((1, 1, 1, 3, 50, 1500)) + data[at:]


def foreign(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    at = random.choice((0, random.randrange(len(data) + 1)))
    return data[:at] + random.choice(FOREIGN) * random.choice((1, 1, 1, 5, 700)) + data[at:]


def recode(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    return data.decode("utf-8", "replace").encode(random.choice(ENCODINGS), "ignore") or data


def lines(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if random.random() < 0.5:
        random.shuffle(lines)
        return b"".join(lines)
    at = random.randrange(len(lines) + 1)
    return b"".join([*lines[:at], *lines[at : at + 1] * random.choice((2, 40, 900)), *lines[at:]])


Change = Callable[[bytes, bytes, str, Random], bytes]

CHANGES: tuple[Change, ...] = (
    flip,
    flip,
    set_bytes,
    cut,
    remove,
    repeat,
    shuffle,
    splice,
    length,
    number,
    word,
)
TEXT_CHANGES: tuple[Change, ...] = (*CHANGES, word, word, foreign, recode, lines)
