"""Which formats there are, and the one way from a file to a document.

A new format is one module with a function `parse(path, limits) -> Document` and one line in
`FORMATS`. The modules are imported when a file needs them: knowing which suffixes can be read
costs nothing.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import cast

from index.errors import FormatError, MissingExtraError
from index.formats.language import guess_language
from index.types import Document

__all__ = ["FORMATS", "Format", "Limits", "format_of", "read_document", "supported_suffixes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file may hold; a file beyond a limit is refused, never cut."""

    max_bytes: int = 64 * 2**20
    max_characters: int = 20_000_000
    max_pages: int = 5_000


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its name, the suffixes it goes by and the module that reads it.

    Attributes:
        name: As documents show it, such as "pdf".
        suffixes: Lower case, with the dot; each belongs to one format only.
        module: Imported at the first use; has `parse(path, limits) -> Document`.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str

    def parse(self, path: Path, limits: Limits) -> Document:
        """Return the document in the file; whatever the parser raises comes through."""
        parse = cast(
            "Callable[[Path, Limits], Document]", vars(import_module(self.module))["parse"]
        )
        return parse(path, limits)


FORMATS: tuple[Format, ...] = (
    Format("text", (".txt", ".text", ".log"), "index.formats.text"),
    Format("markdown", (".md", ".markdown"), "index.formats.markdown"),
    Format("html", (".html", ".htm", ".xhtml"), "index.formats.html"),
    Format("pdf", (".pdf",), "index.formats.pdf"),
    Format("docx", (".docx",), "index.formats.docx"),
    Format("csv", (".csv", ".tsv"), "index.formats.table"),
)

_BY_SUFFIX = {suffix: format_ for format_ in FORMATS for suffix in format_.suffixes}
_DEFAULT_LIMITS = Limits()


def supported_suffixes() -> tuple[str, ...]:
    """Return the suffixes that can be read, in alphabetical order."""
    return tuple(sorted(_BY_SUFFIX))


def format_of(path: Path) -> Format | None:
    """Return the format that the file's suffix names, in any case, or None."""
    return _BY_SUFFIX.get(path.suffix.lower())


def read_document(path: Path, *, limits: Limits = _DEFAULT_LIMITS) -> Document:
    """Return the document in the file at `path`, its language guessed from the text.

    Raises:
        FormatError: The file is missing, unreadable, empty, too large, of an unknown format,
            damaged or without text; `reason` says which. What the parser raised, if it did,
            is the cause.
        MissingExtraError: The format needs a package that is not installed.
    """
    format_ = format_of(path)
    if format_ is None:
        raise FormatError(_unknown(path))
    _check_file(path, limits)
    document = _parse(format_, path, limits)
    if len(document.text) > limits.max_characters:
        raise FormatError(
            f"too much text: {len(document.text):,} characters, "
            f"the limit is {limits.max_characters:,}"
        )
    if not any(map(_is_visible, document.text)):
        raise FormatError("no text")
    if document.language is None:
        document = replace(document, language=guess_language(document.text))
    return document


def _unknown(path: Path) -> str:
    known = ", ".join(supported_suffixes())
    if not path.suffix:
        return f"unknown format: no suffix; known are {known}"
    return f"unknown format {path.suffix}; known are {known}"


def _check_file(path: Path, limits: Limits) -> None:
    try:
        status = path.stat()
        # Opening tells what permission bits do not: access lists, other systems' mounts.
        if stat.S_ISREG(status.st_mode):
            os.close(os.open(path, os.O_RDONLY))
    except FileNotFoundError as error:
        raise FormatError("no such file") from error
    except PermissionError as error:
        raise FormatError("no permission to read it") from error
    except (OSError, ValueError) as error:
        raise FormatError(f"cannot be opened: {_clause(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise FormatError("a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file")
    if status.st_size == 0:
        raise FormatError("empty file")
    if status.st_size > limits.max_bytes:
        size, limit = _megabytes(status.st_size), _megabytes(limits.max_bytes)
        raise FormatError(f"too large: {size}, the limit is {limit}")


def _parse(format_: Format, path: Path, limits: Limits) -> Document:
    try:
        return format_.parse(path, limits)
    except (FormatError, MissingExtraError):
        raise
    except OSError as error:
        raise FormatError(f"cannot be read: {_clause(error)}") from error
    except MemoryError as error:
        raise FormatError("needs more memory than there is") from error
    except Exception as error:
        # Parsers of untrusted files fail in ways no list foresees; one bad file must not
        # end a sync.
        raise FormatError(f"damaged, or not a {format_.name} file") from error


def _megabytes(size: int) -> str:
    # Rounded up, so that a file just above the limit does not read as if it were at it.
    return f"{size:,} bytes" if size < 2**20 else f"{-(-size // 2**20):,} MB"


def _clause(error: OSError | ValueError) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"
