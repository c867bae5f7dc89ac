"""The files of a backup packed into one archive, uploads among them while they may change."""

from __future__ import annotations

import glob
import hashlib
import os
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from index.files import sha256
from index.upkeep.archive import CHATS, MANIFEST, STORE, UPLOADS, Manifest, Member

__all__ = ["State", "Upload", "pack"]

ATTEMPTS, PAUSE_SECONDS = 4, 2.0  # where an uploaded file is just being replaced
_GONE = (
    "The uploaded file {path} is not in the backup: it is gone from the library or cannot be "
    "read. The document made of it is in the backup."
)
_CHANGED = (
    "The uploaded file {path} is no longer what was indexed; it is in the backup as it is now."
)
_CHUNK = 1 << 20
_LEVEL = 1  # of deflate: vectors and stored texts hardly get smaller, and time matters more


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file as the store names it: its path, and the SHA-256 it had."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is packed: the manifest without its members, and the uploads."""

    manifest: Manifest
    uploads: tuple[Upload, ...]


class _Moved(Exception):
    """An uploaded file became another one while it was packed."""


def pack(
    folder: Path, inside: Path, packed: Path, state: State, missing: list[str]
) -> list[Member]:
    """Write everything into the archive `packed` and return what is in it."""
    before: list[str] = []
    for last in (*[False] * (ATTEMPTS - 1), True):
        told: list[str] = []
        files = _uploaded(folder, state, told)
        if told != before and not last:
            # Somebody is replacing an upload: it will be there in a moment, or be another one.
            # What is the same after the pause stays so.
            before = told
            time.sleep(PAUSE_SECONDS)
            continue
        try:
            members = _write(packed, inside, files, state.manifest, told if last else None)
        except _Moved:
            continue
        missing += told
        return members
    raise AssertionError("the last attempt takes files as they are")


def _uploaded(folder: Path, state: State, told: list[str]) -> dict[str, tuple[Path, str]]:
    """Return by name in the archive which file is packed and its SHA-256; `told` has what is not.

    A file that is just being replaced lies aside as long as the change is not published.
    """
    found = {}
    for upload in state.uploads:
        file = folder / UPLOADS / upload.path
        aside = (folder / UPLOADS / ".replaced").glob(f"*/{glob.escape(upload.path)}")
        candidates = [
            place for place in (file, *aside) if place.is_file() and not place.is_symlink()
        ]
        hashes = {}
        for place in candidates:
            with suppress(OSError):
                hashes[place] = sha256(place)
        same = [place for place, digest in hashes.items() if digest == upload.sha256]
        if same:
            found[f"{UPLOADS}/{upload.path}"] = (same[0], upload.sha256)
        elif file in hashes:
            found[f"{UPLOADS}/{upload.path}"] = (file, hashes[file])
            told.append(_CHANGED.format(path=upload.path))
        else:
            told.append(_GONE.format(path=upload.path))
    return found


def _write(
    packed: Path,
    inside: Path,
    uploads: dict[str, tuple[Path, str]],
    manifest: Manifest,
    told: list[str] | None,
) -> list[Member]:
    """Write the archive and return its members.

    Args:
        packed: Where.
        inside: Has the databases.
        uploads: What `_uploaded` returned.
        manifest: Without members.
        told: Takes a sentence for each upload that cannot be packed, or not as it was indexed;
            None: try again then.

    Raises:
        _Moved: An upload is not what it was a moment ago, and `told` is None.
    """
    members = []
    handle = os.open(packed, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
    with os.fdopen(handle, "w+b") as file, zipfile.ZipFile(file, "w") as archive:
        databases = [inside / name for name in (STORE, CHATS) if (inside / name).is_file()]
        for database in databases:
            members.append(_add(archive, database.name, database))
        for name, (source, expected) in uploads.items():
            try:
                member = _add(archive, name, source)
            except FileNotFoundError as error:
                if told is None:
                    raise _Moved from error
                told.append(_GONE.format(path=name.partition("/")[2]))
                continue
            if member.sha256 != expected:
                if told is None:
                    raise _Moved
                changed = _CHANGED.format(path=name.partition("/")[2])
                told += [changed] if changed not in told else []
            members.append(member)
        complete = replace(manifest, members=tuple(members))
        archive.writestr(_info(MANIFEST), complete.to_json())
    return members


def _add(archive: zipfile.ZipFile, name: str, source: Path) -> Member:
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as file, archive.open(_info(name), "w", force_zip64=True) as target:
        while data := file.read(_CHUNK):
            digest.update(data)
            size += len(data)
            target.write(data)
    return Member(name, size, digest.hexdigest())


def _info(name: str) -> zipfile.ZipInfo:
    # The manifest says when it was made; a date before 1980, of a wrong clock, is none here.
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info._compresslevel = _LEVEL  # type: ignore[attr-defined]
    info.external_attr = 0o600 << 16
    return info
