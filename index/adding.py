"""Documents added one by one: texts as they are, files into the folder of uploads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from index.draft import Draft
from index.errors import FormatError, SourceError
from index.ingest import Label, document_of, prepare
from index.reports import Progress
from index.scan import IGNORE_FILE, ignored_by
from index.store import Store
from index.sync import source_id
from index.types import DocumentInfo

__all__ = ["Texts", "add_texts", "file_to_add"]

Texts = Iterable[tuple[str, str, str | None, str | None]]


def add_texts(
    store: Store,
    open_draft: Callable[[Callable[[str, int], None]], Draft],
    documents: Callable[[], list[DocumentInfo]],
    texts: Texts,
    progress: Callable[[Progress], None] | None,
) -> list[int]:
    """Publish texts as documents and return their numbers; see `Library.add_texts`."""
    started = time.monotonic()
    written: dict[str, int] = {}

    def step(path: str, sentences: int) -> None:
        if progress is not None:
            seconds = time.monotonic() - started
            progress(Progress(path, len(written), 0, sentences, seconds))

    def done(name: str, number: int) -> None:
        if name in written:  # twice in `texts`: the last one counts
            draft.retire([written[name]])
        written[name] = number

    with open_draft(step) as draft:
        with store.writing() as db:
            source = source_id(db, "text", "")
        for name, text, title, date in texts:
            longest = store.longest_path
            if longest is not None and len(name.encode("utf-8", "surrogatepass")) > longest:
                raise FormatError(f"{name[:200]}…: its name is longer than {longest:,} bytes")
            document = document_of(name, text)
            label = Label(source=source, path=name, type="text", title=title or "", date=date)
            draft.ingest.add(prepare(document, label), partial(done, name))
        draft.flush()
        before = [d for d in documents() if d.source == source]
        draft.retire(info.id for info in before if info.path in written)
        draft.publish()
    return list(written.values())


def file_to_add(path: Path, name: str | None, uploads: Path) -> tuple[Path, Path]:
    """Return the file and where it goes.

    Raises:
        SourceError: There is no file at `path`, `name` is no name, or the uploads leave it out.
    """
    file = path.expanduser()
    if not file.is_file():
        raise SourceError(
            f"There is no file at {path}; to add a text give its name too: add(text, name='notes')."
        )
    target = uploads / (name or file.name)
    if target.parent != uploads or not _is_name(target.name):
        raise SourceError(f"{name or file.name!r} cannot be the name of a document.")
    if ignored_by(uploads).match_file(target.name):
        raise SourceError(f"{target.name!r} is left out by {uploads / IGNORE_FILE}.")
    return file, target


def _is_name(name: str) -> bool:
    """Return whether a file can be called so, and is looked at when its folder is synced."""
    # Bytes that are no UTF-8 are in a name as surrogates, which are no text.
    unicode = not any("\ud800" <= character <= "\udfff" for character in name)
    return unicode and "\0" not in name and not name.startswith((".", "~$"))
