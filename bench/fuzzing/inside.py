"""Changes inside a wrapping: the parts of a DOCX file, the objects and streams of a PDF."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random

from lxml import etree

from bench.fuzzing import changes
from bench.fuzzing.pdfs import objects_of, stream, write_pdf
from bench.fuzzing.seeds import repacked, unpacked
from bench.fuzzing.words import NUMBERS

__all__ = ["INSIDE"]

_MOST = changes.MOST


def _inside_docx(data: bytes, random: Random) -> bytes:
    """Change parts of the package, or their names, and pack it again."""
    members = unpacked(data)
    names = [name for name in members if name.endswith((".xml", ".rels"))]
    for _ in range(random.choice((1, 1, 2, 4))):
        name = "word/document.xml" if random.random() < 0.5 else random.choice(names)
        if name not in members:
            continue
        if random.random() < 0.1:
            old, name = (
                name,
                random.choice((f"../{name}", name.upper(), "a" * 300, random.choice(names))),
            )
            members[name] = members.pop(old)
        change = random.choice(
            (
                _tree,
                _tree,
                _tree,
                _tree,
                _tree,
                _elements,
                _nest,
                changes.word,
                changes.number,
                changes.flip,
                changes.cut,
                changes.splice,
            )
        )
        members[name] = change(
            members[name], random.choice(list(members.values())), "docx", random
        )[:_MOST]
    return repacked(members, stored=random.random() < 0.2)


_TAG = re.compile(rb"<[^>]*>")


def _tree(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    """Remove, repeat, move or deepen elements, or change what they hold; it stays well-formed."""
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError:  # changed before
        return data
    for _each in range(random.choice((1, 2, 8))):
        elements = [each for each in root.iter("*") if each.getparent() is not None]
        if not elements:
            break
        one, two = random.choice(elements), random.choice(elements)
        match random.randrange(6):
            case 0:
                parent = one.getparent()
                if parent is not None:
                    parent.remove(one)
            case 1:
                for _copy in range(random.choice((1, 5, 60))):
                    one.addnext(deepcopy(one))
            case 2:
                if one is not two and two not in one.iterancestors():
                    one.append(two)  # two leaves its place
            case 3:
                for _level in range(random.choice((1, 5, 40, 300))):
                    above = etree.Element(one.tag)
                    one.addprevious(above)
                    above.append(one)
            case 4:
                for name in one.attrib:
                    one.set(name, random.choice((*NUMBERS, *two.attrib.values(), b"x" * 3000)))
            case _:
                one.tag, one.text = two.tag, "9" * random.choice((0, 1, 5000))
    return etree.tostring(root)


def _elements(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    """Remove, repeat, exchange or unbalance tags."""
    tags = list(_TAG.finditer(data))
    if len(tags) < 2:
        return data
    one, two = sorted(random.sample(tags, 2), key=lambda tag: tag.start())
    between = data[one.start() : two.end()]
    match random.randrange(4):
        case 0:
            return data[: one.start()] + data[one.end() :]
        case 1:
            return data[: one.start()] + data[two.end() :]
        case 2:
            return data[: one.start()] + between * random.choice((2, 20)) + data[two.end() :]
        case _:
            middle = data[one.end() : two.start()]
            return data[: one.start()] + two[0] + middle + one[0] + data[two.end() :]


def _nest(data: bytes, _: bytes, form: str, random: Random) -> bytes:
    """Wrap a stretch between two tags into many elements."""
    tags = list(_TAG.finditer(data))
    if len(tags) < 2:
        return data
    one, two = sorted(random.sample(tags, 2), key=lambda tag: tag.start())
    name = random.choice((b"w:p", b"w:r", b"w:tbl", b"w:tc", b"w:sdt", b"w:ins", b"x"))
    depth = random.choice((1, 10, 200, 3000))
    start, end = one.end(), two.start()
    return (
        data[:start]
        + b"<%s>" % name * depth
        + data[start:end]
        + b"</%s>" % name * depth
        + data[end:]
    )


def _inside_pdf(data: bytes, random: Random) -> bytes:
    """Change objects and what their streams unpack to; the table of objects stays right."""
    objects, trailer = objects_of(data)
    if not objects:
        return data
    for _ in range(random.choice((1, 1, 2, 4))):
        number = random.choice(list(objects))
        objects[number] = _changed_object(objects[number], list(objects), random)
    if random.random() < 0.05:
        del objects[random.choice(list(objects))]
    root = re.search(rb"/Root\s+(\d+)", trailer)
    trailer = re.sub(rb"/Root\s+\d+\s+\d+\s+R", b"", trailer)
    return write_pdf(objects, root=int(root[1]) if root else 1, trailer=trailer)


def _changed_object(body: bytes, numbers: Sequence[int], random: Random) -> bytes:
    head, keyword, rest = body.partition(b"stream\n")
    if keyword and random.random() < 0.7:
        content = rest.rpartition(b"\nendstream")[0]
        if b"/FlateDecode" in head:
            try:
                content = zlib.decompress(content)
            except zlib.error:  # it is encrypted
                return head + keyword + changes.flip(rest, b"", "pdf", random)
        change = random.choice(
            (
                changes.word,
                changes.number,
                changes.repeat,
                changes.remove,
                changes.flip,
                changes.shuffle,
            )
        )
        content = change(content, b"", "pdf", random)[:_MOST]
        entries = re.sub(rb"/Length\s+\d+(?:\s+\d+\s+R)?|/Filter\s*/FlateDecode", b"", head)
        entries = entries.strip().removeprefix(b"<<").removesuffix(b">>")
        return stream(content, packed=random.random() < 0.5, entries=entries)
    references = list(re.finditer(rb"\d+ 0 R", head))
    if references and random.random() < 0.5:  # to anywhere: circles are among what comes out
        match = random.choice(references)
        target = b"%d 0 R" % random.choice(numbers)
        head = head[: match.start()] + target * random.choice((1, 1, 30)) + head[match.end() :]
    else:
        head = random.choice((changes.number, changes.word, changes.remove, changes.repeat))(
            head, b"", "pdf", random
        )[:_MOST]
    return head + keyword + rest


INSIDE: dict[str, Callable[[bytes, Random], bytes]] = {"docx": _inside_docx, "pdf": _inside_pdf}
