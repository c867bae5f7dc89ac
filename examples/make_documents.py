"""Make the example documents that cannot be written by hand: a PDF and two DOCX files.

`python examples/make_documents.py [FOLDER]` writes them below FOLDER, by default
examples/documents. The same packages make the same bytes: dates are fixed.

Their texts stand in examples/sources, one paragraph a line, with a small markup: `#` and
`##` head sections, `-` begins a list item, `|` a table row (the first is the header), and
`~` marks where a word may be hyphenated at the end of a line.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby
from pathlib import Path

import docx
from fpdf import FPDF
from fpdf.enums import XPos, YPos

HERE = Path(__file__).resolve().parent
SOFT_HYPHEN = "\u00ad"  # fpdf2 shows it as a hyphen where it breaks a line


def blocks(text: str) -> Iterator[tuple[str, str | list[list[str]]]]:
    """Yield (kind, content): "#" or "##" headings, "-" items, "" paragraphs, "|" tables."""
    lines = [line for line in text.splitlines() if line]
    for is_table, group in groupby(lines, key=lambda line: line.startswith("|")):
        if is_table:
            yield "|", [[cell.strip() for cell in line.strip("|").split("|")] for line in group]
            continue
        for line in group:
            mark, _, rest = line.partition(" ")
            yield (mark, rest) if mark in ("#", "##", "-") else ("", line)


class PolicyPDF(FPDF):  # type: ignore[misc]  # fpdf2 is followed as Any
    """A4 pages with the running header and footer of the Trust's policies."""

    def header(self) -> None:
        """Draw the line that is the same on every page."""
        self.set_font("Helvetica", "I", 9)
        self.cell(0, 6, "Harrowmere Quay Trust · Lift Maintenance Policy · Version 3.0")
        self.ln(12)

    def footer(self) -> None:
        """Draw the page number."""
        self.set_y(-16)
        self.set_font("Helvetica", "I", 9)
        self.cell(0, 6, f"1 March 2024 · Page {self.page_no()} of {{nb}}", align="C")

    def paragraph(self, text: str, size: float, style: str = "", indent: float = 0) -> None:
        """Write justified text over the whole width."""
        self.set_font("Helvetica", style, size)
        self.set_x(self.l_margin + indent)
        self.multi_cell(0, size * 0.53, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(size * 0.2)

    def rows(self, rows: list[list[str]]) -> None:
        """Draw a table with a bold header."""
        self.set_font("Helvetica", "", 10)
        widths = (25, 25, 22, 28) if len(rows[0]) == 4 else None  # no header in two lines
        with self.table(col_widths=widths, line_height=6.5, text_align="LEFT", padding=1) as table:
            for row in rows:
                table.row(row)
        self.ln(4)


def make_pdf(title: str, text: str) -> bytes:
    """Return a PDF of several pages with `title` and the blocks of `text`."""
    pdf = PolicyPDF(format="A4")
    pdf.core_fonts_encoding = "windows-1252"  # for the bullets
    pdf.set_creation_date(datetime(2024, 3, 1, 9, tzinfo=UTC))
    pdf.set_producer("examples/make_documents.py")
    pdf.set_title(title)
    pdf.set_author("Harrowmere Quay Trust")
    pdf.set_lang("en")
    pdf.set_margins(28, 18, 28)
    pdf.set_auto_page_break(True, margin=30)
    pdf.add_page()
    pdf.paragraph(title, 20, "B")
    for kind, content in blocks(text.replace("~", SOFT_HYPHEN)):
        if isinstance(content, list):
            pdf.rows(content)
        elif kind in ("#", "##"):
            size = 15 if kind == "#" else 12
            if pdf.will_page_break(
                45 if kind == "#" else 25
            ):  # a heading does not stay behind alone
                pdf.add_page()
            pdf.ln(size * 0.15)
            pdf.paragraph(content, size, "B")
        elif kind == "-":
            pdf.paragraph(f"\u2022 {content}", 11, indent=5)
        else:
            pdf.paragraph(content, 11)
    return bytes(pdf.output())


def make_docx(title: str, text: str, created: datetime) -> bytes:
    """Return a DOCX file with `title` and the blocks of `text`."""
    document = docx.Document()
    properties = document.core_properties
    properties.title, properties.author = title, "Harrowmere Quay Trust"
    properties.created = properties.modified = created
    properties.last_modified_by, properties.comments = "Harrowmere Quay Trust", ""
    document.add_heading(title, level=0)
    for kind, content in blocks(text):
        if isinstance(content, list):
            table = document.add_table(rows=0, cols=len(content[0]), style="Table Grid")
            for row in content:
                for cell, value in zip(table.add_row().cells, row, strict=True):
                    cell.text = value
        elif kind in ("#", "##"):
            document.add_heading(content, level=len(kind))
        else:
            document.add_paragraph(content, style="List Bullet" if kind == "-" else None)
    saved = BytesIO()
    document.save(saved)
    return with_fixed_times(saved)


def with_fixed_times(archive: BytesIO) -> bytes:
    """Return the ZIP archive again with the same members, each of them dated 1980."""
    fixed = BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(fixed, "w") as new:
        for name in old.namelist():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, old.read(name))
    return fixed.getvalue()


def make_documents() -> dict[str, bytes]:
    """Return the made files: path below the documents folder -> content."""
    lift, lease, travel = (
        (HERE / "sources" / name).read_text(encoding="utf-8")
        for name in (
            "lift-maintenance-policy.txt",
            "lease-unit-7.txt",
            "travel-and-expenses-policy.txt",
        )
    )
    return {
        "building/lift-maintenance-policy.pdf": make_pdf("Lift Maintenance Policy", lift),
        "building/lease-unit-7.docx": make_docx(
            "Lease of Unit 7, Tanner's Yard", lease, datetime(2023, 9, 15, 10, tzinfo=UTC)
        ),
        "office/travel-and-expenses-policy.docx": make_docx(
            "Travel and Expenses Policy", travel, datetime(2024, 3, 18, 14, tzinfo=UTC)
        ),
    }


def main() -> None:
    """Write the made files below the folder given, or below examples/documents."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "documents"
    for path, content in make_documents().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        print(f"{target}: {len(content):,} bytes")


if __name__ == "__main__":
    main()
