"""A process that parses can compute, and change nothing, reach nobody and start nothing."""

from __future__ import annotations

import errno
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Tries each on the file that is given, and says how the kernel answered.
_TRYING = """
import ctypes, os, signal, socket, sys
from pathlib import Path
from index.formats.confine import confine
from index.formats.limits import Limits
file, handle = sys.argv[1], os.open(sys.argv[1], os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "")
confine(Limits())
for name, step in {
    "chmod": lambda: os.chmod(file, 0o666),
    "fchmod": lambda: os.fchmod(handle, 0o666),
    "fchmodat2": lambda: call(452, -100, file.encode(), 0o666, 0),
    "chown": lambda: os.chown(file, os.getuid(), os.getgid()),
    "lchown": lambda: os.lchown(file, os.getuid(), os.getgid()),
    "fchown": lambda: os.fchown(handle, os.getuid(), os.getgid()),
    "utime": lambda: os.utime(file, (1, 1)),
    "futimens": lambda: os.utime(handle, (1, 1)),
    "setxattr": lambda: os.setxattr(file, "user.note", b"x"),
    "fsetxattr": lambda: os.setxattr(handle, "user.note", b"x"),
    "removexattr": lambda: os.removexattr(file, "user.note"),
    "setxattrat": lambda: call(463, -100, file.encode(), 0, b"user.note", None, 0),
    "connect": lambda: socket.socket(),
    "fork": os.fork,
    "program": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(os.getppid(), 0),
    "read": lambda: os.read(handle, 4),
    "read another": lambda: Path(file).read_bytes(),
}.items():
    try:
        step()
        print(name, 0)
    except OSError as error:
        print(name, error.errno)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="there is no such confinement here",
)
def test_a_parser_changes_no_file_reaches_nobody_and_starts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "held.txt"
    file.write_text("kept")
    file.chmod(0o600)
    before = file.stat()
    done = subprocess.run(
        [sys.executable, "-c", _TRYING, str(file)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    allowed = {name for name, number in said.items() if number == "0"}
    assert allowed == {"read", "read another"}
    assert {said[name] for name in said.keys() - allowed} == {str(errno.EPERM)}
    after = file.stat()
    assert (after.st_mode, after.st_ctime_ns) == (before.st_mode, before.st_ctime_ns)
