"""The processes in which files are parsed.

`main` is a small server: it imports parsers and forks, and never looks into a file. Each file is
parsed in a process of its own that is made for it, confined, and gone afterwards. So whatever a
file does to its parser, the next one meets a parser that has seen nothing yet.

A request comes with two descriptors, the file and where the answer goes. Once the process that
worked on it has ended, the server says how.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from index.errors import FormatError, MissingExtraError
from index.formats.confine import confine, die_with_parent
from index.formats.limits import Limits
from index.formats.opening import path_of
from index.formats.wire import pack
from index.types import Page

__all__ = ["DOCUMENT", "ENDED", "FAILURE", "LENGTH", "OUT_OF_MEMORY", "PICTURE", "VALUES", "main"]

# The first byte of an answer says what it is. All but a document have a LENGTH before them.
DOCUMENT, FAILURE, PICTURE, VALUES = b"d", b"f", b"p", b"v"
LENGTH = struct.Struct("!I")
ENDED = struct.Struct("!iQ")  # a wait status, and the most memory used, in bytes
OUT_OF_MEMORY = 86  # an exit status

_IDLE_SECONDS = 120  # the caller ends us sooner; this is for one that has forgotten us
_MOST_BOXES = 20_000


def main(arguments: list[str]) -> None:
    """Serve requests on the socket with this descriptor until its other end is closed.

    Args:
        arguments: The descriptor.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the caller, who ends us
    control = socket.socket(fileno=int(arguments[0]))
    while _readable([control.fileno()], _IDLE_SECONDS):
        request = _receive(control)
        if request is None:
            return
        order, file, reply = request
        _prepare(order["modules"])
        worker = _fork(control, order, file, reply)
        os.close(file)
        os.close(reply)
        try:
            control.sendall(ENDED.pack(*_wait(worker, control)))
        except OSError:
            return


def _prepare(modules: Iterable[str]) -> None:
    """Import what the work needs, here and once: its processes have it when they are forked."""
    missing = [module for module in modules if module not in sys.modules]
    for module in missing:
        # Whoever needs it says why it failed.
        with contextlib.suppress(Exception):
            import_module(module)
    if missing:
        gc.collect()
        gc.freeze()  # what is never looked at again need not be copied by every process


def _receive(control: socket.socket) -> tuple[dict[str, Any], int, int] | None:
    """Return a request, or None when there will be no other."""
    try:
        head, descriptors, _, _ = socket.recv_fds(control, LENGTH.size, 2)
        if len(head) < LENGTH.size or len(descriptors) < 2:
            return None
        (length,) = LENGTH.unpack(head)
        data = bytearray()
        while len(data) < length:
            piece = control.recv(length - len(data))
            if not piece:
                return None
            data += piece
    except OSError:
        return None
    return json.loads(data), descriptors[0], descriptors[1]


def _fork(control: socket.socket, order: dict[str, Any], file: int, reply: int) -> int:
    server = os.getpid()
    worker = os.fork()
    if worker:
        return worker
    status = 1
    try:
        die_with_parent(server)
        control.close()
        status = _work(order, file, reply)
    finally:
        os._exit(status)


def _wait(worker: int, control: socket.socket) -> tuple[int, int]:
    """Wait for the worker, and end it if the caller goes; return how it ended."""
    handle = os.pidfd_open(worker) if hasattr(os, "pidfd_open") else None
    try:
        while True:
            watched = [control.fileno(), *([] if handle is None else [handle])]
            ready = _readable(watched, None if handle is not None else 0.01)
            ended, status, usage = os.wait4(worker, os.WNOHANG)
            if ended:
                return status, usage.ru_maxrss * 1024
            # Nothing is said to us while a file is read: the other end was closed.
            if control.fileno() in ready:
                os.kill(worker, signal.SIGKILL)
                os.waitpid(worker, 0)
                os._exit(0)
    finally:
        if handle is not None:
            os.close(handle)


def _readable(descriptors: Iterable[int], seconds: float | None) -> list[int]:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return [which for which, _ in poll.poll(None if seconds is None else seconds * 1000)]


def _work(order: dict[str, Any], file: int, reply: int) -> int:
    """Do what is asked for, and return the exit status of this process."""
    limits = Limits(**order["limits"])
    confine(limits)
    try:
        for piece in _answer(order, path_of(file), limits):
            view = memoryview(piece)
            while view:
                view = view[os.write(reply, view) :]
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


def _answer(order: dict[str, Any], path: Path, limits: Limits) -> Iterator[bytes]:
    try:
        match order["do"]:
            case "parse":
                yield from _document(order["format"], path, limits)
            case "view":
                yield from _counted(VALUES, json.dumps(_view(order, path)).encode("ascii"))
            case "image":
                yield from _counted(PICTURE, _image(order, path))
    except MissingExtraError as error:
        yield from _failure({"missing": str(error)})
    except FormatError as error:
        yield from _failure({"reason": error.reason, "cause": _place(error.__cause__)})


def _document(name: str, path: Path, limits: Limits) -> Iterator[bytes]:
    from index.formats.registry import FORMATS

    (found,) = (each for each in FORMATS if each.name == name)
    document = found.parse(path, limits)
    yield DOCUMENT
    yield from pack(document)


def _view(order: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return the size of a page, and the boxes of spans on it as lists of four numbers."""
    from index.formats.pdf import boxes_of, page_size

    number, start, end, runs = order["page"]
    page = Page(number, start, end, tuple(map(tuple, runs)))
    with _damage(number):
        size = page_size(path, number)
        boxes = boxes_of(path, page, [(start, end) for start, end in order["spans"]])
    if sum(map(len, boxes)) > _MOST_BOXES:
        raise FormatError(f"page {number} is damaged")
    return {"size": size, "boxes": [[[*asdict(box).values()] for box in each] for each in boxes]}


def _image(order: dict[str, Any], path: Path) -> bytes:
    from index.formats.pdf import page_image

    with _damage(order["number"]):
        return page_image(path, order["number"], scale=order["scale"])


@contextlib.contextmanager
def _damage(number: int) -> Iterator[None]:
    """Whatever goes wrong with a page becomes a FormatError."""
    try:
        yield
    except (FormatError, MemoryError):
        raise
    except Exception as error:
        raise FormatError(f"page {number} is damaged") from error


def _counted(kind: bytes, data: bytes) -> Iterator[bytes]:
    yield kind + LENGTH.pack(len(data))
    yield data


def _failure(what: dict[str, str]) -> Iterator[bytes]:
    return _counted(FAILURE, json.dumps(what).encode("ascii"))


def _place(error: BaseException | None) -> str:
    """Return what was raised and where; not its message, which may quote the document."""
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
