"""A document's text, blocks and pages as one compressed value, and back without loss."""

from __future__ import annotations

import hashlib
import json
import threading
import zlib
from collections import OrderedDict
from typing import Any

from index.database import Database
from index.errors import DocumentNotFoundError, LibraryDamagedError
from index.types import Block, BlockKind, Document, Page

__all__ = ["ContentCache", "decode_content", "encode_content", "stored_content", "text_hash"]


def text_hash(text: str) -> str:
    """Return the SHA-256 of `text`, hexadecimal."""
    return hashlib.sha256(_bytes(text)).hexdigest()


def encode_content(document: Document) -> bytes:
    """Return `document` as bytes; `decode_content` gives an equal document."""
    head = {
        "blocks": [
            [b.start, b.end, b.kind.value, list(b.headings), b.page, b.level, b.context]
            for b in document.blocks
        ],
        "pages": [[p.number, p.start, p.end, p.runs] for p in document.pages],
        "title": document.title,
        "date": document.date,
        "language": document.language,
        "warnings": document.warnings,
    }
    packed = json.dumps(head, separators=(",", ":")).encode("ascii")
    # surrogatepass: a text is kept as it is, also where it is no proper Unicode.
    payload = len(packed).to_bytes(4, "big") + packed + _bytes(document.text)
    return zlib.compress(payload, 3)


def decode_content(data: bytes) -> Document:
    """Return the document that `encode_content` was given."""
    payload = zlib.decompress(data)
    size = int.from_bytes(payload[:4], "big")
    head: dict[str, Any] = json.loads(payload[4 : 4 + size])
    return Document(
        text=payload[4 + size :].decode("utf-8", "surrogatepass"),
        blocks=tuple(
            Block(start, end, BlockKind(kind), tuple(headings), page, level, context)
            for start, end, kind, headings, page, level, context in head["blocks"]
        ),
        pages=tuple(
            Page(number, start, end, tuple((a, b, n) for a, b, n in runs))
            for number, start, end, runs in head["pages"]
        ),
        title=head["title"],
        date=head["date"],
        language=head["language"],
        warnings=tuple(head["warnings"]),
    )


def stored_content(db: Database, number: int) -> Document:
    """Return the stored document with this number, alive or not.

    Raises:
        DocumentNotFoundError: There is none.
        LibraryDamagedError: Its text is not the one that was stored.
    """
    row = db.execute(
        "SELECT content, text_hash, path FROM documents WHERE id = ?", (number,)
    ).fetchone()
    if row is None:
        raise DocumentNotFoundError(f"The library has no document number {number}.")
    try:
        document = decode_content(row[0])
        if text_hash(document.text) == row[1]:
            return document
    except (zlib.error, ValueError, TypeError, KeyError, AttributeError, MemoryError):
        pass  # what was stored can be read
    raise LibraryDamagedError(f"the text of {row[2]} (document {number})", number)


class ContentCache:
    """Documents read lately; a document's content never changes, so none is ever stale."""

    def __init__(self, max_characters: int = 20_000_000) -> None:
        self._documents: OrderedDict[int, Document] = OrderedDict()
        self._lock = threading.Lock()
        self._characters = 0
        self._max_characters = max_characters

    def get(self, db: Database, document: int) -> Document:
        """Return the stored document with this number, alive or not.

        Raises:
            DocumentNotFoundError: There is none.
            LibraryDamagedError: Its text is not the one that was stored.
        """
        with self._lock:
            if document in self._documents:
                self._documents.move_to_end(document)
                return self._documents[document]
        content = stored_content(db, document)
        with self._lock:
            if document not in self._documents:
                self._documents[document] = content
                self._characters += len(content.text)
            while self._characters > self._max_characters and len(self._documents) > 1:
                _, oldest = self._documents.popitem(last=False)
                self._characters -= len(oldest.text)
        return content


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
