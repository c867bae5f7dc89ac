"""An answer or a whole conversation as a file, or as lines to paste, with all that proves it."""

from __future__ import annotations

from qa.export.copying import copy_answer, copy_conversation, copy_line
from qa.export.files import (
    ExportedTurn,
    ExportFile,
    ExportFormat,
    conversation_to_html,
    conversation_to_json,
    conversation_to_markdown,
    export,
    export_name,
)

__all__ = [
    "ExportFile",
    "ExportFormat",
    "ExportedTurn",
    "conversation_to_html",
    "conversation_to_json",
    "conversation_to_markdown",
    "copy_answer",
    "copy_conversation",
    "copy_line",
    "export",
    "export_name",
]
