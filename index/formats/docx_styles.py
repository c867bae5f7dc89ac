"""What the styles and numbering definitions of a DOCX file say about its paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Numbering", "ParagraphStyle", "Styles", "w"]

Element = Any  # lxml ships no types

_NAMESPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
# Word gives "List Paragraph" also to what no longer is a list; a number tells.
_LIST = re.compile(r"list(?: (?:bullet|number))?(?: (\d))?", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"-?\d{1,9}")
_MAX_MARKER = 100  # characters of a list's number; a longer one would outgrow the text
_BODY_LEVEL = 9  # outline levels below are those of headings
_MAX_DEPTH = 20  # of styles based on each other, lest they go in a circle


def w(name: str) -> str:
    """Return `name` as lxml writes it in the namespace of WordprocessingML."""
    return _NAMESPACE + name


def _value(element: Element, path: str) -> str | None:
    """Return the attribute `w:val` of the element at `path`, or None."""
    found = element.find("/".join(map(w, path.split("/")))) if element is not None else None
    return None if found is None else found.get(w("val"))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _WHOLE_NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """What a paragraph is by its style and its own properties.

    Attributes:
        heading: Level from 1, 0 for the document's title, None for other paragraphs.
        list_level: From 1, or None outside lists.
        numbering: Number of its list and level from 0 there, or None.
        is_contents: Whether it is an entry of a table of contents.
    """

    heading: int | None = None
    list_level: int | None = None
    numbering: tuple[str, int] | None = None
    is_contents: bool = False


class Styles:
    """The styles of a document; `element` is the root of its styles part, or None."""

    def __init__(self, element: Element | None) -> None:
        styles = element.iter(w("style")) if element is not None else ()
        self._by_id = {style.get(w("styleId")): style for style in styles}

    def of(self, paragraph: Element) -> ParagraphStyle:
        """Return what the paragraph is; its own properties count before those of its style."""
        properties = [paragraph.find(w("pPr"))]
        chain = list(self._chain(_value(properties[0], "pStyle")))
        properties += [style.find(w("pPr")) for style in chain]
        names = [(_value(style, "name") or "") for style in chain]
        numbering = self._numbering(properties)
        return ParagraphStyle(
            heading=_heading(properties, names),
            list_level=_list_level(numbering, names),
            numbering=numbering,
            is_contents=any(name.lower().startswith("toc ") for name in names),
        )

    def _chain(self, style_id: str | None) -> Iterator[Element]:
        for _ in range(_MAX_DEPTH):
            style = self._by_id.get(style_id)
            if style is None:
                return
            yield style
            style_id = _value(style, "basedOn")

    def _numbering(self, properties: list[Element]) -> tuple[str, int] | None:
        numbers = [_value(each, "numPr/numId") for each in properties]
        levels = [_number(_value(each, "numPr/ilvl")) for each in properties]
        number = next((each for each in numbers if each is not None), None)
        if number in (None, "0"):  # 0 takes a paragraph out of the list of its style
            return None
        return number, next((level for level in levels if level is not None), 0)


def _heading(properties: list[Element], names: list[str]) -> int | None:
    # Word writes the built-in names in English in every language; the ids are translated.
    for own, name in zip(properties, ["", *names], strict=True):
        match = _HEADING.fullmatch(name)
        if match:
            return int(match[1])
        if name.lower() == "title":
            return 0
        level = _number(_value(own, "outlineLvl"))
        if level is not None:
            return level + 1 if 0 <= level < _BODY_LEVEL else None
    return None


def _list_level(numbering: tuple[str, int] | None, names: list[str]) -> int | None:
    match = _LIST.fullmatch(names[0]) if names else None
    named = int(match[1] or 1) if match else None  # "List Bullet 2" has a list of its own
    if numbering is None:
        return named
    return max(min(numbering[1] + 1, _BODY_LEVEL), named or 1)


class Numbering:
    """Counts the items of numbered lists; `element` is the root of the numbering part, or None.

    The numbers stand in no text of the file: Word computes them, and so does this, where
    they are decimal.
    """

    def __init__(self, element: Element | None) -> None:
        self._levels: dict[str, dict[int, Element]] = {}
        self._counted: dict[str, list[int]] = {}
        self._lists: dict[str, str] = {}
        if element is None:
            return
        abstract = {
            each.get(w("abstractNumId")): {
                level: each_level
                for each_level in each.iter(w("lvl"))
                if (level := _number(each_level.get(w("ilvl")))) is not None
            }
            for each in element.iter(w("abstractNum"))
        }
        for num in element.iter(w("num")):
            name = num.get(w("numId"))
            base = _value(num, "abstractNumId") or ""
            self._levels[name] = dict(abstract.get(base, {}))
            # Lists with one definition go on counting unless they say otherwise.
            starts_anew = num.find(w("lvlOverride")) is not None
            self._lists[name] = f"{base} from {name}" if starts_anew else base

    def next_marker(self, numbering: tuple[str, int]) -> str:
        """Count one paragraph; return its number as Word shows it, or "" if not decimal."""
        name, level = numbering
        levels = self._levels.get(name, {})
        if level not in levels or not 0 <= level < _BODY_LEVEL:
            return ""
        counted = self._counted.setdefault(self._lists[name], [])
        del counted[level + 1 :]
        while len(counted) <= level:
            counted.append(_start(levels.get(len(counted))) - 1)
        counted[level] += 1
        # A level that was skipped shows its first number.
        shown = [max(n, _start(levels.get(at))) for at, n in enumerate(counted)]
        return _marker(levels, level, shown)


def _start(level: Element | None) -> int:
    start = _number(_value(level, "start"))
    return 1 if start is None else start


def _marker(levels: dict[int, Element], level: int, counted: list[int]) -> str:
    pattern = _value(levels[level], "lvlText") or ""
    if len(pattern) > _MAX_MARKER:
        return ""
    used = [int(digit) - 1 for digit in re.findall(r"%(\d)", pattern)]
    if not used or any(at not in levels or at >= len(counted) for at in used):
        return ""
    if any(_value(levels[at], "numFmt") != "decimal" for at in used):
        return ""
    return re.sub(r"%(\d)", lambda match: str(counted[int(match[1]) - 1]), pattern)
