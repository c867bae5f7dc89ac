"""A backup as a file: a ZIP archive whose manifest has the size and SHA-256 of all that is in it.

Nothing of what such a file says is believed: names, sizes and hashes are checked before anything
is written, and nothing is read beyond the sizes that the manifest gives.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from stat import S_ISLNK
from types import TracebackType
from typing import Any, Self

from index.errors import BackupError

__all__ = ["CHATS", "MANIFEST", "STORE", "UPLOADS", "VERSION", "Archive", "Manifest", "Member"]

VERSION = 1  # of the form; a reader of version 1 may meet further keys in the manifest
MANIFEST = "manifest.json"
STORE, CHATS, UPLOADS = "store.db", "chats.db", "uploads"

_CHUNK = 1 << 20
_MOST_MANIFEST = 256 * 2**20  # bytes; a million uploaded files need less
_LONGEST_NAME = 255  # bytes of a file's name, as file systems have it

# Whatever a damaged or foreign file makes zipfile, zlib and json raise.
_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,  # encrypted members, and NotImplementedError for other ways of compression
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a backup: its name, its size in bytes and its SHA-256, hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        quoth: Version of the Quoth that made it.
        format: Library format of the store in it.
        generation: The state that was published when it was made.
        model: Name of the embedding model; "" for a library without documents.
        fingerprint: Of that model.
        made_at: ISO 8601 time in UTC.
        documents: How many.
        members: The files.
    """

    quoth: str
    format: int
    generation: int
    model: str
    fingerprint: str
    made_at: str
    documents: int
    members: tuple[Member, ...]

    @property
    def total(self) -> int:
        """How many bytes the files have together."""
        return sum(member.bytes for member in self.members)

    def to_json(self) -> str:
        """Return the manifest as it stands in a backup."""
        return json.dumps({"quoth_backup": VERSION, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Return what `to_json` wrote.

        Raises:
            BackupError: It was written by a newer version.
            ValueError: It is no manifest; KeyError and TypeError too.
        """
        plain: dict[str, Any] = json.loads(data)
        version = plain["quoth_backup"]
        if not isinstance(version, int) or version < 1:
            raise ValueError("no version")
        if version > VERSION:
            raise BackupError(
                f"it was made by a newer Quoth (form {version}, this version reads up to "
                f"{VERSION}); update Quoth to restore it"
            )
        members = []
        for each in plain["members"]:
            member = Member(str(each["name"]), int(each["bytes"]), str(each["sha256"]))
            if member.bytes < 0 or len(member.sha256) != 64:
                raise ValueError("a member without size or hash")
            members.append(member)
        return cls(
            quoth=str(plain["quoth"]),
            format=int(plain["format"]),
            generation=int(plain["generation"]),
            model=str(plain["model"]),
            fingerprint=str(plain["fingerprint"]),
            made_at=str(plain["made_at"]),
            documents=int(plain["documents"]),
            members=tuple(members),
        )


class Archive:
    """A backup that is read; its structure is checked when it is opened, its content by `verify`.

    Raises:
        BackupError: The file is missing, damaged, no backup, or holds what no backup does.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        if not file.is_file():
            what = "is no file" if file.exists() else "is not there"
            raise BackupError(f"The backup {file} {what}; check the path.")
        with self._explained("is no backup of a Quoth library, or its end is missing"):
            self._zip = zipfile.ZipFile(file)
        try:
            with self._explained("is no backup of a Quoth library, or is damaged"):
                self.manifest = self._read_manifest()
            self._check_members()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def _read_manifest(self) -> Manifest:
        with self._zip.open(MANIFEST) as stream:
            data = stream.read(_MOST_MANIFEST + 1)
        if len(data) > _MOST_MANIFEST:
            raise ValueError("a manifest beyond measure")
        return Manifest.from_json(data)

    def _check_members(self) -> None:
        infos = self._zip.infolist()
        names = [info.filename for info in infos if info.filename != MANIFEST]
        listed = [member.name for member in self.manifest.members]
        if len(infos) != len(names) + 1 or len({*names}) != len(names):
            raise self._refused("holds a file twice")
        if sorted(names) != sorted(listed):
            raise self._refused("does not hold the files that its manifest lists")
        for name in names:
            if not _is_ours(name):
                raise self._refused(f"holds {name!r}, which is no place in a library")
        if STORE not in names:
            raise self._refused(f"holds no {STORE}")
        folders = {name[:at] for name in names for at, char in enumerate(name) if char == "/"}
        if folders & {*names}:
            raise self._refused("holds a file that is a folder as well")
        sizes = {member.name: member.bytes for member in self.manifest.members}
        for info in infos:
            if S_ISLNK(info.external_attr >> 16):
                raise self._refused(f"holds {info.filename!r} as a link")
            if info.file_size != sizes.get(info.filename, info.file_size):
                raise self._refused(f"holds {info.filename!r} in another size than it should have")

    def verify(self) -> None:
        """Read everything and compare it with its SHA-256; nothing is written.

        Raises:
            BackupError: Something is damaged.
        """
        for member in self.manifest.members:
            for _ in self.chunks(member):
                pass

    def chunks(self, member: Member) -> Iterator[bytes]:
        """Yield the bytes of a file; when the last were yielded they have the right SHA-256.

        Raises:
            BackupError: They have not, or cannot be read.
        """
        digest, left = hashlib.sha256(), member.bytes
        with self._explained(f"is damaged: {member.name} in it cannot be read"):
            stream = self._zip.open(member.name)
        with stream:
            while left:
                with self._explained(f"is damaged: {member.name} in it cannot be read"):
                    data = stream.read(min(_CHUNK, left))
                if not data:
                    break
                digest.update(data)
                left -= len(data)
                yield data
            with self._explained(f"is damaged: {member.name} in it cannot be read"):
                more = stream.read(1)
        if left or more or digest.hexdigest() != member.sha256:
            raise self._refused(f"is damaged: {member.name} in it is not what was packed")

    def _refused(self, what: str) -> BackupError:
        return BackupError(f"The backup {self.file} {what}; nothing was restored. Use another one.")

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except BackupError as error:
            raise BackupError(f"The backup {self.file} cannot be used: {error}.") from error
        except OSError as error:
            if error.errno == errno.EINVAL:  # an offset that is none
                raise self._refused(what) from error
            raise BackupError(
                f"The backup {self.file} cannot be read ({error.strerror or error})."
            ) from error
        except _FAULTS as error:
            raise self._refused(what) from error


def _is_ours(name: str) -> bool:
    """Return whether `name` is that of a file which belongs to a library, and stays inside it."""
    if name in (STORE, CHATS):
        return True
    top, *parts = name.split("/")
    try:
        sizes = [len(os.fsencode(part)) for part in parts]
    except UnicodeEncodeError:
        return False
    return (
        top == UPLOADS
        and bool(parts)
        and all(part not in ("", ".", "..") for part in parts)
        and "\0" not in name
        and max(sizes) <= _LONGEST_NAME
    )
