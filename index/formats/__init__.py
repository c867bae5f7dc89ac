"""One module a file format: from a file on disk to a `Document`."""

from index.formats.registry import (
    FORMATS,
    Format,
    Limits,
    format_of,
    read_document,
    supported_suffixes,
)

__all__ = ["FORMATS", "Format", "Limits", "format_of", "read_document", "supported_suffixes"]
