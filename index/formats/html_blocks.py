"""From an HTML tree to blocks: a walk that sees what a reader of the page sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lxml import etree

from index.formats.builder import DocumentBuilder, join_cells
from index.formats.flow import Flow

__all__ = ["Element", "add_blocks", "tag_of", "visible_text"]

Element = etree._Element

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(["ul", "ol", "menu", "dir"])
_ITEMS = frozenset(["li", "dd"])
_BLOCKS = (
    frozenset(
        "address article aside blockquote body caption center details dialog div dl dt fieldset "
        "figcaption figure footer form header hgroup hr legend main nav p pre section summary "
        "table tbody td tfoot th thead tr".split()
    )
    | _LISTS
    | _ITEMS
    | _HEADINGS.keys()
)
_WHOLE_NUMBER = re.compile(r"[-+]?\d{1,9}")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_SPACES = re.compile(" {2,}")
_EMPTY_LINE = re.compile(r"\n{2,}")
_SPACE_AT_BREAK = re.compile(" *\n *")


def tag_of(element: Element) -> str:
    """Return the element's name in lower case without namespace; "" for a comment."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def add_blocks(
    builder: DocumentBuilder, root: Element, is_left_out: Callable[[Element], bool]
) -> None:
    """Add everything below `root` to the document, except elements that are left out."""
    _Walk(builder, is_left_out).walk(root)


def visible_text(root: Element, is_left_out: Callable[[Element], bool]) -> str:
    """Return the text below `root` on one line, except of elements that are left out."""
    parts: list[str] = []
    for event, element in _events(root, is_left_out):
        if tag_of(element) in _BLOCKS or tag_of(element) == "br":
            parts.append(" ")
        parts.append((element.text if event == "start" else element.tail) or "")
    return " ".join("".join(parts).split())


def _events(root: Element, is_left_out: Callable[[Element], bool]) -> Iterator[tuple[str, Element]]:
    """Yield ("start" | "end" | "skip", element) in document order, for the root only "start".

    Of an element that is left out there is only "skip": its place, for the text behind it.
    The stack is our own, because pages may be nested more deeply than Python recurses.
    """
    yield "start", root
    stack = [root.iterchildren()]
    open_: list[Element] = []
    while stack:
        element = next(stack[-1], None)
        if element is None:
            stack.pop()
            if open_:
                yield "end", open_.pop()
        elif not tag_of(element) or is_left_out(element):
            yield "skip", element
        else:
            yield "start", element
            open_.append(element)
            stack.append(element.iterchildren())


