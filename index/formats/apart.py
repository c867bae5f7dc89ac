"""Untrusted files, parsed in processes that cost nothing to lose.

A parser that hangs, eats memory or crashes takes its process with it and nothing else. What it
answers is read as data, checked and capped, since a file may have taken the process over.
See `index.formats.child` for the other side.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import index
from index.errors import (
    FormatError,
    MissingExtraError,
    ParserEndedError,
    ParsersBusyError,
    SyncCancelledError,
)
from index.formats.child import (
    DOCUMENT,
    ENDED,
    FAILURE,
    LENGTH,
    OUT_OF_MEMORY,
    PICTURE,
    VALUES,
)
from index.formats.limits import Limits, megabytes
from index.formats.wire import unpack
from index.types import Document

__all__ = ["ParserFailure", "Pool", "Reply"]

logger = logging.getLogger(f"quoth.{__name__}")

T = TypeVar("T")
Order = Mapping[str, Any]

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from index.formats.child import main; main(sys.argv[2:])"
)
_IDLE_SECONDS = 60
_GRACE_SECONDS = 2  # to end by itself, before it is killed
_GLANCE_SECONDS = 0.1  # between two looks at whether the work was cancelled
_MOST_FAILURE = 2**16
_MOST_VALUES = 2**22
_MOST_PICTURE = 2**26


class ParserFailure(Exception):
    """What a parser raised in its own process: the kind of error, and the line it came from."""


class _ServerGoneError(Exception):
    """The server ended before it could say what became of a file."""


class Reply:
    """An answer as it comes in, byte by byte, waited for until the time is over."""

    def __init__(
        self, connection: socket.socket, limits: Limits, cancel: threading.Event | None
    ) -> None:
        self.limits = limits
        self._connection = connection
        self._until = time.monotonic() + limits.wall_seconds
        self._cancel = cancel

    def read(self, count: int) -> bytearray:
        """Return the next `count` bytes.

        Raises:
            EOFError: There are not so many.
            TimeoutError: The time is over.
            SyncCancelledError: Somebody asked to stop.
        """
        return _read(self._connection, count, self._until, self._cancel)

    def document(self) -> Document:
        """Return the document that the answer is.

        Raises:
            FormatError: The parser said so, or the document is over the limits.
            ValueError: It is neither.
        """
        if self._kind() != DOCUMENT:
            raise ValueError("no document")
        return unpack(self.read, self.limits)

    def picture(self) -> bytes:
        """Return the bytes that the answer is."""
        return bytes(self._counted(PICTURE, _MOST_PICTURE))

    def values(self) -> Any:  # noqa: ANN401 - as JSON has them; whoever asked checks them
        """Return the values that the answer is."""
        return json.loads(self._counted(VALUES, _MOST_VALUES))

    def _counted(self, kind: bytes, most: int) -> bytearray:
        if self._kind() != kind:
            raise ValueError("an answer of another kind")
        return self._sized(most)

    def _kind(self) -> bytearray:
        kind = self.read(1)
        if kind == FAILURE:
            failure = json.loads(self._sized(_MOST_FAILURE))
            if "missing" in failure:
                raise _missing(str(failure["missing"]))
            cause = str(failure["cause"])
            reason = " ".join(str(failure["reason"]).split())
            raise FormatError(reason) from (ParserFailure(cause) if cause else None)
        return kind

    def _sized(self, most: int) -> bytearray:
        (length,) = LENGTH.unpack(self.read(LENGTH.size))
        if length > most:
            raise ValueError("more is announced than the limits allow")
        return self.read(length)


class _Server:
    """One process that forks a parser a file; it works on one at a time."""

    def __init__(self) -> None:
        self.fresh = True  # has not finished anything yet
        self.idle = True  # does nothing now
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    _command(theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    cwd="/",
                    env=_environment(),
                )
            except OSError as error:
                self._control.close()
                raise FormatError(f"its reader cannot be started: {error.strerror}") from error

    def ask(
        self,
        order: Order,
        descriptor: int,
        limits: Limits,
        receive: Callable[[Reply], T],
        cancel: threading.Event | None,
    ) -> T:
        """Return what `receive` makes of the answer.

        Raises:
            FormatError: The file cannot be read, or its reading went over a limit.
            _ServerGoneError: Through no fault of the file, perhaps.
        """
        self.idle = False
        ours, theirs = socket.socketpair()
        with ours:
            try:
                with theirs:
                    self._send(order, [descriptor, theirs.fileno()], limits)
                reply = Reply(ours, limits, cancel)
                failure: FormatError | None = None
                try:
                    answer = receive(reply)
                except FormatError as error:
                    failure = error
                except EOFError:
                    raise ParserEndedError(self._how_it_ended(limits)) from None
                status = self._ended(limits)[0]
                if failure is not None:
                    raise failure
                if status:
                    raise ValueError("the process answered and failed")
            except TimeoutError:
                raise ParserEndedError(_too_long(limits)) from None
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                # What no parser of ours would say: the file has taken it over, or we are wrong.
                logger.debug("a parser gave a wrong answer: %s", type(error).__name__)
                raise ParserEndedError(_CRASHED) from ParserFailure(type(error).__name__)
        return answer

    def close(self) -> None:
        """End the process, and the parser that it watches."""
        self._control.close()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, order: Order, descriptors: list[int], limits: Limits) -> None:
        data = json.dumps({**order, "limits": asdict(limits)}).encode("ascii")
        self._control.settimeout(limits.wall_seconds)
        try:
            socket.send_fds(self._control, [LENGTH.pack(len(data))], descriptors)
            self._control.sendall(data)
        except TimeoutError:
            raise
        except OSError as error:
            raise _ServerGoneError from error

    def _ended(self, limits: Limits) -> tuple[int, int]:
        """Return the wait status of the parser that has answered, and its memory in bytes."""
        until = time.monotonic() + limits.wall_seconds
        try:
            status, peak = ENDED.unpack(_read(self._control, ENDED.size, until, None))
        except EOFError:
            raise _ServerGoneError from None
        self.idle, self.fresh = True, False
        return status, peak

    def _how_it_ended(self, limits: Limits) -> str:
        status, peak = self._ended(limits)
        code = os.waitstatus_to_exitcode(status)
        logger.debug("a parser ended with %d, having used %d bytes", code, peak)
        if code == -signal.SIGXCPU:
            return _too_long(limits)
        # Native code that gets no memory ends in one way or another.
        if code == OUT_OF_MEMORY or peak > limits.memory // 2:
            return f"needs too much memory (over {megabytes(limits.memory)})"
        return _CRASHED


class Pool:
    """At most `size` servers, each kept for a while after its last file; for many threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(size)
        self._idle: list[tuple[_Server, float]] = []
        self._sweeper: threading.Timer | None = None
        self._foreign: list[tuple[_Server, float]] = []
        os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.close)

    def run(
        self,
        order: Order,
        descriptor: int,
        limits: Limits,
        receive: Callable[[Reply], T],
        *,
        cancel: threading.Event | None = None,
        patience: float | None = None,
    ) -> T:
        """Have something done with an open file, and return what `receive` makes of the answer.

        Args:
            order: What to do; `modules` are those that have to be imported for it.
            descriptor: The file.
            limits: For the work, and for the answer.
            receive: Reads the answer.
            cancel: Once set, the work is ended.
            patience: Seconds to wait for a process that has time; None for as long as it takes.

        Raises:
            FormatError: The file cannot be read, or its reading went over a limit.
            ParsersBusyError: `patience` was not enough.
            SyncCancelledError: `cancel` was set.
        """
        slots = self._slots
        self._acquire(slots, cancel, patience)
        try:
            while True:
                server = self._take()
                try:
                    return server.ask(order, descriptor, limits, receive, cancel)
                except _ServerGoneError as error:
                    if server.fresh:  # an older one may have ended before the file came to it
                        raise ParserEndedError(_CRASHED) from error
                finally:
                    if server.idle:
                        self._put(server)
                    else:
                        server.close()
        finally:
            slots.release()

    def close(self) -> None:
        """End the processes that have nothing to do."""
        with self._lock:
            idle, self._idle = self._idle, []
        for server, _ in idle:
            server.close()

    def _reset(self) -> None:
        # After a fork the processes are the parent's; two must not speak on one socket.
        self._foreign, self._idle = self._idle, []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self._size)
        self._sweeper = None

    def _acquire(
        self,
        slots: threading.BoundedSemaphore,
        cancel: threading.Event | None,
        patience: float | None,
    ) -> None:
        until = None if patience is None else time.monotonic() + patience
        while not slots.acquire(timeout=_GLANCE_SECONDS):
            if cancel is not None and cancel.is_set():
                raise SyncCancelledError
            if until is not None and time.monotonic() > until:
                raise ParsersBusyError

    def _take(self) -> _Server:
        with self._lock:
            if self._idle:
                return self._idle.pop()[0]
        return _Server()

    def _put(self, server: _Server) -> None:
        with self._lock:
            self._idle.append((server, time.monotonic()))
            self._sweep_later()

    def _sweep_later(self) -> None:
        if self._sweeper is None:
            self._sweeper = threading.Timer(_IDLE_SECONDS, self._sweep)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep(self) -> None:
        """End what has had nothing to do for a while."""
        before = time.monotonic() - _IDLE_SECONDS
        with self._lock:
            old = [server for server, since in self._idle if since <= before]
            self._idle = [(server, since) for server, since in self._idle if since > before]
            self._sweeper = None
            if self._idle:
                self._sweep_later()
        for server in old:
            server.close()


