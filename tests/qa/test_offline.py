"""Nothing leaves the machine: what tries is refused and reported, and syncing and asking do not."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from index.weights import cache_folder
from qa import offline
from qa.offline import Watched, watched

ROOT = Path(__file__).parents[2]


def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, *arguments: str, **options: float
) -> Watched:
    """Watch some lines of Python."""
    (tmp_path / "watched_code.py").write_text(code, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return watched("watched_code", arguments, **options)


def whats(seen: Watched) -> list[str]:
    return [attempt.what for attempt in seen.attempts]


@pytest.fixture
def _by_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if run(tmp_path, monkeypatch, "").by != "kernel":
        pytest.skip("the kernel has no such filters here")


def test_what_stays_on_the_machine_may_be_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import socket, subprocess, sys
left, right = socket.socketpair()
left.send(b"x")
print(right.recv(1), sys.argv[1:])
subprocess.run([sys.executable, "-c", "print('a child')"], check=True)
print("to stderr", file=sys.stderr)
sys.exit(3)
"""
    seen = run(tmp_path, monkeypatch, code, "one", "two")
    assert seen.attempts == ()
    assert sorted(seen.output.splitlines()) == ["a child", "b'x' ['one', 'two']"]
    assert (seen.status, seen.errors) == (3, "to stderr\n")
    assert seen.by == ("kernel" if seen.why == "" else "python")


PYTHON = """
import socket
for family in (socket.AF_INET, socket.AF_INET6):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
    except PermissionError as error:
        print("refused", error.errno)
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except PermissionError as error:
    print("refused", error.errno)
try:
    socket.getaddrinfo("example.invalid", 80)
except PermissionError as error:
    print("refused", error.errno)
"""


def test_a_socket_of_python_is_refused_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = run(tmp_path, monkeypatch, PYTHON)
    assert seen.output == "refused 13\n" * 4
    # A connection looks its address up first, even where it is a number.
    assert whats(seen) == ["socket AF_INET", "socket AF_INET6", "getaddrinfo", "getaddrinfo"]


@pytest.mark.usefixtures("_by_the_kernel")
def test_a_socket_of_native_code_is_refused_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = """
import ctypes, socket, threading
libc = ctypes.CDLL(None, use_errno=True)
print(libc.socket(int(socket.AF_INET), int(socket.SOCK_STREAM), 0), ctypes.get_errno())
thread = threading.Thread(target=lambda: print(libc.socket(int(socket.AF_INET6), 2, 0)))
thread.start()
thread.join()
print(libc.socket(17, 3, 0))  # AF_PACKET: everything that passes by
"""
    seen = run(tmp_path, monkeypatch, code)
    assert seen.output == "-1 13\n-1\n-1\n"
    assert whats(seen) == ["socket AF_INET", "socket AF_INET6", "socket AF_PACKET"]
    assert all(attempt.process.startswith("python") for attempt in seen.attempts)


@pytest.mark.usefixtures("_by_the_kernel")
def test_children_are_shut_in_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
import subprocess, sys
tries = "import socket; socket.socket()"
print(subprocess.run([sys.executable, "-I", "-c", tries], stderr=subprocess.DEVNULL).returncode)
deeper = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {tries!r}])"
subprocess.run([sys.executable, "-c", deeper], stderr=subprocess.DEVNULL)
subprocess.run(["bash", "-c", "exec 3<> /dev/tcp/192.0.2.1/80"], stderr=subprocess.DEVNULL)
"""
    seen = run(tmp_path, monkeypatch, code)
    assert seen.output == "1\n"
    assert whats(seen) == ["socket AF_INET"] * 3
    assert [each.process.split(" ")[0] for each in seen.attempts] == ["python", "python", "bash"]
    assert len({each.process for each in seen.attempts}) == 3


@pytest.mark.usefixtures("_by_the_kernel")
def test_a_ring_of_the_kernel_is_no_way_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """io_uring opens sockets without the system call that is watched, so it is not to be had."""
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(425, 4, ctypes.create_string_buffer(120)), ctypes.get_errno())
"""
    seen = run(tmp_path, monkeypatch, code)
    assert seen.output == "-1 1\n"
    assert seen.attempts == ()


