"""PDF: text in reading order, blocks, running lines, and the way back to the page."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_pdf import Writer, odd_pdf
from PIL import Image

from index.errors import FormatError
from index.formats import Limits, read_document
from index.formats.pdf import Box, boxes, page_image
from index.types import Block, BlockKind, Document

Draw = Callable[[Writer], None]

INSPECTION = (
    "The lift is inspected every three months by a certified engineer, who records the state of "
    "the ropes, the brakes and the doors in the log that is kept in the machine room."
)
REPAIR = (
    "Faults are reported to the caretaker by telephone, and a repair begins within four hours "
    "on working days and within eight hours at the end of the week and on public holidays."
)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Document]:
    """Return a function that writes a PDF and reads it."""

    def make(draw: Draw, **options: Callable[[int], str]) -> Document:
        writer = Writer(**options)
        writer.add_page()
        draw(writer)
        return read_document(writer.save(tmp_path / "a.pdf"))

    return make


def blocks(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def one_line(text: str) -> str:
    return " ".join(text.split())


def block_with(document: Document, words: str) -> Block:
    return next(b for b in document.blocks if words in document.text[b.start : b.end])


def test_paragraphs_are_found_by_their_gaps(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        writer.paragraph(INSPECTION)
        writer.paragraph(REPAIR)

    document = read(draw)

    assert [(kind, one_line(text)) for kind, text in blocks(document)] == [
        (BlockKind.PARAGRAPH, INSPECTION),
        (BlockKind.PARAGRAPH, REPAIR),
    ]
    assert "\n" in document.text[: document.blocks[0].end]  # lines of the page stay lines


@pytest.mark.parametrize("align", ["L", "J"])
def test_paragraphs_without_gap_are_found_by_their_short_last_line(
    read: Callable[..., Document], align: str
) -> None:
    def draw(writer: Writer) -> None:
        for _ in range(3):
            writer.paragraph(INSPECTION + " Nothing else is checked.", align=align, gap=0)
            writer.paragraph(REPAIR, align=align, gap=0)

    texts = [one_line(text) for _, text in blocks(read(draw))]

    assert texts == [INSPECTION + " Nothing else is checked.", REPAIR] * 3


def test_headings_have_levels_by_size_and_make_the_path(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        writer.heading("Lift maintenance", 22)
        writer.heading("Duties", 16)
        writer.paragraph(INSPECTION)
        writer.heading("Deadlines", 13)
        writer.paragraph(REPAIR)
        writer.heading("Costs", 16)
        writer.paragraph("The owner pays for everything that this policy asks for.")

    document = read(draw)

    headings = {
        document.text[b.start : b.end]: b.level
        for b in document.blocks
        if b.kind is BlockKind.HEADING
    }
    assert headings == {"Lift maintenance": 1, "Duties": 2, "Deadlines": 3, "Costs": 2}
    assert block_with(document, "Faults").headings == ("Lift maintenance", "Duties", "Deadlines")
    assert block_with(document, "owner pays").headings == ("Lift maintenance", "Costs")
    assert document.title == "Lift maintenance"


def test_numbers_decide_the_level_of_headings_of_one_size(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        writer.heading("Lift policy", 20)
        for title in ("3 Duties", "3.1 Owner", "3.2 Inspections", "3.2.1 Ropes", "4 Costs"):
            writer.heading(title, 11)
            writer.paragraph(INSPECTION)

    document = read(draw)

    assert [b.level for b in document.blocks if b.kind is BlockKind.HEADING] == [1, 2, 3, 3, 4, 2]
    assert [b.headings for b in document.blocks if b.kind is BlockKind.PARAGRAPH][3] == (
        "Lift policy",
        "3 Duties",
        "3.2 Inspections",
        "3.2.1 Ropes",
    )


def test_bookmarks_make_plain_lines_headings(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        for title, level in (("Duties", 0), ("Of the owner", 1)):
            writer.start_section(title, level=level)
            writer.paragraph(title)
            writer.paragraph(INSPECTION)

    document = read(draw)

    assert block_with(document, "certified").headings == ("Duties",)
    assert document.blocks[-1].headings == ("Duties", "Of the owner")


def test_items_carry_their_lead_in_and_level(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        writer.paragraph("Every lift has papers. The log holds:")
        writer.items(INSPECTION, "the date")
        writer.items("the name", indent=10)
        writer.paragraph("It is kept for ten years.")

    document = read(draw)

    items = [block for block in document.blocks if block.kind is BlockKind.ITEM]
    assert [one_line(document.text[b.start : b.end]) for b in items] == [
        f"• {INSPECTION}",
        "• the date",
        "• the name",
    ]
    assert [block.context for block in items] == ["The log holds:"] * 2 + ["• the date"]
    assert [block.level for block in items] == [1, 1, 2]
    assert blocks(document)[-1] == (BlockKind.PARAGRAPH, "It is kept for ten years.")


def test_numbered_items_are_told_from_numbers_in_running_text(
    read: Callable[..., Document],
) -> None:
    def draw(writer: Writer) -> None:
        writer.paragraph("Report a fault like this:\n1. Call the caretaker.\n2. Give the number.")
        # Broken by hand so that "12." begins a line in the middle of a sentence.
        writer.paragraph(
            "A very long line about the regulation of lifts that fills the page up to article\n"
            "12. goes on in the same sentence of this paragraph."
        )

    kinds = [kind for kind, _ in blocks(read(draw))]

    assert kinds == [BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.ITEM, BlockKind.PARAGRAPH]


def test_table_rows_carry_their_header(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        writer.paragraph(INSPECTION)
        writer.row("Service", "Interval", "Price", bold=True)
        writer.row("Inspection", "3 months", "120 EUR")
        writer.row("Rope change", "5 years", "2,400 EUR")
        writer.ln(5)
        writer.paragraph(REPAIR)

    document = read(draw)

    assert blocks(document)[1:4] == [
        (BlockKind.ROW, "Service Interval Price"),
        (BlockKind.ROW, "Inspection 3 months 120 EUR"),
        (BlockKind.ROW, "Rope change 5 years 2,400 EUR"),
    ]
    assert [block.context for block in document.blocks[1:4]] == [
        "",
        "Service | Interval | Price",
        "Service | Interval | Price",
    ]


def five_pages(writer: Writer) -> None:
    for page in range(1, 6):
        if page > 1:
            writer.add_page()
        writer.paragraph(f"Part {page} begins here. {INSPECTION}")
        writer.paragraph(REPAIR)


def test_running_headers_and_footers_are_not_text(read: Callable[..., Document]) -> None:
    document = read(
        five_pages,
        header=lambda page: f"Lift policy 2024 {'left' if page % 2 else 'right'}",
        footer=lambda page: f"Page {page} of 5",
    )

    assert "Lift policy 2024" not in document.text
    assert "of 5" not in document.text
    for page in range(1, 6):
        assert f"Part {page} begins here." in document.text
    assert one_line(document.text).count(INSPECTION) == 5
    assert one_line(document.text).count(REPAIR) == 5


def test_body_text_at_the_edge_of_pages_stays(read: Callable[..., Document]) -> None:
    """Pages that begin alike, sums that differ and numbered headings are no headers."""

    def draw(writer: Writer) -> None:
        for page in range(1, 6):
            if page > 1:
                writer.add_page()
            writer.set_y(12)
            writer.paragraph(INSPECTION)
            writer.heading(f"Step {page}", 16)
            writer.paragraph(REPAIR)
            writer.set_auto_page_break(False)
            writer.at(20, 285, f"Total {page * page * 10} EUR")

    text = one_line(read(draw).text)

    assert text.count(INSPECTION) == 5
    for page in range(1, 6):
        assert f"Step {page}" in text
        assert f"Total {page * page * 10} EUR" in text


def test_headings_at_the_head_of_pages_stay(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        for page in range(1, 5):
            if page > 1:
                writer.add_page()
            writer.set_y(12)
            writer.heading(f"Chapter {page}", 18)
            writer.paragraph(REPAIR)

    document = read(draw)

    assert [text for kind, text in blocks(document) if kind is BlockKind.HEADING] == [
        f"Chapter {page}" for page in range(1, 5)
    ]


def test_document_of_nothing_but_running_lines_keeps_them(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        for _ in range(3):
            writer.add_page()

    assert read(draw, header=lambda _: "Approved by the board").text.count("Approved") == 4


def test_sentence_across_a_page_break_is_in_one_block(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        writer.paragraph(REPAIR)
        writer.paragraph("The key to the machine room is kept by the\ncaretaker, who lends it")
        writer.add_page()
        writer.paragraph("to the engineer for the time of an inspection.")
        writer.paragraph(INSPECTION)

    document = read(draw, header=lambda _: "Policy", footer=str)

    block = block_with(document, "machine room is kept")
    assert document.text[block.start : block.end].endswith(
        "who lends it\nto the engineer for the time of an inspection."
    )
    assert block.page == 1
    first, second = document.pages
    assert first.end <= second.start
    assert document.text[second.start :].startswith("to the engineer")
    assert document.page_at(document.text.index("to the engineer")) == 2
    assert document.page_at(document.text.index("who lends")) == 1


def test_hyphen_at_a_line_end_stays_in_the_text(read: Callable[..., Document]) -> None:
    document = read(lambda writer: writer.paragraph("They must be inspec-\nted in spring."))

    assert document.text == "They must be inspec-\nted in spring."


@pytest.mark.parametrize("by_line", [False, True])
def test_columns_are_read_one_after_the_other(read: Callable[..., Document], by_line: bool) -> None:
    """Also where the file draws them line by line across the page."""
    left = [f"left words of line number {n}" for n in range(12)]
    right = [f"right words of line number {n}" for n in range(12)]

    def draw(writer: Writer) -> None:
        places = [(20, 50 + 5 * n, text) for n, text in enumerate(left)]
        places += [(110, 50 + 5 * n, text) for n, text in enumerate(right)]
        for place in sorted(places, key=lambda place: place[1]) if by_line else places:
            writer.at(*place)

    assert one_line(read(draw).text) == " ".join(left + right)


def test_blank_pages_are_reported(read: Callable[..., Document]) -> None:
    def draw(writer: Writer) -> None:
        for page in range(2, 6):
            writer.add_page()
            if page in (3, 5):
                writer.paragraph(f"Words of page {page}.")

    document = read(draw)

    assert document.warnings == ("3 of 5 pages have no text (pages 1-2, 4)",)
    assert [page.number for page in document.pages if page.start == page.end] == [1, 2, 4]
    ends = [(page.start, page.end) for page in document.pages]
    assert ends == sorted(ends)


def test_scanned_file_is_refused(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    writer.image(Image.new("L", (40, 40), 128), 20, 20)
    with pytest.raises(FormatError, match=r"^no text: scanned pages without a text layer$"):
        read_document(writer.save(tmp_path / "scan.pdf"))


def test_encrypted_file_is_refused(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    writer.paragraph(INSPECTION)
    writer.set_encryption(owner_password="owner", user_password="user")
    with pytest.raises(FormatError, match=r"^encrypted; save a copy without a password$"):
        read_document(writer.save(tmp_path / "secret.pdf"))


def test_file_that_only_forbids_changes_is_read(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    writer.paragraph(INSPECTION)
    writer.set_encryption(owner_password="owner")
    assert one_line(read_document(writer.save(tmp_path / "locked.pdf")).text) == INSPECTION


def test_file_name_need_not_be_utf8(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    writer.paragraph(INSPECTION)
    path = writer.save(tmp_path / "a.pdf").rename(tmp_path / "b\udcff.pdf")
    document = read_document(path)
    assert one_line(document.text) == INSPECTION
    assert len(boxes(path, document.pages[0], 0, 8)) == 1


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    writer = Writer()
    writer.add_page()
    for _ in range(20):
        writer.paragraph(INSPECTION)
    path = writer.save(tmp_path / "cut.pdf")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError, match=r"^damaged PDF"):
        read_document(path)


@pytest.mark.parametrize(
    "data",
    [b"%PDF-1.7\nstartxref\n9\n%%EOF", b"%PDF-1.7\n" + b"\xff" * 500 + b"startxref\n0\n%%EOF"],
)
def test_damaged_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "damaged.pdf"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"^damaged PDF$"):
        read_document(path)


def test_other_file_with_this_suffix_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.pdf"
    path.write_text("Dear all, this is no PDF.")
    with pytest.raises(FormatError, match=r"^not a PDF file$"):
        read_document(path)


def test_limits_are_kept(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    five_pages(writer)
    path = writer.save(tmp_path / "long.pdf")
    with pytest.raises(FormatError, match="too long: 5 pages, the limit is 4"):
        read_document(path, limits=Limits(max_pages=4))
    with pytest.raises(FormatError, match="too long: more than 1,000 characters"):
        read_document(path, limits=Limits(max_characters=1000))


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ("Lift policy 2024", "Lift policy 2024"),
        ("Microsoft Word - policy.doc", "On lifts"),
        ("policy_v3.docx", "On lifts"),
        ("untitled", "On lifts"),
        ("", "On lifts"),
    ],
)
def test_title_is_the_stated_one_if_a_person_wrote_it(
    read: Callable[..., Document], stated: str, title: str
) -> None:
    def draw(writer: Writer) -> None:
        writer.set_title(stated)
        writer.heading("On lifts", 20)
        writer.paragraph(INSPECTION)

    assert read(draw).title == title


def test_date_in_the_text_wins_over_the_file(read: Callable[..., Document]) -> None:
    from datetime import UTC, datetime

    def draw(writer: Writer) -> None:
        writer.set_creation_date(datetime(2023, 7, 9, tzinfo=UTC))
        writer.paragraph(INSPECTION)

    assert read(draw).date == "2023-07-09"

    def dated(writer: Writer) -> None:
        writer.paragraph("Last updated: 3 May 2021")
        draw(writer)

    assert read(dated).date == "2021-05-03"


# The way back to the page


def assert_runs_lead_back(path: Path, document: Document) -> None:
    """Every character in a run is the one PDFium has at that index of the page."""
    pdf = pdfium.PdfDocument(path)
    covered = 0
    for page in document.pages:
        opened = pdf[page.number - 1]
        textpage = opened.get_textpage()
        for offset, index, length in page.runs:
            assert page.start <= offset < offset + length <= page.end
            for at in range(length):
                code = pdfium_c.FPDFText_GetUnicode(textpage, index + at)
                text = document.text[offset + at]
                if 0xD800 <= code < 0xDC00:
                    low = pdfium_c.FPDFText_GetUnicode(textpage, index + at + 1)
                    code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
                assert text == ("-" if code == 0x02 else chr(code))
            covered += length
        textpage.close()
        opened.close()
    pdf.close()
    assert covered == len(document.text) - document.text.count("\n")


def words_under(path: Path, number: int, found: list[Box]) -> str:
    """Return the text that PDFium finds inside the boxes."""
    pdf = pdfium.PdfDocument(path)
    page = pdf[number - 1]
    textpage = page.get_textpage()
    (width, height), rotation = page.get_size(), page.get_rotation()
    x0, y0, x1, y1 = page.get_bbox()
    words = []
    for box in found:
        left, right = box.left / 100 * width, (box.left + box.width) / 100 * width
        top, bottom = box.top / 100 * height, (box.top + box.height) / 100 * height
        # Undo the rotation by hand, so that the test does not lean on what it tests.
        corners = {
            0: (x0 + left, y1 - bottom, x0 + right, y1 - top),
            90: (x0 + top, y0 + left, x0 + bottom, y0 + right),
            180: (x1 - right, y0 + top, x1 - left, y0 + bottom),
            270: (x1 - bottom, y1 - right, x1 - top, y1 - left),
        }[rotation]
        grown = (corners[0] - 0.5, corners[1] - 0.5, corners[2] + 0.5, corners[3] + 0.5)
        words.append(textpage.get_text_bounded(*grown))
    textpage.close()
    page.close()
    pdf.close()
    return one_line(" ".join(words))


def quote_boxes(path: Path, document: Document, quote: str) -> list[Box]:
    start = document.text.index(quote)
    page = document.pages[(document.page_at(start) or 1) - 1]
    return boxes(path, page, start, start + len(quote))


def test_boxes_cover_the_words_and_nothing_else(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    writer.heading("On lifts")
    for align in ("L", "J"):
        writer.paragraph(INSPECTION, align=align)
        writer.paragraph(REPAIR, align=align)
    path = writer.save(tmp_path / "a.pdf")
    document = read_document(path)
    assert_runs_lead_back(path, document)
    for block in document.blocks[1:]:
        start = document.text.index("the", block.start)
        quote = document.text[start : block.end]
        found = boxes(path, document.pages[0], start, block.end)
        assert words_under(path, 1, found) == one_line(quote)
        assert len(found) == quote.count("\n") + 1


# Where to begin, and which way, so that the text is upright on the rotated page.
UPRIGHT = {
    0: b"1 0 0 1 20 150",
    90: b"0 1 -1 0 50 30",
    180: b"-1 0 0 -1 240 60",
    270: b"0 -1 1 0 210 170",
}
NASTY = (
    b"BT /F1 12 Tf 16 TL %s Tm (Lifts E of the oQce) Tj T* (are inspec-) Tj "
    b"T* (ted often E by us) Tj ET"
)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("cropbox", [None, (10, 20, 250, 180)])
def test_boxes_survive_emoji_ligatures_hyphens_rotation_and_cropping(
    tmp_path: Path, rotate: int, cropbox: tuple[int, int, int, int] | None
) -> None:
    path = tmp_path / "nasty.pdf"
    letters = {ord("E"): "😀", ord("Q"): "ffi"}
    path.write_bytes(
        odd_pdf(NASTY % UPRIGHT[rotate], rotate=rotate, cropbox=cropbox, letters=letters)
    )

    document = read_document(path)

    assert document.text == "Lifts 😀 of the office\nare inspec-\nted often 😀 by us"
    assert_runs_lead_back(path, document)
    for quote in ("of the office", "by us", "ted often 😀"):
        (box,) = quote_boxes(path, document, quote)
        assert words_under(path, 1, [box]) == quote
    found = quote_boxes(path, document, "inspec-\nted")
    assert len(found) == 2
    assert words_under(path, 1, found) == "inspec\x02 ted"


def test_boxes_mark_the_ink(tmp_path: Path) -> None:
    """On the page's picture there is ink under the box of a word and none where it ends."""
    path = tmp_path / "ink.pdf"
    path.write_bytes(odd_pdf(b"BT /F1 24 Tf 60 90 Td (HHHH) Tj ET", rotate=90))
    document = read_document(path)
    (box,) = quote_boxes(path, document, "HHHH")
    picture = Image.open(io.BytesIO(page_image(path, 1, scale=4))).convert("L")
    assert picture.size == (800, 1200)
    left, top = box.left / 100 * picture.width, box.top / 100 * picture.height
    right = left + box.width / 100 * picture.width
    bottom = top + box.height / 100 * picture.height
    ink = picture.point(lambda value: 255 if value < 128 else 0).getbbox()
    assert ink == pytest.approx((left, top, right, bottom), abs=3)


