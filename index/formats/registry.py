"""Which formats there are, and the one way from a file to a document.

A new format is one module with a function `parse(path, limits) -> Document` and one line in
`FORMATS`. The modules are imported when a file needs them: knowing which suffixes can be read
costs nothing. Files are parsed in a process of their own; see `index.formats.apart`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from index.errors import FormatError, MissingExtraError
from index.formats.language import guess_language
from index.formats.limits import DEFAULT_LIMITS, Limits, check_document
from index.types import Document

if TYPE_CHECKING:
    from index.formats.apart import Pool
    from index.formats.opening import FileCopy

__all__ = [
    "FORMATS",
    "Format",
    "Limits",
    "Reading",
    "format_of",
    "read_document",
    "read_file",
    "supported_suffixes",
]

_AT_ONCE = 2  # files parsed at the same time, by as many threads
_SMALL = 256 * 2**10


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its name, the suffixes it goes by and the module that reads it.

    Attributes:
        name: As documents show it, such as "pdf".
        suffixes: Lower case, with the dot; each belongs to one format only.
        module: Imported at the first use; has `parse(path, limits) -> Document`.
        imports: What its module, or a package that it uses, imports late. A process that is made
            for each file would do so each time.
        simple_bytes: Up to this size a file is parsed in the process itself, which is quicker.
            For parsers of our own alone, whose time and memory grow with the file and no faster.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    imports: tuple[str, ...] = ()
    simple_bytes: int = 0

    def parse(self, path: Path, limits: Limits) -> Document:
        """Return the document in the file, parsed here.

        Raises:
            FormatError: It is damaged, has no text or is over the limits; what the parser
                raised, if it did, is the cause.
            MissingExtraError: The format needs a package that is not installed.
            MemoryError: There is not enough.
        """
        try:
            parse = cast(
                "Callable[[Path, Limits], Document]", vars(import_module(self.module))["parse"]
            )
            document = parse(path, limits)
        except (FormatError, MissingExtraError, MemoryError):
            raise
        except OSError as error:
            raise FormatError(f"cannot be read: {_clause(error)}") from error
        except Exception as error:
            # Parsers of untrusted files fail in ways no list foresees; one bad file must not
            # end a sync.
            raise FormatError(f"damaged, or not a {self.name} file") from error
        check_document(document, limits)
        return document


@dataclass(frozen=True, slots=True)
class Reading:
    """A document, and the SHA-256 of the very bytes that it was read from, hexadecimal."""

    document: Document
    sha256: str


FORMATS: tuple[Format, ...] = (
    Format("text", (".txt", ".text", ".log"), "index.formats.text", simple_bytes=_SMALL),
    Format("markdown", (".md", ".markdown"), "index.formats.markdown"),
    Format("html", (".html", ".htm", ".xhtml"), "index.formats.html"),
    Format("pdf", (".pdf",), "index.formats.pdf", ("heapq", "encodings.utf_16_le")),
    Format(
        "docx",
        (".docx",),
        "index.formats.docx",
        ("docx.package", "_strptime", "encodings.cp437"),
    ),
    Format("csv", (".csv", ".tsv"), "index.formats.table", simple_bytes=_SMALL),
)

_BY_SUFFIX = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}


def supported_suffixes() -> tuple[str, ...]:
    """Return the suffixes that can be read, in alphabetical order."""
    return tuple(sorted(_BY_SUFFIX))


def format_of(path: Path) -> Format | None:
    """Return the format that the file's suffix names, in any case, or None."""
    return _BY_SUFFIX.get(path.suffix.lower())


def read_document(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, cancel: threading.Event | None = None
) -> Document:
    """Return the document in the file at `path`, its language guessed from the text.

    Raises:
        FormatError: The file is missing, unreadable, empty, too large, of an unknown format,
            damaged or without text, or takes too much to read; `reason` says which. What the
            parser raised, if it did, is the cause.
        MissingExtraError: The format needs a package that is not installed.
        SyncCancelledError: `cancel` was set meanwhile.
    """
    return read_file(path, limits=limits, cancel=cancel).document


def read_file(
    path: Path,
    *,
    root: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    cancel: threading.Event | None = None,
) -> Reading:
    """Return the document in the file at `path`, and the hash of what was read.

    Args:
        path: The file.
        root: The folder that it was found below. With it neither the file nor a folder between
            the two may be a symbolic link. Without it, links are followed.
        limits: How much the file may hold and its reading take.
        cancel: Once set, the reading ends at once.

    Raises:
        FormatError: As `read_document`; also if the file does not stand still to be read.
        MissingExtraError: As `read_document`.
        SyncCancelledError: `cancel` was set.
    """
    from index.formats.opening import copied

    format_ = format_of(path)
    if format_ is None:
        raise FormatError(_unknown(path))
    with copied(path, root=root, max_bytes=limits.max_bytes) as copy:
        document = _parse(format_, copy, limits, cancel)
        digest = copy.sha256
    if document.language is None:
        document = replace(document, language=guess_language(document.text))
    return Reading(document, digest)


def _parse(
    format_: Format, copy: FileCopy, limits: Limits, cancel: threading.Event | None
) -> Document:
    if copy.size <= format_.simple_bytes:
        return format_.parse(copy.path, limits)
    modules = [format_.module, *format_.imports]
    order = {"do": "parse", "modules": modules, "format": format_.name}
    return _pool().run(
        order, copy.descriptor, limits, lambda reply: reply.document(), cancel=cancel
    )


@cache
def _pool() -> Pool:
    from index.formats.apart import Pool

    return Pool(_AT_ONCE)


def _unknown(path: Path) -> str:
    known = ", ".join(supported_suffixes())
    if not path.suffix:
        return f"unknown format: no suffix; known are {known}"
    return f"unknown format {path.suffix}; known are {known}"


def _clause(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
