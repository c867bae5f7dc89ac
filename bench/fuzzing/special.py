"""Files made by hand to harm a reader: bombs, circles, depths, lies, and what they must give."""

from __future__ import annotations

from bench.fuzzing.archives import archives
from bench.fuzzing.pdf_traps import pdf_traps
from bench.fuzzing.pdfs import pages_pdf, text_at
from bench.fuzzing.trap import Special

__all__ = ["Special", "specials"]

_LINE = text_at(b"The lift is inspected every year.")


def specials() -> list[Special]:
    """Return all of them, in order of name."""
    made = [
        *pdf_traps(),
        *_texts(),
        *_markup(),
        *(Special(file=n, data=d, says=s, reason=r) for n, d, s, r in archives()),
    ]
    return sorted(made, key=lambda each: each.file)


def _text(name: str, data: bytes, **given: str) -> Special:
    return Special(file=name, data=lambda: data, says=given.get("says"), reason=given.get("reason"))


def _texts() -> list[Special]:
    """Wrong names, odd encodings, and lines that a careless pattern would look at for hours."""
    sentence = "The lift is inspected every year.\n"
    word = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * 30_000
    return [
        _text("pdf-by-another-name.txt", pages_pdf([_LINE]), reason="a PDF file .*"),
        _text("word-by-another-name.html", b"PK\3\4" + bytes(range(256)) * 9, reason="binary.*"),
        _text("noise.txt", bytes(range(256)) * 50, reason="binary, not text"),
        _text("zeros.csv", b"\0" * 5000, reason="binary, not text"),
        _text("utf-16.txt", (sentence * 3).encode("utf-16"), says=sentence.strip()),
        _text(
            "utf-16-without-a-mark.md", (sentence * 3).encode("utf-16-le"), says=sentence.strip()
        ),
        _text("utf-32.csv", ("a,b\n1,2\n3,4\n").encode("utf-32"), says="a: 1"),
        _text("half-characters.txt", b"The lift \xed\xa0\x80 is inspected.", says="is inspected."),
        _text("only-a-mark.txt", b"\xef\xbb\xbf", reason="no text"),
        _text("empty.md", b"", reason="empty file"),
        _text(
            "reordered.txt", "The \u202elift\u202c is \x1b[2Jinspected.".encode(), says="inspected"
        ),
        _text("one-word-of-a-million-letters.txt", word, says="QUJDREVG"),
        _text("one-foreign-letter-at-the-end.txt", b"a" * 3_000_000 + b"\xe9", says="aaaa"),
        _text("date-and-a-million-blanks.txt", b"date" + b" " * 1_000_000 + b"x\n", says="date"),
        _text("quotes-without-end.txt", b'he said. " a. " ' * 60_000, says="he said."),
        _text("a-million-short-lines.txt", b"a\n" * 1_000_000, says="a\na"),
        _text("five-million-lines.txt", b"a\n" * 5_000_000, reason="too many lines.*"),
        _text("a-million-paragraphs.txt", b"a\n\n" * 1_100_000, reason="too many lines.*"),
        _text(
            "header-of-two-million-cells.csv",
            b"a" + b"," * 2_000_000 + b"\n" + b"1\n" * 9000,
            says="1",
        ),
        _text("quote-without-end.csv", b'a,b\n1,"2\n' + b"3,4\n" * 60_000, says="3"),
        _text("bars.csv", b'sep="\na"b\n1"2\n', says="1"),
    ]


def _markup() -> list[Special]:
    """HTML and Markdown that is nested, that expands, or that asks for other files."""
    lol = "<!ENTITY a 'lol'>" + "".join(
        f"<!ENTITY {chr(98 + at)} '{f'&{chr(97 + at)};' * 10}'>" for at in range(9)
    )
    here = "file:///etc/passwd"
    page = f"<!DOCTYPE html [{lol}<!ENTITY x SYSTEM '{here}'>]><html><body><p>The lift &j; &x;</p>"
    outside = (
        f"<p>The lift.</p><img src='{here}'><iframe src='{here}'></iframe><link href='{here}'>"
    )
    matter = b"---\ntitle: a" + b" " * 500_000 + b"b\n---\nThe lift.\n"
    deep = "nested too deeply.*"
    return [
        _text("deep.html", b"<div>" * 100_000 + b"The lift.", says="The lift.", reason=deep),
        _text("deep-lists.html", b"<ul><li>a" * 100_000, says="a", reason=deep),
        _text("deep-tables.html", b"<table><tr><td>a" * 30_000, says="a", reason=deep),
        _text("entities.xhtml", f"<?xml version='1.0'?>{page}".encode(), says="The lift"),
        _text("entities.html", page.encode(), says="The lift"),
        _text("asks-for-files.html", outside.encode(), says="The lift."),
        _text(
            "number-of-4000-digits.html", b"<ol start=%s><li>a<li>b</ol>" % (b"9" * 4000), says="a"
        ),
        _text(
            "heading-of-a-million.html",
            b"<h1>%s</h1>" % (b"long " * 200_000) + b"<p>a" * 9000,
            says="a",
        ),
        _text("attributes.html", b"<p " + b"a=b " * 200_000 + b">The lift.", says="The lift."),
        _text("deep-quotes.md", b"> " * 50_000 + b"a", says="a"),
        _text("deep-pictures.md", b"![" * 1000 + b"a" + b"](x)" * 1000, says="a"),
        _text("open-brackets.md", b"[" * 8000, says="["),
        _text("blanks-in-front-matter.md", matter, says="The lift."),
    ]
