"""Everything looked over in one report: what Quoth runs on, a library, its conversations.

A part that fails to look is a finding as well; no damage makes the report end before its end.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from index.address import Address, Place, address_of
from index.errors import EncoderError, LibraryError, QuothError
from index.files import bytes_in
from index.library import Library
from index.upkeep.archive import CHATS, STORE
from index.upkeep.check import Checkup, Finding, Severity, check_library
from index.upkeep.repair import repair_library
from qa import installation
from qa.chats.check import check_chats, repair_chats
from qa.installation import Fact
from qa.lines import human_bytes
from qa.offline import watched
from qa.visible import one_line

__all__ = ["Diagnosis", "examine"]

logger = logging.getLogger(f"quoth.{__name__}")

_SCARCE = 200_000_000  # bytes of free space below which a sync may fail
_FEW = 5  # of a kind that are told one by one


@dataclass(slots=True)
class Diagnosis:
    """What was found.

    Attributes:
        facts: A name and what is so, in the order of the report.
        findings: What is not as it should be, in the order it was found.
        done: What was mended, a sentence each.
    """

    facts: list[Fact] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """How many findings are more than a notice."""
        return sum(finding.severity is not Severity.NOTICE for finding in self.findings)


def examine(
    library: Place | None,
    *,
    repair: bool = False,
    offline: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Diagnosis:
    """Look everything over; nothing is changed unless `repair` is given.

    Args:
        library: Folder or address of a library, whatever is there; None for none.
        repair: Mend what can be mended first.
        offline: Also prove that syncing and asking open no way out of this machine.
        progress: Gets a few words before each part.
    """
    return _Examination(library, progress).run(repair=repair, offline=offline)


class _Examination:
    def __init__(self, library: Place | None, progress: Callable[[str], None]) -> None:
        self._address = None if library is None else address_of(library)
        home = None if self._address is None else self._address.home
        self._path = None if home is None else Path(os.path.abspath(home))
        self._progress = progress
        self._diagnosis = Diagnosis()
        self._checkup: Checkup | None = None

    def run(self, *, repair: bool, offline: bool) -> Diagnosis:
        for what, part in (
            ("versions", installation.versions),
            ("packages", installation.packages),
            ("the model", installation.default_embedding_model),
            ("the reader", installation.reader_model),
            ("the cache", installation.cache),
        ):
            self._part(what, part)
        if self._path is not None:
            self._look_at_the_library(repair=repair)
        if offline:
            self._part("the way out", self._way_out)
        return self._diagnosis

    def _look_at_the_library(self, *, repair: bool) -> None:
        if not self._there():
            return
        # In what is no library there is nothing to mend.
        if repair and (
            self._there_address.remote
            or any((self._there_path / name).is_file() for name in (STORE, CHATS))
        ):
            self._part("what can be mended", self._mended)
        for what, part in (
            ("the folder", self._folder),
            ("the library", self._library),
            ("the conversations", self._conversations),
            ("the lock", self._lock),
        ):
            self._part(what, part)
        if self._checkup is not None and self._checkup.generation >= 0:
            self._part("sources and files", self._sources)

    def _part(self, what: str, part: Callable[[], Iterator[Fact | Finding]]) -> None:
        """Run one part of the report; whatever goes wrong in it is told in it."""
        self._progress(what)
        try:
            for told in part():
                if isinstance(told, Finding):
                    self._diagnosis.findings.append(told)
                else:
                    self._diagnosis.facts.append(told)
        except Exception as error:
            # A report on what is broken must not break itself.
            logger.debug("%s cannot be looked at", what, exc_info=True)
            self._diagnosis.findings.append(
                Finding(
                    kind="report",
                    where=what,
                    message=f"It cannot be told how it is about {what} ({_reason(error)}).",
                    advice="Mend what else is found first, then run this again.",
                )
            )

    # -- the library --------------------------------------------------------------------------

    @property
    def _there_path(self) -> Path:
        assert self._path is not None
        return self._path

    @property
    def _there_address(self) -> Address:
        assert self._address is not None
        return self._address

    def _there(self) -> bool:
        path = self._there_path
        if os.path.lexists(path) or self._there_address.remote:
            return True
        self._diagnosis.findings.append(
            Finding(
                kind="library",
                where=str(path),
                message=f"There is no library at {path}.",
                advice="Check the path, or make one with `quoth sync`.",
            )
        )
        return False

    def _mended(self) -> Iterator[Fact | Finding]:
        for mend in (self._mend_library, self._mend_chats):
            try:
                failed = mend()
            except Exception as error:
                # The one must not keep the other from being mended.
                logger.debug("not all could be mended", exc_info=True)
                failed = (f"Not all could be mended: {_reason(error)}.",)
            for message in failed:
                yield Finding(
                    kind="repair",
                    where=str(self._there_path),
                    message=message,
                    advice="What is left to do, the other findings say.",
                )

    def _mend_library(self) -> tuple[str, ...]:
        repaired = repair_library(self._there_address, progress=self._progress)
        self._diagnosis.done += repaired.done
        return repaired.failed

    def _mend_chats(self) -> tuple[str, ...]:
        self._diagnosis.done += repair_chats(self._there_path)
        return ()

    def _folder(self) -> Iterator[Fact | Finding]:
        path = self._there_path
        yield ("library", str(self._there_address))
        if self._there_address.remote:
            yield ("home", str(path))
        if not path.is_dir() or not os.access(path, os.R_OK | os.X_OK):
            return  # the check says so
        if not os.access(path, os.W_OK):
            yield Finding(
                kind="permission",
                where=str(path),
                message=f"{path} may not be changed by the one who runs this.",
                advice="It can be searched; to sync it, run Quoth as the one whose library it is.",
                severity=Severity.NOTICE,
            )
        size, free = bytes_in(path), shutil.disk_usage(path).free
        yield ("size", f"{human_bytes(size)}, {human_bytes(free)} free on the disk")
        if free < max(_SCARCE, size):
            yield Finding(
                kind="disk",
                where=str(path),
                message=f"Only {human_bytes(free)} are free on the disk of the library.",
                advice="Make room: syncing, compacting and backing up need as much as the "
                "library has.",
                severity=Severity.SLOWER if free < _SCARCE else Severity.NOTICE,
            )

    def _library(self) -> Iterator[Fact | Finding]:
        checkup = self._checkup = check_library(self._there_address)
        if checkup.generation >= 0:
            counts = ", ".join(f"{count:,} {name}" for name, count in checkup.counts.items())
            yield ("checked", f"generation {checkup.generation}, format {checkup.format}: {counts}")
        yield from checkup.findings
        if checkup.generation < 0:
            return
        try:
            with Library.open(self._there_address, read_only=True) as library:
                state = library.status()
        except LibraryError:
            if checkup.ok:
                raise
            return  # for a reason that stands above
        if state.model:
            yield ("built with", f"{state.model} ({state.fingerprint[:12]})")
            yield from _model_there(state.model, state.fingerprint)

    def _conversations(self) -> Iterator[Fact | Finding]:
        yield from check_chats(self._there_path)

    def _lock(self) -> Iterator[Fact | Finding]:
        holder = self._there_path / "writer.json"
        if not holder.exists() or not _is_held(self._there_path / "writer.lock"):
            return
        try:
            who = json.loads(holder.read_text("utf-8"))
            named = f"process {who['pid']} on {who['host']} since {who['since']}"
        except (OSError, ValueError, LookupError, TypeError):
            named = "another process"
        yield Finding(
            kind="lock",
            where=holder.name,
            message=f"The library is being changed by {one_line(named)}.",
            advice="Nothing needs to be done; what it publishes is seen when it is complete.",
            severity=Severity.NOTICE,
        )

    def _sources(self) -> Iterator[Fact | Finding]:
        with Library.open(self._there_address, read_only=True) as library:
            for source in library.sources():
                if source.location is not None and not os.path.exists(source.location):
                    yield Finding(
                        kind="source",
                        where=str(source.location),
                        message=f"{source.location} is not there ({source.documents} documents).",
                        advice="Bring it back, or say where it lies now with `quoth relocate`; "
                        "what is in the library goes on answering.",
                    )
            outdated = library.outdated()
            paths = {info.id: info.path for info in library.documents()}
            failed = library.failures()
        for numbers, what in ((outdated.changed, "changed"), (outdated.gone, "gone")):
            if numbers:
                yield Finding(
                    kind="file",
                    where=paths.get(numbers[0], ""),
                    message=f"Files {_since(what)}: {_some([paths.get(n, '') for n in numbers])}.",
                    advice="Run `quoth sync` on their folder.",
                )
        if failed:
            names = _some([f"{failure.path} ({failure.reason})" for failure in failed])
            yield Finding(
                kind="file",
                where=failed[0].path,
                message=f"Files that could not be read at the last sync: {names}.",
                advice="`quoth status --documents` lists them all.",
                severity=Severity.NOTICE,
            )

    # -- the way out --------------------------------------------------------------------------

    def _way_out(self) -> Iterator[Fact | Finding]:
        usable = (
            self._checkup is not None
            and self._checkup.generation >= 0
            and not self._there_address.remote  # which is asked over the network
        )
        arguments = [str(self._there_path)] if usable else []
        try:
            seen = watched("qa.rehearsal", arguments)
        except subprocess.TimeoutExpired as error:
            raise LibraryError(f"it took longer than {error.timeout:.0f} s") from error
        try:
            done = json.loads(seen.output.splitlines()[-1])
        except (IndexError, ValueError):
            last = (seen.errors.strip().splitlines() or ["no message"])[-1]
            done = {"failed": f"it ended with status {seen.status} ({last})"}
        if "failed" in done:
            yield Finding(
                kind="offline",
                where="rehearsal",
                message=f"Syncing and asking did not work while they were watched: "
                f"{done['failed']}",
                advice="Mend what else is found, then run this again.",
            )
        for what in dict.fromkeys(f"{each.what} by {each.process}" for each in seen.attempts):
            yield Finding(
                kind="offline",
                where="network",
                message=f"A way out of this machine was tried, and refused: {one_line(what)}.",
                advice="Report this, please: Quoth never should.",
            )
        if seen.attempts or "failed" in done:
            return
        did = f"{done['synced']} files synced, {done['asked']} questions asked"
        if "asked_library" in done:
            did += f", {done['asked_library']} more of this library"
        how = (
            "the kernel watched all of it, native code and child processes included"
            if seen.by == "kernel"
            else f"only Python code was watched, because the kernel could not ({seen.why})"
        )
        yield ("offline", f"no network socket was opened: {did}; {how}")


def _reason(error: Exception) -> str:
    """Return what an error says, without a full stop; what nobody expected has its type."""
    if isinstance(error, QuothError):
        return str(error).rstrip(".")
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"


def _model_there(name: str, fingerprint: str) -> Iterator[Finding]:
    """Yield that the model of a library is missing, or another one by now."""
    from index.encoder import load_encoder
    from index.weights import DEFAULT_MODEL

    try:
        # The default one was looked at already; another is loaded as for a question.
        found = load_encoder(name, download=False).fingerprint
    except EncoderError as error:
        yield Finding(
            kind="model",
            where=name,
            message=f"The model of the library cannot be loaded: {error}",
            advice="Bring it back, or embed everything with another: `quoth rebuild --model "
            f"{DEFAULT_MODEL}`.",
        )
        return
    if found != fingerprint:
        yield Finding(
            kind="model",
            where=name,
            message=f"The model called {name} is not the one that the library was built with.",
            advice="Bring that one back, or embed everything again with `quoth rebuild --model "
            f"{name}`.",
        )


def _is_held(lock: Path) -> bool:
    """Return whether a process holds the lock of the one writer."""
    try:
        import fcntl

        handle = os.open(lock, os.O_RDONLY)
    except (ImportError, OSError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _since(what: str) -> str:
    return "have changed since they were indexed" if what == "changed" else "are gone"


def _some(names: list[str]) -> str:
    """Return the first few names, and how many there are beside them."""
    shown = ", ".join(one_line(name) for name in names[:_FEW])
    return f"{shown} and {len(names) - _FEW} more" if len(names) > _FEW else shown
