"""What the process that parses one file may do: compute, and little else.

Limits on time, memory and files hold wherever Python runs. Where the Linux kernel offers more, the
process can no longer change a file (Landlock), who may read it or when it was changed, nor open a
connection or start a program (seccomp); a kernel without them leaves a parser as free as any other
program of the user.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import platform
import resource
import signal
import struct
import sys

from index.formats.limits import Limits

__all__ = ["confine", "die_with_parent"]

_DESCRIPTORS = 64

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_LANDLOCK_CREATE_RULESET = 444  # the numbers are the same for every processor
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_VERSION = 1  # a flag: asked which version there is
# Executing, writing, removing and making of files: all that the first version knows but reading
# a file (bit 2) and a folder (bit 3); then renaming into another folder and cutting short.
_CHANGES = {1: 0b1_1111_1111_0011, 2: 1 << 13, 3: 1 << 14}
_CONNECTIONS = {4: 0b11}
_OUTSIDE = {6: 0b11}  # sockets of other processes, and signals to them

# By processor: what the kernel calls it, and the calls that are refused.
_REFUSED = {
    "x86_64": (
        0xC000003E,
        (
            *(41, 42),  # socket, connect
            *(56, 57, 58, 435, 59, 322),  # clone, fork, vfork, clone3, execve, execveat
            # kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal
            *(62, 200, 234, 129, 297, 424),
            # ptrace, process_vm_writev, pidfd_getfd, prlimit64, io_uring_setup, bpf
            *(101, 311, 438, 302, 425, 321),
            # Landlock knows nothing of what a file says of itself:
            *(90, 91, 268, 452),  # chmod, fchmod, fchmodat, fchmodat2
            *(92, 93, 94, 260),  # chown, fchown, lchown, fchownat
            *(132, 235, 261, 280),  # utime, utimes, futimesat, utimensat
            # setxattr, lsetxattr, fsetxattr, setxattrat, the same for removexattr, file_setattr
            *(188, 189, 190, 463, 197, 198, 199, 466, 469),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(198, 203),
            *(220, 435, 221, 281),  # the same but for fork and vfork, which it does not have
            *(129, 130, 131, 138, 240, 424),
            *(117, 271, 438, 261, 425, 280),
            *(52, 53, 452),  # the same but for calls that it does not have
            *(55, 54),
            *(88,),
            *(5, 6, 7, 463, 14, 15, 16, 466, 469),
        ),
    ),
}
_X32_CALLS = 0x4000_0000  # another table of the same calls

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when `parent`, which made it, ends."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # too late
        os._exit(1)


def confine(limits: Limits) -> None:
    """Take from this process what a parser does not need; nothing gives it back."""
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        # Should the machine run out of memory, this is the process to end.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(usage.ru_utime + usage.ru_stime) + limits.seconds
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, _DESCRIPTORS)
    # Where both are the same, the kernel sends no SIGXCPU, which tells what happened.
    _limit(resource.RLIMIT_CPU, seconds, seconds + 5)
    _limit(resource.RLIMIT_AS, limits.memory)
    if _LIBC is not None and _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        _change_no_file(_LIBC)
        _make_no_connection(_LIBC)


def _limit(what: int, soft: int, hard: int | None = None) -> None:
    _, most = resource.getrlimit(what)
    hard = soft if hard is None else hard
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(what, (soft, hard))


def _change_no_file(libc: ctypes.CDLL) -> None:
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return
    handled = [
        sum(bits for since, bits in rights.items() if since <= version)
        for rights in (_CHANGES, _CONNECTIONS, _OUTSIDE)
    ]
    rules = struct.pack("=3Q", *handled)
    # An older kernel knows a shorter structure, and takes a longer one if the rest is zero.
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset >= 0:
        libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)


def _make_no_connection(libc: ctypes.CDLL) -> None:
    """Install a filter under which the refused calls fail with EPERM."""
    if _FILTER is None:
        return
    code, count = _FILTER
    program = struct.pack("@HP", count, ctypes.addressof(code))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0)


def _filter() -> tuple[ctypes.Array[ctypes.c_char], int] | None:
    """Return a program for the kernel and its length; None for a processor we do not know."""
    machine = platform.machine()
    if machine not in _REFUSED:
        return None
    architecture, calls = _REFUSED[machine]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    refuse, allow = (give, 0, 0, 0x0005_0001), (give, 0, 0, 0x7FFF_0000)
    # Each jump is counted from the next instruction; the two ends stand last.
    count = len(calls)
    steps = [
        (load, 0, 0, 4),  # the architecture
        (equal, 0, count + 3, architecture),
        (load, 0, 0, 0),  # the number of the call
        (at_least, count + 1, 0, _X32_CALLS),
        *((equal, count - at, 0, call) for at, call in enumerate(calls)),
        allow,
        refuse,
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    return ctypes.create_string_buffer(code), len(steps)


_FILTER = _filter()  # made before processes are forked that need it
