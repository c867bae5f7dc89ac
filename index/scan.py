"""What a source holds now, and how that differs from what was read last."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from stat import S_ISDIR, S_ISREG

from pathspec import GitIgnoreSpec

from index.errors import SourceError
from index.formats import format_of, supported_suffixes
from index.reports import Skip

__all__ = ["Difference", "Found", "Known", "Scan", "compare", "scan"]

IGNORE_FILE = ".quothignore"
# Git's "racy" rule: a file changed so soon before the last look may have changed again
# without another time stamp.
RACY_NS = 2_000_000_000


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
    """The readable files of a source, and what was left out."""

    found: list[Found] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    ignored: int = 0


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


def scan(root: Path, *, excluded: Iterable[str] = ()) -> Scan:
    """List the files below `root`, or `root` itself if it is a file, in order of path.

    Hidden files, office lock files, libraries, symbolic links and what `.quothignore` names
    are counted, not listed.

    Raises:
        SourceError: `root` does not exist or cannot be read.
    """
    result = Scan()
    if root.is_file():
        _take(root, root.name, result)
        return result
    if not root.is_dir():
        raise SourceError(f"There is no folder or file at {root}; nothing was changed.")
    try:
        os.scandir(root).close()
    except OSError as error:
        raise SourceError(
            f"{root} cannot be read ({error.strerror}); nothing was changed."
        ) from error
    _walk(root, "", _ignored(root), frozenset(excluded), result)
    result.found.sort(key=lambda found: found.path)
    result.skipped.sort(key=lambda skip: skip.path)
    return result


def _ignored(root: Path) -> GitIgnoreSpec:
    try:
        lines = (root / IGNORE_FILE).read_text("utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{root / IGNORE_FILE} cannot be read ({error}).") from error
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise SourceError(f"{root / IGNORE_FILE} has a pattern that is wrong: {error}.") from error


def _walk(
    folder: Path, prefix: str, ignore: GitIgnoreSpec, excluded: frozenset[str], result: Scan
) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        result.skipped.append(Skip(prefix, f"folder cannot be read ({error.strerror})"))
        return
    for entry in entries:
        path = prefix + entry.name
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            result.skipped.append(Skip(shown, "its name is not valid UTF-8; rename it"))
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        if (
            entry.is_symlink()
            or entry.name.startswith((".", "~$"))
            or path in excluded
            or ignore.match_file(path + "/" if is_folder else path)
        ):
            result.ignored += 1
        elif is_folder:
            # A library is no document. Not Path.is_file(): that raises in a closed folder.
            if os.path.isfile(os.path.join(entry.path, "store.db")):
                result.ignored += 1
            else:
                _walk(Path(entry.path), path + "/", ignore, excluded, result)
        else:
            _take(Path(entry.path), path, result)


def _take(file: Path, path: str, result: Scan) -> None:
    try:
        stat = file.stat(follow_symlinks=False)
    except OSError as error:
        result.skipped.append(Skip(path, f"cannot be read ({error.strerror})"))
        return
    if not S_ISREG(stat.st_mode):
        kind = "a folder" if S_ISDIR(stat.st_mode) else "no ordinary file"
        result.skipped.append(Skip(path, kind))
    elif format_of(file) is None:
        suffix = PurePosixPath(path).suffix or "without suffix"
        known = " ".join(sorted(supported_suffixes()))
        result.skipped.append(Skip(path, f"unknown format {suffix} (known: {known})"))
    else:
        result.found.append(Found(path, file, stat.st_size, stat.st_mtime_ns, stat.st_ino))


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