def test_span_on_another_page_has_no_boxes(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    five_pages(writer)
    path = writer.save(tmp_path / "a.pdf")
    document = read_document(path)
    start = document.text.index("Part 3")
    assert boxes(path, document.pages[1], start, start + 6) == []
    assert len(boxes(path, document.pages[2], start, start + 6)) == 1


def test_missing_page_is_one_sentence(tmp_path: Path) -> None:
    writer = Writer()
    writer.add_page()
    path = writer.save(tmp_path / "a.pdf")
    with pytest.raises(FormatError, match="no page 2; the file has 1"):
        page_image(path, 2)


def test_threads_may_draw_and_read_at_once(tmp_path: Path) -> None:
    """PDFium itself crashes the process when two threads call it."""
    writer = Writer()
    writer.add_page()
    five_pages(writer)
    path = writer.save(tmp_path / "a.pdf")
    expected = read_document(path)
    results: list[object] = []

    def work() -> None:
        results.append(page_image(path, 1, scale=0.3)[:4] == b"\x89PNG")
        results.append(read_document(path) == expected)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 16


WORDS = st.text(alphabet=st.sampled_from("abcdeTHES.,:-1()éß€“"), min_size=1, max_size=9)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=60), min_size=1, max_size=4))
def test_words_come_back_in_order(tmp_path: Path, paragraphs: list[list[str]]) -> None:
    """Whatever the paragraphs hold: no word is lost, moved or changed."""
    writer = Writer()
    writer.add_page()
    for words in paragraphs:
        writer.paragraph(" ".join(words))
    path = writer.save(tmp_path / "words.pdf")

    document = read_document(path)

    assert "".join(document.text.split()) == "".join(map("".join, paragraphs))
    assert_runs_lead_back(path, document)
