"""Documents, names and headings made of every payload, and a server over them."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fpdf import FPDF
from payloads import FILE_NAMES, PAYLOADS, TEXTS
from serving import Server, serve
from small import write

from index import Library
from qa.render import escape_markdown
from qa.visible import one_line

if TYPE_CHECKING:
    from index.types import Encoder

__all__ = ["PRINTED", "TITLE", "hostile_house", "serve_hostile"]

LANTERN = "The lantern is lit at dusk."
COLUMNS = 45  # payloads in the header of a table
TITLE = "Is \"'><img src=x onerror=alert(1)></title></script><script>alert(1)</script> {{7*7}} ${1}"

# What the fonts that every PDF reader has can print.
PRINTED = [
    line
    for line in (one_line(text) for text in TEXTS)
    if line.isascii() or all(ord(char) < 256 for char in line)
]


def hostile_house(folder: Path) -> Path:
    """Write payloads below `folder` as texts, titles, headings, cells and names; return it."""
    files: dict[str, str | bytes] = {
        "specimens.txt": "\n\n".join(f"Specimen {at}: {text}" for at, text in enumerate(TEXTS)),
        "headings.md": "\n\n".join(_section(at, text) for at, text in enumerate(TEXTS)),
        "page.html": _web_page(),
        "printed.pdf": _pdf(),
    }
    for first in range(0, len(TEXTS), COLUMNS):
        files[f"table-{first}.csv"] = _table(TEXTS[first : first + COLUMNS])
    for at, name in enumerate(FILE_NAMES):
        files[f"{name}/{name}.txt"] = "The airship is moored at the northern mast."
        if at % 8 == 0:
            files[f"{name}.pdf"] = b"%PDF-1.4 cut"
    return write(folder, files)


def _section(at: int, text: str) -> str:
    shown = escape_markdown(text)
    return f"## {shown}\n\nThe cupboard {at} is kept here."


def _web_page() -> str:
    parts = [
        f"<h2>{html.escape(text)}</h2><p>Shelf {html.escape(text)}.</p>" for text in TEXTS[:45]
    ]
    title = html.escape(TEXTS[0])
    meta = f'<meta name="description" content="{html.escape(TEXTS[1])}">'
    return f"<!doctype html><title>{title}</title>{meta}<body><h1>{title}</h1>{''.join(parts)}"


def _table(texts: Sequence[str]) -> str:
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(["Drawer", *texts])
    table.writerow(["Seven", *texts])
    return written.getvalue()


def _pdf() -> bytes:
    pdf = FPDF()
    pdf.set_title(PRINTED[0])
    pdf.set_author(PRINTED[1])
    pdf.set_subject(PRINTED[2])
    pdf.set_keywords(PRINTED[3])
    pdf.set_font("helvetica", size=10)
    for first in range(0, len(PRINTED), 12):
        pdf.add_page()
        pdf.start_section(PRINTED[first])
        for text in PRINTED[first : first + 12]:
            pdf.multi_cell(0, 6, text, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
    return bytes(pdf.output())


@contextmanager
def serve_hostile(folder: Path, encoder: Encoder) -> Iterator[Server]:
    """Run `quoth chat` over a library of all of it, below a title that attacks too."""
    path = folder / "hostile.quoth"
    with Library.open(path, create=True, encoder=encoder) as library:
        library.sync(hostile_house(folder / "hostile"))
        library.add_texts(
            [(f"{at} {text}", LANTERN, text, None) for at, text in enumerate(PAYLOADS[:40])]
        )
    with serve(path, "--title", TITLE) as server:
        yield server
