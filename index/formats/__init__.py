"""One module a file format: from a file on disk to a `Document`."""

from index.formats.registry import (
    FORMATS,
    Format,
    Limits,
    Reading,
    format_of,
    read_document,
    read_file,
    supported_suffixes,
)

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
