"""Proof that a command opens no way out: it runs where the kernel refuses and reports each one.

Linux lets a process give up system calls for good, for itself and all it starts (seccomp(2)).
A command runs under a filter that lets the kernel ask us at each `socket()` of another family
than those that stay on the machine; we note who asked and refuse. So native code and children
are covered. Where the kernel has no such filters, Python's own audit events are watched instead,
which is said.

`python -m qa.offline DESCRIPTOR MODULE …` is the child: it shuts itself in, then runs MODULE.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Attempt", "Watched", "watched"]

PATIENCE_SECONDS = 900.0

# Families that reach no other machine: local sockets, and questions to the kernel.
_LOCAL = {socket.AF_UNIX, getattr(socket, "AF_NETLINK", socket.AF_UNIX)}
# What Python itself reports: name lookups may go through a local service, without a socket.
_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")

# From linux/seccomp.h, linux/filter.h and linux/audit.h; they are part of the kernel's interface.
_NO_NEW_PRIVS = 38
_SET_FILTER, _NEW_LISTENER = 1, 1 << 3
_ALLOW, _ASK, _REFUSE, _KILL = 0x7FFF0000, 0x7FC00000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101
_QUESTION = struct.Struct("=QIIiIQ6Q")  # id, process, flags, number, arch, address, arguments
_REPLY = struct.Struct("=QqiI")  # id, value, error, flags
_IO_URING_SETUP = 425  # the same on both; it can open sockets that no filter sees


@dataclass(frozen=True, slots=True)
class _Machine:
    """Numbers of a processor's system calls."""

    arch: int
    socket: int
    seccomp: int
    foreign: int | None = None  # numbers from here on are of another interface


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, 317, foreign=0x40000000),
    "aarch64": _Machine(0xC00000B7, 198, 277),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A way out that was tried: by which process, and what, such as "socket AF_INET"."""

    process: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What came of a command that was watched.

    Attributes:
        by: "kernel" where everything was, or "python" where only Python code of the command
            itself was.
        why: Why the kernel did not watch, or "".
        attempts: What was tried; each was refused.
        status: Exit status of the command; negative for a signal.
        output, errors: What it wrote.
    """

    by: str
    why: str
    attempts: tuple[Attempt, ...]
    status: int
    output: str
    errors: str


def watched(
    module: str, arguments: Sequence[str] = (), *, timeout: float = PATIENCE_SECONDS
) -> Watched:
    """Run a Python module as a command that can open no way out, and return what it tried.

    Raises:
        subprocess.TimeoutExpired: It took longer than `timeout` seconds and was ended.
        OSError: It could not be started.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        child = subprocess.Popen(
            [sys.executable, "-m", "qa.offline", str(theirs.fileno()), module, *arguments],
            env=os.environ | {"PYTHONPATH": _python_path()},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        theirs.close()
        watch = _Watch(ours)
        watch.start()
        try:
            with child:
                try:
                    output, errors = child.communicate(timeout=timeout)
                except BaseException:
                    os.killpg(child.pid, signal.SIGKILL)  # with all that it has started
                    raise
        finally:
            watch.end()
    return Watched(
        by=watch.by,
        why=watch.why,
        attempts=tuple(watch.attempts),
        status=child.returncode,
        output=output.decode(errors="replace"),
        errors=errors.decode(errors="replace"),
    )


def _python_path() -> str:
    """Return a PYTHONPATH with which the child finds this very package."""
    here = str(Path(__file__).resolve().parent.parent)
    given = os.environ.get("PYTHONPATH")
    return os.pathsep.join([here, given]) if given else here


# Watching -------------------------------------------------------------------------------------


class _Watch(threading.Thread):
    """Answers the kernel's questions, and hears what the child reports itself."""

    def __init__(self, channel: socket.socket) -> None:
        super().__init__(name="quoth-offline", daemon=True)
        self.by, self.why = "python", "the command ended before it was watched"
        self.attempts: list[Attempt] = []
        self._channel = channel
        self._rest = b""
        self._ended, self._wake = os.pipe()

    def end(self) -> None:
        """Hear what is left, and stop."""
        os.close(self._wake)
        self.join()
        os.close(self._ended)

    def run(self) -> None:
        """Watch until the child is gone."""
        listener: int | None = None
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(self._ended, select.POLLIN)
        try:
            while True:
                ready = dict(poll.poll())
                # Hung up, there is nothing to take: before Linux 6.11 one would wait for ever.
                if listener in ready and not (
                    ready[listener] & select.POLLIN and self._answer(listener)
                ):
                    poll.unregister(listener)
                    os.close(listener)
                    listener = None
                if self._channel.fileno() in ready:
                    data, descriptors = self._heard()
                    if descriptors:
                        listener = descriptors[0]
                        poll.register(listener, select.POLLIN)
                    elif not data:
                        poll.unregister(self._channel)
                if self._ended in ready and not set(ready) - {self._ended}:
                    return
        finally:
            if listener is not None:
                os.close(listener)

    def _heard(self) -> tuple[bytes, list[int]]:
        data, descriptors, _, _ = socket.recv_fds(self._channel, 65536, 1)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            told = json.loads(line)
            if told["kind"] == "begun":
                self.by, self.why = told["by"], told["why"]
            else:
                self.attempts.append(Attempt(told["process"], told["what"]))
        return data, list(descriptors)

    def _answer(self, listener: int | None) -> bool:
        """Take one question of the kernel, note it and refuse; False when nobody asks any more."""
        import fcntl

        assert listener is not None
        question = bytearray(_QUESTION.size)
        try:
            fcntl.ioctl(listener, _RECEIVE, question)
            id, process, _, _, _, _, family, *_ = _QUESTION.unpack(question)
            self.attempts.append(Attempt(_name_of(process), f"socket {_family(family)}"))
            reply = bytearray(_REPLY.pack(id, 0, -errno.EACCES, 0))
            fcntl.ioctl(listener, _ANSWER, reply)
        except OSError as error:
            # ENOENT: who asked has been ended meanwhile, and others may ask.
            return error.errno in (errno.ENOENT, errno.EINTR) and not _hung_up(listener)
        return True


