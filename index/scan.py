"""What a source holds now, and how that differs from what was read last."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISLNK, S_ISREG

from pathspec import GitIgnoreSpec

from index.errors import SourceError
from index.formats import format_of, supported_suffixes
from index.reports import Skip

__all__ = ["IGNORE_FILE", "Difference", "Found", "Known", "Scan", "compare", "ignored_by", "scan"]

IGNORE_FILE = ".quothignore"
# Git's "racy" rule: a file changed so soon before the last look may have changed again
# without another time stamp.
RACY_NS = 2_000_000_000
_MAX_PATTERNS = 2**20  # bytes of a file of patterns
_PLAIN_SUFFIX = re.compile(r"\.[\w+~-]{1,16}")


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a source as it is now; `path` is relative, with forward slashes."""

    path: str
    file: Path
    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Known:
    """A file of a source as it was when it was last read."""

    path: str
    size: int
    mtime_ns: int
    inode: int
    hash: str
    document: int


@dataclass(slots=True)
class Scan:
    """The readable files of a source, and what was left out.

    Attributes:
        found: Files of a known format.
        skipped: What was left out, with the reason.
        ignored: How many were left out by a rule.
        closed: What could not be looked at and may be a folder, each with a slash at the end.
    """

    found: list[Found] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    ignored: int = 0
    closed: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Difference:
    """What a sync has to do; hashes are of the files as they are now.

    Attributes:
        fresh: Files to read: new ones, and those with another content.
        renamed: Pairs of what was known and what is found, with the same content.
        removed: Known files that are gone.
        same: Known files with the same content.
        hashes: Content hash of every file that had to be hashed, by path.
    """

    fresh: list[Found] = field(default_factory=list)
    renamed: list[tuple[Known, Found]] = field(default_factory=list)
    removed: list[Known] = field(default_factory=list)
    same: list[tuple[Known, Found]] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)


def scan(root: Path, *, excluded: Iterable[str] = (), longest: int | None = None) -> Scan:
    """List the files below `root`, or `root` itself if it is a file, in order of path.

    Hidden files, office lock files, libraries, symbolic links and what `.quothignore` names
    are counted, not listed.

    Args:
        root: A folder, or a file.
        excluded: Paths that were removed by hand.
        longest: Bytes that a path may have; None for any number.

    Raises:
        SourceError: `root` does not exist or cannot be read.
    """
    result = Scan()
    if root.is_file():
        _take(root, root.name, root.stat(), result)
        return result
    if not root.is_dir():
        raise SourceError(f"There is no folder or file at {root}; nothing was changed.")
    try:
        os.scandir(root).close()
        _Walk(ignored_by(root), frozenset(excluded), longest, result).below(root)
    except OSError as error:
        raise SourceError(
            f"{root} cannot be read ({error.strerror}); nothing was changed."
        ) from error
    result.found.sort(key=lambda found: found.path)
    result.skipped.sort(key=lambda skip: skip.path)
    return result


def ignored_by(root: Path) -> GitIgnoreSpec:
    """Return the patterns of what is left out of the source at `root`.

    Raises:
        SourceError: They cannot be read, or one is wrong.
    """
    file = root / IGNORE_FILE
    try:
        lines = _lines(file)
    except FileNotFoundError:
        lines = []
    except (OSError, ValueError) as error:
        raise SourceError(f"{file} cannot be read ({error}).") from error
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise SourceError(f"{file} has a pattern that is wrong: {error}.") from error


def _lines(file: Path) -> list[str]:
    # A pipe of this name must not wait for somebody to write to it.
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, encoding="utf-8") as opened:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        if status.st_size > _MAX_PATTERNS:
            raise ValueError(f"larger than {_MAX_PATTERNS:,} bytes")
        return opened.read().splitlines()


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder still to be looked into: where, what its paths begin with, which one it was."""

    place: Path
    prefix: str
    device: int
    inode: int


class _Walk:
    """Looks into folders one after the other: their depth is limited by no stack."""

    def __init__(
        self,
        ignore: GitIgnoreSpec,
        excluded: frozenset[str],
        longest: int | None,
        result: Scan,
    ) -> None:
        self._ignore, self._excluded, self._result = ignore, excluded, result
        self._longest = longest
        self._waiting: list[_Folder] = []

    def below(self, root: Path) -> None:
        status = os.stat(root)
        self._waiting.append(_Folder(root, "", status.st_dev, status.st_ino))
        while self._waiting:
            folder = self._waiting.pop()
            try:
                self._look_into(folder)
            except OSError as error:
                if folder.prefix == "":
                    raise  # nothing is known of what is in the source: none of it is gone
                self._skip(folder.prefix, f"folder cannot be read ({error.strerror})")

    def _look_into(self, folder: _Folder) -> None:
        # The root was given by the user, who may mean a link; below it there are none, also where
        # a folder was swapped for one since it was listed.
        follow = 0 if folder.prefix == "" else os.O_NOFOLLOW
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | follow
        descriptor = os.open(folder.place, flags)
        try:
            status = os.fstat(descriptor)
            if (status.st_dev, status.st_ino) != (folder.device, folder.inode):
                if folder.prefix == "":
                    raise OSError(errno.ESTALE, "it was replaced meanwhile; sync again")
                self._skip(folder.prefix, "folder was replaced meanwhile; sync again")
                return
            with os.scandir(descriptor) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
            for entry in entries:
                self._look_at(entry, folder, descriptor)
        finally:
            os.close(descriptor)

    def _look_at(self, entry: os.DirEntry[str], folder: _Folder, descriptor: int) -> None:
        path, file = folder.prefix + entry.name, folder.place / entry.name
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError as error:
            self._skip(_shown(path), f"cannot be read ({error.strerror})")
            return
        is_folder = S_ISDIR(status.st_mode)
        if _shown(path) != path:
            end = "/" if is_folder else ""
            self._skip(_shown(path) + end, "its name is not valid UTF-8; rename it")
        elif not is_folder and self._longest is not None and len(path.encode()) > self._longest:
            shown = f"{path[:200]}…{path[-100:]}"
            self._skip(shown, f"its path is longer than {self._longest:,} bytes; shorten it")
        elif (
            S_ISLNK(status.st_mode)
            or entry.name.startswith((".", "~$"))
            or path in self._excluded
            or self._ignore.match_file(path + "/" if is_folder else path)
        ):
            self._result.ignored += 1
        elif not is_folder:
            _take(file, path, status, self._result)
        elif _is_library(entry.name, descriptor):
            self._result.ignored += 1
        else:
            self._waiting.append(_Folder(file, path + "/", status.st_dev, status.st_ino))

    def _skip(self, path: str, reason: str) -> None:
        self._result.skipped.append(Skip(path, reason))
        # A folder on a disk that is gone cannot even be told from a file.
        self._result.closed.add(path.rstrip("/") + "/")


def _shown(path: str) -> str:
    r"""Return the path, with bytes that are no UTF-8 as "\xff", so that no two look the same."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_library(name: str, parent: int) -> bool:
    try:
        return S_ISREG(os.stat(f"{name}/store.db", dir_fd=parent).st_mode)
    except OSError:  # not there, or in a closed folder
        return False


