"""Text that flows into paragraphs and nested lists: what Markdown and HTML have in common."""

from __future__ import annotations

from dataclasses import dataclass

from index.formats.builder import DocumentBuilder, ListPath

__all__ = ["Flow"]


@dataclass(slots=True)
class _Item:
    level: int
    marker: str
    written: bool = False
    context: str = ""


class Flow:
    """Writes texts as paragraphs or items, by the lists that are open around them.

    The first text of an item is the item; what follows in it are paragraphs with the same
    context. A paragraph right before a list that ends with a colon is the list's lead-in.
    """

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._items: list[_Item] = []
        self._depth = 0
        self._list = ListPath()
        self._before = ""  # the paragraph just before

    def open_list(self, lead: str = "") -> None:
        """Begin a list, in an item or not; without `lead` the paragraph before may be it."""
        if self._depth == 0:
            self._list = ListPath(lead or self._before)
        self._depth += 1

    def close_list(self) -> None:
        """End the innermost list, if there is one."""
        self._depth = max(self._depth - 1, 0)
        self._before = ""

    def open_item(self, marker: str = "") -> None:
        """Begin an item; `marker`, such as "1. ", becomes part of its text."""
        self._items.append(_Item(max(self._depth, 1), marker))

    def close_item(self) -> None:
        """End the innermost item, if there is one."""
        if self._items:
            self._items.pop()

    def text(self, text: str) -> None:
        """Add `text`, unless it is blank."""
        text = text.strip()
        if not text:
            return
        item = self._items[-1] if self._items else None
        if item is None:
            self._builder.paragraph(text)
            self._before = text
        elif item.written:
            self._builder.paragraph(text, context=item.context)
        else:
            item.context = self._list.enter(item.level, text)
            item.written = (
                self._builder.item(item.marker + text, item.level, item.context) is not None
            )

    def interrupt(self) -> None:
        """Note that a heading, table or other block stands here: no lead-in reaches over it."""
        self._before = ""
