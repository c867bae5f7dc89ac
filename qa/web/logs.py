"""What a running server logs, and what it keeps to itself.

The message of an error that nobody foresaw may quote whatever was being worked on: a question, a
sentence of a document. So such an error is logged by its type and the lines of code it came
through, without the message. There is no log of requests.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType

from qa.visible import VisibleFormatter

__all__ = ["DiscreetFormatter", "log_discreetly"]

_ErrorInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class DiscreetFormatter(VisibleFormatter):
    """Formats errors without what they say."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and behind it the error that belongs to it."""
        record.exc_text = None  # another formatter may have been less discreet
        return super().format(record)

    def formatException(self, ei: _ErrorInfo) -> str:
        """Return types, lines of code and our own notes, the first cause first."""
        parts: list[str] = []
        error, seen = ei[1], set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            lines = [line.rstrip() for line in traceback.format_tb(error.__traceback__)]
            notes = [str(note) for note in getattr(error, "__notes__", ())]
            kind = type(error)
            parts.append("\n".join([*lines, f"{kind.__module__}.{kind.__qualname__}", *notes]))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n\n".join(reversed(parts))


class _Standard(logging.Handler):
    """Writes what the libraries below us log to whatever stderr is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.partition(".")[0] != "quoth":  # the command writes these
            print(self.format(record), file=sys.stderr)  # noqa: T201


def log_discreetly() -> None:
    """From now on log errors without what they say, those of libraries and of threads too."""
    own = logging.getLogger("quoth")
    for handler in own.handlers:
        handler.setFormatter(DiscreetFormatter("quoth: %(message)s"))
    root = logging.getLogger()
    if not any(isinstance(handler, _Standard) for handler in root.handlers):
        others = _Standard(logging.WARNING)
        others.setFormatter(DiscreetFormatter("%(name)s: %(message)s"))
        root.addHandler(others)
    threading.excepthook = _on_failed_thread


def _on_failed_thread(args: threading.ExceptHookArgs) -> None:
    name = "a thread" if args.thread is None else args.thread.name
    error = args.exc_value
    logging.getLogger(f"quoth.{__name__}").error(
        "%s failed", name, exc_info=(args.exc_type, error, args.exc_traceback) if error else None
    )