def test_where_the_kernel_cannot_watch_python_is_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a processor whose numbers of system calls are not known."""
    (tmp_path / "sitecustomize.py").write_text(
        "import platform\nplatform.machine = lambda: 'riscv128'\n", "utf-8"
    )
    seen = run(tmp_path, monkeypatch, PYTHON)
    assert (seen.by, seen.why) == ("python", "not known how on riscv128")
    assert seen.output == "refused 13\n" * 4
    assert whats(seen) == ["socket AF_INET", "socket AF_INET6", "getaddrinfo", "getaddrinfo"]


def test_a_command_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(tmp_path, monkeypatch, "import time; time.sleep(600)", timeout=1.0)


def test_a_command_that_ends_before_it_is_watched_is_no_proof(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos._exit(7)\n", "utf-8")
    seen = run(tmp_path, monkeypatch, "")
    assert (seen.status, seen.by, seen.why) == (
        7,
        "python",
        "the command ended before it was watched",
    )


def test_the_machines_that_are_known_are_the_usual_ones() -> None:
    assert {"x86_64", "aarch64"} <= offline._MACHINES.keys()
    if platform.machine() == "x86_64":
        # The number is the one that the C library uses: the call itself shows it.
        libc = ctypes.CDLL(None)
        handle = libc.syscall(offline._MACHINES["x86_64"].socket, int(socket.AF_UNIX), 1, 0)
        assert handle >= 0
        assert os.readlink(f"/proc/self/fd/{handle}").startswith("socket:")
        os.close(handle)


class _Noting(offline._Watch):
    """Notes which descriptors it takes a question from."""

    def __init__(self, channel: socket.socket) -> None:
        super().__init__(channel)
        self.taken: list[int | None] = []

    def _answer(self, listener: int | None) -> bool:
        self.taken.append(listener)
        return super()._answer(listener)


def test_where_nobody_asks_any_more_nothing_is_taken() -> None:
    """Before Linux 6.11, taking a question from a listener that has hung up never ends."""
    ours, theirs = socket.socketpair()
    listener, asking = os.pipe()
    with ours, theirs:
        watch = _Noting(ours)
        watch.start()
        os.close(asking)  # from now on poll() reports that it has hung up, and no more
        begun = b'{"kind": "begun", "by": "kernel", "why": ""}\n'
        socket.send_fds(theirs, [begun], [listener])
        os.close(listener)
        theirs.close()
        watch.end()
    assert (watch.by, watch.taken) == ("kernel", [])


@pytest.mark.slow
def test_syncing_and_asking_open_no_way_out(
    examples_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUOTH_CACHE", str(cache_folder()))
    seen = watched("qa.rehearsal", [str(examples_folder)])
    assert seen.attempts == ()
    assert json.loads(seen.output) == {"synced": 4, "asked": 4, "asked_library": 3}
    assert seen.status == 0


@pytest.mark.slow
def test_making_a_model_ready_opens_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty cache: PyTorch and sentence-transformers run in a child of the child."""
    monkeypatch.setenv("QUOTH_CACHE", str(tmp_path))
    seen = watched("qa.rehearsal")
    assert seen.attempts == ()
    assert json.loads(seen.output)["synced"] == 4
    assert list((tmp_path / "models").glob("*/model.onnx"))


def test_the_rehearsal_tells_why_it_failed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qa.rehearsal", str(tmp_path / "none.quoth")],
        env=os.environ | {"PYTHONPATH": str(ROOT), "QUOTH_CACHE": str(cache_folder())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "There is no library at" in json.loads(done.stdout)["failed"]
