"""The sound files that bad ones are made of."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.fuzzing.pdfs import pages_pdf, stream, text_at
from index.formats import format_of

__all__ = ["Seed", "repacked", "seeds", "unpacked"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "documents"
MADE = datetime(2024, 3, 5, tzinfo=UTC)  # one day for all, so that a seed gives the same bytes
_LARGEST = 400_000  # bytes of a seed; mutants of larger ones only take longer


@dataclass(frozen=True, slots=True)
class Seed:
    """A sound file: the name of its format, its suffix and its bytes."""

    format: str
    suffix: str
    data: bytes


def seeds(folder: Path | None = None) -> list[Seed]:
    """Return the example documents, files of all formats made here, and those of `folder`."""
    files = sorted(EXAMPLES.rglob("*.*"))
    files += sorted(folder.rglob("*.*")) if folder is not None else []
    return [*_read(files), *_texts(), *_pdfs(), *_docx()]


def _read(files: list[Path]) -> Iterator[Seed]:
    for file in files:
        form = format_of(file)
        if form is not None and file.is_file() and 0 < file.stat().st_size <= _LARGEST:
            data = file.read_bytes()
            yield Seed(form.name, file.suffix.lower(), data)


TEXT = """\
House rules
===========

Date: 3 May 2024

1. Lifts

The lift is inspected every twelve months; the book is with the caretaker (room 0.14).
It carries at most:

- 6 persons
- 450 kg, of which
    1) 100 kg are baggage

ANNA: Who calls the engineer?
BEN: "The caretaker does." He said so.

Naïve façade – “quoted” … Ελλάδα, Москва, 東京。終わり。 العربية 😀👩‍👩‍👧
E-4304\tA4-100\t1,200.50
"""
MARKDOWN = """\
---
title: Rules of the "house"
date: 2024-05-03
---
# Rules

Dogs are kept *on a lead*, **always**; see [the plan](plan.md "Plan") or <https://example.org>.

> Quoted
> > twice: `code` and <b>bold</b> &amp; &#x41;

1. First
   - nested ![picture](a.png)
2. Second

| Part | Price |
|:-----|------:|
| Lift | 120 € |
| Roof | 99 \\| 5 |

```python
print("no heading")
# not a heading
```

<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>

[ref]: http://example.org
Last line with a hard break\\
and ~~nothing~~ more.
"""
HTML = """\
<!DOCTYPE html><html lang=en><head><meta charset="utf-8"><title>Rules - House</title>
<meta property="article:published_time" content="2024-05-03T10:00:00Z"><style>p{color:red}</style>
<script type="application/ld+json">{"datePublished": "2024-05-03"}</script></head>
<body><nav><ul><li><a href="/">Home</a><li><a href="/a">A</a><li><a href="/b">B</a></ul></nav>
<main><h1>Rules</h1><p>The lift is <b>inspected</b> every year.<br>By an engineer &mdash; Smith.</p>
<ol start="3"><li value=7>First<ul><li>nested</li></ul></li><li>Second</li></ol>
<table><caption>Prices</caption><thead><tr><th>Part<th>Price</thead>
<tr><td>Lift<td colspan=2>120 EUR<tr><td>Roof<td>99 EUR</table>
<dl><dt>Fee<dd>12 EUR<dd>monthly</dl><pre>  code
  more</pre><details><summary>More</summary>hidden?</details><svg><text>no</text></svg></main>
<div class="cookie-consent">We use cookies</div><aside hidden>no</aside>
<footer>Imprint</footer></body></html>
"""
XHTML = """\
<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html [<!ENTITY firm "Smith and Sons">]>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Rules</title></head>
<body><h1>Rules</h1><p>The lift of &firm; is inspected.</p><p>Twice.</p></body></html>
"""
CSV = 'Part;Price;"Due; date"\nLift;120,50;2024-05-03\n"Roof ""new""";99;\n"Two\nlines";1;soon\n'
TABLE = ("Part Price Due", "Lift 120 May", "Roof 99 June")
TSV = "Name\tRoom\tPhone\nAnna\t0.14\t555-1\nBen\t2.03\t555-2\n"


