"""Files that come into the library's folder of uploads or leave it, in step with what is published.

A file is there as it was indexed, or as it is indexed next, whatever ends the process between.
What is replaced or removed lies aside, in `.replaced`, until a generation without it is
published; what a crash leaves there the next writer puts back, or deletes where what is published
stands in its place or is gone. All of this happens under the writer's lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from index.errors import FormatError, LibraryError
from index.files import flush, folder_within, replace_private, sha256, write_private
from index.formats import Limits
from index.formats.opening import copied

__all__ = ["Exchange", "exchanging", "interrupted", "make_folder", "recover", "taken_up"]

_REPLACED, _ADDING, _PLACED = ".replaced", ".adding", ".placed"
Recorded = Callable[[], Mapping[str, str]]  # SHA-256 of each upload as it is published, by path


class Exchange:
    """Files put among the uploads, or taken away, until that is published or undone."""

    def __init__(self, uploads: Path, recorded: Recorded) -> None:
        self.placed: list[str] = []
        self._uploads = uploads
        self._recorded = recorded
        self._aside = uploads / _REPLACED / uuid4().hex

    def place(self, incoming: Path) -> None:
        """Move every file below `incoming` to its place; the files themselves are synced already.

        Raises:
            LibraryError: A file has the name of a folder, or cannot be moved.
        """
        paths = [
            file.relative_to(incoming).as_posix()
            for file in sorted(incoming.rglob("*"))
            if file.is_file() and not file.name.startswith(".")
        ]
        with _saving("uploads"):
            make_folder(self._uploads, self._uploads)
        self.take_away(path for path in paths if (self._uploads / path).is_file())
        for path in paths:
            with _saving(path):
                self.placed.append(path)
                _move(incoming / path, self._uploads / path, self._uploads)
        with _saving("uploads"):
            _settle({(self._uploads / path).parent for path in paths})

    def take_away(self, paths: Iterable[str]) -> None:
        """Set files aside; when this returns they survive a power cut in one place or the other.

        Raises:
            LibraryError: One cannot be moved.
        """
        places = set()
        for path in paths:
            with _saving(path):
                # Moved, not copied: back in its place it is the file that was indexed.
                _move(self._uploads / path, self._aside / path, self._uploads)
            places |= {(self._uploads / path).parent, (self._aside / path).parent}
        with _saving("uploads"):
            _settle(places)

    def undo_failed(self, failed: Iterable[str]) -> None:
        """Undo what was placed and gave no document: `failed`, and what was left out by a rule."""
        hashes = self._recorded()
        paths = set(failed).union(set(self.placed) - hashes.keys()).intersection(self.placed)
        self._undo(paths, paths, hashes)

    def undo(self) -> None:
        """Take away what was placed and is not published, and put back what was there before.

        Where that is not possible now, the next writer does it.
        """
        self._undo(set(self.placed), _below(self._aside), self._recorded())

    def _undo(self, placed: set[str], aside: set[str], hashes: Mapping[str, str]) -> None:
        for path in placed:
            target, before = self._uploads / path, self._aside / path
            ours = target.is_file() and not before.is_file()
            if ours and not _is_published(target, path, hashes):
                target.unlink()
                _drop_empty(target.parent, self._uploads)
        # What is put back there is not ours to take away, should this be called once more.
        self.placed = [path for path in self.placed if path not in placed]
        _put_back(aside, self._aside, self._uploads, hashes)

    def undo_later(self) -> None:
        """Note what was placed, for `recover`: it is not known now whether that is published."""
        placed = {
            p: sha256(self._uploads / p) for p in self.placed if (self._uploads / p).is_file()
        }
        make_folder(self._aside.parent, self._uploads)
        replace_private(self._aside.with_suffix(_PLACED), json.dumps(placed).encode())

    def close(self) -> None:
        """Delete what is not needed any more."""
        shutil.rmtree(self._aside, ignore_errors=True)
        with contextlib.suppress(OSError):  # a batch of an earlier crash
            self._aside.parent.rmdir()


@contextmanager
def exchanging(uploads: Path, recorded: Recorded) -> Iterator[Exchange]:
    """Give an exchange that is undone where the block fails before it was published."""
    exchange = Exchange(uploads, recorded)
    try:
        yield exchange
    except BaseException:
        # What is told is the first failure; what cannot be undone now the next writer undoes.
        with contextlib.suppress(OSError, LibraryError):
            try:
                exchange.undo()
            except LibraryError:  # the store does not answer
                exchange.undo_later()
                raise
            exchange.close()
        raise
    exchange.close()


@contextmanager
def taken_up(file: Path, name: str, uploads: Path) -> Iterator[Path]:
    """Give a folder that holds a copy of `file` called `name`, for `Exchange.place`.

    Raises:
        FormatError: The file cannot be read, is empty or too large.
        LibraryError: It cannot be copied.
    """
    try:
        with copied(file, max_bytes=Limits().max_bytes) as copy:
            data = copy.path.read_bytes()
    except FormatError as error:
        raise FormatError(f"{name}: {error.reason}") from error
    incoming = uploads / _ADDING / uuid4().hex
    try:
        with _saving(name):
            make_folder(incoming, uploads)
            write_private(incoming / name, data)
            flush(incoming / name)
        yield incoming
    finally:
        shutil.rmtree(incoming.parent, ignore_errors=True)


def interrupted(uploads: Path) -> bool:
    """Return whether a writer has left something that `recover` must look at."""
    return any((uploads / name).is_dir() for name in (_REPLACED, _ADDING))


def recover(uploads: Path, recorded: Recorded) -> None:
    """Finish or undo what a writer that was killed has left; call it under the lock."""
    if not interrupted(uploads):
        return
    hashes = recorded()
    aside = uploads / _REPLACED
    if aside.is_dir():
        for listed in aside.glob(f"*{_PLACED}"):
            _take_back(listed, uploads, hashes)
        for batch in sorted(path for path in aside.iterdir() if path.is_dir()):
            _put_back(_below(batch), batch, uploads, hashes)
    for name in (_REPLACED, _ADDING):
        shutil.rmtree(uploads / name, ignore_errors=True)


def _take_back(listed: Path, uploads: Path, hashes: Mapping[str, str]) -> None:
    """Delete files that were placed, if they are what was placed then and are not published."""
    with contextlib.suppress(ValueError):  # half a list
        for path, placed in json.loads(listed.read_bytes()).items():
            target = uploads / path
            before = listed.with_suffix("") / path
            ours = target.is_file() and not before.is_file() and sha256(target) == placed
            if ours and not _is_published(target, path, hashes):
                target.unlink()
                _drop_empty(target.parent, uploads)


def _below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def _put_back(paths: Iterable[str], aside: Path, uploads: Path, hashes: Mapping[str, str]) -> None:
    """Move files back to their places, but what was replaced or removed by what is published.

    Not only files that are as they were indexed: one that was edited since is nowhere else.
    """
    places = set()
    for path in sorted(paths):
        before, target = aside / path, uploads / path
        removed = path not in hashes and not target.exists()
        if before.is_file() and not removed and not _is_published(target, path, hashes):
            _move(before, target, uploads)
            places.add(target.parent)
    _settle(places)


def _is_published(file: Path, path: str, hashes: Mapping[str, str]) -> bool:
    """Return whether the file is there as it was indexed."""
    return path in hashes and file.is_file() and hashes[path] == sha256(file)


def _move(file: Path, target: Path, top: Path) -> None:
    make_folder(target.parent, top)
    file.replace(target)


def make_folder(folder: Path, top: Path) -> None:
    """Make a folder below `top`, and `top`, with its permissions, to survive a power cut."""
    if folder.is_dir():
        return
    if folder != top:
        make_folder(folder.parent, top)
    folder_within(folder)
    flush(folder.parent)


def _settle(folders: Iterable[Path]) -> None:
    for folder in sorted(folders):
        flush(folder)


def _drop_empty(folder: Path, top: Path) -> None:
    while folder != top:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


@contextmanager
def _saving(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise LibraryError(f"{path} cannot be saved: {reason}.") from error
