"""What a power cut leaves of a folder, worked out from the steps that changed it.

A write survives once its file was synced, a name once its folder was; of all else any part may
be on the disk, in any order, writes torn between sectors. That is what POSIX allows and more
than most file systems do (Pillai et al., 2014, All File Systems Are Not Created Equal). A milder
model is that of journalling file systems: names reach the disk in order, and the sync of a file
brings all names before it along.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bench.faults.shim import Kind, Record

__all__ = ["CUTS", "History", "acknowledged", "written"]

CUTS = ("nothing", "journal", "prefix", "some", "most", "few", "torn", "holes")
_NAMES = frozenset({Kind.CREATE, Kind.RENAME, Kind.UNLINK, Kind.MKDIR, Kind.RMDIR, Kind.LINK})
_DATA = frozenset({Kind.WRITE, Kind.TRUNCATE})


@dataclass(slots=True)
class _File:
    data: bytearray = field(default_factory=bytearray)

    def apply(self, step: _Step, keep: Sequence[tuple[int, int]] | None = None) -> None:
        """Do a write, or only these parts of it, or set the size."""
        record = step.record
        if record.kind is Kind.TRUNCATE:
            del self.data[record.offset :]
            self.data.extend(bytes(record.offset - len(self.data)))
            return
        end = record.offset + len(record.data)
        if len(self.data) < end:
            self.data.extend(bytes(end - len(self.data)))
        for start, stop in keep if keep is not None else ((0, len(record.data)),):
            self.data[record.offset + start : record.offset + stop] = record.data[start:stop]


@dataclass(slots=True)
class _Step:
    """A record with the file that it is about, and when what it did was durable."""

    record: Record
    file: int = -1
    durable: int = 1 << 60  # number of the step that made it so; strictly
    journal: int = 1 << 60  # the same with a journal


class History:
    """The steps of one run, and the folder as it was before."""

    def __init__(self, base: Path, inodes: dict[int, str], records: Iterable[Record]) -> None:
        """Take a copy of what the folder was, and its inodes while it ran."""
        self.folders = {p.relative_to(base).as_posix() for p in base.rglob("*") if p.is_dir()}
        self.names: dict[str, int] = {}
        self.contents: dict[int, bytes] = {}
        by_inode: dict[int, int] = {}
        for inode, path in inodes.items():
            number = len(self.contents)
            self.names[path], by_inode[inode] = number, number
            self.contents[number] = (base / path).read_bytes()
        self.steps: list[_Step] = []
        for record in records:
            step = _Step(record)
            if record.kind is Kind.CREATE:
                by_inode[record.inode] = step.file = len(self.contents)
                self.contents[step.file] = b""
            elif record.inode:
                step.file = by_inode.get(record.inode, -1)
            self.steps.append(step)
        self._find_durable()

    def _find_durable(self) -> None:
        waiting: list[tuple[int, _Step]] = []
        for number, step in enumerate(self.steps):
            record = step.record
            if record.kind is not Kind.SYNC:
                if record.kind in _NAMES or record.kind in _DATA:
                    waiting.append((number, step))
                continue
            left = []
            for begun, other in waiting:
                mine = other.record
                if mine.kind in _DATA:
                    done = not record.folder and other.file == step.file
                    if done:
                        other.durable = other.journal = number
                else:
                    folders = {os.path.dirname(mine.path)}
                    if mine.to:
                        folders.add(os.path.dirname(mine.to))
                    done = record.folder and record.path in folders
                    if done:
                        other.durable = number
                    # Whatever is synced commits the journal up to here.
                    other.journal = min(other.journal, number)
                if not done:
                    left.append((begun, other))
            waiting = left

    def __len__(self) -> int:
        """Return how many steps there are, marks included."""
        return len(self.steps)

    def left(self, upto: int, cut: str, seed: int) -> tuple[set[str], dict[str, bytes]]:
        """Return folders and files after the first `upto` steps and a power cut.

        Args:
            upto: Steps that were done.
            cut: One of `CUTS`: nothing unsynced survives; or nothing, but names as a journal
                keeps them; all up to a point; half, most or few of the steps; most, with writes
                torn at sectors; or sizes without their data. "all" is a mere crash.
            seed: Of what is drawn.
        """
        draw = random.Random(f"{upto} {cut} {seed}")
        share = {"some": 0.5, "most": 0.9, "few": 0.1, "torn": 0.7, "holes": 0.5, "all": 1.0}
        point = draw.randrange(upto + 1) if cut == "prefix" else -1
        # Half of the time names go with the journal: in order, up to some point.
        orderly = cut == "journal" or (cut != "nothing" and draw.random() < 0.5)
        names_upto = draw.randrange(upto + 1) if orderly and cut in share else -1
        sector = draw.choice((512, 4096))
        disk = _Disk(self)
        for number, step in enumerate(self.steps[:upto]):
            record = step.record
            if record.kind not in _NAMES and record.kind not in _DATA:
                continue
            durable = step.journal if orderly and record.kind in _NAMES else step.durable
            if durable < upto or number < point or cut == "all":
                disk.apply(step)
            elif record.kind in _NAMES and orderly:
                if number < names_upto:
                    disk.apply(step)
            elif draw.random() < share.get(cut, 0.0):
                if record.kind is Kind.WRITE and cut in ("torn", "holes"):
                    disk.apply(step, _sectors(record, sector, draw, none=cut == "holes"))
                else:
                    disk.apply(step)
        files = disk.files()
        return disk.folders, files


def _sectors(
    record: Record, sector: int, draw: random.Random, *, none: bool
) -> list[tuple[int, int]]:
    """Return which parts of a write are on the disk: whole sectors of the file."""
    if none:
        return []
    length = len(record.data)
    edges = [0, *range(sector - record.offset % sector, length, sector), length]
    return [part for part in pairwise(edges) if draw.random() < 0.5]


class _Disk:
    def __init__(self, history: History) -> None:
        self.folders = set(history.folders)
        self._names = dict(history.names)
        self._files = {n: _File(bytearray(data)) for n, data in history.contents.items()}

    def apply(self, step: _Step, keep: Sequence[tuple[int, int]] | None = None) -> None:
        record = step.record
        if record.kind in _DATA:
            if step.file >= 0:
                self._files[step.file].apply(step, keep)
        elif record.kind is Kind.CREATE:
            self._names[record.path] = step.file
        elif record.kind is Kind.LINK:
            self._names[record.to] = step.file
        elif record.kind is Kind.UNLINK:
            self._names.pop(record.path, None)
        elif record.kind is Kind.MKDIR:
            self.folders.add(record.path)
        elif record.kind is Kind.RMDIR:
            self.folders.discard(record.path)
        elif record.kind is Kind.RENAME:
            self._rename(record, step.file)

    def _rename(self, record: Record, file: int) -> None:
        if file >= 0:
            if self._names.get(record.path) == file:
                del self._names[record.path]
            self._names[record.to] = file
            return
        inside = record.path + "/"
        for path in [p for p in self._names if p.startswith(inside)]:
            self._names[record.to + path[len(record.path) :]] = self._names.pop(path)
        for folder in [f for f in self.folders if f == record.path or f.startswith(inside)]:
            self.folders.remove(folder)
            self.folders.add(record.to + folder[len(record.path) :])

    def files(self) -> dict[str, bytes]:
        """Return what can be reached: a file whose folder was lost cannot."""
        self.folders = {f for f in self.folders if self._reached(f)}
        return {
            path: bytes(self._files[number].data)
            for path, number in self._names.items()
            if self._reached(os.path.dirname(path))
        }

    def _reached(self, folder: str) -> bool:
        while folder:
            if folder not in self.folders:
                return False
            folder = os.path.dirname(folder)
        return True


def acknowledged(history: History, upto: int) -> int:
    """Return the last number that was marked within the first `upto` steps; 0 for none."""
    marks = [s.record.offset for s in history.steps[:upto] if s.record.kind is Kind.MARK]
    return marks[-1] if marks else 0


def written(target: Path, folders: Iterable[str], files: dict[str, bytes]) -> None:
    """Make the folder `target` hold this and nothing else; it must not exist."""
    target.mkdir(mode=0o700)
    for folder in sorted(folders):
        (target / folder).mkdir(mode=0o700)
    for path, data in files.items():
        with open(target / path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(data)
