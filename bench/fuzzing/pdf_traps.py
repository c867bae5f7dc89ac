"""PDF files made by hand to harm a reader."""

from __future__ import annotations

from collections.abc import Callable

from bench.fuzzing.pdfs import objects_of, pages_pdf, stream, text_at, write_pdf
from bench.fuzzing.trap import Special

__all__ = ["pdf_traps"]

_LINE = text_at(b"The lift is inspected every year.")
_SAYS = "The lift is inspected every year."
_FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] "


def pdf_traps() -> list[Special]:
    """Return all of them."""
    return [*_pages(), *_pdf_objects(), *_pdf_contents()]


def _pdf(name: str, data: Callable[[], bytes], *, slow: bool = False, **given: str) -> Special:
    return Special(
        file=f"{name}.pdf",
        data=data,
        says=given.get("says"),
        reason=given.get("reason"),
        slow=slow,
    )


def _tree(kids: bytes, count: bytes = b"1") -> bytes:
    return pages_pdf([_LINE], extra={2: b"<< /Type /Pages /Kids [%s] /Count %s >>" % (kids, count)})


def _pages() -> list[Special]:
    """Trees of pages: in circles, too deep, too many, with false counts."""

    def deep() -> bytes:
        body = b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>"
        extra = {1000 + at: body % (1001 + at) for at in range(20_000)}
        return pages_pdf([_LINE], extra={2: body % 1000, **extra})

    return [
        _pdf("pages-in-a-circle", lambda: _tree(b"2 0 R 4 0 R", b"2"), says=_SAYS),
        _pdf("pages-only-a-circle", lambda: _tree(b"2 0 R"), reason="damaged PDF"),
        _pdf("pages-deep", deep, reason="damaged PDF"),
        _pdf(
            "pages-100000",
            lambda: _tree(b"4 0 R " * 100_000, b"100000"),
            reason="too long: 100,000 .*",
        ),
        _pdf("pages-2147483647-stated", lambda: _tree(b"4 0 R", b"2147483647"), says=_SAYS),
        _pdf("pages-minus-5-stated", lambda: _tree(b"4 0 R", b"-5"), says=_SAYS),
        _pdf("pages-none", lambda: _tree(b"", b"0"), reason="damaged PDF"),
        _pdf("pages-in-nested-arrays", lambda: _tree(b"[" * 50_000), reason="damaged PDF"),
        _pdf(
            "pages-cut-short", lambda: pages_pdf([_LINE] * 40)[:4000], reason=".*its end is missing"
        ),
    ]


def _pdf_objects() -> list[Special]:
    """Outlines, lengths, arrays and references that lead in circles or are false."""

    def outlines(first: bytes, count: int = 1) -> bytes:
        extra = {1000: b"<< /First 1001 0 R /Last 1001 0 R /Count %d >>" % count, 1001: first}
        return pages_pdf([_LINE], catalog=b"/Outlines 1000 0 R", extra=extra)

    def contents(body: bytes) -> bytes:
        return pages_pdf([_LINE], extra={5: body})

    def info() -> bytes:
        objects, _ = objects_of(pages_pdf([_LINE]))
        return write_pdf({**objects, 9: b"<< /Title <FEFFD800DC> >>"}, trailer=b"/Info 9 0 R")

    whole = b"\nstream\n" + _LINE + b"\nendstream"
    title = b"/Title (A) /Parent 1000 0 R"
    return [
        _pdf(
            "outline-next-is-itself",
            lambda: outlines(b"<< %s /Next 1001 0 R >>" % title),
            says=_SAYS,
        ),
        _pdf(
            "outline-child-is-itself",
            lambda: outlines(b"<< %s /First 1001 0 R >>" % title),
            says=_SAYS,
        ),
        _pdf(
            "outline-of-half-a-character", lambda: outlines(b"<< /Title <FEFFD800> >>"), says=_SAYS
        ),
        _pdf("title-of-half-a-character", info, says=_SAYS),
        _pdf("length-is-itself", lambda: contents(b"<< /Length 5 0 R >>" + whole), says=_SAYS),
        _pdf("length-is-false", lambda: contents(b"<< /Length 99999999 >>" + whole), says=_SAYS),
        _pdf(
            "arrays-deep",
            lambda: pages_pdf([_LINE], extra={9: b"[" * 100_000 + b"]" * 100_000}),
            says=_SAYS,
        ),
        _pdf(
            "dictionaries-deep",
            lambda: pages_pdf([_LINE], catalog=b"/X " + b"<</A " * 100_000),
            says=_SAYS,
            reason="damaged PDF",
        ),
        _pdf("root-is-itself", lambda: write_pdf({1: b"1 0 R"}), reason="damaged PDF"),
        _pdf(
            "table-before-is-itself",
            lambda: pages_pdf([_LINE]).replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev 500"),
            says=_SAYS,
        ),
        _pdf(
            "picture",
            lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
            reason="not a PDF file",
        ),
        _pdf(
            "encrypted",
            lambda: _encrypted("secret"),
            reason="encrypted; save a copy without a password",
        ),
        _pdf(
            "encrypted-with-an-empty-password",
            lambda: _encrypted(""),
            says="The lift is inspected.",
        ),
    ]


