"""DOCX: headings, lists, tables, what was deleted, and files that are not what they seem."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import docx
import pytest
from docx.document import Document as Word
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml.parser import parse_xml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.errors import FormatError
from index.formats import read_document
from index.types import Block, BlockKind, Document

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
PLAIN = "The lift is inspected every three months."

Draw = Callable[[Word], None]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Draw], Document]:
    """Return a function that writes a DOCX file and reads it."""

    def make(draw: Draw) -> Document:
        word = docx.Document()
        draw(word)
        path = tmp_path / "a.docx"
        word.save(str(path))
        return read_document(path)

    return make


def blocks(document: Document) -> list[tuple[BlockKind, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def block_with(document: Document, words: str) -> Block:
    return next(b for b in document.blocks if words in document.text[b.start : b.end])


def add_xml(word: Word, xml: str) -> None:
    """Put an element before the last one of the body, which sets the page."""
    word.element.body.insert(len(word.element.body) - 1, parse_xml(xml))


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Copy a package with every part passed through `change(name, data)`."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A file with one paragraph."""
    word = docx.Document()
    word.add_paragraph(PLAIN)
    path = tmp_path / "plain.docx"
    word.save(str(path))
    return path


def test_title_and_headings_make_the_path(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        word.add_heading("Lift policy", 0)
        word.add_heading("Duties", 1)
        word.add_heading("Inspections", 2)
        word.add_paragraph(PLAIN)
        word.add_heading("Costs", 1)
        word.add_paragraph("The owner pays.")

    document = read(draw)

    levels = [b.level for b in document.blocks if b.kind is BlockKind.HEADING]
    assert levels == [1, 2, 3, 2]
    assert block_with(document, PLAIN).headings == ("Lift policy", "Duties", "Inspections")
    assert block_with(document, "owner").headings == ("Lift policy", "Costs")
    assert document.title == "Lift policy"


def test_headings_are_known_by_outline_level_in_any_language(
    read: Callable[[Draw], Document],
) -> None:
    """A style of the user's own, based on a heading with a translated id, is one as well."""

    def draw(word: Word) -> None:
        base = word.styles["Heading 2"].element
        base.set(f"{{{W[9:-1]}}}styleId", "berschrift2")
        own = word.styles.add_style("Hausstil", 1)
        own.element.insert(1, parse_xml(f'<w:basedOn {W} w:val="berschrift2"/>'))
        word.add_paragraph("Pflichten", style=own)
        word.add_paragraph(PLAIN)
        add_xml(
            word,
            f'<w:p {W}><w:pPr><w:outlineLvl w:val="2"/></w:pPr><w:r><w:t>Ropes</w:t></w:r></w:p>',
        )

    document = read(draw)

    assert [(b.kind, b.level) for b in document.blocks] == [
        (BlockKind.HEADING, 2),
        (BlockKind.PARAGRAPH, 0),
        (BlockKind.HEADING, 3),
    ]


def test_items_have_levels_lead_in_and_decimal_numbers(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        word.add_paragraph("Every lift has a log. It holds:")
        word.add_paragraph("the date", style="List Bullet")
        word.add_paragraph("the name", style="List Bullet 2")
        word.add_paragraph("Report a fault like this:")
        word.add_paragraph("Call.", style="List Number")
        word.add_paragraph("Wait.", style="List Number")
        word.add_paragraph("Done.")

    document = read(draw)

    assert blocks(document)[1:3] == [(BlockKind.ITEM, "the date"), (BlockKind.ITEM, "the name")]
    assert [block.level for block in document.blocks[1:3]] == [1, 2]
    assert [block.context for block in document.blocks[1:3]] == ["It holds:", "the date"]
    assert blocks(document)[4:] == [
        (BlockKind.ITEM, "1. Call."),
        (BlockKind.ITEM, "2. Wait."),
        (BlockKind.PARAGRAPH, "Done."),
    ]
    assert document.blocks[4].context == "Report a fault like this:"


def numbered(level: int, text: str, number: int = 90) -> str:
    return (
        f'<w:p {W}><w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/>'
        f"</w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
    )


def define_list(word: Word, *levels: tuple[str, str]) -> None:
    """Add list 90 whose levels have a number format and a text each."""
    xml = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for at, (kind, text) in enumerate(levels)
    )
    numbering = word.part.numbering_part.element
    numbering.insert(0, parse_xml(f'<w:abstractNum {W} w:abstractNumId="90">{xml}</w:abstractNum>'))
    numbering.append(parse_xml(f'<w:num {W} w:numId="90"><w:abstractNumId w:val="90"/></w:num>'))


def test_numbers_count_as_word_counts(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        define_list(word, ("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "%3)"))
        for level, text in [(0, "a"), (1, "b"), (1, "c"), (2, "d"), (0, "e"), (1, "f")]:
            add_xml(word, numbered(level, text))

    assert [text for _, text in blocks(read(draw))] == [
        "1. a",
        "1.1 b",
        "1.2 c",
        "d",  # letters are not computed
        "2. e",
        "2.1 f",
    ]


def test_tables_are_rows_with_their_header(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        word.add_paragraph("Before.")
        table = word.add_table(3, 3)
        rows = [
            ("Service", "Interval", "Price in 2024"),
            ("Inspection", "3 months", "120 EUR"),
            ("Ropes\nand brakes", "", "2,400 EUR"),
        ]
        for row, texts in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        word.add_paragraph("After.")

    document = read(draw)

    assert blocks(document) == [
        (BlockKind.PARAGRAPH, "Before."),
        (BlockKind.ROW, "Service | Interval | Price in 2024"),
        (BlockKind.ROW, "Inspection | 3 months | 120 EUR"),
        (BlockKind.ROW, "Ropes and brakes |  | 2,400 EUR"),
        (BlockKind.PARAGRAPH, "After."),
    ]
    header = "Service | Interval | Price in 2024"
    assert [block.context for block in document.blocks] == ["", "", header, header, ""]


def test_merged_cells_count_once(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        table = word.add_table(3, 3)
        for at, cell in enumerate(table._cells):
            cell.text = f"c{at}"
        table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
        table.cell(1, 2).merge(table.cell(2, 2)).text = "tall"

    assert [text for _, text in blocks(read(draw))] == [
        "wide |  | c2",
        "c3 | c4 | tall",
        "c6 | c7",
    ]


def test_nested_table_follows_its_row(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        table = word.add_table(2, 2)
        for cell, text in zip(table._cells, ("Lift", "Parts", "A", "see"), strict=True):
            cell.text = text
        inner = table.cell(1, 1).add_table(1, 2)
        inner.cell(0, 0).text, inner.cell(0, 1).text = "rope", "steel"

    assert [text for _, text in blocks(read(draw))] == ["Lift | Parts", "A | see", "rope | steel"]


def test_table_of_one_column_is_a_frame_around_text(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        cell = word.add_table(1, 1).cell(0, 0)
        cell.text = "Note:"
        cell.add_paragraph("mind the gap", style="List Bullet")

    assert blocks(read(draw)) == [
        (BlockKind.PARAGRAPH, "Note:"),
        (BlockKind.ITEM, "mind the gap"),
    ]


def test_text_is_what_stands_after_all_changes(read: Callable[[Draw], Document]) -> None:
    """Insertions, links and fields are in the text; deletions and hidden words are not."""

    def draw(word: Word) -> None:
        add_xml(
            word,
            f'<w:p {W}><w:r><w:t xml:space="preserve">Lifts are </w:t></w:r>'
            '<w:del w:id="1"><w:r><w:delText>never </w:delText></w:r></w:del>'
            '<w:ins w:id="2"><w:r><w:t xml:space="preserve">often </w:t></w:r></w:ins>'
            "<w:hyperlink><w:r><w:t>inspected</w:t></w:r></w:hyperlink>"
            "<w:r><w:rPr><w:vanish/></w:rPr><w:t>, says who</w:t></w:r>"
            '<w:r><w:instrText>PAGE</w:instrText></w:r><w:fldSimple w:instr="PAGE">'
            '<w:r><w:t xml:space="preserve"> on 3</w:t></w:r></w:fldSimple>'
            "<w:r><w:noBreakHyphen/><w:t>5</w:t><w:br/><w:t>May</w:t></w:r></w:p>",
        )

    assert read(draw).text == "Lifts are often inspected on 3-5\nMay"


def test_text_boxes_count_once(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        box = f"<w:txbxContent {W}><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
        add_xml(
            word,
            f"<w:p {W} {MC}><w:r><w:t>Outside.</w:t></w:r><w:r><mc:AlternateContent>"
            f'<mc:Choice Requires="wps">{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>'
            "</mc:AlternateContent></w:r></w:p>",
        )

    assert read(draw).text == "Outside.\n\nIn a box."


def test_footnotes_follow_their_paragraph(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        notes = (
            f'<w:footnotes {W}><w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
            '<w:footnote w:id="1"><w:p><w:r><w:t>By law.</w:t></w:r></w:p></w:footnote>'
            "</w:footnotes>"
        )
        kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
        part = Part(PackURI("/word/footnotes.xml"), kind, notes.encode(), word.part.package)
        word.part.relate_to(
            part,
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes",
        )
        add_xml(
            word,
            f"<w:p {W}><w:r><w:t>{PLAIN}</w:t></w:r>"
            '<w:r><w:footnoteReference w:id="1"/></w:r></w:p>',
        )
        word.add_paragraph("Next.")

    assert [text for _, text in blocks(read(draw))] == [PLAIN, "By law.", "Next."]


def test_properties_state_title_and_date(read: Callable[[Draw], Document]) -> None:
    def draw(word: Word) -> None:
        word.core_properties.title = "Lifts 2024"
        word.core_properties.modified = datetime(2024, 3, 9)
        word.add_heading("Something else", 1)
        word.add_paragraph(PLAIN)

    document = read(draw)
    assert (document.title, document.date) == ("Lifts 2024", "2024-03-09")

    def dated(word: Word) -> None:
        word.add_paragraph("Date: 3 May 2021")
        draw(word)
        word.core_properties.title = "Document1"

    document = read(dated)
    assert (document.title, document.date) == ("", "2021-05-03")


def test_missing_properties_state_nothing(plain: Path, tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        return data.replace(b"metadata/core-properties", b"x") if name == "_rels/.rels" else data

    document = read_document(rewritten(plain, tmp_path / "bare.docx", change))
    assert (document.text, document.title, document.date) == (PLAIN, "", None)


def test_empty_document_is_refused(tmp_path: Path) -> None:
    docx.Document().save(str(tmp_path / "empty.docx"))
    with pytest.raises(FormatError, match=r"^no text$"):
        read_document(tmp_path / "empty.docx")


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Dear all, this is no archive.", "damaged DOCX"),
        (OLE + "WordDocument".encode("utf-16-le"), "an old Word document (.doc); save it as .docx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted; save a copy without a password"),
    ],
)
def test_other_files_with_this_suffix_are_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        read_document(path)
    assert caught.value.reason == reason


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(plain: Path, share: float) -> None:
    data = plain.read_bytes()
    plain.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FormatError, match=r"^damaged DOCX$"):
        read_document(plain)


@pytest.mark.parametrize("name", ["word/document.xml", "[Content_Types].xml", "word/styles.xml"])
@pytest.mark.parametrize("data", [b"", b"<w:document", b"<other/>"])
def test_package_with_damaged_parts_is_refused_or_read(
    plain: Path, tmp_path: Path, name: str, data: bytes
) -> None:
    """Without its styles the text is still there; without the rest it is not."""

    def change(part: str, old: bytes) -> bytes:
        return data if part == name else old

    path = rewritten(plain, tmp_path / "damaged.docx", change)
    if (name, data) == ("word/styles.xml", b"<other/>"):
        assert read_document(path).text == PLAIN
    else:
        with pytest.raises(FormatError, match="damaged DOCX"):
            read_document(path)


def test_flipped_bytes_never_change_the_text(plain: Path, tmp_path: Path) -> None:
    data = plain.read_bytes()
    path = tmp_path / "flipped.docx"
    for at in range(0, len(data), 997):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        with suppress(FormatError):
            assert read_document(path).text == PLAIN


def test_spreadsheet_with_this_suffix_is_refused(plain: Path, tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        if name != "[Content_Types].xml":
            return data
        return data.replace(b"wordprocessingml.document.main", b"spreadsheetml.sheet.main")

    with pytest.raises(FormatError, match=r"^not a Word document inside$"):
        read_document(rewritten(plain, tmp_path / "sheet.docx", change))


def test_archive_out_of_proportion_is_refused(plain: Path, tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        return data + b" " * 40 * 2**20 if name == "word/document.xml" else data

    with pytest.raises(FormatError, match=r"^unpacks to 4\d MB, out of all proportion$"):
        read_document(rewritten(plain, tmp_path / "bomb.docx", change))


def test_entities_are_not_expanded(plain: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read this")

    def change(name: str, data: bytes) -> bytes:
        if name != "word/document.xml":
            return data
        laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
        start = data.index(b"<w:document")
        doctype = f'<!DOCTYPE x [{laughs}<!ENTITY file SYSTEM "file://{secret}">]>'.encode()
        return data[:start] + doctype + data[start:].replace(b"every", b"every &l11; &file;")

    path = rewritten(plain, tmp_path / "entities.docx", change)
    try:
        text = read_document(path).text
    except FormatError:
        return
    assert "haha" not in text
    assert "do not read" not in text


WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30
)


@pytest.mark.slow
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(WORDS, max_size=6), st.lists(st.tuples(WORDS, WORDS), max_size=4))
def test_words_come_back_in_order(
    tmp_path: Path, paragraphs: list[str], rows: list[tuple[str, str]]
) -> None:
    """No word is lost or changed, whatever the script."""
    word = docx.Document()
    word.add_paragraph("begin")
    for text in paragraphs:
        word.add_paragraph(text)
    table = word.add_table(0, 2)
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    stream = io.BytesIO()
    word.save(stream)
    path = tmp_path / "words.docx"
    path.write_bytes(stream.getvalue())

    text = read_document(path).text

    expected = "".join(["begin", *paragraphs, *(cell for row in rows for cell in row)])
    assert _letters(text) == _letters(expected)


def _letters(text: str) -> str:
    return "".join(text.replace("|", "").split())