class _Walk:
    """One walk through a tree: text gathers until a block begins or ends."""

    def __init__(self, builder: DocumentBuilder, is_left_out: Callable[[Element], bool]) -> None:
        self._builder = builder
        self._is_left_out = is_left_out
        self._flow = Flow(builder)
        self._parts: list[str] = []
        self._whole: Element | None = None  # the heading or <pre> we are in is one block
        self._numbers: list[int | None] = []  # next number of every open list
        self._term = ""  # the last <dt>

    def walk(self, root: Element) -> None:
        for event, element in _events(root, self._is_passed_over):
            if event == "start":
                self._start(element)
                self._text(element.text)
                continue
            if event == "end":
                self._end(element)
            elif _is_table(element) and not self._is_left_out(element):
                self._write_table(element)
            self._text(element.tail)
        self._flush()

    def _is_passed_over(self, element: Element) -> bool:
        return self._is_left_out(element) or (
            _is_table(element) and _is_data(element, self._is_left_out)
        )

    def _start(self, element: Element) -> None:
        tag = tag_of(element)
        if tag == "br":
            self._parts.append("\n")
        if self._whole is not None or tag not in _BLOCKS:
            self._separate(tag)
            return
        self._flush()
        if tag == "pre" or tag in _HEADINGS:
            self._whole = element
        elif tag in _LISTS:
            self._flow.open_list()
            self._numbers.append(_integer(element.get("start"), 1) if tag == "ol" else None)
        elif tag == "li":
            self._flow.open_item(self._marker(element))
        elif tag == "dt":
            self._term = visible_text(element, self._is_left_out)
        elif tag == "dd":
            self._flow.open_list(f"{self._term}:")
            self._flow.open_item()

    def _end(self, element: Element) -> None:
        tag = tag_of(element)
        if self._whole is element:
            self._write_whole(tag)
            self._whole = None
        if self._whole is not None or tag not in _BLOCKS:
            self._separate(tag)
            return
        self._flush()
        if tag in _LISTS:
            self._flow.close_list()
            self._numbers.pop()
        elif tag == "li":
            self._flow.close_item()
        elif tag == "dd":
            self._flow.close_item()
            self._flow.close_list()

    def _text(self, text: str | None) -> None:
        if text:
            is_code = self._whole is not None and tag_of(self._whole) == "pre"
            self._parts.append(text if is_code else _SPACE.sub(" ", text))

    def _separate(self, tag: str) -> None:
        """Keep words of two blocks inside a heading apart."""
        if tag in _BLOCKS and self._whole is not None and tag_of(self._whole) != "pre":
            self._parts.append(" ")

    def _write_whole(self, tag: str) -> None:
        if tag == "pre":
            self._builder.code("".join(self._parts))
        else:
            self._builder.heading(_tidy(self._parts), _HEADINGS[tag])
        self._parts.clear()
        self._flow.interrupt()

    def _flush(self) -> None:
        for text in _EMPTY_LINE.split(_tidy(self._parts)):  # <br><br> is how some write <p>
            self._flow.text(text)
        self._parts.clear()

    def _marker(self, item: Element) -> str:
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            return ""
        number = _integer(item.get("value"), number)
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _write_table(self, table: Element) -> None:
        """Add caption and rows; a row's context is the caption and the header's cells."""
        if self._whole is None:
            self._flush()
        caption, rows = _parts_of_table(table)
        title = visible_text(caption, self._is_left_out) if caption is not None else ""
        self._flow.text(title)
        header: list[str] = []
        in_header = True
        for row in rows:
            cells = [visible_text(cell, self._is_left_out) for cell in _cells(row)]
            in_header = in_header and _is_header(row, cells)
            words = join_cells(cells)
            context = "" if in_header else ": ".join(filter(None, [title, " / ".join(header)]))
            self._builder.row(cells, context)
            if in_header and words:
                header.append(words)
        self._flow.interrupt()


def _tidy(parts: list[str]) -> str:
    return _SPACE_AT_BREAK.sub("\n", _SPACES.sub(" ", "".join(parts)))


def _integer(value: str | None, default: int) -> int:
    return int(value) if value and _WHOLE_NUMBER.fullmatch(value.strip()) else default


def _is_table(element: Element) -> bool:
    return tag_of(element) == "table"


def _is_data(table: Element, is_left_out: Callable[[Element], bool]) -> bool:
    """Return whether the table holds data in rows and cells, not the layout of a page.

    One with a table, heading or text outside of cells in it does not, nor one with a single
    column: their contents are read as they come.
    """
    if table.get("role") in ("presentation", "none"):
        return False
    if next(table.iterdescendants("table", *_HEADINGS), None) is not None:
        return False
    caption, rows = _parts_of_table(table)
    read = [cell for row in rows for cell in _cells(row)]
    if max((sum(1 for _ in _cells(row)) for row in rows), default=0) < 2:
        return False
    read += [] if caption is None else [caption]
    words = sum(len(visible_text(element, is_left_out).replace(" ", "")) for element in read)
    return words == len(visible_text(table, is_left_out).replace(" ", ""))


def _parts_of_table(table: Element) -> tuple[Element | None, list[Element]]:
    caption = next((child for child in table if tag_of(child) == "caption"), None)
    return caption, [element for element in table.iterdescendants() if tag_of(element) == "tr"]


def _cells(row: Element) -> Iterator[Element]:
    return (cell for cell in row if tag_of(cell) in ("td", "th"))


def _is_header(row: Element, cells: list[str]) -> bool:
    """Return whether the row names columns: in the table's head, or of header cells only."""
    parent = row.getparent()
    if parent is not None and tag_of(parent) == "thead":
        return True
    names = [tag_of(cell) == "th" for cell, words in zip(_cells(row), cells, strict=True) if words]
    return len(names) > 1 and all(names)
