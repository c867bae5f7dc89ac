"""The errors raised on purpose.

QuothError
├── SourceError            a folder, file or pattern given by the user
├── SyncCancelledError     somebody stopped a sync
├── ClusterError           machines that were to help with one
├── FormatError            a file that cannot be read; `reason` fits into a report
│   ├── ParserEndedError   it cost its parser the process
│   └── ParsersBusyError   it was not its turn in time
├── EncoderError           the embedding model
│   └── ModelMismatchError
├── LibraryError           the library folder
│   ├── LibraryNotFoundError
│   ├── LibraryFormatError
│   ├── LibraryDamagedError    something in it is not what was written
│   ├── LibraryLockedError
│   └── LibraryUnreachableError  a database or engine elsewhere does not answer
├── BackupError            a file that is no whole backup, or cannot become one
├── DocumentNotFoundError  an id or name the library does not hold
├── ConversationNotFoundError  an id that names none of a person's conversations
├── QuestionError          a question that cannot be asked
└── MissingExtraError      an optional package; also an ImportError
"""

from __future__ import annotations

__all__ = [
    "BackupError",
    "ClusterError",
    "ConversationNotFoundError",
    "DocumentNotFoundError",
    "EncoderError",
    "FormatError",
    "LibraryDamagedError",
    "LibraryError",
    "LibraryFormatError",
    "LibraryLockedError",
    "LibraryNotFoundError",
    "LibraryUnreachableError",
    "MissingExtraError",
    "ModelMismatchError",
    "ParserEndedError",
    "ParsersBusyError",
    "QuestionError",
    "QuothError",
    "SourceError",
    "SyncCancelledError",
]


class QuothError(Exception):
    """Base of all errors raised on purpose; the message can be shown as it is."""


class SourceError(QuothError):
    """A folder or file named by the user cannot be a source."""


class SyncCancelledError(QuothError):
    """A sync was stopped by whoever began it; the library is as it was."""

    def __init__(self) -> None:
        super().__init__("The sync was stopped; the library is as it was.")


class ClusterError(QuothError):
    """Other machines were to read and embed, and cannot; the library is as it was."""


class FormatError(QuothError):
    """A file cannot be turned into a document.

    `reason` is a short clause for a report, such as "encrypted" or "no text".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ParserEndedError(FormatError):
    """A file took too long or too much memory, or made its parser crash; it would again."""


class ParsersBusyError(FormatError):
    """Others kept the parsers busy for too long; nothing is said about the file."""

    def __init__(self) -> None:
        super().__init__("other files are being read; try again in a moment")


class EncoderError(QuothError):
    """An embedding model cannot be loaded or does not work as it should."""


class ModelMismatchError(EncoderError):
    """The library was built with another embedding model."""

    def __init__(self, built_with: str, asked_for: str) -> None:
        super().__init__(
            f"The library was built with the model {built_with}, not {asked_for}; "
            "use that model, or embed everything again with `quoth rebuild --model`."
        )
        self.built_with, self.asked_for = built_with, asked_for


class LibraryError(QuothError):
    """The library folder cannot be used."""


class LibraryNotFoundError(LibraryError):
    """There is no library at this path."""


class LibraryFormatError(LibraryError):
    """The folder is no library, or one that this version cannot read."""


class LibraryDamagedError(LibraryError):
    """Something in the library is not what was written; nothing of it is shown.

    `what` names it, `document` is its number where it belongs to one.
    """

    def __init__(self, what: str, document: int | None = None) -> None:
        super().__init__(
            f"The library is damaged: {what} is not what was stored; "
            "`quoth doctor` tells what can be mended; otherwise restore it from a backup."
        )
        self.what, self.document = what, document


class LibraryLockedError(LibraryError):
    """Another process is changing the library."""


class LibraryUnreachableError(LibraryError):
    """A database or an engine that the library is in does not answer, or lets nobody in."""


class BackupError(QuothError):
    """A backup cannot be made, or what was given is no whole one."""


class DocumentNotFoundError(QuothError):
    """The library has no such document."""


class ConversationNotFoundError(QuothError):
    """The person has no such conversation, or it has no such turn."""

    def __init__(self, message: str = "") -> None:
        # The same sentence for another's: nobody learns which ids exist.
        super().__init__(
            message
            or "There is no such conversation; it may have been deleted, or belong to another "
            "browser."
        )


class QuestionError(QuothError):
    """The question is empty or too long."""


class MissingExtraError(QuothError, ImportError):
    """An optional package is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs {package}: pip install 'quoth[{extra}]'.")