_CRASHED = "the reader of this format crashed"


def _too_long(limits: Limits) -> str:
    return f"takes too long to read (over {limits.seconds} s)"


def _missing(message: str) -> MissingExtraError:
    error = MissingExtraError.__new__(MissingExtraError)
    Exception.__init__(error, message)
    return error


def _read(
    connection: socket.socket, count: int, until: float, cancel: threading.Event | None
) -> bytearray:
    data = bytearray(count)
    rest = memoryview(data)
    while rest:
        if cancel is not None and cancel.is_set():
            raise SyncCancelledError
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left if cancel is None else min(left, _GLANCE_SECONDS))
        try:
            got = connection.recv_into(rest)
        except TimeoutError:
            continue
        except ConnectionResetError:
            got = 0
        if not got:
            raise EOFError
        rest = rest[got:]
    return data


def _command(descriptor: int) -> list[str]:
    """Return how the server is started: isolated, with the packages that we have."""
    # Not by -m: in isolation Python would look for us in its own packages alone.
    here = str(Path(index.__file__).parent.parent)
    packages = list(dict.fromkeys([*(path or here for path in sys.path), here]))
    options = ["-I", "-S", "-X", "utf8"]
    return [sys.executable, *options, "-c", _BOOT, json.dumps(packages), str(descriptor)]


def _environment() -> dict[str, str]:
    # Some Pythons need it to find their own libraries; the rest is none of a parser's business.
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {"LC_ALL": "C.UTF-8", **kept}
