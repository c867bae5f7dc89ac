"""Files made to harm a reader: each gives a sound document or one clear reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.fuzzing.check import breaches_of_document, breaches_of_reason
from bench.fuzzing.pdfs import pages_pdf, text_at
from bench.fuzzing.special import Special, specials
from index.errors import FormatError
from index.formats import read_document
from index.formats.limits import DEFAULT_LIMITS
from index.types import Document

QUICK = [each for each in specials() if not each.slow]
SLOW = [each for each in specials() if each.slow]


def attempt(path: Path) -> Document | FormatError:
    try:
        return read_document(path)
    except FormatError as error:
        return error


def check(special: Special, folder: Path) -> None:
    path = folder / special.file
    path.write_bytes(special.data())
    found = attempt(path)
    if isinstance(found, FormatError):
        assert special.reason is not None, found.reason
        assert re.fullmatch(special.reason, found.reason)
        assert list(breaches_of_reason(found.reason)) == []
        return
    assert special.says is not None, found.text[:200]
    assert special.says in found.text
    assert "root:" not in found.text  # of the file of passwords that some ask for
    assert list(breaches_of_document(found, DEFAULT_LIMITS)) == []


@pytest.mark.slow
@pytest.mark.parametrize("special", QUICK, ids=[each.name for each in QUICK])
def test_a_bad_file_is_read_or_refused(special: Special, tmp_path: Path) -> None:
    check(special, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("special", SLOW, ids=[each.name for each in SLOW])
def test_a_file_over_the_limits_is_refused(special: Special, tmp_path: Path) -> None:
    check(special, tmp_path)


EVERYDAY = (
    "pages-in-a-circle.pdf",
    "pages-100000.pdf",
    "outline-next-is-itself.pdf",
    "outline-of-half-a-character.pdf",
    "numbers-of-5000-digits-at-the-edge.pdf",
    "font-without-characters.pdf",
    "encrypted-with-an-empty-password.pdf",
    "packed-sizes-are-false.docx",
    "billion-laughs.docx",
    "entity-from-a-file.docx",
    "tables-5000-deep.docx",
    "numbers-of-5000-digits.docx",
    "deep.html",
    "entities.xhtml",
    "blanks-in-front-matter.md",
    "one-word-of-a-million-letters.txt",
    "date-and-a-million-blanks.txt",
    "pdf-by-another-name.txt",
    "bars.csv",
)


@pytest.mark.parametrize("file", EVERYDAY)
def test_the_worst_of_them_every_day(file: str, tmp_path: Path) -> None:
    (special,) = (each for each in specials() if each.file == file)
    check(special, tmp_path)


def test_pages_whose_fonts_say_nothing_are_reported_and_no_garbage(tmp_path: Path) -> None:
    """Their characters are the numbers of glyphs; the other page is read as ever."""
    codes = b"<%s>" % b"".join(b"%04X" % (0x24 + at) for at in range(40))  # as letters: "$%&'()"
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H "
        b"/DescendantFonts [%s] >>"
    )
    glyphs = (
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo "
        b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500 >>"
    )
    path = tmp_path / "a.pdf"
    path.write_bytes(
        pages_pdf(
            [text_at(b"The lift is inspected."), b"BT /F2 11 Tf 40 700 Td %s Tj ET" % codes],
            resources=b"/Font << /F1 3 0 R /F2 1000 0 R >>",
            extra={1000: font % b"1001 0 R", 1001: glyphs},
        )
    )
    document = read_document(path)
    assert document.text.split("\n\n") == ["The lift is inspected.", "\ufffd" * 40]
    assert document.warnings == (
        "1 of 2 pages have fonts that do not say what their characters are (page 2)",
    )


def test_small_letters_without_a_map_are_read(tmp_path: Path) -> None:
    """Old TeX gives its letters their own numbers and no names."""
    procedures = b"<< %s >>" % b" ".join(b"/a%d 1001 0 R" % code for code in range(97, 123))
    names = b" ".join(b"/a%d" % code for code in range(97, 123))
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] "
        b"/FontMatrix [0.001 0 0 0.001 0 0] "
        b"/CharProcs %s /Encoding << /Type /Encoding /Differences [97 %s] >> /FirstChar 97 "
        b"/LastChar 122 /Widths [%s] >>" % (procedures, names, b"500 " * 26)
    )
    path = tmp_path / "a.pdf"
    glyph = b"<< /Length 44 >>\nstream\n500 0 0 0 500 500 d1 0 0 400 400 re f       \nendstream"
    path.write_bytes(
        pages_pdf([text_at(b"liftinspected")], extra={3: font, 1001: glyph}),
    )
    assert read_document(path).text == "liftinspected"
