"""HTML: what a reader of the page reads, without menus, banners and what is hidden."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lxml import etree
from lxml.html import HTMLParser

from index.errors import FormatError
from index.formats.builder import DocumentBuilder, one_title
from index.formats.dates import find_date, parse_date
from index.formats.encoding import decode
from index.formats.html_blocks import Element, add_blocks, tag_of, visible_text
from index.formats.registry import Limits
from index.types import Document

__all__ = ["add_html", "parse"]

_NEVER_TEXT = frozenset(
    "applet audio canvas datalist embed frame head iframe input math noembed noframes noscript "
    "object progress script select style svg template textarea title video".split()
)
_MENUS = frozenset(["nav", "footer", "aside"])
_MENU_ROLES = frozenset(
    "banner navigation contentinfo complementary search menu menubar dialog alertdialog".split()
)
# Words in class and id that only menus and banners have; "menu" alone may be a restaurant's.
_MENU_NAME = re.compile(
    r"(?<![a-z])(?:cookies?|consent|gdpr|breadcrumbs?|navbar|sidebar|footer|"
    r"skip-?(?:link|nav|to-\w+)|(?:main|site|top|page)-?(?:nav|menu|navigation)|"
    r"share-?(?:buttons|links|bar)|social-?(?:links|media|share|icons))(?![a-z])",
    re.IGNORECASE,
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_IN_TEXT = frozenset(["main", "article"])
_MENU_LINKS = 3  # a list of at least as many links and nothing else is a menu

# Leaving out more than this share of the page must have a better reason than a class name.
_MIN_SHARE_BY_NAME = 0.5
_MIN_SHARE = 0.1

_CHARSET = re.compile(
    rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]+encoding\s*=\s*[\"']([\w.:-]+)", re.I
)
_HEAD_BYTES = 4096

_DATE_META = (
    "article:published_time date datepublished dc.date dc.date.issued dcterms.date "
    "dcterms.issued dcterms.created pubdate publishdate publication_date citation_date "
    "citation_publication_date sailthru.date"
).split()
_JSON_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')


def parse(path: Path, limits: Limits) -> Document:
    """Return the page's main text as a document.

    What is left out (menus, banners, sidebars) is decided by element and role, and by class
    names as long as most of the text stays; a page that is nothing else is read whole.

    Raises:
        FormatError: The file is binary, or nested beyond what the parser reads.
    """
    data = path.read_bytes()
    declared = _CHARSET.search(data[:_HEAD_BYTES])
    name = (declared[1] or declared[2]).decode("ascii") if declared else ""
    root = _tree(decode(data, declared=name))
    if root is None:
        raise FormatError("no text")
    return _with_metadata(_read(root, limits), root)


def add_html(builder: DocumentBuilder, source: str) -> None:
    """Add the text of a fragment of HTML to the document that is being built."""
    root = _tree(source)
    if root is not None:
        add_blocks(builder, root, _is_hidden)


def _tree(source: str) -> Element | None:
    """Return the tree of the page, or None if nothing is in it."""
    parser = HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, no_network=True
    )
    data = source.encode("utf-8", errors="replace")
    if not data.strip():
        return None
    try:
        root = etree.fromstring(data, parser)
    except etree.ParserError:
        return None
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise FormatError("nested too deeply")
    return root


def _read(root: Element, limits: Limits) -> Document:
    """Return the document without what is left out, or with more of it if too little stays."""
    everything = _blocks(root, _is_hidden, limits)
    by_role = _blocks(root, _is_menu, limits)
    by_name = _blocks(root, _Beside(root).is_left_out, limits)
    if _size(by_name) >= _MIN_SHARE_BY_NAME * _size(by_role) > 0:
        by_role = by_name
    return by_role if _size(by_role) >= _MIN_SHARE * _size(everything) else everything


def _blocks(root: Element, is_left_out: Callable[[Element], bool], limits: Limits) -> Document:
    builder = DocumentBuilder(limits)
    add_blocks(builder, root, is_left_out)
    return builder.build()


def _size(document: Document) -> int:
    return sum(block.end - block.start for block in document.blocks)


def _is_hidden(element: Element) -> bool:
    """Return whether a reader of the page does not see the element, or it is no text."""
    tag = tag_of(element)
    if tag in _NEVER_TEXT or element.get("hidden") is not None:
        return True
    if tag == "dialog" and element.get("open") is None:
        return True
    # Questions of an FAQ are often buttons inside headings; other buttons are controls.
    if tag == "button" and not _is_in_heading(element):
        return True
    return element.get("aria-hidden") == "true" or bool(
        _HIDDEN_STYLE.search(element.get("style", ""))
    )


def _is_in_heading(element: Element) -> bool:
    parent = element.getparent()
    return parent is not None and tag_of(parent) in ("h1", "h2", "h3", "h4", "h5", "h6", "dt")


def _is_menu(element: Element) -> bool:
    """Return whether the element is hidden, or a menu or banner by its name or role."""
    if _is_hidden(element):
        return True
    tag = tag_of(element)
    if tag == "nav" or element.get("role", "").lower() in _MENU_ROLES:
        return element.find(".//h1") is None
    return tag in _MENUS and not any(tag_of(above) in _IN_TEXT for above in element.iterancestors())


class _Beside:
    """Finds, besides menus by role, those by class name and all that is beside <main>."""

    def __init__(self, root: Element) -> None:
        mains = [
            element
            for element in root.iter()
            if tag_of(element) == "main" or element.get("role") == "main"
        ]
        self._main = mains[0] if len(mains) == 1 else None
        self._around = set(self._main.iterancestors()) if self._main is not None else set()

    def is_left_out(self, element: Element) -> bool:
        if _is_menu(element):
            return True
        if element in self._around or element is self._main or tag_of(element) == "h1":
            return False
        names = f"{element.get('class', '')} {element.get('id', '')}"
        is_beside = element.getparent() in self._around or _MENU_NAME.search(names)
        return bool(is_beside or _is_link_list(element)) and element.find(".//h1") is None


def _is_link_list(element: Element) -> bool:
    """Return whether the element is a list of links and has no other words."""
    if tag_of(element) not in ("ul", "ol"):
        return False
    links = [visible_text(link, _is_hidden) for link in element.iter("a")]
    return len(links) >= _MENU_LINKS and "".join(links).replace(" ", "") == visible_text(
        element, _is_hidden
    ).replace(" ", "")


def _with_metadata(document: Document, root: Element) -> Document:
    meta = _meta(root)
    return replace(
        document,
        title=one_title(_title(root, meta)),
        date=_date(root, meta) or find_date(document.text),
    )


def _meta(root: Element) -> dict[str, str]:
    """Return the page's <meta> values by name, property or itemprop; the first of each."""
    found: dict[str, str] = {}
    for element in root.iter("meta"):
        for attribute in ("name", "property", "itemprop"):
            name = element.get(attribute, "").lower()
            if name and element.get("content", "").strip():
                found.setdefault(name, element.get("content", ""))
    return found


def _title(root: Element, meta: dict[str, str]) -> str:
    """Return <h1> if <title> repeats it with the site's name, else what <title> says."""
    heading = next((visible_text(element, _is_hidden) for element in root.iter("h1")), "")
    element = root.find(".//head/title")
    stated = "" if element is None else " ".join((element.text or "").split())
    if heading and heading.lower() in stated.lower():
        return heading
    return meta.get("og:title") or stated or heading


def _date(root: Element, meta: dict[str, str]) -> str | None:
    stated = [meta[name] for name in _DATE_META if name in meta]
    for element in root.iter("script", "time"):
        if tag_of(element) == "script" and element.get("type") == "application/ld+json":
            stated += _JSON_LD_DATE.findall(element.text or "")
        elif element.get("itemprop") == "datePublished" or element.get("pubdate") is not None:
            stated.append(element.get("datetime", ""))
    return next(filter(None, map(parse_date, stated)), None)