def _encrypted(password: str) -> bytes:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_encryption(owner_password="owner", user_password=password)
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    pdf.cell(0, 10, "The lift is inspected.")
    return bytes(pdf.output())


def _pdf_contents() -> list[Special]:
    """Pages that hold too much, or text that nobody can read."""

    def page_of(characters: int, *, packed: bool = True) -> bytes:
        line = b"(The lift is inspected every year. ) Tj T*\n"
        return pages_pdf(
            [b"BT /F1 4 Tf 5 TL 10 780 Td\n" + line * (characters // 34) + b"ET"], packed=packed
        )

    def forms(times: int, depth: int) -> bytes:
        fonts, objects = b"/Font << /F1 3 0 R >> ", {}
        for at in range(depth):
            inner = b"%s/Resources << /XObject << /X %d 0 R >> >>" % (_FORM, 1001 + at)
            objects[1000 + at] = stream(b"/X Do " * times, entries=inner)
        objects[1000 + depth] = stream(_LINE, entries=_FORM + b"/Resources << %s >>" % fonts)
        resources = fonts + b"/XObject << /X 1000 0 R >>"
        return pages_pdf([b"/X Do "], resources=resources, extra=objects)

    def circle() -> bytes:
        again = stream(b"/X Do", entries=_FORM + b"/Resources << /XObject << /X 1000 0 R >> >>")
        resources = b"/Font << /F1 3 0 R >> /XObject << /X 1000 0 R >>"
        return pages_pdf([b"/X Do " + _LINE], resources=resources, extra={1000: again})

    def unmapped() -> bytes:
        codes = b"<%s>" % b"".join(b"%04X" % (0x0100 + at) for at in range(40))
        extra = {
            3: b"<< /Type /Font /Subtype /Type0 /BaseFont /Unknown /Encoding /Identity-H "
            b"/DescendantFonts [1000 0 R] >>",
            1000: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Unknown /CIDSystemInfo "
            b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW 500 >>",
        }
        return pages_pdf([b"BT /F1 11 Tf 40 700 Td %s Tj ET" % codes], extra=extra)

    return [
        _pdf(
            "page-of-10-million-characters",
            lambda: page_of(10_000_000),
            reason="too long: page 1 has 10,\\d+,\\d+ characters.*|needs too much memory.*",
            slow=True,
        ),
        _pdf(
            "page-of-600000-characters",
            lambda: page_of(600_000, packed=False),
            reason="too long: page 1 has 6\\d\\d,\\d+ characters.*",
        ),
        _pdf(
            "page-drawn-by-forms-within-forms",
            lambda: forms(10, 8),
            reason="takes too long.*|needs too much memory.*|too long.*",
            slow=True,
        ),
        _pdf("form-draws-itself", circle, says=_SAYS),
        _pdf(
            "page-of-blanks-unpacked-from-nothing",
            lambda: pages_pdf([b" " * 60_000_000 + _LINE], packed=True),
            says=_SAYS,
            reason="no text.*|needs too much memory.*",
        ),
        _pdf("font-without-characters", unmapped, reason="no text: its fonts .*"),
        _pdf(
            "numbers-of-5000-digits-at-the-edge",
            lambda: pages_pdf([text_at(b"9" * 5000, y=780)] * 3),
            says="9999",
        ),
        _pdf(
            "letters-of-no-size",
            lambda: pages_pdf([text_at(b"The lift.", size=0)]),
            reason="no text.*",
        ),
        _pdf(
            "page-without-size",
            lambda: pages_pdf([_LINE], page=b"/MediaBox [nan 0 0 -1e99]"),
            says=_SAYS,
        ),
        _pdf(
            "states-saved-a-million-times",
            lambda: pages_pdf([b"q " * 1_000_000 + _LINE]),
            says=_SAYS,
        ),
    ]
