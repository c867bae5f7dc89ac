"""HTML: what a reader of the page reads, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import FormatError
from index.formats import read_document
from index.types import Document

BOILERPLATE = """<!doctype html><html><head><title>Lift inspections | City of Arden</title>
<meta name="date" content="2024-03-01"><style>p{color:red}</style><script>secret()</script></head>
<body><div id="cookie-banner">We use cookies. <button>Accept</button></div>
<header class="site-header"><div>City of Arden</div><nav><a href="/">Home</a></nav></header>
<ul><li><a href="/a">A</a></li><li><a href="/b">B</a></li><li><a href="/c">C</a></li></ul>
<main><h1>Lift inspections</h1>
<p>Every lift in a public building is inspected <b>twice a&nbsp;year</b>.</p>
<h2>Who <i>inspects</i></h2><p>A certified engineer. <span hidden>Not you.</span>The report is
kept for five years.</p><aside>Note: ropes are measured.</aside></main>
<aside>Related: Stairs</aside><footer><p>Copyright City of Arden</p></footer></body></html>"""

ARTICLE = """<html><head><title>Third meeting held</title>
<meta property="article:published_time" content="2015-08-21T10:00:00Z"></head><body>
<div class="navbar"><a href="a">A</a></div><article><header><h1>Third meeting held</h1>
<p class="byline">By Ana Ruiz</p></header><p>The working group met in Porto.</p>
<blockquote>We agreed, said the chair.</blockquote></article></body></html>"""

TABLES = """<h1>Prices</h1><table><caption>Doors</caption><thead><tr><th>Model</th>
<th>Price</th></tr></thead><tr><td>D1</td><td>120<br>euro</td></tr><tr><td>D2</td><td></td></tr></table>
<table><tr><td>Thin rope</td><td>3 per metre</td></tr></table>
<table><tr><th>Day</th><th>Opens</th></tr><tr><th>Monday</th><td>9:00</td></tr></table>"""

LISTS = """<p>Before work:</p><ol start="3"><li>Put on:<ul><li><p>gloves</p><p>of leather</p></li>
<li>a helmet</li></ul></li><li>Switch off the motor</li></ol>
<dl><dt>Brake</dt><dd>Stops the car.</dd></dl>"""

LAYOUT = """<table><tr><td><table><tr><td>Home</td></tr></table></td>
<td><h1>Manual</h1><p>Press the red button.</p></td></tr></table>"""


def read(folder: Path, source: str | bytes, name: str = "page.html") -> Document:
    path = folder / name
    path.write_bytes(source if isinstance(source, bytes) else source.encode("utf-8"))
    return read_document(path)


def lines(document: Document) -> list[str]:
    """Return "kind level text" of every block, with its context where it has one."""
    return [
        f"{block.kind.value}{block.level or ''}: {document.text[block.start : block.end]}"
        + (f" <- {block.context}" if block.context else "")
        for block in document.blocks
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            BOILERPLATE,
            [
                "heading1: Lift inspections",
                "paragraph: Every lift in a public building is inspected twice a\xa0year.",
                "heading2: Who inspects",
                "paragraph: A certified engineer. The report is kept for five years.",
                "paragraph: Note: ropes are measured.",
            ],
            id="boilerplate",
        ),
        pytest.param(
            ARTICLE,
            [
                "heading1: Third meeting held",
                "paragraph: By Ana Ruiz",
                "paragraph: The working group met in Porto.",
                "paragraph: We agreed, said the chair.",
            ],
            id="article",
        ),
        pytest.param(
            TABLES,
            [
                "heading1: Prices",
                "paragraph: Doors",
                "row: Model | Price",
                "row: D1 | 120 euro <- Doors: Model | Price",
                "row: D2 <- Doors: Model | Price",
                "row: Thin rope | 3 per metre",
                "row: Day | Opens",
                "row: Monday | 9:00 <- Day | Opens",
            ],
            id="tables",
        ),
        pytest.param(
            LISTS,
            [
                "paragraph: Before work:",
                "item1: 3. Put on: <- Before work:",
                "item2: gloves <- Put on:",
                "paragraph: of leather <- Put on:",
                "item2: a helmet <- Put on:",
                "item1: 4. Switch off the motor <- Before work:",
                "paragraph: Brake",
                "item1: Stops the car. <- Brake:",
            ],
            id="lists",
        ),
        pytest.param(
            LAYOUT,
            ["paragraph: Home", "heading1: Manual", "paragraph: Press the red button."],
            id="layout table",
        ),
        pytest.param(
            "<div>The lease begins\n on 1 May.<br>The rent is 900 euro.<br><br>Pets are allowed."
            '<p style="display: none">hidden</p></div>',
            [
                "paragraph: The lease begins on 1 May.\nThe rent is 900 euro.",
                "paragraph: Pets are allowed.",
            ],
            id="one div",
        ),
        pytest.param(
            "<table><tr><th>Day<th>Opens<tr><td>Monday<td>9:00</table>",
            ["row: Day | Opens", "row: Monday | 9:00 <- Day | Opens"],
            id="only a table, tags left open",
        ),
        pytest.param(
            "<h2><button>May I bring a dog?</button></h2><p>Yes.</p><button>Send</button>",
            ["heading2: May I bring a dog?", "paragraph: Yes."],
            id="a question that is a button",
        ),
        pytest.param(
            "<pre>\n  if x:\n    <b>go</b>\n</pre>", ["code:   if x:\n    go"], id="preformatted"
        ),
        pytest.param(
            "<nav>Only <a href=x>menus</a> here</nav><footer>and a footer</footer>",
            ["paragraph: Only menus here", "paragraph: and a footer"],
            id="nothing but menus",
        ),
        pytest.param(
            '<div class="sidebar"><p>The whole text is in here, and it is long.</p></div><p>Up</p>',
            ["paragraph: The whole text is in here, and it is long.", "paragraph: Up"],
            id="a class name that misleads",
        ),
        pytest.param(
            "<table>stray<tr><td>1<td>2</table>after",
            ["paragraph: stray", "paragraph: 1", "paragraph: 2", "paragraph: after"],
            id="a table with text outside of cells",
        ),
        pytest.param(
            "<p>1 &lt; 2 &amp; 3 &bogus; &#x1F600;&#0;</b></i><p>un<i>closed",
            ["paragraph: 1 < 2 & 3 &bogus; 😀\ufffd", "paragraph: unclosed"],
            id="entities and broken tags",
        ),
    ],
)
def test_pages(tmp_path: Path, source: str, expected: list[str]) -> None:
    assert lines(read(tmp_path, source)) == expected


def test_headings_are_the_path_of_what_is_below(tmp_path: Path) -> None:
    document = read(tmp_path, "<h1>A</h1><h2>B</h2><p>x</p><h2>C</h2><ul><li>y</li></ul>")
    assert [block.headings for block in document.blocks] == [
        (),
        ("A",),
        ("A", "B"),
        ("A",),
        ("A", "C"),
    ]


@pytest.mark.parametrize(
    ("source", "title"),
    [
        (BOILERPLATE, "Lift inspections"),  # <h1>, which <title> repeats with the site's name
        ("<title>Prices</title><h1>Welcome</h1>", "Prices"),
        ('<title>x</title><meta property="og:title" content="Our prices"><p>y', "Our prices"),
        ("<h1>Welcome <b>all</b></h1>", "Welcome all"),
        ("<p>Text", ""),
        ("<svg><title>Icon</title></svg><p>Text", ""),
    ],
)
def test_title(tmp_path: Path, source: str, title: str) -> None:
    assert read(tmp_path, source).title == title


@pytest.mark.parametrize(
    ("source", "day"),
    [
        (BOILERPLATE, "2024-03-01"),
        (ARTICLE, "2015-08-21"),
        ('<p>x<time datetime="2024-05-06" itemprop="datePublished">6 May</time>', "2024-05-06"),
        (
            '<script type="application/ld+json">{"datePublished": "2023-01-02T00:00"}</script>x',
            "2023-01-02",
        ),
        ("<h1>Minutes</h1><p>Date: 3 May 2021</p>", "2021-05-03"),
        ('<meta name="date" content="soon"><p>We met on 3 May 2021 in Porto.', None),
    ],
)
def test_date(tmp_path: Path, source: str, day: str | None) -> None:
    assert read(tmp_path, source).date == day


@pytest.mark.parametrize(
    "source",
    [
        '<meta charset="iso-8859-1"><p>5 € – größer'.encode("cp1252"),
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>5 € – größer'
        "".encode("cp1252"),
        '<?xml version="1.0" encoding="iso-8859-15"?><html><p>5 € - größer'.encode("iso-8859-15"),
        "<p>5 € – größer".encode("utf-16"),
        '<meta charset="utf-16"><p>5 € – größer'.encode(),
        '<meta charset="latin-1"><p>5 € – größer'.encode(),
    ],
)
def test_encodings(tmp_path: Path, source: bytes) -> None:
    assert read(tmp_path, source).text.replace("-", "–") == "5 € – größer"


@pytest.mark.parametrize("tag", ["div", "ul><li", "b", "table><tr><td", "blockquote"])
def test_deep_nesting_is_read_or_refused(tmp_path: Path, tag: str) -> None:
    """Up to the parser's limit the words are found; beyond it the file is refused, not cut."""
    assert "word" in read(tmp_path, f"<{tag}>" * 300 + "word").text
    with pytest.raises(FormatError, match="nested too deeply"):
        read(tmp_path, f"<{tag}>" * 10_000 + "word" + "<p>after")


@pytest.mark.parametrize("source", ["<!-- only a comment -->", "<script>x()</script>", " \n"])
def test_pages_without_text_are_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(FormatError, match="no text"):
        read(tmp_path, source)


def test_no_file_or_address_is_opened(tmp_path: Path) -> None:
    """An entity that names a file is neither followed nor an error."""
    (tmp_path / "secret.txt").write_text("secret")
    source = f"""<!DOCTYPE html [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>
    <html><head><link rel="stylesheet" href="http://192.0.2.1/a.css"></head><p>Read &x; this</p>"""
    assert "secret" not in read(tmp_path, source, "page.xhtml").text