def _hung_up(listener: int) -> bool:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _name_of(process: int) -> str:
    try:
        name = Path(f"/proc/{process}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        name = "a process"
    return f"{name} ({process})"


def _family(number: int) -> str:
    try:
        return socket.AddressFamily(number).name
    except ValueError:
        return f"family {number}"


# In the child ---------------------------------------------------------------------------------


def _shut_in() -> int:
    """Give up every way out, for good, and return the descriptor that the kernel asks through.

    Raises:
        OSError: The kernel or the machine has no such filters.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.platform != "linux" or sys.byteorder != "little":
        raise OSError(errno.ENOSYS, f"not known how on {platform.machine()}")
    program = b"".join(_filter(machine))
    buffer = ctypes.create_string_buffer(program)
    # struct sock_fprog: how many instructions, and where they are.
    pointer = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    listener = libc.syscall(machine.seccomp, _SET_FILTER, _NEW_LISTENER, pointer)
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(listener)


def _filter(machine: _Machine) -> list[bytes]:
    """Return the program that the kernel runs at each system call, an instruction each."""
    local = sorted(int(family) for family in _LOCAL)
    check = [
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        *(_step(_EQUAL, family, yes=len(local) - at) for at, family in enumerate(local)),
        _step(_RETURN, _ASK),
        _step(_RETURN, _ALLOW),
    ]
    # A program for another interface of the processor would have other numbers: none is let in.
    head = [
        _step(_LOAD, _ARCH_AT),
        _step(_EQUAL, machine.arch, yes=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
    ]
    if machine.foreign is not None:
        head += [
            _step(_AT_LEAST, machine.foreign, no=1),
            _step(_RETURN, _REFUSE | errno.ENOSYS),
        ]
    return [
        *head,
        _step(_EQUAL, _IO_URING_SETUP, no=1),
        _step(_RETURN, _REFUSE | errno.EPERM),
        _step(_EQUAL, machine.socket, yes=1),
        _step(_RETURN, _ALLOW),
        *check,
    ]


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Return an instruction; `yes` and `no` say how many are left out after a comparison."""
    return struct.pack("=HBBI", code, yes, no, value)


class _Reporter:
    """Tells whoever watches what Python reports; refuses what the kernel does not."""

    def __init__(self, channel: socket.socket, *, refusing: bool) -> None:
        self._channel, self._refusing = channel, refusing
        self._lock = threading.Lock()
        self._process = os.getpid()

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event of Python."""
        if not event.startswith("socket."):
            return
        if event in _LOOKUPS:
            what = event.removeprefix("socket.")
        elif self._refusing and event == "socket.__new__" and arguments[1] not in _LOCAL:
            what = f"socket {_family(int(arguments[1]))}"
        else:
            return
        self.tell(kind="attempt", process=f"python ({self._process})", what=what)
        raise PermissionError(errno.EACCES, "nothing may leave this machine here")

    def tell(self, **told: str) -> None:
        """Send a line to whoever watches."""
        with self._lock, suppress(OSError):
            self._channel.sendall(json.dumps(told).encode("ascii") + b"\n")


def main(arguments: list[str]) -> None:
    """Shut this process in and run the module that is named."""
    descriptor, module, *rest = arguments
    channel = socket.socket(fileno=int(descriptor))
    try:
        listener = _shut_in()
    except OSError as error:
        reporter = _Reporter(channel, refusing=True)
        reporter.tell(kind="begun", by="python", why=str(error.strerror))
    else:
        begun = json.dumps({"kind": "begun", "by": "kernel", "why": ""}).encode("ascii")
        socket.send_fds(channel, [begun + b"\n"], [listener])
        os.close(listener)
        reporter = _Reporter(channel, refusing=False)
    sys.addaudithook(reporter.heard)
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