def _texts() -> Iterator[Seed]:
    for form, suffix, text in (
        ("text", ".txt", TEXT),
        ("text", ".log", "2024-05-03 10:11:12 pump started\n2024-05-03 10:12:00 E-4304 \x1b[31m\n"),
        ("markdown", ".md", MARKDOWN),
        ("html", ".html", HTML),
        ("html", ".xhtml", XHTML),
        ("csv", ".csv", CSV),
        ("csv", ".tsv", TSV),
    ):
        yield Seed(form, suffix, text.encode())
    for encoding in ("utf-16", "utf-16-be", "utf-32-le", "utf-8-sig", "cp1252", "gb18030"):
        yield Seed("text", ".txt", TEXT.encode(encoding, "ignore"))


def _pdfs() -> Iterator[Seed]:
    from fpdf import FPDF

    for pages, packed, encrypted in ((2, True, False), (5, False, False), (1, True, True)):
        pdf = FPDF()
        pdf.set_creation_date(MADE)
        pdf.set_compression(packed)
        if encrypted:
            pdf.set_encryption(owner_password="owner", user_password="")
        pdf.set_title("Rules of the house")
        for page in range(1, pages + 1):
            pdf.add_page()
            pdf.start_section(f"Part {page}")
            pdf.set_font("Helvetica", "B", 16)
            pdf.cell(0, 10, f"{page} Lifts", new_x="LMARGIN", new_y="NEXT")
            pdf.set_font("Helvetica", size=11)
            pdf.multi_cell(0, 5, "The lift is inspected every twelve months by an engineer. " * 8)
            for part, price in (("Part", "Price"), ("Lift", "120 EUR"), ("Roof", "99 EUR")):
                pdf.cell(45, 6, part)
                pdf.cell(45, 6, price, new_x="LMARGIN", new_y="NEXT")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fpdf2 subsets fonts with deprecated calls
            yield Seed("pdf", ".pdf", bytes(pdf.output()))
    yield Seed(
        "pdf",
        ".pdf",
        pages_pdf(
            [b"/X Do\n" + text_at(b"The gate closes at eight."), text_at(b"Page two.", y=770)],
            resources=b"/Font << /F1 3 0 R >> /XObject << /X 1000 0 R >>",
            page=b"/Rotate 90 /CropBox [10 10 600 780]",
            catalog=b"/Outlines 1001 0 R /Metadata 1003 0 R",
            extra={
                1000: stream(
                    text_at(b"In a form."),
                    entries=b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
                    b"/Resources << /Font << /F1 3 0 R >> >>",
                ),
                1001: b"<< /First 1002 0 R /Last 1002 0 R /Count 1 >>",
                1002: b"<< /Title (Gate) /Parent 1001 0 R /Dest [4 0 R /Fit] >>",
                1003: stream(b"<x:xmpmeta/>", entries=b"/Type /Metadata /Subtype /XML"),
            },
            packed=True,
        ),
    )


def _docx() -> Iterator[Seed]:
    from docx import Document

    for long in (False, True):
        document = Document()
        document.core_properties.title = "Rules of the house"
        document.core_properties.created = document.core_properties.modified = MADE
        document.add_heading("Rules", 0)
        for section in range(1, 12 if long else 3):
            document.add_heading(f"Section {section}", section % 4 + 1)
            document.add_paragraph("The lift is inspected every twelve months by an engineer.")
            document.add_paragraph("It carries:")
            document.add_paragraph("6 persons", style="List Bullet")
            document.add_paragraph("450 kg", style="List Number 2")
            table = document.add_table(rows=3, cols=3)
            for row, words in zip(table.rows, TABLE, strict=True):
                for cell, word in zip(row.cells, words.split(), strict=True):
                    cell.text = word
            table.cell(1, 0).merge(table.cell(2, 0))
            inner = table.cell(1, 1).add_table(rows=1, cols=2)
            inner.cell(0, 0).text = "inner"
        file = io.BytesIO()
        document.save(file)
        yield Seed("docx", ".docx", repacked(unpacked(file.getvalue())))


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return the members of an archive by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def repacked(members: dict[str, bytes], *, stored: bool = False) -> bytes:
    """Return an archive of the members, the same bytes at any time."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2024, 3, 5, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return file.getvalue()
