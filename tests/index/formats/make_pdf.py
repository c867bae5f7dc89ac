"""PDF files for the tests: ordinary ones by fpdf2, odd ones written object by object."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fpdf import FPDF

Letters = Mapping[int, str]


class Writer(FPDF):  # type: ignore[misc]  # mypy does not follow fpdf2
    """An A4 document in Helvetica with a few kinds of blocks."""

    def __init__(
        self,
        header: Callable[[int], str] | None = None,
        footer: Callable[[int], str] | None = None,
    ) -> None:
        super().__init__()
        self.core_fonts_encoding = "windows-1252"
        self._header, self._footer = header, footer
        self.set_margins(20, 25)
        self.set_auto_page_break(True, 25)
        self.set_font("Helvetica", size=11)

    def header(self) -> None:
        """Draw the running header."""
        self._running(self._header, 10)

    def footer(self) -> None:
        """Draw the running footer."""
        self._running(self._footer, -15)

    def _running(self, text: Callable[[int], str] | None, y: float) -> None:
        if text is not None:
            self.set_y(y)
            self.set_font("Helvetica", size=9)
            self.cell(0, 5, text(self.page_no()))
            self.set_y(25)
        self.set_font("Helvetica", size=11)

    def heading(self, text: str, size: float = 16) -> None:
        """Write a line in bold letters."""
        self.set_font("Helvetica", "B", size)
        self.cell(0, size * 0.6, text, new_x="LMARGIN", new_y="NEXT")
        self.set_font("Helvetica", size=11)
        self.ln(2)

    def paragraph(self, text: str, *, align: str = "L", gap: float = 3) -> None:
        """Write a paragraph, broken into lines to fit."""
        self.multi_cell(0, 5, text, align=align, new_x="LMARGIN", new_y="NEXT")
        self.ln(gap)

    def items(self, *texts: str, indent: float = 0) -> None:
        """Write list items that hang behind their bullets."""
        for text in texts:
            self.set_x(self.l_margin + indent)
            self.cell(5, 5, "•")
            self.multi_cell(0, 5, text, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(3)

    def row(self, *cells: str, bold: bool = False) -> None:
        """Write a table row with columns 45 mm wide."""
        self.set_font("Helvetica", "B" if bold else "", 11)
        for cell in cells:
            self.cell(45, 6, cell)
        self.ln(6)
        self.set_font("Helvetica", size=11)

    def at(self, x: float, y: float, text: str) -> None:
        """Write one line at a place, in mm from the top left."""
        self.text(x, y, text)

    def save(self, path: Path) -> Path:
        """Write the file and return its path."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fpdf2 subsets fonts with deprecated calls
            self.output(str(path))
        return path


def odd_pdf(
    content: bytes,
    *,
    mediabox: Sequence[int] = (0, 0, 300, 200),
    cropbox: Sequence[int] | None = None,
    rotate: int = 0,
    letters: Letters | None = None,
) -> bytes:
    """Return a file with one page that draws `content` with Helvetica as /F1.

    `letters` says what codes of the font mean: several characters for a ligature.
    """
    crop = b"/CropBox %s " % _array(cropbox) if cropbox else b""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox %s %s/Rotate %d /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>" % (_array(mediabox), crop, rotate),
        _stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding "
        b"/ToUnicode 6 0 R >>",
        _stream(_character_map(letters or {})),
    ]
    data = b"%PDF-1.7\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        data + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + b"trailer "
        b"<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(data))
    )


def _array(numbers: Sequence[int]) -> bytes:
    return b"[%s]" % b" ".join(b"%d" % number for number in numbers)


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _character_map(letters: Letters) -> bytes:
    pairs = b"".join(
        b"<%02X> <%s>\n" % (code, text.encode("utf-16-be").hex().encode())
        for code, text in letters.items()
    )
    return (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Test def "
        b"/CMapType 2 def 1 begincodespacerange <00> <FF> endcodespacerange\n"
        b"%d beginbfchar\n%sendbfchar\nendcmap end end" % (len(letters), pairs)
        if letters
        else b"begincmap endcmap"
    )
