"""DOCX files whose archive or XML is a trap: (file name, bytes, words it says, why refused)."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from functools import cache

from bench.fuzzing.seeds import repacked, unpacked

__all__ = ["archives", "word_file"]

Trap = tuple[str, Callable[[], bytes], str | None, str | None]

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SAYS = "The lift is inspected."
_P = f"<w:p><w:r><w:t>{_SAYS}</w:t></w:r></w:p>"
_DAMAGED = "damaged DOCX.*"


@cache
def _sound() -> dict[str, bytes]:
    from docx import Document

    file = io.BytesIO()
    Document().save(file)
    return unpacked(file.getvalue())


def word_file(body: str, doctype: str = "", **parts: bytes) -> dict[str, bytes]:
    """Return the members of a DOCX file with this body, `parts` named without "word/"."""
    inside = f"<w:body>{body}</w:body>"
    xml = f'<?xml version="1.0"?>{doctype}<w:document xmlns:w="{_W}">{inside}</w:document>'
    more = {f"word/{name}.xml": data for name, data in parts.items()}
    return {**_sound(), "word/document.xml": xml.encode(), **more}


def archives() -> Iterator[Trap]:
    """Yield the traps."""

    def file(body: str, doctype: str = "") -> Callable[[], bytes]:
        return lambda: repacked(word_file(body, doctype))

    yield "sound.docx", file(_P), _SAYS, None
    yield "cut-short.docx", lambda: repacked(word_file(_P))[:-200], None, _DAMAGED
    yield "bomb.docx", _bomb, None, "unpacks to .* out of all proportion"
    yield "bomb-in-a-bomb.docx", _bomb_in_a_bomb, _SAYS, "unpacks to .*"
    yield "sizes-are-false.docx", lambda: _false_sizes(24), None, _DAMAGED
    yield "packed-sizes-are-false.docx", lambda: _false_sizes(20), None, _DAMAGED
    yield "parts-lie-over-each-other.docx", _overlapping, None, "unpacks to .*|damaged DOCX.*"
    yield "a-hundred-thousand-parts.docx", _many_parts, _SAYS, None
    for depth in (60, 5000):
        tables = "<w:tbl><w:tr><w:tc>" * depth + _P + "</w:tc></w:tr></w:tbl>" * depth
        says, reason = (_SAYS, None) if depth == 60 else (None, "nested too deeply")
        yield f"tables-{depth}-deep.docx", file(tables), says, reason
    words = _P.replace(_SAYS, "The lift &j; is inspected.")
    laugh = "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9))
    for name, text, doctype in (
        ("billion-laughs", words, f'<!ENTITY a "ha">{laugh}'),
        ("laughs-in-an-attribute", f'<w:p w:x="&j;"/>{_P}', f'<!ENTITY a "ha">{laugh}'),
        ("one-large-entity", words.replace("&j;", "&a;" * 60_000), f'<!ENTITY a "{"a" * 60_000}">'),
    ):
        yield f"{name}.docx", file(text, f"<!DOCTYPE x [{doctype}]>"), "inspected.", _DAMAGED
    for name, doctype in (
        ("entity-from-a-file", '[<!ENTITY j SYSTEM "file:///etc/passwd">]'),
        ("definitions-from-a-file", 'SYSTEM "file:///etc/passwd" [<!ENTITY j "x">]'),
    ):
        yield f"{name}.docx", file(words, f"<!DOCTYPE x {doctype}>"), "is inspected.", None
    yield "styles-in-a-circle.docx", _styles_in_a_circle, _SAYS, None
    yield "related-to-another-file.docx", _related_outside, _SAYS, _DAMAGED
    yield "numbers-of-5000-digits.docx", file(_numbered()), _SAYS, None
    yield "spreadsheet.docx", _spreadsheet, None, "not a Word document inside"
    yield "encrypted.docx", _encrypted, None, "encrypted; .*"


def _bomb() -> bytes:
    return repacked(word_file(_P + " " * 300_000_000))


def _bomb_in_a_bomb() -> bytes:
    inner = repacked({"x": b"0" * 20_000_000})
    return repacked({**word_file(_P), "word/media/a.zip": repacked({"y": inner})})


def _false_sizes(field: int) -> bytes:
    """Change a size in the directory's entry of the main part: 20 is as packed, 24 unpacked."""
    data = bytearray(repacked(word_file(_P * 400)))
    entry = data.rindex(b"word/document.xml") - 46
    (size,) = struct.unpack_from("<I", data, entry + field)
    struct.pack_into("<I", data, entry + field, size // 2 if field == 24 else 2**31 + size)
    return bytes(data)


def _overlapping() -> bytes:
    """Let a hundred entries of the directory lead to the same large part."""
    data = repacked(
        {**word_file(_P), "word/big.xml": b"<a>" + b"0123456789" * 1_000_000}, stored=True
    )
    end = data.rindex(b"PK\5\6")
    count, total, size, start = struct.unpack_from("<HHII", data, end + 8)
    entry = data[data.rindex(b"PK\1\2") : end]
    more = b"".join(entry.replace(b"word/big", b"w%03d/big" % at) for at in range(100))
    tail = bytearray(data[end:])
    struct.pack_into("<HHII", tail, 8, count + 100, total + 100, size + len(more), start)
    return data[:end] + more + bytes(tail)


def _many_parts() -> bytes:
    return repacked({**word_file(_P), **{f"word/x{at}": b"" for at in range(60_000)}}, stored=True)


def _styles_in_a_circle() -> bytes:
    style = '<w:style w:type="paragraph" w:styleId="{}"><w:basedOn w:val="{}"/></w:style>'
    styles = f'<w:styles xmlns:w="{_W}">{style.format("A", "B")}{style.format("B", "A")}</w:styles>'
    body = _P.replace("<w:p>", '<w:p><w:pPr><w:pStyle w:val="A"/></w:pPr>')
    return repacked(word_file(body, styles=styles.encode()))


def _related_outside() -> bytes:
    members = word_file(_P)
    name = "word/_rels/document.xml.rels"
    members[name] = members[name].replace(b'"styles.xml"', b'"../../../../etc/passwd"')
    return repacked(members)


def _numbered() -> str:
    digits = "9" * 5000
    number = f'<w:numPr><w:ilvl w:val="{digits}"/><w:numId w:val="{digits}"/></w:numPr>'
    return _P.replace("<w:p>", f'<w:p><w:pPr>{number}<w:outlineLvl w:val="--{digits}"/></w:pPr>')


def _spreadsheet() -> bytes:
    members = word_file(_P)
    kinds = members["[Content_Types].xml"]
    members["[Content_Types].xml"] = kinds.replace(
        b"wordprocessingml.document.main", b"spreadsheetml.sheet.main"
    )
    return repacked(members)


def _encrypted() -> bytes:
    data = bytearray(repacked(word_file(_P)))
    at = -1
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 8] |= 1
    return bytes(data)
