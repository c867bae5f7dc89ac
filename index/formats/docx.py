"""DOCX: headings, lists and tables by Word's own styles; what was deleted is not in the text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from index.errors import FormatError
from index.formats.builder import DocumentBuilder, ListPath, join_cells
from index.formats.dates import find_date
from index.formats.docx_styles import Numbering, ParagraphStyle, Styles, w
from index.formats.registry import Limits
from index.formats.titles import chosen_title
from index.types import Document

__all__ = ["parse"]

Element = Any  # lxml ships no types

_MAX_UNPACKED = 512 * 2**20
_MAX_RATIO = 200  # unpacked against packed, for parts that are large
_LARGE_PART = 2**20
_OLE_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what Word wrote before 2007, and encrypted files

_ALTERNATE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
# Not in the text as it stands: deleted or moved away, properties, instructions of fields.
_LEFT_OUT = frozenset(
    map(w, ("del", "moveFrom", "pPr", "rPr", "sdtPr", "tblPr", "trPr", "tcPr", "instrText"))
)
_VALUE = re.compile(r"\W*\d")  # "120 EUR", "£9.50"; "Unit 7" is a name
_NOTES = {w("footnoteReference"): "footnotes", w("endnoteReference"): "endnotes"}
_CHARACTERS = {w("tab"): "\t", w("br"): "\n", w("cr"): "\n", w("noBreakHyphen"): "-"}


def parse(path: Path, limits: Limits) -> Document:
    """Return the document in a DOCX file.

    A paragraph of the file is a block. Decimal numbers of lists and headings are written
    before their text as Word shows them. A row of a table is "cell | cell"; a merged cell
    counts once. Footnotes and text boxes follow the paragraph they belong to.

    Raises:
        FormatError: Encrypted, damaged, of another kind, or out of all proportion unpacked.
        OSError: The file cannot be read.
    """
    _check_archive(path)
    package = _open(path)
    part = package.main_document_part
    roots = {
        name: _related(part, name) for name in ("styles", "numbering", "footnotes", "endnotes")
    }
    reader = _Reader(
        styles=Styles(roots["styles"]),
        numbering=Numbering(roots["numbering"]),
        notes={name: _notes(roots[name], name) for name in ("footnotes", "endnotes")},
        builder=DocumentBuilder(limits),
    )
    body = getattr(part.element, "body", None)
    if body is None:
        raise FormatError("damaged DOCX: it has no body")
    reader.has_title = any(reader.styles.of(each).heading == 0 for each in body.iter(w("p")))
    reader.read(body)
    stated_title, stated_date = _properties(package)
    document = reader.builder.build()
    return reader.builder.build(
        title=stated_title or reader.title,
        date=find_date(document.text[:10_000]) or stated_date,
    )


def _check_archive(path: Path) -> None:
    """Refuse what is no archive, and archives that would fill the memory."""
    with path.open("rb") as file:
        head = file.read(2**16)
        size = file.seek(0, io.SEEK_END)
    if head.startswith(_OLE_FILE):
        # An encrypted document is a stream of this name; the directory is near an end.
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            raise FormatError("encrypted; save a copy without a password")
        raise FormatError("an old Word document (.doc); save it as .docx")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FormatError("damaged DOCX") from error
    if any(part.flag_bits & 1 for part in parts):
        raise FormatError("encrypted; save a copy without a password")
    # Space is set aside for as much as a part says it has, whatever is there.
    if any(part.compress_size > size for part in parts):
        raise FormatError("damaged DOCX")
    unpacked = sum(part.file_size for part in parts)
    bloated = any(
        part.file_size > max(_LARGE_PART, _MAX_RATIO * part.compress_size) for part in parts
    )
    if unpacked > _MAX_UNPACKED or bloated:
        raise FormatError(f"unpacks to {unpacked / 2**20:,.0f} MB, out of all proportion")


def _open(path: Path) -> Any:  # noqa: ANN401
    from docx.opc.constants import CONTENT_TYPE
    from docx.package import Package

    try:
        with path.open("rb") as file:
            package = Package.open(file)
        part = package.main_document_part
    except MemoryError:
        raise
    except Exception as error:
        if "Excessive depth" in str(error):  # lxml's, which has no other sign for it
            raise FormatError("nested too deeply") from error
        # A damaged package makes zipfile, zlib, lxml and python-docx raise nearly everything,
        # also OSError for an offset before the file's beginning.
        raise FormatError("damaged DOCX, or another kind of file") from error
    if part.content_type != CONTENT_TYPE.WML_DOCUMENT_MAIN:
        raise FormatError("not a Word document inside")
    return package


def _related(part: Any, name: str) -> Element | None:  # noqa: ANN401
    """Return the root of the part that `part` refers to as its styles, footnotes and so on."""
    from docx.oxml.parser import parse_xml

    for relation in part.rels.values():
        if not relation.is_external and relation.reltype.endswith(f"/relationships/{name}"):
            target = relation.target_part
            element = getattr(target, "element", None)
            return parse_xml(target.blob) if element is None else element
    return None


def _notes(root: Element | None, name: str) -> dict[str, Element]:
    """Return the notes by id, but for the lines that separate them from the text."""
    if root is None:
        return {}
    return {
        note.get(w("id")): note
        for note in root.iter(w(name.removesuffix("s")))
        if note.get(w("type")) in (None, "normal")
    }


def _properties(package: Any) -> tuple[str, str | None]:  # noqa: ANN401
    """Return the title, empty unless a person may have written it, and the last day of work."""
    from docx.opc.constants import RELATIONSHIP_TYPE

    try:
        # Asked for without being there, properties would be made up, dated today.
        package.part_related_by(RELATIONSHIP_TYPE.CORE_PROPERTIES)
        properties = package.core_properties
        day = properties.modified or properties.created
        return chosen_title(properties.title), day.date().isoformat() if day else None
    except (KeyError, ValueError, AttributeError):
        return "", None


@dataclass(slots=True)
class _Reader:
    """Goes through the body and writes its blocks.

    `title` is the first heading if the document begins with it; `has_title` says that one
    paragraph has the style of a title, under which the sections stand.
    """

    styles: Styles
    numbering: Numbering
    notes: dict[str, dict[str, Element]]
    builder: DocumentBuilder
    has_title: bool = False
    title: str = ""
    _list: ListPath | None = None
    _before: str = ""  # the paragraph just before, which may lead to a list

    def read(self, parent: Element) -> None:
        """Write the paragraphs and tables in `parent`, in order."""
        for child in _children(parent):
            if child.tag == w("p"):
                self._paragraph(child)
            elif child.tag == w("tbl"):
                self._table(child)
            elif child.tag not in _LEFT_OUT:
                self.read(child)

    def _paragraph(self, paragraph: Element) -> None:
        text = "".join(_text(paragraph)).strip()
        style = self.styles.of(paragraph)
        if text:
            marker = self.numbering.next_marker(style.numbering) if style.numbering else ""
            self._block(f"{marker} {text}" if marker else text, style)
        self._beside(paragraph)

    def _block(self, text: str, style: ParagraphStyle) -> None:
        if style.heading is not None:
            if not self.title and (style.heading == 0 or not self.builder.length):
                self.title = text
            self.builder.heading(text, style.heading + self.has_title)
        elif style.list_level is not None:
            self._list = self._list or ListPath(self._before)
            self.builder.item(text, style.list_level, self._list.enter(style.list_level, text))
            return
        elif style.is_contents:
            self.builder.row([text])
        else:
            self.builder.paragraph(text)
            self._before, self._list = text, None
            return
        self._before, self._list = "", None

    def _beside(self, paragraph: Element) -> None:
        """Write the text boxes and notes that hang on the paragraph."""
        before, items = self._before, self._list
        for element in _descend(paragraph):
            if element.tag == w("txbxContent"):
                self.read(element)
            elif element.tag in _NOTES:
                note = self.notes[_NOTES[element.tag]].pop(element.get(w("id")), None)
                if note is not None:
                    self.read(note)
        self._before, self._list = before, items

    def _table(self, table: Element) -> None:
        rows = [row for row in _grow(table, w("tr")) if not _is_deleted_row(row)]
        cells = [list(_cells(row)) for row in rows]
        if all(len(row) == 1 for row in cells):
            for (cell,) in cells:  # a frame around ordinary text
                if cell is not None:
                    self.read(cell)
            return
        self._before, self._list = "", None
        header = ""
        for at, (row, elements) in enumerate(zip(rows, cells, strict=True)):
            texts = [_cell_text(cell) for cell in elements]
            is_header = at == 0 and _is_header(row, texts)
            self.builder.row(texts, "" if is_header else header)
            if is_header:
                header = join_cells([text for text in texts if text])
            for cell in elements:
                if cell is not None:
                    self._inside(cell)

    def _inside(self, cell: Element) -> None:
        """Write what a cell holds beside its text: tables, notes, text boxes."""
        for child in _children(cell):
            if child.tag == w("p"):
                self._beside(child)
            elif child.tag == w("tbl"):
                self._table(child)
            elif child.tag not in _LEFT_OUT:
                self._inside(child)


def _children(parent: Element) -> Iterator[Element]:
    """Yield the elements in `parent`; of alternatives for old and new programs the new one."""
    for child in parent:
        if child.tag == _ALTERNATE:
            choice = child.find(_CHOICE)
            yield from () if choice is None else _children(choice)
        elif isinstance(child.tag, str):  # comments and entities have functions for tags
            yield child


def _text(parent: Element) -> Iterator[str]:
    for child in _children(parent):
        if child.tag in (w("t"), _MATH_TEXT):
            yield child.text or ""
            for inside in child:
                # An entity that the file defines stays as it is written; a comment is no text.
                yield inside.text if inside.tag is etree.Entity else ""
                yield inside.tail or ""
        elif child.tag in _CHARACTERS:
            yield _CHARACTERS[child.tag]
        elif child.tag == w("r") and _is_hidden(child):
            continue
        elif child.tag not in _LEFT_OUT and child.tag != w("txbxContent"):
            yield from _text(child)


def _descend(parent: Element) -> Iterator[Element]:
    """Yield text boxes and references to notes below `parent`, none from inside a box."""
    for child in _children(parent):
        if child.tag in _NOTES or child.tag == w("txbxContent"):
            yield child
        elif child.tag not in _LEFT_OUT:
            yield from _descend(child)


def _is_hidden(run: Element) -> bool:
    vanish = run.find(f"{w('rPr')}/{w('vanish')}")
    return vanish is not None and vanish.get(w("val")) not in ("0", "false", "off")


def _grow(parent: Element, tag: str) -> Iterator[Element]:
    """Yield the rows of a table or cells of a row, also those in content controls."""
    for child in _children(parent):
        if child.tag == tag:
            yield child
        elif child.tag not in _LEFT_OUT and child.tag not in (w("tr"), w("tc"), w("tbl")):
            yield from _grow(child, tag)


def _is_deleted_row(row: Element) -> bool:
    return row.find(f"{w('trPr')}/{w('del')}") is not None


def _cells(row: Element) -> Iterator[Element | None]:
    """Yield the cells of a row, None for what a merged cell covers."""
    for cell in _grow(row, w("tc")):
        properties = cell.find(w("tcPr"))
        merge = span = None
        if properties is not None:
            merge, span = properties.find(w("vMerge")), properties.find(w("gridSpan"))
        continues = merge is not None and merge.get(w("val")) != "restart"
        yield None if continues else cell
        count = span.get(w("val"), "1") if span is not None else "1"
        if count.isdecimal():
            yield from [None] * (min(int(count), 100) - 1)


def _cell_text(cell: Element | None) -> str:
    if cell is None:
        return ""
    return " ".join("".join(_text(each)).strip() for each in _grow(cell, w("p")))


def _is_header(row: Element, texts: list[str]) -> bool:
    """Return whether a table's first row names its columns: marked so, or words alone."""
    marked = row.find(f"{w('trPr')}/{w('tblHeader')}")
    if marked is not None:
        return marked.get(w("val")) not in ("0", "false", "off")
    filled = [text for text in texts if text]
    return len(filled) > 1 and not any(map(_VALUE.match, filled))
