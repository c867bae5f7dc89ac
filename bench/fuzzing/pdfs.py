"""PDF files written object by object, so that every part of them can be wrong on purpose."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence

__all__ = ["HELVETICA", "objects_of", "pages_pdf", "stream", "text_at", "write_pdf"]

Objects = Mapping[int, bytes]

HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
_OBJECT = re.compile(rb"(\d{1,9}) (\d{1,5}) obj\b(.*?)\bendobj\b", re.DOTALL)
_TRAILER = re.compile(rb"trailer\s*<<(.*?)>>\s*startxref", re.DOTALL)
_SIZE = re.compile(rb"/Size\s+\d+")


def stream(data: bytes, *, packed: bool = False, entries: bytes = b"") -> bytes:
    """Return the object that holds `data`, with the dictionary entries given."""
    if packed:
        data, entries = zlib.compress(data, 9), entries + b" /Filter /FlateDecode"
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def text_at(text: bytes, *, x: int = 40, y: int = 700, size: int = 11) -> bytes:
    """Return what draws `text` with the font /F1."""
    return b"BT /F1 %d Tf %d %d Td (%s) Tj ET\n" % (size, x, y, text)


def write_pdf(objects: Objects, *, root: int = 1, trailer: bytes = b"") -> bytes:
    """Return a file with the objects by number and a table of where they are."""
    data = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = {}
    for number, body in objects.items():
        offsets[number] = len(data)
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = max(objects, default=0) + 1
    start = len(data)
    lines = [b"xref\n0 %d\n0000000000 65535 f \n" % size]
    lines += [
        b"%010d 00000 n \n" % offsets[n] if n in offsets else b"0000000000 65535 f \n"
        for n in range(1, size)
    ]
    data += b"".join(lines)
    data += b"trailer\n<< /Size %d /Root %d 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        root,
        trailer,
        start,
    )
    return bytes(data)


def pages_pdf(
    contents: Sequence[bytes],
    *,
    extra: Objects | None = None,
    resources: bytes = b"/Font << /F1 3 0 R >>",
    page: bytes = b"",
    catalog: bytes = b"",
    packed: bool = False,
) -> bytes:
    """Return a file with a page for each of `contents`; objects from 1,000,000 on are free.

    Args:
        contents: What the pages draw.
        extra: Further objects, which replace those of the same number: 1 is the catalog, 2 the
            tree of pages, 3 the font /F1, and then page and content in turn.
        resources: Of every page.
        page: Further entries of every page.
        catalog: Further entries of the catalog.
        packed: Compress the contents.
    """
    kids = b" ".join(b"%d 0 R" % (4 + 2 * at) for at in range(len(contents)))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(contents)),
        3: HELVETICA,
    }
    for at, content in enumerate(contents):
        objects[4 + 2 * at] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << %s >> %s >>" % (5 + 2 * at, resources, page)
        )
        objects[5 + 2 * at] = stream(content, packed=packed)
    return write_pdf({**objects, **(extra or {})})


def objects_of(data: bytes) -> tuple[dict[int, bytes], bytes]:
    """Return the objects by number of a file with a plain table, and its trailer's entries."""
    objects = {int(number): body.strip() for number, _, body in _OBJECT.findall(data)}
    trailer = _TRAILER.search(data)
    return objects, _SIZE.sub(b"", trailer[1]).strip() if trailer else b""