def _take(file: Path, path: str, status: os.stat_result, result: Scan) -> None:
    if not S_ISREG(status.st_mode):
        kind = "a folder" if S_ISDIR(status.st_mode) else "no ordinary file"
        result.skipped.append(Skip(path, kind))
    elif format_of(file) is None:
        known = " ".join(sorted(supported_suffixes()))
        result.skipped.append(Skip(path, f"unknown format {_suffix(path)} (known: {known})"))
    else:
        result.found.append(Found(path, file, status.st_size, status.st_mtime_ns, status.st_ino))


def _suffix(path: str) -> str:
    suffix = PurePosixPath(path).suffix
    if not suffix:
        return "without suffix"
    # A reason is one short clause, whatever a file is called.
    return suffix if _PLAIN_SUFFIX.fullmatch(suffix) else "with an odd suffix"


def compare(
    found: Iterable[Found],
    known: Mapping[str, Known],
    *,
    synced_ns: int,
    stale: frozenset[int],
    full: bool,
    unseen: Collection[str],
    content_hash: Callable[[Path], str],
) -> tuple[Difference, list[Skip]]:
    """Return the difference between a scan and what was read last, and files not readable.

    Args:
        found: Files of the source as they are.
        known: Files of the source as they were, by path.
        synced_ns: When the last sync began.
        stale: Documents that were made by an older version of the pipeline: read again.
        full: Hash every file, whatever size and times say.
        unseen: Files, and folders with a slash at the end, that are there but could not be
            looked at: what was known of them is neither gone nor renamed.
        content_hash: Reads a file and returns the hash of its bytes.
    """
    difference = Difference()
    skipped: list[Skip] = []
    present = set()
    new: list[Found] = []
    for item in found:
        present.add(item.path)
        before = known.get(item.path)
        if before is not None and not full and _looks_same(before, item, synced_ns):
            if before.document in stale:
                difference.hashes[item.path] = before.hash
                difference.fresh.append(item)
            else:
                difference.same.append((before, item))
            continue
        try:
            digest = content_hash(item.file)
        except OSError as error:
            skipped.append(
                Skip(item.path, f"cannot be read ({error.strerror})", kept=before is not None)
            )
            continue
        difference.hashes[item.path] = digest
        if before is None:
            new.append(item)
        elif before.hash == digest and before.document not in stale:
            difference.same.append((before, item))
        else:
            difference.fresh.append(item)
    closed = tuple(path for path in unseen if path.endswith("/"))
    gone = {
        path: before
        for path, before in known.items()
        if path not in present and path not in unseen and not path.startswith(closed)
    }
    _match_renamed(difference, new, gone, stale)
    difference.removed.extend(gone[path] for path in sorted(gone))
    difference.fresh.sort(key=lambda item: item.path)
    return difference, skipped


def _looks_same(before: Known, item: Found, synced_ns: int) -> bool:
    return (before.size, before.mtime_ns, before.inode) == (
        item.size,
        item.mtime_ns,
        item.inode,
    ) and item.mtime_ns + RACY_NS < synced_ns


def _match_renamed(
    difference: Difference, new: list[Found], gone: dict[str, Known], stale: frozenset[int]
) -> None:
    """Take pairs with the same content and kind out of `gone`; the rest of `new` is fresh."""
    by_hash: dict[tuple[str, str], list[str]] = {}
    for path, before in sorted(gone.items(), reverse=True):
        if before.document not in stale:
            by_hash.setdefault((before.hash, PurePosixPath(path).suffix.lower()), []).append(path)
    for item in new:
        key = (difference.hashes[item.path], PurePosixPath(item.path).suffix.lower())
        if by_hash.get(key):
            difference.renamed.append((gone.pop(by_hash[key].pop()), item))
        else:
            difference.fresh.append(item)
