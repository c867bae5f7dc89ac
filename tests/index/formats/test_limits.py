"""Hostile files, and answers of parsers that were taken over: capped, checked and refused."""

from __future__ import annotations

import io
import resource
import struct
import threading
import zipfile
from pathlib import Path

import pytest
from docx import Document as NewDocx
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import FormatError, ParserEndedError
from index.formats import Limits, read_document
from index.formats.limits import check_document
from index.formats.wire import pack, unpack
from index.types import Block, BlockKind, Document, Page

SMALL = Limits(max_characters=1_000, max_blocks=20, max_pages=5)


def reason(path: Path, limits: Limits) -> str:
    with pytest.raises(FormatError) as caught:
        read_document(path, limits=limits)
    return caught.value.reason


def received(data: bytes, limits: Limits = SMALL) -> Document:
    """Return what `unpack` makes of these bytes, which end where they end."""
    stream = io.BytesIO(data)

    def read(count: int) -> bytes:
        piece = stream.read(count)
        if len(piece) < count:
            raise EOFError
        return piece

    return unpack(read, limits)


SAMPLE = Document(
    text="Quay 七\n\nIt is wet.\nIt is old.",
    blocks=(
        Block(0, 6, BlockKind.HEADING, level=1, page=1),
        Block(8, 18, BlockKind.ITEM, ("Quay 七",), 1, 1, "It is so:"),
        Block(19, 29, BlockKind.ITEM, ("Quay 七", "\ud800"), 2, 2, "It is so:"),
    ),
    title="Quay",
    date="2024-05-14",
    language="en",
    pages=(Page(1, 0, 18, ((0, 0, 6), (8, 7, 10))), Page(2, 19, 29, ((19, 0, 10),))),
    warnings=("1 of 3 pages has no text",),
)


def test_a_document_is_sent_without_loss() -> None:
    assert received(b"".join(pack(SAMPLE))) == SAMPLE


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_forged_answer_is_a_proper_document_or_none(data: st.DataObject) -> None:
    """Whatever a few bytes are changed to, spans stay in the text and nothing else is raised."""
    forged = bytearray(b"".join(pack(SAMPLE)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(forged) - 1))
        forged[at : at + 1] = data.draw(st.binary(max_size=2))
        if not forged:
            break
    try:
        document = received(bytes(forged))
    except (ValueError, FormatError, EOFError):
        return
    length = len(document.text)
    assert all(0 <= block.start < block.end <= length for block in document.blocks)
    assert [page.number for page in document.pages] == [*range(1, len(document.pages) + 1)]
    assert all(
        page.start <= offset < offset + count <= page.end <= length
        for page in document.pages
        for offset, _, count in page.runs
    )


@pytest.mark.parametrize("which", range(8))
def test_what_is_announced_over_the_limits_is_never_read(which: int) -> None:
    sizes = [10] * 8
    sizes[which] = 2**40
    asked = []

    def read(count: int) -> bytes:
        asked.append(count)
        return struct.pack("!8Q", *sizes)

    with pytest.raises(ValueError, match="more is announced than the limits allow"):
        unpack(read, SMALL)
    assert asked == [64]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (Document(text=" \n", blocks=()), "no text"),
        (
            Document(text="x" * 1_001, blocks=(Block(0, 1_001),)),
            "too much text: 1,001 characters, the limit is 1,000",
        ),
        (
            Document(text="x" * 21, blocks=tuple(Block(n, n + 1) for n in range(21))),
            "too many paragraphs and rows: 21, the limit is 20",
        ),
        (
            Document(text="x", blocks=(Block(0, 1),), pages=tuple(Page(n, 0, 1) for n in range(6))),
            "too long: 6 pages, the limit is 5",
        ),
        (
            Document(text="x", blocks=(Block(0, 1),), pages=(Page(1, 0, 1, ((0, 0, 1),) * 61),)),
            "too many pieces of text on its pages: over 60",
        ),
        (
            Document(
                text="x" * 20, blocks=tuple(Block(n, n + 1, context="y" * 251) for n in range(20))
            ),
            "its titles and headings are out of all proportion to its text",
        ),
    ],
)
def test_a_document_over_a_limit_is_refused_with_its_reason(
    document: Document, expected: str
) -> None:
    with pytest.raises(FormatError) as caught:
        check_document(document, SMALL)
    assert caught.value.reason == expected


def test_a_docx_that_unpacks_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    plain = io.BytesIO()
    NewDocx().save(plain)
    path = tmp_path / "bomb.docx"
    with (
        zipfile.ZipFile(plain) as before,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as after,
    ):
        for part in before.infolist():
            content = before.read(part)
            if part.filename == "word/document.xml":
                paragraphs = b"<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 1_000_000
                content = content.replace(b"<w:body>", b"<w:body>" + paragraphs)
            after.writestr(part, content)
    assert path.stat().st_size < 500_000
    assert reason(path, Limits()).startswith("unpacks to 33 MB, out of all proportion")


def test_a_pdf_of_100_000_pages_is_refused_before_they_are_read(tmp_path: Path) -> None:
    count = 100_000
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, b" ".join([b"3 0 R"] * count)),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>",
    ]
    path = tmp_path / "long.pdf"
    path.write_bytes(odd(objects))
    assert reason(path, Limits()) == "too long: 100,000 pages, the limit is 5,000"


@pytest.mark.slow
def test_a_page_of_ten_million_characters_ends_within_the_limits(tmp_path: Path) -> None:
    line = b"(" + b"The quick brown fox jumps over it. " * 3 + b") Tj T*\n"
    content = b"BT /F 1 Tf 1 TL 20 780 Td " + line * (10_000_000 // 105) + b"ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d>>stream\n" % len(content) + content + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    path = tmp_path / "page.pdf"
    path.write_bytes(odd(objects))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ParserEndedError, match=r"needs too much memory|takes too long"):
        read_document(path, limits=Limits(seconds=30))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < 100 * 2**20, "the file's memory is its parser's, not ours"


def test_quadratic_markdown_ends_within_its_time(tmp_path: Path) -> None:
    path = tmp_path / "marks.md"
    path.write_text("*a **b " * 600_000)
    assert reason(path, Limits(seconds=1)) == "takes too long to read (over 1 s)"


def test_waiting_for_a_busy_pool_can_be_cancelled_and_has_an_end(tmp_path: Path) -> None:
    from index.formats.apart import Pool

    path = tmp_path / "marks.md"
    path.write_text("*a **b " * 600_000)
    order = {"do": "parse", "modules": ["index.formats.markdown"], "format": "markdown"}
    pool, stop = Pool(1), threading.Event()
    with path.open("rb") as file:

        def parse() -> None:
            with pytest.raises(Exception, match="stopped"):
                pool.run(order, file.fileno(), Limits(), lambda reply: reply.read(1), cancel=stop)

        busy = threading.Thread(target=parse)
        busy.start()
        try:
            stop.wait(1)  # by then it has the only process, however slowly that starts
            with pytest.raises(FormatError, match="other files are being read"):
                pool.run(order, file.fileno(), Limits(), lambda reply: None, patience=0.2)
        finally:
            stop.set()
            busy.join(60)
    assert not busy.is_alive()
    pool.close()


def odd(objects: list[bytes]) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is its catalogue."""
    data = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    data += b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return bytes(data + end % (len(objects) + 1, start))
