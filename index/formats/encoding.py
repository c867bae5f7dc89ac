"""From bytes to text: which encoding a text file is in."""

from __future__ import annotations

import codecs
import re
from itertools import islice
from typing import Literal

from charset_normalizer import from_bytes

from index.errors import FormatError
from index.formats.limits import Limits

__all__ = ["check_length", "decode"]

# Longer marks first: UTF-32 in little-endian order begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Files of other kinds that consist of characters, which would be read as text.
_SIGNATURES = ((b"%PDF-", "PDF"), (b"{\\rtf", "RTF"), (b"%!PS-", "PostScript"))
# Encodings that people's files are in, the commonest first: short texts fit several, and a
# longer list makes for stranger guesses.
_CANDIDATES = (
    "cp1252 cp1250 cp1251 gb18030 cp932 cp949 big5 iso8859_2 cp1253 cp1254 cp1255 cp1256 cp1257 "
    "koi8_r cp866 cp850 mac_roman euc_jp shift_jis euc_kr iso8859_5 iso8859_7 iso8859_9"
).split()
_SAME_COHERENCE = 0.1
# Python knows encodings that no file is in, and whose decoding warns or takes very long.
_DECLARABLE = re.compile(r"ascii$|utf-8$|iso8859|cp\d|koi8|mac|gb|big5|euc|shift|tis")
_SAMPLE = 64 * 2**10
_AROUND = 100  # bytes beside a foreign one that go into the sample
_LINES_A_BLOCK = 2  # at most, on average: one of text and a blank one
_FOREIGN = re.compile(rb"[\x80-\xff]")

# Controls that text files do hold: tab, line ends, form feed, the escape of coloured logs.
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_MAX_CONTROL_SHARE = 0.05


def decode(data: bytes, *, declared: str = "") -> str:
    """Return the text in `data`, line ends as they are, without a byte order mark.

    UTF-8 is tried first, UTF-16 and UTF-32 by mark or by where their zero bytes are, then
    the encoding that the file declares, then whatever fits the foreign characters best.

    Raises:
        FormatError: It is not text: "binary, not text", or the text of a PDF file and its like.
    """
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise FormatError(f"a {kind} file with the suffix of another format")
    text = _decode_unicode(data)
    if text is None:
        text = _decode_declared(data, declared)
    if text is None:
        text = _decode_legacy(data)
    if "\x00" in text or _has_many_controls(text):
        raise FormatError("binary, not text")
    return text


def check_length(text: str, limits: Limits) -> None:
    """Refuse a text that is too long, or has too many lines, before anything is made of it.

    Raises:
        FormatError: It is; `reason` says how long it is.
    """
    if len(text) > limits.max_characters:
        raise FormatError(
            f"too much text: {len(text):,} characters, the limit is {limits.max_characters:,}"
        )
    lines, most = max(text.count("\n"), text.count("\r")), _LINES_A_BLOCK * limits.max_blocks
    if lines > most:
        raise FormatError(f"too many lines: {lines:,}, the limit is {most:,}")


def _has_many_controls(text: str) -> bool:
    # Not a list of all of them: a large binary file has many millions.
    most = int(_MAX_CONTROL_SHARE * len(text))
    return next(islice(_CONTROL.finditer(text), most, None), None) is not None


def _decode_unicode(data: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            # A mark is no proof: a single bad byte in a long file should not lose it.
            return data[len(mark) :].decode(encoding, errors="replace")
    if b"\x00" in data:
        return _decode_wide(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _decode_wide(data: bytes) -> str:
    """Decode UTF-16 or UTF-32 without a mark: its zero bytes are all in the same places."""
    start = data[:_SAMPLE]
    zeros = [start[place::4].count(0) * 4 / len(start) for place in range(4)]
    order: Literal["le", "be"] = "le" if zeros[3] >= zeros[0] else "be"
    width = 32 if zeros[1] > 0.9 and zeros[2] > 0.9 else 16
    filled, empty = (zeros[0], zeros[3]) if order == "le" else (zeros[3], zeros[0])
    try:
        if filled < 0.1 and empty > 0.3:
            return data.decode(f"utf-{width}-{order}")
    except UnicodeDecodeError:
        pass
    raise FormatError("binary, not text")


def _decode_declared(data: bytes, declared: str) -> str | None:
    try:
        name = codecs.lookup(declared).name
        if not _DECLARABLE.match(name):
            return None
        # Browsers read Latin-1 as Windows-1252, and so do the people who declare it.
        return data.decode("cp1252" if name in ("iso8859-1", "ascii") else name)
    except (LookupError, ValueError):
        return None  # a false declaration; the bytes decide


def _decode_legacy(data: bytes) -> str:
    for encoding in (_guess(_foreign_part(data)), "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _guess(sample: bytes) -> str:
    matches = from_bytes(sample, cp_isolation=_CANDIDATES)
    best = matches.best()
    if best is None:
        return "cp1252"
    equals = {
        encoding
        for match in matches
        if match.chaos <= best.chaos and match.coherence >= best.coherence - _SAME_COHERENCE
        for encoding in match.could_be_from_charset
    }
    return min(equals.intersection(_CANDIDATES), key=_CANDIDATES.index, default=best.encoding)


def _foreign_part(data: bytes) -> bytes:
    """Return the lines, or the middle of long ones, that hold bytes beyond ASCII."""
    parts: list[bytes] = []
    length = at = 0
    while length <= _SAMPLE and (foreign := _FOREIGN.search(data, at)) is not None:
        first = max(at, foreign.start() - _AROUND)
        start = max(first, data.rfind(b"\n", first, foreign.start()) + 1)
        last = foreign.end() + _AROUND
        line_end = data.find(b"\n", foreign.end(), last + 1)
        at = last if line_end < 0 else line_end + 1
        parts.append(data[start:at])
        length += len(parts[-1])
    return b"".join(parts)
